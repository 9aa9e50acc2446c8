package config

// notYet warns of settings that this version does not implement, so that nobody relies on them. Remove a setting's line once it works.
func (c *Config) notYet(p *Problems) {
	say := func(set bool, key, what string) {
		if set {
			p.warn(key, "has no effect in this version: %s", what)
		}
	}
	for _, id := range sortedKeys(c.Tenants) {
		t, key := c.Tenants[id], "tenants."+id+"."
		say(len(t.Frameio.Credentials) > 0 && t.Frameio.Generation == "legacy", key+"frameio.credentials", "the legacy API is read with one credential")
	}
}
