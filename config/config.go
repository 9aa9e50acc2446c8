// Package config reads and checks Framebridge's configuration: one YAML file and tenants.d beside it, overridden by the
// environment. Every problem is found at once and named by its key; secrets print as ***.
package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config is the whole configuration.
type Config struct {
	HTTP     HTTP               `yaml:"http"`
	Temporal Temporal           `yaml:"temporal"`
	Ledger   Ledger             `yaml:"ledger"`
	Worker   Worker             `yaml:"worker"`
	Transfer Transfer           `yaml:"transfer"`
	Mail     Mail               `yaml:"mail"`
	Report   Report             `yaml:"report"`
	Auth     Auth               `yaml:"auth"`
	Tenants  map[string]*Tenant `yaml:"tenants"`

	// Warnings are what works and should not stay as it is, each beginning with its key.
	Warnings []string `yaml:"-"`
}

// HTTP is where the starter listens, and how the outside reaches it.
type HTTP struct {
	Listen         string `yaml:"listen"`
	InternalListen string `yaml:"internal_listen"` // health, metrics and the API's description; empty: they stay on Listen
	PublicURL      string `yaml:"public_url"`
}

// ExampleHost stands in the file that `starter config init` writes.
const ExampleHost = "framebridge.example.com"

// IsExample says that nobody has set the public URL yet.
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

// Codec encrypts what Temporal keeps. Without keys it is off.
type Codec struct {
	Keys []Secret `yaml:"keys"` // the first encrypts, all decrypt
}

// Ledger is the database that remembers what was made for what.
type Ledger struct {
	DSN           Secret  `yaml:"dsn"` // PostgreSQL's holds a password
	EncryptionKey Secrets `yaml:"encryption_key"`
}

// Worker is what only the worker listens on: health and metrics.
type Worker struct {
	Listen string `yaml:"listen"`
}

// Transfer bounds the byte engine of one worker.
type Transfer struct {
	PartsInFlight int   `yaml:"parts_in_flight"`
	PartSize      Bytes `yaml:"part_size"`
	Memory        Bytes `yaml:"memory"`
	Bandwidth     Bytes `yaml:"bandwidth"` // bytes a second; 0: no limit
	// AllowedNetworks, in CIDR form, may hold storages although they are not public.
	AllowedNetworks []string `yaml:"allowed_networks"`
}

// Allowed returns AllowedNetworks, which Load has checked.
func (t Transfer) Allowed() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range t.AllowedNetworks {
		if p, err := netip.ParsePrefix(text); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

// Mail is the server that mail goes through. Without SMTPURL none is sent.
type Mail struct {
	SMTPURL Secret `yaml:"smtp_url"`
	From    string `yaml:"from"`
	Hello   string `yaml:"hello"` // name given to the server; empty: the machine's
	TLS     string `yaml:"tls"`   // auto | required | off
	CA      PEM    `yaml:"ca"`    // the server's own, beside the system's
	Auth    string `yaml:"auth"`  // auto | plain | login | xoauth2 | cram-md5
}

// Report is how reports are signed.
type Report struct {
	SigningKey Secrets `yaml:"signing_key"` // Ed25519; the first signs, the public halves of all are served
}

// Auth is how people sign in to the console.
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
	APIKey  Secrets             `yaml:"api_key"` // of an administrator; see Keys
	APIKeys []APIKey            `yaml:"api_keys"`
	Roles   map[string][]string `yaml:"roles"` // role → groups of the OIDC provider
	Frameio Frameio             `yaml:"frameio"`
	Iconik  Iconik              `yaml:"iconik"`
	Archive Archive             `yaml:"archive"`
	Review  Review              `yaml:"review"`
	Notify  Notify              `yaml:"notify"`
}

// Notify says where a tenant's events go beside mail. The addresses are secrets: who has one can write there.
type Notify struct {
	SlackURL Secret   `yaml:"slack_url"`
	TeamsURL Secret   `yaml:"teams_url"`
	Webhook  Webhook  `yaml:"webhook"`
	Events   []string `yaml:"events"` // empty: all
}

// Webhook is an outgoing one, signed with its secret.
type Webhook struct {
	URL    Secret `yaml:"url"`
	Secret Secret `yaml:"secret"`
}

