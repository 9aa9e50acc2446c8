// Package config reads and checks Framebridge's configuration: one YAML file and the tenants.d directory next to it, overridden
// by the environment. It reports all problems at once, each by its key. Secrets print as ***.
package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config is the whole configuration.
type Config struct {
	HTTP      HTTP               `yaml:"http"`
	Temporal  Temporal           `yaml:"temporal"`
	Ledger    Ledger             `yaml:"ledger"`
	Worker    Worker             `yaml:"worker"`
	Transfer  Transfer           `yaml:"transfer"`
	Mail      Mail               `yaml:"mail"`
	Notify    Notifications      `yaml:"notify"`
	Report    Report             `yaml:"report"`
	Auth      Auth               `yaml:"auth"`
	Telemetry Telemetry          `yaml:"telemetry"`
	Tenants   map[string]*Tenant `yaml:"tenants"`

	Prices Prices `yaml:"prices"`

	// Warnings are settings that work but should not stay as they are, each beginning with its key.
	Warnings []string `yaml:"-"`
}

// HTTP is where the starter listens and how the outside reaches it.
type HTTP struct {
	Listen         string `yaml:"listen"`
	InternalListen string `yaml:"internal_listen"` // health, metrics and the API's description; if empty, they stay on Listen
	PublicURL      string `yaml:"public_url"`
}

// ExampleHost is the host in the file that `starter config init` writes.
const ExampleHost = "framebridge.example.com"

// IsExample reports whether the public URL is still the example.
func (h HTTP) IsExample() bool {
	u, err := url.Parse(h.PublicURL)
	return err == nil && u.Hostname() == ExampleHost
}

// Temporal is where the workflows run.
type Temporal struct {
	Address   string `yaml:"address"`
	Namespace string `yaml:"namespace"`
	TaskQueue string `yaml:"task_queue"`
	APIKey    Secret `yaml:"api_key"`
	TLS       TLS    `yaml:"tls"`
	UIURL     string `yaml:"ui_url"`
	Codec     Codec  `yaml:"codec"`
}

// Codec encrypts what Temporal stores. Without keys it is off.
type Codec struct {
	Keys []Secret `yaml:"keys"` // the first encrypts, all decrypt
}

// Encrypts reports whether what Temporal stores is encrypted. Search attributes never are.
func (c Codec) Encrypts() bool { return len(c.Keys) > 0 }

// Ledger is the database that remembers which objects were created for which.
type Ledger struct {
	DSN           Secret  `yaml:"dsn"` // a PostgreSQL DSN contains a password
	EncryptionKey Secrets `yaml:"encryption_key"`
}

// Worker is the address that only the worker listens on, for health and metrics.
type Worker struct {
	Listen string `yaml:"listen"`
}

// Transfer limits the transfer engine of one worker.
type Transfer struct {
	FilesInFlight int   `yaml:"files_in_flight"`
	PartsInFlight int   `yaml:"parts_in_flight"`
	PartSize      Bytes `yaml:"part_size"`
	Memory        Bytes `yaml:"memory"`
	Bandwidth     Bytes `yaml:"bandwidth"` // bytes per second; 0: no limit
	// AllowedNetworks, in CIDR form, may contain storage servers even though they are not public.
	AllowedNetworks []string `yaml:"allowed_networks"`
}

// Notifications says where the events of all tenants may go.
type Notifications struct {
	// AllowedNetworks, in CIDR form, may contain webhook receivers even though they are not public.
	AllowedNetworks []string `yaml:"allowed_networks"`
}

// Allowed returns AllowedNetworks, which Load has checked.
func (n Notifications) Allowed() []netip.Prefix { return prefixes(n.AllowedNetworks) }

// Allowed returns AllowedNetworks, which Load has checked.
func (t Transfer) Allowed() []netip.Prefix { return prefixes(t.AllowedNetworks) }

