package config

// notYet warns of what the configuration asks for and this version does not do: nobody shall rely on a key in vain. Whoever
// makes one work takes its line out.
func (c *Config) notYet(p *Problems) {
	say := func(set bool, key, what string) {
		if set {
			p.warn(key, "has no effect in this version: %s", what)
		}
	}
	for _, id := range sortedKeys(c.Tenants) {
		t, key := c.Tenants[id], "tenants."+id+"."
		say(len(t.Frameio.Credentials) > 0, key+"frameio.credentials", "only one credential is used")
		say(t.Notify.SlackURL != "" || t.Notify.TeamsURL != "" || t.Notify.Webhook.URL != "", key+"notify", "notifications go by e-mail only: archive.notify and review.notify")
		a := t.Archive
		say(a.CommentCount == "trust", key+"archive.comment_count", "the comments of every file are read")
		say(a.Reclaim == "allowed", key+"archive.reclaim", "an archive never deletes anything in Frame.io")
		say(a.ProjectsInParallel > 1, key+"archive.projects_in_parallel", "a tenant's archives run one at a time")
	}
}