// Frameio is a tenant's account at Frame.io, and how to sign in to it.
type Frameio struct {
	Generation     string   `yaml:"generation"`
	BaseURL        string   `yaml:"base_url"`
	Token          Secret   `yaml:"token"`
	AccountID      string   `yaml:"account_id"`
	Workspace      string   `yaml:"workspace"`
	IMS            IMS      `yaml:"ims"`
	WebhookSecrets []Secret `yaml:"webhook_secrets"`

	// ServiceClient is sent as x-frameio-service-client beside a developer token, for accounts that are run from Adobe's
	// Admin Console.
	ServiceClient string    `yaml:"service_client"`
	Credentials   []Frameio `yaml:"credentials"` // a pool beside these; what one leaves out is as above
}

// IMS is Adobe's sign-in, for V4.
type IMS struct {
	TokenURL     string `yaml:"token_url"`
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	RefreshToken Secret `yaml:"refresh_token"`
}

// Iconik is a tenant's iconik domain, and how to sign in to it.
type Iconik struct {
	BaseURL      string        `yaml:"base_url"`
	AppID        string        `yaml:"app_id"`
	AuthToken    Secret        `yaml:"auth_token"`
	StorageID    string        `yaml:"storage_id"`
	ActionSecret Secrets       `yaml:"action_secret"`
	Drawing      Drawing       `yaml:"drawing"`
	SettleTime   time.Duration `yaml:"settle_time"` // how long iconik's search may lag behind a write
}

// Drawing is the coordinate frame of iconik's drawings.
type Drawing struct {
	Frame  string `yaml:"frame"` // normalised | pixels
	Width  int    `yaml:"width"`
	Height int    `yaml:"height"`
}

// Archive is how a tenant's projects are archived.
type Archive struct {
	RootCollection  string        `yaml:"root_collection"`
	TriggerSuffix   string        `yaml:"trigger_suffix"`
	TriggerInactive bool          `yaml:"trigger_inactive"`
	MaxFileSize     Bytes         `yaml:"max_file_size"`
	MissingOriginal string        `yaml:"missing_original"` // wait | proxy | fail
	WaitInterval    time.Duration `yaml:"wait_interval"`
	ItemsInParallel int           `yaml:"items_in_parallel"`
	Notify          []string      `yaml:"notify"`

	Access             string            `yaml:"access"`        // source | closed | iconik_default
	Groups             map[string]string `yaml:"groups"`        // Frame.io's group → iconik's
	Fields             map[string]string `yaml:"fields"`        // Frame.io's custom field → iconik's field
	CommentCount       string            `yaml:"comment_count"` // hint | trust | ignore
	OnDifference       string            `yaml:"on_difference"` // report | restore
	Reclaim            string            `yaml:"reclaim"`       // off | allowed
	ProjectsInParallel int               `yaml:"projects_in_parallel"`
}

// Review is how a tenant's reviews are sent, and how long they last.
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
	// Protections that accounts buy: off, form (whoever sends may ask for them) or always.
	ForensicWatermark string `yaml:"forensic_watermark"`
	DRM               string `yaml:"drm"`
	// AssetLifecycle is after how long Frame.io deletes what was uploaded to the workspace; 0: never.
	AssetLifecycle time.Duration `yaml:"asset_lifecycle"`

	// StatusOptions says what the account's own options of Frame.io's Status field decide: approved, changes requested or
	// none. See Decision.
	StatusOptions map[string]string `yaml:"status_options"`
}

// Decision is what the configuration says of an option of Frame.io's Status field, whatever its case.
func (r Review) Decision(option string) (decision string, known bool) {
	for name, decision := range r.StatusOptions {
		if strings.EqualFold(strings.TrimSpace(name), strings.TrimSpace(option)) {
			return decision, true
		}
	}
	return "", false
}

// Tenant finds a tenant by its id.
func (c *Config) Tenant(id string) (*Tenant, bool) {
	t, ok := c.Tenants[strings.ToLower(id)]
	return t, ok
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// LogWarnings tells an operator what should not stay as it is.
func (c *Config) LogWarnings(log *slog.Logger) {
	for _, w := range c.Warnings {
		log.Warn("configuration: " + w)
	}
}