func prefixes(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range list {
		if p, err := netip.ParsePrefix(text); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

// Mail is the server that sends mail. Without SMTPURL no mail is sent.
type Mail struct {
	SMTPURL Secret `yaml:"smtp_url"`
	From    string `yaml:"from"`
	Hello   string `yaml:"hello"` // name given to the server; if empty, the machine's name
	TLS     string `yaml:"tls"`   // auto | required | off
	CA      PEM    `yaml:"ca"`    // the server's own, in addition to the system's
	Auth    string `yaml:"auth"`  // auto | plain | login | xoauth2 | cram-md5
}

// Report says how reports are signed.
type Report struct {
	SigningKey Secrets `yaml:"signing_key"` // Ed25519; the first signs, the public keys of all are served
}

// Auth says how people sign in to the console.
type Auth struct {
	OIDC OIDC `yaml:"oidc"`
}

// OIDC is an OpenID Connect provider. Without an issuer it is off.
type OIDC struct {
	Issuer       string `yaml:"issuer"`
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	GroupsClaim  string `yaml:"groups_claim"`
}

// Tenant is one customer: a Frame.io account scope and an iconik domain.
type Tenant struct {
	ID      string              `yaml:"-"`
	Name    string              `yaml:"name"`
	APIKey  Secrets             `yaml:"api_key"` // an administrator's; see Keys
	APIKeys []APIKey            `yaml:"api_keys"`
	Roles   map[string][]string `yaml:"roles"` // role → groups of the OIDC provider
	Frameio Frameio             `yaml:"frameio"`
	Iconik  Iconik              `yaml:"iconik"`
	Archive Archive             `yaml:"archive"`
	Review  Review              `yaml:"review"`
	Notify  Notify              `yaml:"notify"`

	PersonalData PersonalData `yaml:"personal_data"`
}

// PersonalData says how long people are named.
type PersonalData struct {
	Retention time.Duration `yaml:"retention"` // 0: forever
}

// Notify says where a tenant's events go in addition to mail. The addresses are secrets: whoever has one can write there.
type Notify struct {
	SlackURL Secret   `yaml:"slack_url"`
	TeamsURL Secret   `yaml:"teams_url"`
	Webhook  Webhook  `yaml:"webhook"`
	Events   []string `yaml:"events"` // empty: all

	// Filters that replace Events for one channel. Without MailEvents, mail is sent as it always was.
	SlackEvents []string `yaml:"slack_events"`
	TeamsEvents []string `yaml:"teams_events"`
	MailEvents  []string `yaml:"mail_events"`

	// MailDigest is how often mail that nobody waits for is combined into one: off, hourly, or daily at MailDigestAt.
	MailDigest   string `yaml:"mail_digest"`
	MailDigestAt string `yaml:"mail_digest_at"`
}

// Values of notify.mail_digest.
const (
	DigestOff    = "off"
	DigestHourly = "hourly"
	DigestDaily  = "daily"
)

// DigestDue returns when an event that happens now is mailed in a digest. ok is false if there is no digest.
func (n *Notify) DigestDue(now time.Time) (due time.Time, ok bool) {
	switch n.MailDigest {
	case DigestHourly:
		return now.Truncate(time.Hour).Add(time.Hour), true
	case DigestDaily:
		minutes, zone, err := clockOf(n.MailDigestAt)
		if err != nil {
			return time.Time{}, false // rejected when the configuration was read
		}
		day := now.In(zone)
		for due = time.Date(day.Year(), day.Month(), day.Day(), 0, minutes, 0, 0, zone); !due.After(now); {
			day = day.AddDate(0, 0, 1)
			due = time.Date(day.Year(), day.Month(), day.Day(), 0, minutes, 0, 0, zone)
		}
		return due.UTC(), true
	}
	return time.Time{}, false
}

// clockOf parses "08:00 America/Los_Angeles" into the minutes of the day and the time zone, which is UTC if none is given.
func clockOf(text string) (minutes int, zone *time.Location, err error) {
	clock, name, _ := strings.Cut(strings.TrimSpace(text), " ")
	at, err := time.Parse("15:04", clock)
	if err != nil {
		return 0, nil, err
	}
	if name = strings.TrimSpace(name); name == "Local" {
		return 0, nil, errors.New("not the name of a time zone")
	}
	zone, err = time.LoadLocation(name)
	return at.Hour()*60 + at.Minute(), zone, err
}

// Webhook is an outgoing webhook. Each of its secrets signs.
type Webhook struct {
	URL    Secret   `yaml:"url"`
	Secret Secrets  `yaml:"secret"`
	Events []string `yaml:"events"`
}

// Channels that a tenant's events go to, in addition to mail.
const (
	ChannelSlack   = "slack"
	ChannelTeams   = "teams"
	ChannelWebhook = "webhook"
)

// Channel returns a channel's address and the events that go there. The channel is off if the address is empty.
func (n *Notify) Channel(name string) (address Secret, filter []string) {
	switch name {
	case ChannelSlack:
		address, filter = n.SlackURL, n.SlackEvents
	case ChannelTeams:
		address, filter = n.TeamsURL, n.TeamsEvents
	case ChannelWebhook:
		address, filter = n.Webhook.URL, n.Webhook.Events
	}
	if len(filter) == 0 {
		filter = n.Events
	}
	return address, filter
}

// Channels returns the names of the channels that are on.
func (n *Notify) Channels() []string {
	var out []string
	for _, name := range []string{ChannelSlack, ChannelTeams, ChannelWebhook} {
		if address, _ := n.Channel(name); address != "" {
			out = append(out, name)
		}
	}
	return out
}

// Frameio is a tenant's Frame.io account and how to sign in to it.
type Frameio struct {
	Generation     string   `yaml:"generation"`
	BaseURL        string   `yaml:"base_url"`
	Token          Secret   `yaml:"token"`
	AccountID      string   `yaml:"account_id"`
	Workspace      string   `yaml:"workspace"`
	IMS            IMS      `yaml:"ims"`
	WebhookSecrets []Secret `yaml:"webhook_secrets"`

	// ServiceClient is sent as x-frameio-service-client along with a developer token, for accounts that are managed in Adobe's
	// Admin Console.
	ServiceClient string    `yaml:"service_client"`
	Credentials   []Frameio `yaml:"credentials"` // more users to read with; what one leaves out is taken from above
}

// IMS is Adobe's sign-in, for V4.
type IMS struct {
	TokenURL     string `yaml:"token_url"`
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	RefreshToken Secret `yaml:"refresh_token"`
}

// Iconik is a tenant's iconik domain and how to sign in to it.
type Iconik struct {
	BaseURL      string        `yaml:"base_url"`
	AppID        string        `yaml:"app_id"`
	AuthToken    Secret        `yaml:"auth_token"`
	StorageID    string        `yaml:"storage_id"`
	ActionSecret Secrets       `yaml:"action_secret"`
	Drawing      Drawing       `yaml:"drawing"`
	SettleTime   time.Duration `yaml:"settle_time"` // how long iconik's search may lag behind a write

	Credentials []IconikCredential `yaml:"credentials"` // more tokens in addition to AppID and AuthToken
}

// IconikCredential is another application token of the same user.
type IconikCredential struct {
	AppID     string `yaml:"app_id"`
	AuthToken Secret `yaml:"auth_token"`
}

// Drawing is the coordinate frame of iconik's drawings.
type Drawing struct {
	Frame  string `yaml:"frame"` // normalised | pixels
	Width  int    `yaml:"width"`
	Height int    `yaml:"height"`
}

// Archive says how a tenant's projects are archived.
type Archive struct {
	RootCollection  string        `yaml:"root_collection"`
	TriggerSuffix   string        `yaml:"trigger_suffix"`
	TriggerInactive bool          `yaml:"trigger_inactive"`
	MaxFileSize     Bytes         `yaml:"max_file_size"`
	MissingOriginal string        `yaml:"missing_original"` // wait | proxy | fail
	WaitInterval    time.Duration `yaml:"wait_interval"`
	ItemsInParallel int           `yaml:"items_in_parallel"`
	Notify          []string      `yaml:"notify"`

	Access             string            `yaml:"access"`         // source | closed | iconik_default
	Groups             map[string]string `yaml:"groups"`         // Frame.io group → iconik group
	Fields             map[string]string `yaml:"fields"`         // Frame.io custom field → iconik field
	CommentCount       string            `yaml:"comment_count"`  // hint | trust | ignore; see TrustComments
	CommentsAgain      string            `yaml:"comments_again"` // all | counted; see CountedAgain
	OnDifference       string            `yaml:"on_difference"`  // report | restore
	Reclaim            string            `yaml:"reclaim"`        // off | allowed
	ReclaimGrace       time.Duration     `yaml:"reclaim_grace"`  // between the end of the archive and a deletion
	ReclaimBytes       string            `yaml:"reclaim_bytes"`  // read | store
	FixitySample       int               `yaml:"fixity_sample"`  // percent of the stored bytes per month
	ProjectsInParallel int               `yaml:"projects_in_parallel"`
}

// What an archive does with Frame.io's count of a file's comments.
const (
	HintComments   = "hint"   // files with a count above 0 are read first
	TrustComments  = "trust"  // files with a count of 0 are not read
	IgnoreComments = "ignore" // the count has no effect
)

// Whose comments a mirror's run and a migration's second round read.
const (
	AllAgain     = "all"
	CountedAgain = "counted" // files that had comments, and files with a count above 0 now
)

// Review says how a tenant's reviews are sent and how long they last.
type Review struct {
	Project      string        `yaml:"project"`
	Watermark    string        `yaml:"watermark"` // required | preferred | off
	PollInterval time.Duration `yaml:"poll_interval"`
	Retention    time.Duration `yaml:"retention"`
	WarnBefore   time.Duration `yaml:"warn_before"`
	Lasts        time.Duration `yaml:"lasts"`
	Longest      time.Duration `yaml:"longest"`
	ProxyWait    time.Duration `yaml:"proxy_wait"`
	Attested     bool          `yaml:"watermark_attested"`
	Notify       []string      `yaml:"notify"`

	Access string `yaml:"access"` // public | secure | auto
	// Protections that are paid add-ons of an account: off, form (the sender may ask for them) or always.
	ForensicWatermark string `yaml:"forensic_watermark"`
	DRM               string `yaml:"drm"`
	// AssetLifecycle is how long Frame.io keeps uploads to the workspace before it deletes them; 0: forever.
	AssetLifecycle time.Duration `yaml:"asset_lifecycle"`

	// Decisions says which way decisions go.
	Decisions string `yaml:"decisions"` // both | to_iconik
	// StatusOptions maps the account's own options of Frame.io's Status field to decisions: approved, changes requested or none.
	// See Decision.
	StatusOptions map[string]string `yaml:"status_options"`
}

// Which way decisions go.
const (
	DecisionsBoth     = "both"
	DecisionsToIconik = "to_iconik" // what is decided in iconik stays there
)

// Decision returns what the configuration says about an option of Frame.io's Status field, ignoring case.
func (r Review) Decision(option string) (decision string, known bool) {
	for name, decision := range r.StatusOptions {
		if strings.EqualFold(strings.TrimSpace(name), strings.TrimSpace(option)) {
			return decision, true
		}
	}
	return "", false
}

// VendorURLs returns the vendors' own addresses for all tenants. Addresses that vendors name may lead where these do.
func (c *Config) VendorURLs() []string {
	var out []string
	for _, t := range c.Tenants {
		out = append(out, t.Frameio.BaseURL, t.Iconik.BaseURL)
	}
	return out
}

// Tenant returns the tenant with an ID, ignoring case.
func (c *Config) Tenant(id string) (*Tenant, bool) {
	t, ok := c.Tenants[strings.ToLower(id)]
	return t, ok
}

// TenantName returns a tenant's name, or its ID if it is no longer configured.
func (c *Config) TenantName(id string) string {
	if t, ok := c.Tenant(id); ok {
		return t.Name
	}
	return id
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// LogWarnings logs the settings that should not stay as they are.
func (c *Config) LogWarnings(log *slog.Logger) {
	for _, w := range c.Warnings {
		log.Warn("configuration: " + w)
	}
}
