package config

import (
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	shortSecret  = 16 // characters; a shorter secret can be guessed
	percentsHint = "percent-encode special characters in its password: @ as %%40, / as %%2F, # as %%23, ? as %%3F, : as %%3A, %% as %%25"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func (c *Config) validate(p *Problems) {
	c.notYet(p)
	address(p, "http.listen", c.HTTP.Listen)
	if c.HTTP.InternalListen != "" {
		address(p, "http.internal_listen", c.HTTP.InternalListen)
		if c.HTTP.InternalListen == c.HTTP.Listen {
			p.add("http.internal_listen", "is the same as http.listen: leave it empty, or use another port")
		}
	}
	address(p, "worker.listen", c.Worker.Listen)
	link(p, "http.public_url", c.HTTP.PublicURL)
	c.HTTP.PublicURL = strings.TrimRight(c.HTTP.PublicURL, "/")
	if c.HTTP.IsExample() {
		p.warn("http.public_url", "%s is only an example: set the address at which Frame.io and iconik reach the starter", ExampleHost)
	}
	c.Temporal.validate(p)
	c.Ledger.validate(p)
	between(p, "transfer.files_in_flight", int64(c.Transfer.FilesInFlight), 1, 256)
	between(p, "transfer.parts_in_flight", int64(c.Transfer.PartsInFlight), 1, 64)
	between(p, "transfer.part_size", int64(c.Transfer.PartSize), 5<<20, 512<<20)
	if c.Transfer.Memory < c.Transfer.PartSize {
		p.add("transfer.memory", "must be at least one part of %d bytes", c.Transfer.PartSize)
	}
	networks(p, "transfer.allowed_networks", c.Transfer.AllowedNetworks)
	networks(p, "notify.allowed_networks", c.Notify.AllowedNetworks)
	c.Mail.validate(p)
	if _, err := c.Report.SigningKeys(); err != nil {
		p.add("report.signing_key", "%v", err)
	}
	c.Auth.OIDC.validate(p)
	c.Telemetry.OTLP.validate(p)
	c.Prices.validate(p)
	if len(c.Tenants) == 0 {
		p.add("tenants", "at least one tenant is needed")
	}
	withRoles := false
	for id, t := range c.Tenants {
		withRoles = withRoles || len(t.Roles) > 0
		t.validate(p, "tenants."+id, c.Auth.OIDC.Issuer != "")
		if t.Frameio.Generation == "v4" && t.Frameio.IMS.RefreshToken != "" && len(c.Ledger.EncryptionKey) == 0 {
			p.add("ledger.encryption_key", "is missing: it is needed to encrypt the token that replaces tenants.%s.frameio.ims.refresh_token", id)
		}
	}
	if c.Auth.OIDC.Issuer != "" && !withRoles {
		p.warn("auth.oidc", "does not let anyone in yet: give groups roles in tenants.<id>.roles")
	}
	c.unshared(p)
}

func (t *Temporal) validate(p *Problems) {
	address(p, "temporal.address", t.Address)
	if t.UIURL != "" {
		link(p, "temporal.ui_url", t.UIURL)
		t.UIURL = strings.TrimRight(t.UIURL, "/")
	}
	needed(p, "temporal.namespace", t.Namespace)
	needed(p, "temporal.task_queue", t.TaskQueue)
	switch {
	case p.known("temporal.tls.cert") || p.known("temporal.tls.key"):
	case t.TLS.Cert != "" && t.TLS.Key == "":
		p.add("temporal.tls.key", "is missing: temporal.tls.cert needs its key")
	case t.TLS.Key != "" && t.TLS.Cert == "":
		p.add("temporal.tls.cert", "is missing: temporal.tls.key needs its certificate")
	default:
		if _, err := (TLS{Enabled: true, CA: t.TLS.CA}).ClientConfig(); err != nil {
			p.add("temporal.tls.ca", "%v", err)
		}
		if _, err := (TLS{Enabled: true, Cert: t.TLS.Cert, Key: t.TLS.Key}).ClientConfig(); err != nil {
			p.add("temporal.tls.cert", "%v", err)
		}
	}
	for i, k := range t.Codec.Keys {
		long(p, "temporal.codec.keys."+strconv.Itoa(i), k)
	}
}

func (l *Ledger) validate(p *Problems) {
	dsn := l.DSN.Reveal()
	switch file, sqlite := strings.CutPrefix(dsn, "sqlite:"); {
	case sqlite && file == "":
		p.add("ledger.dsn", "needs a file name after sqlite:")
	case sqlite:
	case !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://"):
		p.add("ledger.dsn", "must begin with sqlite: or postgres://")
	case !wellFormed(dsn):
		p.add("ledger.dsn", "is not a URL: "+percentsHint)
	case !hasPort(dsn):
		p.add("ledger.dsn", "has an invalid port: it must be from 1 to 65535")
	}
	for i, k := range l.EncryptionKey {
		long(p, element("ledger.encryption_key", i, len(l.EncryptionKey)), k)
	}
}

// hasPort reports whether a well-formed address has a valid port or none.
func hasPort(address string) bool {
	u, err := url.Parse(address)
	return err == nil && isPort(u.Port())
}

// wellFormed reports whether an address with a password means what it says. A password with /, # or ? in it would be taken for
// part of the server's or database's name, and be shown with that.
func wellFormed(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Fragment != "" || u.User.String() == ":" {
		return false
	}
	_, rest, _ := strings.Cut(address, "://")
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	}
	beyond := rest[len(host):]
	if strings.Count(host, "@") > 1 { // parsers differ on which one ends the password
		return false
	}
	if strings.Contains(u.Host, "@") || !strings.Contains(host, "@") && strings.Contains(host, ":") && strings.Contains(beyond, "@") {
		return false
	}
	path, query, _ := strings.Cut(beyond, "?")
	if strings.Contains(path, "@") {
		return false
	}
	if strings.Contains(query, ";") { // parsers differ on whether it separates settings
		return false
	}
	for part := range strings.SplitSeq(query, "&") {
		if name, _, ok := strings.Cut(part, "="); part != "" && (!ok || strings.Contains(name, "@")) {
			return false
		}
	}
	return true
}

