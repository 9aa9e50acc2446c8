package config

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/events"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (t *Tenant) validate(p *Problems, key string, oidc bool) {
	if !uuidForm.MatchString(t.ID) {
		p.add(key, "a tenant's key must be a UUID")
	}
	needed(p, key+".api_key", t.APIKey.Reveal())
	for i, s := range t.APIKey {
		long(p, element(key+".api_key", i, len(t.APIKey)), s)
	}
	names := map[string]bool{}
	for i, k := range t.APIKeys {
		k.validate(p, key+".api_keys."+strconv.Itoa(i))
		if names[k.Name] {
			p.add(key+".api_keys."+strconv.Itoa(i)+".name", "two keys are named %q", k.Name)
		}
		names[k.Name] = true
	}
	for _, role := range sortedKeys(t.Roles) {
		if !slices.Contains(roles, Role(role)) {
			p.add(key+".roles."+role, "is not one of viewer, editor, operator, admin")
		}
	}
	if len(t.Roles) > 0 && !oidc {
		p.warn(key+".roles", "has no effect without auth.oidc: groups come from the sign-in provider")
	}
	needed(p, key+".frameio.generation", t.Frameio.Generation)
	t.Frameio.validate(p, key+".frameio")
	for i := range t.Frameio.Credentials {
		at := key + ".frameio.credentials." + strconv.Itoa(i)
		if len(t.Frameio.Credentials[i].Credentials) > 0 {
			p.add(at+".credentials", "credentials cannot contain further credentials")
		}
		t.Frameio.Credentials[i].validate(p, at)
	}
	t.Iconik.validate(p, key+".iconik")
	t.Archive.validate(p, key+".archive")
	t.Review.validate(p, key+".review")
	t.Notify.validate(p, key+".notify")
	atLeast(p, key+".personal_data.retention", t.PersonalData.Retention, 0)
}

func (k *APIKey) validate(p *Problems, key string) {
	needed(p, key+".name", k.Name)
	long(p, key+".key", k.Key)
	if k.Role == "" {
		p.add(key+".role", "is missing: viewer, editor, operator or admin")
	} else if !slices.Contains(roles, k.Role) {
		p.add(key+".role", "%q is not one of viewer, editor, operator, admin", string(k.Role))
	}
	if !k.Expires.IsZero() && k.Expires.Before(time.Now()) && !p.known(key+".expires") {
		p.warn(key+".expires", "was %s: the key has expired", k.Expires.Format(time.DateOnly))
	}
}

func (f *Frameio) validate(p *Problems, key string) {
	if f.Generation == "" { // only in a pool, if the tenant's own could not be read
		return
	}
	oneOf(p, key+".generation", f.Generation, "legacy", "v4")
	link(p, key+".base_url", f.BaseURL)
	f.BaseURL = strings.TrimRight(f.BaseURL, "/")
	if f.Generation == "legacy" || f.IMS.ClientID == "" && !p.known(key+".ims.client_id") {
		if f.Generation == "v4" && f.Token == "" {
			p.add(key+".token", "is missing: set it, or frameio.ims.client_id and client_secret for Adobe's sign-in")
		} else {
			needed(p, key+".token", f.Token.Reveal())
		}
	}
	if f.Generation == "v4" && f.IMS.ClientID != "" {
		needed(p, key+".ims.client_secret", f.IMS.ClientSecret.Reveal())
		link(p, key+".ims.token_url", f.IMS.TokenURL)
	}
	if !isWord(f.ServiceClient) {
		p.add(key+".service_client", "must be one word of printable ASCII")
	}
	for i, s := range f.WebhookSecrets {
		given(p, key+".webhook_secrets."+strconv.Itoa(i), s)
	}
}

func (i *Iconik) validate(p *Problems, key string) {
	link(p, key+".base_url", i.BaseURL)
	i.BaseURL = strings.TrimRight(i.BaseURL, "/")
	appID(p, key+".app_id", i.AppID)
	needed(p, key+".auth_token", i.AuthToken.Reveal())
	for n, c := range i.Credentials {
		at := key + ".credentials." + strconv.Itoa(n)
		appID(p, at+".app_id", c.AppID)
		needed(p, at+".auth_token", c.AuthToken.Reveal())
	}
	for n, s := range i.ActionSecret {
		long(p, element(key+".action_secret", n, len(i.ActionSecret)), s)
	}
	oneOf(p, key+".drawing.frame", i.Drawing.Frame, "normalised", "pixels")
	if i.Drawing.Frame == "pixels" && (i.Drawing.Width < 1 || i.Drawing.Height < 1) {
		p.add(key+".drawing", "with pixels, width and height are required")
	}
	atLeast(p, key+".settle_time", i.SettleTime, 0)
}

// appID rejects an ID that cannot be sent in a header.
func appID(p *Problems, key, id string) {
	needed(p, key, id)
	if !isWord(id) {
		p.add(key, "must be one word of printable ASCII")
	}
}

