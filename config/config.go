// Package config reads and checks Framebridge's configuration: one YAML file, overridden by the environment. Every
// problem is found at once and named by its key; secrets print as ***.
package config

import (
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config is the whole configuration.
type Config struct {
	HTTP     HTTP               `mapstructure:"http"`
	Temporal Temporal           `mapstructure:"temporal"`
	Ledger   Ledger             `mapstructure:"ledger"`
	Worker   Worker             `mapstructure:"worker"`
	Transfer Transfer           `mapstructure:"transfer"`
	Mail     Mail               `mapstructure:"mail"`
	Tenants  map[string]*Tenant `mapstructure:"tenants"`
}

// HTTP is where the starter listens, and how the outside reaches it.
type HTTP struct {
	Listen    string `mapstructure:"listen"`
	PublicURL string `mapstructure:"public_url"`
}

type Temporal struct {
	Address   string `mapstructure:"address"`
	Namespace string `mapstructure:"namespace"`
	TaskQueue string `mapstructure:"task_queue"`
	APIKey    Secret `mapstructure:"api_key"`
	TLS       bool   `mapstructure:"tls"`
	UIURL     string `mapstructure:"ui_url"`
}

type Ledger struct {
	DSN           Secret `mapstructure:"dsn"` // PostgreSQL's holds a password
	EncryptionKey Secret `mapstructure:"encryption_key"`
}

type Worker struct {
	Listen string `mapstructure:"listen"`
}

// Transfer bounds the byte engine of one worker.
type Transfer struct {
	PartsInFlight int   `mapstructure:"parts_in_flight"`
	PartSize      Bytes `mapstructure:"part_size"`
	Memory        Bytes `mapstructure:"memory"`
	Bandwidth     Bytes `mapstructure:"bandwidth"` // bytes a second; 0: no limit
	// AllowedNetworks, in CIDR form, may hold storages although they are not public.
	AllowedNetworks []string `mapstructure:"allowed_networks"`
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

type Mail struct {
	SMTPURL Secret `mapstructure:"smtp_url"`
	From    string `mapstructure:"from"`
}

// Tenant is one customer: a Frame.io account scope and an iconik domain.
type Tenant struct {
	ID      string  `mapstructure:"-"`
	Name    string  `mapstructure:"name"`
	APIKey  Secret  `mapstructure:"api_key"`
	Frameio Frameio `mapstructure:"frameio"`
	Iconik  Iconik  `mapstructure:"iconik"`
	Archive Archive `mapstructure:"archive"`
	Review  Review  `mapstructure:"review"`
}

type Frameio struct {
	Generation string `mapstructure:"generation"`
	BaseURL    string `mapstructure:"base_url"`
	Token      Secret `mapstructure:"token"`
	// ServiceClient is what Frame.io's support has set up for a developer token of an account run from Adobe's Admin Console.
	ServiceClient  string   `mapstructure:"service_client"`
	AccountID      string   `mapstructure:"account_id"`
	Workspace      string   `mapstructure:"workspace"`
	IMS            IMS      `mapstructure:"ims"`
	WebhookSecrets []Secret `mapstructure:"webhook_secrets"`
}

// IMS is Adobe's sign-in, for V4.
type IMS struct {
	TokenURL     string `mapstructure:"token_url"`
	ClientID     string `mapstructure:"client_id"`
	ClientSecret Secret `mapstructure:"client_secret"`
	RefreshToken Secret `mapstructure:"refresh_token"`
}

type Iconik struct {
	BaseURL      string        `mapstructure:"base_url"`
	AppID        string        `mapstructure:"app_id"`
	AuthToken    Secret        `mapstructure:"auth_token"`
	StorageID    string        `mapstructure:"storage_id"`
	ActionSecret Secret        `mapstructure:"action_secret"`
	Drawing      Drawing       `mapstructure:"drawing"`
	SettleTime   time.Duration `mapstructure:"settle_time"` // how long iconik's search may lag behind a write
}

// Drawing is the coordinate frame of iconik's drawings.
type Drawing struct {
	Frame  string `mapstructure:"frame"` // normalised | pixels
	Width  int    `mapstructure:"width"`
	Height int    `mapstructure:"height"`
}

type Archive struct {
	RootCollection  string        `mapstructure:"root_collection"`
	TriggerSuffix   string        `mapstructure:"trigger_suffix"`
	TriggerInactive bool          `mapstructure:"trigger_inactive"`
	MaxFileSize     Bytes         `mapstructure:"max_file_size"`
	MissingOriginal string        `mapstructure:"missing_original"` // wait | proxy | fail
	WaitInterval    time.Duration `mapstructure:"wait_interval"`
	ItemsInParallel int           `mapstructure:"items_in_parallel"`
	Notify          []string      `mapstructure:"notify"`
}

type Review struct {
	Project      string        `mapstructure:"project"`
	Watermark    string        `mapstructure:"watermark"` // required | preferred | off
	PollInterval time.Duration `mapstructure:"poll_interval"`
	Retention    time.Duration `mapstructure:"retention"`
	WarnBefore   time.Duration `mapstructure:"warn_before"`
	Lasts        time.Duration `mapstructure:"lasts"`
	Longest      time.Duration `mapstructure:"longest"`
	ProxyWait    time.Duration `mapstructure:"proxy_wait"`
	Attested     bool          `mapstructure:"watermark_attested"`
	Notify       []string      `mapstructure:"notify"`
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