func (m *Mail) validate(p *Problems) {
	oneOf(p, "mail.tls", m.TLS, "auto", "required", "off")
	oneOf(p, "mail.auth", m.Auth, "auto", "plain", "login", "xoauth2", "cram-md5")
	if _, err := m.CA.Pool(); err != nil {
		p.add("mail.ca", "%v", err)
	}
	if strings.IndexFunc(m.Hello, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		p.add("mail.hello", "must be a host name such as bridge.example.com, or an address such as [192.0.2.1]")
	}
	s := m.SMTPURL.Reveal()
	if s == "" {
		return
	}
	switch u, err := url.Parse(s); {
	case !strings.HasPrefix(s, "smtp://") && !strings.HasPrefix(s, "smtps://"):
		p.add("mail.smtp_url", "must begin with smtp:// or smtps://")
	case err != nil || !wellFormed(s):
		p.add("mail.smtp_url", "is not a URL: "+percentsHint)
	case u.Hostname() == "":
		p.add("mail.smtp_url", "needs a server name after smtp://")
	case !isPort(u.Port()):
		p.add("mail.smtp_url", "has an invalid port: it must be from 1 to 65535")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		p.add("mail.smtp_url", "must end with the port; remove: "+percentsHint)
	case u.Scheme == "smtps" && m.TLS == "off":
		p.add("mail.tls", "is off, but mail.smtp_url begins with smtps://")
	}
	email(p, "mail.from", m.From)
}

func (o *OIDC) validate(p *Problems) {
	if o.Issuer == "" {
		if o.ClientID != "" || o.ClientSecret != "" {
			p.add("auth.oidc.issuer", "is missing: the other keys of auth.oidc need it")
		}
		return
	}
	link(p, "auth.oidc.issuer", o.Issuer)
	if u, err := url.Parse(o.Issuer); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		p.add("auth.oidc.issuer", "must begin with https://")
	}
	needed(p, "auth.oidc.client_id", o.ClientID)
	needed(p, "auth.oidc.client_secret", o.ClientSecret.Reveal())
	needed(p, "auth.oidc.groups_claim", o.GroupsClaim)
}