func (a *Archive) validate(p *Problems, key string) {
	needed(p, key+".root_collection", strings.TrimSpace(a.RootCollection))
	needed(p, key+".trigger_suffix", strings.TrimSpace(a.TriggerSuffix))
	if a.MaxFileSize < 1 {
		p.add(key+".max_file_size", "must be greater than 0")
	}
	oneOf(p, key+".missing_original", a.MissingOriginal, "wait", "proxy", "fail")
	atLeast(p, key+".wait_interval", a.WaitInterval, time.Second)
	between(p, key+".items_in_parallel", int64(a.ItemsInParallel), 1, 64)
	between(p, key+".projects_in_parallel", int64(a.ProjectsInParallel), 1, 64)
	oneOf(p, key+".access", a.Access, "source", "closed", "iconik_default")
	oneOf(p, key+".comment_count", a.CommentCount, HintComments, TrustComments, IgnoreComments)
	oneOf(p, key+".comments_again", a.CommentsAgain, AllAgain, CountedAgain)
	oneOf(p, key+".on_difference", a.OnDifference, "report", "restore")
	oneOf(p, key+".reclaim", a.Reclaim, "off", "allowed")
	atLeast(p, key+".reclaim_grace", a.ReclaimGrace, 0)
	between(p, key+".fixity_sample", int64(a.FixitySample), 0, 100)
	oneOf(p, key+".reclaim_bytes", a.ReclaimBytes, "read", "store")
	for _, name := range sortedKeys(a.Groups) {
		needed(p, key+".groups."+name, a.Groups[name])
	}
	taken := map[string]string{}
	for _, name := range sortedKeys(a.Fields) {
		field := a.Fields[name]
		needed(p, key+".fields."+name, field)
		if other, twice := taken[field]; twice && field != "" {
			p.add(key+".fields."+name, "maps to %s, but %q already does", field, other)
		}
		taken[field] = name
	}
	mails(p, key+".notify", a.Notify)
}

func (r *Review) validate(p *Problems, key string) {
	needed(p, key+".project", strings.TrimSpace(r.Project))
	oneOf(p, key+".watermark", r.Watermark, "required", "preferred", "off")
	oneOf(p, key+".decisions", r.Decisions, DecisionsBoth, DecisionsToIconik)
	oneOf(p, key+".access", r.Access, "public", "secure", "auto")
	oneOf(p, key+".forensic_watermark", r.ForensicWatermark, "off", "form", "always")
	oneOf(p, key+".drm", r.DRM, "off", "form", "always")
	atLeast(p, key+".asset_lifecycle", r.AssetLifecycle, 0)
	for _, option := range sortedKeys(r.StatusOptions) {
		decision := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(r.StatusOptions[option])), "_", " ")
		oneOf(p, key+".status_options."+option, decision, "approved", "changes requested", "none")
		r.StatusOptions[option] = decision
	}
	atLeast(p, key+".poll_interval", r.PollInterval, time.Second)
	atLeast(p, key+".retention", r.Retention, 0)
	atLeast(p, key+".warn_before", r.WarnBefore, 0)
	atLeast(p, key+".lasts", r.Lasts, time.Minute)
	atLeast(p, key+".longest", r.Longest, time.Minute)
	if r.Lasts > r.Longest && !p.known(key+".longest") && !p.known(key+".lasts") {
		p.warn(key+".lasts", "is longer than review.longest: reviews without an expiry end after %s", r.Longest)
	}
	atLeast(p, key+".proxy_wait", r.ProxyWait, 0)
	mails(p, key+".notify", r.Notify)
}

func (n *Notify) validate(p *Problems, key string) {
	for name, s := range map[string]Secret{"slack_url": n.SlackURL, "teams_url": n.TeamsURL, "webhook.url": n.Webhook.URL} {
		if s == "" {
			continue
		}
		u, err := url.Parse(s.Reveal())
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
			p.add(key+"."+name, "must be an address that begins with https://")
		} else if name == "teams_url" && strings.HasSuffix(strings.ToLower(u.Hostname()), ".webhook.office.com") {
			p.warn(key+"."+name, "is an Office connector, which Microsoft has retired: create a workflow in Teams (\"Send webhook alerts to a channel\") and set its URL")
		}
	}
	switch {
	case n.Webhook.URL != "" && len(n.Webhook.Secret) == 0:
		needed(p, key+".webhook.secret", "")
	case n.Webhook.URL == "" && len(n.Webhook.Secret) > 0:
		p.add(key+".webhook.url", "is missing, but webhook.secret is set")
	}
	for i, s := range n.Webhook.Secret {
		long(p, element(key+".webhook.secret", i, len(n.Webhook.Secret)), s)
	}
	known(p, key+".events", n.Events)
	known(p, key+".slack_events", n.SlackEvents)
	known(p, key+".teams_events", n.TeamsEvents)
	known(p, key+".webhook.events", n.Webhook.Events)
	known(p, key+".mail_events", n.MailEvents)
	oneOf(p, key+".mail_digest", n.MailDigest, DigestOff, DigestHourly, DigestDaily)
	if _, _, err := clockOf(n.MailDigestAt); err != nil {
		p.add(key+".mail_digest_at", "must be a time and a time zone, such as \"08:00 America/Los_Angeles\"")
	}
}

// known rejects names that are not in the catalog of events.
func known(p *Problems, key string, filter []string) {
	for _, name := range filter {
		if !events.Known(name) {
			p.add(key, "%q is not an event%s. Valid events are: %s; also patterns such as archive.*", name, didYouMean(name, events.Names()), strings.Join(events.Names(), ", "))
		}
	}
}