func networks(p *Problems, key string, list []string) {
	for i, text := range list {
		if _, err := netip.ParsePrefix(text); err != nil {
			p.add(key+"."+strconv.Itoa(i), "is not a network such as 10.1.0.0/16")
		}
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// unshared rejects a secret that gives access to more than one tenant, and an API key that a tenant has twice.
func (c *Config) unshared(p *Problems) {
	type place struct{ tenant, key string }
	seen := map[Secret]place{}
	for _, id := range sortedKeys(c.Tenants) {
		t := c.Tenants[id]
		for _, d := range t.doors("tenants." + id) {
			other, taken := seen[d.secret]
			switch {
			case d.secret == "":
			case !taken:
				seen[d.secret] = place{id, d.key}
			case other.tenant != id:
				p.add(d.key, "is also used by tenant %s (%s): every tenant needs secrets of its own", other.tenant, other.key)
			case d.isKey:
				p.add(d.key, "is the same as %s", other.key)
			}
		}
	}
}

// door is a secret that lets somebody in, or that tells a receiver who calls.
type door struct {
	key    string
	secret Secret
	isKey  bool // an API key, which stands for one name and role
}

func (t *Tenant) doors(at string) []door {
	var out []door
	for i, s := range t.APIKey {
		out = append(out, door{element(at+".api_key", i, len(t.APIKey)), s, true})
	}
	for i, k := range t.APIKeys {
		out = append(out, door{at + ".api_keys." + strconv.Itoa(i) + ".key", k.Key, true})
	}
	for i, s := range t.Iconik.ActionSecret {
		out = append(out, door{element(at+".iconik.action_secret", i, len(t.Iconik.ActionSecret)), s, false})
	}
	for i, s := range t.Notify.Webhook.Secret {
		out = append(out, door{element(at+".notify.webhook.secret", i, len(t.Notify.Webhook.Secret)), s, false})
	}
	for i, s := range t.Frameio.WebhookSecrets {
		out = append(out, door{at + ".frameio.webhook_secrets." + strconv.Itoa(i), s, false})
	}
	return out
}

// element returns the key of a list's element, or the list's own key if it is the only element.
func element(key string, i, of int) string {
	if of == 1 {
		return key
	}
	return key + "." + strconv.Itoa(i)
}

// long rejects a secret that is short enough to guess.
func long(p *Problems, key string, s Secret) {
	switch length := len([]rune(s.Reveal())); {
	case length == 0:
		needed(p, key, "")
	case length < shortSecret:
		p.add(key, "must have at least %d characters", shortSecret)
	}
}

// given warns of a short secret from Frame.io: it may not have been copied in full.
func given(p *Problems, key string, s Secret) {
	switch length := len([]rune(s.Reveal())); {
	case length == 0:
		needed(p, key, "")
	case length < shortSecret:
		p.warn(key, "has only %d characters: is this the whole secret that Frame.io showed?", length)
	}
}

func needed(p *Problems, key, value string) {
	if value == "" {
		p.add(key, "is missing")
	}
}

func address(p *Problems, key, value string) {
	_, port, err := net.SplitHostPort(value)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		p.add(key, "%q is not host:port", value)
	}
}

// link rejects what is not an address that paths can be appended to. An address with a user is not shown, because it may contain
// a password.
func link(p *Problems, key, value string) {
	switch u, err := url.Parse(value); {
	case strings.Contains(value, "@"):
		p.add(key, "must be an http(s) URL without user and password")
	case err != nil || !isURL(value) || !isPort(u.Port()):
		p.add(key, "%q is not an http(s) URL", value)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		p.add(key, "must not contain ? or #")
	}
}

// isPort reports whether a port is valid or empty.
func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// isWord reports whether a text can be put in a header as it is.
func isWord(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

func oneOf(p *Problems, key, value string, allowed ...string) {
	for _, a := range allowed {
		if a == value {
			return
		}
	}
	p.add(key, "%q is not one of %s", value, strings.Join(allowed, ", "))
}

func between(p *Problems, key string, value, low, high int64) {
	if value < low || value > high {
		p.add(key, "%d is not between %d and %d", value, low, high)
	}
}

func atLeast(p *Problems, key string, value, low time.Duration) {
	if value < low {
		p.add(key, "%s is less than %s", value, low)
	}
}

func email(p *Problems, key, value string) {
	if _, err := mail.ParseAddress(value); err != nil {
		p.add(key, "%q is not an e-mail address", value)
	}
}

func mails(p *Problems, key string, list []string) {
	for _, m := range list {
		email(p, key, m)
	}
}
