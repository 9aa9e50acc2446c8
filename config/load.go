package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

const envPrefix = "FRAMEBRIDGE"

// Problems are all that is wrong with a configuration, each line beginning with its key.
type Problems struct {
	Path string
	List []string

	unread map[string]bool // keys whose values could not be read: nothing more is said of them
}

func (p *Problems) Error() string {
	return fmt.Sprintf("configuration %s has %d problem(s):\n  %s", p.Path, len(p.List), strings.Join(p.List, "\n  "))
}

// DefaultPath is where the configuration is when no --config is given.
func DefaultPath() string {
	if p := os.Getenv(envPrefix + "_CONFIG"); p != "" {
		return p
	}
	return "framebridge.yaml"
}

// KeyDoc describes one key.
type KeyDoc struct{ Key, Default, What string }

const tenantPrefix = "tenants.<id>."

// Keys are all keys with their defaults, in the order of the file.
func Keys() []KeyDoc {
	return []KeyDoc{
		{"http.listen", "127.0.0.1:8080", "address the starter listens on"},
		{"http.public_url", "http://127.0.0.1:8080", "how Frame.io and iconik reach the starter"},
		{"temporal.address", "127.0.0.1:7233", "Temporal's frontend"},
		{"temporal.namespace", "default", "Temporal namespace"},
		{"temporal.task_queue", "framebridge", "task queue; transfers use it with -transfers appended"},
		{"temporal.api_key", "", "API key of Temporal Cloud (turns TLS on)"},
		{"temporal.tls", "false", "connect to Temporal with TLS"},
		{"temporal.ui_url", "http://127.0.0.1:8233", "Temporal's Web UI, for links; empty: no links"},
		{"ledger.dsn", "sqlite:framebridge.db", "sqlite:FILE or postgres://…"},
		{"ledger.encryption_key", "", "secret of 16 characters or more; needed once something is kept encrypted"},
		{"worker.listen", "127.0.0.1:8081", "health and metrics of the worker"},
		{"transfer.parts_in_flight", "8", "parts of one file on their way at once, 1 to 64"},
		{"transfer.part_size", "16MiB", "smallest part of a multipart upload, 5MiB to 512MiB"},
		{"transfer.memory", "256MiB", "bytes of all transfers of a worker together"},
		{"transfer.bandwidth", "0", "bytes a second of a worker; 0: no limit"},
		{"transfer.allowed_networks", "[]", "networks (10.1.0.0/16, …) that hold storages although they are not public"},
		{"mail.smtp_url", "", "smtp://[user:password@]host:port or smtps://…; empty: no mails"},
		{"mail.from", "framebridge@localhost", "sender's address"},
		{tenantPrefix + "name", "", "name for people"},
		{tenantPrefix + "api_key", "", "bearer token of the status and control routes"},
		{tenantPrefix + "frameio.generation", "legacy", "legacy or v4"},
		{tenantPrefix + "frameio.base_url", "https://api.frame.io", "Frame.io's API"},
		{tenantPrefix + "frameio.token", "", "developer token"},
		{tenantPrefix + "frameio.service_client", "", "v4: client that Frame.io's support has set up for the developer token of an account run from Adobe's Admin Console"},
		{tenantPrefix + "frameio.account_id", "", "v4: account; empty: discovered"},
		{tenantPrefix + "frameio.workspace", "", "team (legacy) or workspace (v4) for reviews, id or name"},
		{tenantPrefix + "frameio.ims.token_url", "https://ims-na1.adobelogin.com/ims/token/v3", "v4: Adobe's token endpoint"},
		{tenantPrefix + "frameio.ims.client_id", "", "v4: client id"},
		{tenantPrefix + "frameio.ims.client_secret", "", "v4: client secret"},
		{tenantPrefix + "frameio.ims.refresh_token", "", "v4: refresh token"},
		{tenantPrefix + "frameio.webhook_secrets", "[]", "secrets of Frame.io's webhooks; several while one is rotated"},
		{tenantPrefix + "iconik.base_url", "https://app.iconik.io", "iconik"},
		{tenantPrefix + "iconik.app_id", "", "App-ID of the application token"},
		{tenantPrefix + "iconik.auth_token", "", "application token"},
		{tenantPrefix + "iconik.storage_id", "", "storage for originals; empty: the one iconik matches for FILES"},
		{tenantPrefix + "iconik.action_secret", "", "header X-Framebridge-Secret of custom actions and webhooks"},
		{tenantPrefix + "iconik.settle_time", "30s", "how long iconik's search may lag behind a write"},
		{tenantPrefix + "iconik.drawing.frame", "normalised", "coordinates of drawings: normalised or pixels"},
		{tenantPrefix + "iconik.drawing.width", "0", "width of the pixel frame"},
		{tenantPrefix + "iconik.drawing.height", "0", "height of the pixel frame"},
		{tenantPrefix + "archive.root_collection", "Archive from Frame.io Media", "root collection in iconik"},
		{tenantPrefix + "archive.trigger_suffix", "Archived", "last word of a project's name that starts its archive"},
		{tenantPrefix + "archive.trigger_inactive", "false", "v4: a project that is set inactive is archived, too, whatever its name"},
		{tenantPrefix + "archive.max_file_size", "50GiB", "largest file that is brought over"},
		{tenantPrefix + "archive.missing_original", "wait", "file without original: wait, proxy or fail"},
		{tenantPrefix + "archive.wait_interval", "15m", "how often wait looks again"},
		{tenantPrefix + "archive.items_in_parallel", "4", "items copied at once, 1 to 64"},
		{tenantPrefix + "archive.notify", "[]", "addresses that are told of every archive"},
		{tenantPrefix + "review.project", "iconik Reviews", "Frame.io project for reviews"},
		{tenantPrefix + "review.watermark", "required", "required, preferred or off"},
		{tenantPrefix + "review.poll_interval", "1m", "how often comments are polled"},
		{tenantPrefix + "review.retention", "720h", "after expiry, then the media in Frame.io is deleted"},
		{tenantPrefix + "review.warn_before", "72h", "how long before the deletion a warning is mailed"},
		{tenantPrefix + "review.lasts", "336h", "how long a review is open where the form names no expiry"},
		{tenantPrefix + "review.longest", "8760h", "how far away an expiry may lie"},
		{tenantPrefix + "review.proxy_wait", "30m", "how long a proxy that iconik has not made yet is waited for"},
		{tenantPrefix + "review.watermark_attested", "false", "the Frame.io account forces the watermark by its own policy, where its API does not show it (v4)"},
		{tenantPrefix + "review.notify", "[]", "addresses that are told of every review"},
	}
}

// KeysHelp is the text of --help about configuration.
func KeysHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Configuration is one YAML file. Each key can also be set in the environment: http.listen is %s_HTTP_LISTEN, and of a\ntenant %s_TENANTS_<ID WITH _>_API_KEY. A value ${NAME} is taken from the environment, file:PATH from a file.\n\nKeys:\n", envPrefix, envPrefix)
	for _, k := range Keys() {
		fmt.Fprintf(&b, "  %-42s %s", k.Key, k.What)
		if k.Default != "" {
			fmt.Fprintf(&b, " (default %s)", k.Default)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// quoted is how YAML's errors show a value, which may be a secret.
var quoted = regexp.MustCompile("`[^`]*`")

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Load reads a configuration. Its error is *Problems unless the file itself can't be read.
func Load(path string) (*Config, error) {
	// A tenant id holds no dot, but values with dots in keys would be torn apart by viper's own delimiter.
	v := viper.NewWithOptions(viper.KeyDelimiter("::"))
	v.SetConfigFile(path)
	v.SetConfigType("yaml")
	if err := v.ReadInConfig(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no configuration at %s: write one (see --help for its keys), or name it with --config", path)
		}
		return nil, fmt.Errorf("configuration %s: %s", path, quoted.ReplaceAllString(err.Error(), "a value"))
	}
	p := &Problems{Path: path, unread: map[string]bool{}}
	tree := v.AllSettings()
	tenantsFromEnvironment(tree)
	tenants := withDefaults(tree)
	fromEnvironment(tree, tenants)
	resolve(tree, "", filepath.Dir(path), p)

	checkValues(p, tree, reflect.TypeFor[Config](), "")

	cfg := &Config{}
	var meta mapstructure.Metadata
	dec, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: cfg, Metadata: &meta, WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(decodeBytes, decodeDuration, mapstructure.StringToSliceHookFunc(",")),
	})
	if err != nil {
		return nil, err
	}
	if err := dec.Decode(tree); err != nil {
		p.decode(err)
	}
	for _, key := range meta.Unused {
		p.add(strings.NewReplacer("[", ".", "]", "").Replace(key), "unknown key")
	}
	for id, t := range cfg.Tenants {
		if t == nil {
			t = &Tenant{}
			cfg.Tenants[id] = t
		}
		t.ID = id
	}
	cfg.validate(p)
	if len(p.List) > 0 {
		sort.Strings(p.List)
		return nil, p
	}
	return cfg, nil
}

func (p *Problems) add(key, format string, args ...any) {
	for at := key; at != ""; at = at[:max(strings.LastIndexByte(at, '.'), 0)] {
		if p.unread[at] {
			return
		}
	}
	p.List = append(p.List, key+": "+fmt.Sprintf(format, args...))
}

// refuse adds the one problem of a value that cannot be read.
func (p *Problems) refuse(key, format string, args ...any) {
	p.add(key, format, args...)
	p.unread[key] = true
}

// decode takes a decoder's joined errors apart into lines.
func (p *Problems) decode(err error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			p.decode(e)
		}
		return
	}
	p.List = append(p.List, strings.TrimSpace(err.Error()))
}

// withDefaults fills in what the file leaves out and returns the tenants' ids.
func withDefaults(tree map[string]any) []string {
	tenants, _ := tree["tenants"].(map[string]any)
	var ids []string
	for id := range tenants {
		ids = append(ids, id)
	}
	for _, k := range Keys() {
		if rest, ok := strings.CutPrefix(k.Key, tenantPrefix); ok {
			for _, id := range ids {
				if tenants[id] == nil {
					tenants[id] = map[string]any{}
				}
				if t, ok := tenants[id].(map[string]any); ok {
					setDefault(t, strings.Split(rest, "."), k.Default)
				}
			}
			continue
		}
		setDefault(tree, strings.Split(k.Key, "."), k.Default)
	}
	return ids
}

func setDefault(node map[string]any, path []string, value string) {
	for len(path) > 1 {
		next, ok := node[path[0]]
		if !ok || next == nil {
			next = map[string]any{}
			node[path[0]] = next
		}
		child, ok := next.(map[string]any)
		if !ok {
			return // of the wrong kind: the decoder says so
		}
		node, path = child, path[1:]
	}
	if have, ok := node[path[0]]; ok && have != nil {
		return
	}
	if value == "[]" {
		node[path[0]] = []any{}
		return
	}
	node[path[0]] = value
}

var tenantVariable = regexp.MustCompile(`^` + envPrefix + `_TENANTS_([0-9A-F]{8}(?:_[0-9A-F]{4}){3}_[0-9A-F]{12})_`)

// tenantsFromEnvironment makes room for the tenants that only the environment names.
func tenantsFromEnvironment(tree map[string]any) {
	for _, variable := range os.Environ() {
		m := tenantVariable.FindStringSubmatch(variable)
		if m == nil {
			continue
		}
		if tree["tenants"] == nil {
			tree["tenants"] = map[string]any{}
		}
		id := strings.ToLower(strings.ReplaceAll(m[1], "_", "-"))
		if tenants, ok := tree["tenants"].(map[string]any); ok && tenants[id] == nil {
			tenants[id] = map[string]any{}
		}
	}
}

// fromEnvironment lets FRAMEBRIDGE_… variables win over the file.
func fromEnvironment(tree map[string]any, tenants []string) {
	set := func(key string) {
		name := envPrefix + "_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
		value, ok := os.LookupEnv(name)
		if !ok {
			return
		}
		node := tree
		path := strings.Split(key, ".")
		for _, step := range path[:len(path)-1] {
			child, ok := node[step].(map[string]any)
			if !ok {
				return
			}
			node = child
		}
		node[path[len(path)-1]] = value
	}
	for _, k := range Keys() {
		if rest, ok := strings.CutPrefix(k.Key, tenantPrefix); ok {
			for _, id := range tenants {
				set("tenants." + id + "." + rest)
			}
			continue
		}
		set(k.Key)
	}
}

var reference = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// resolve replaces ${NAME} and file:PATH; paths are relative to the configuration file.
func resolve(node any, key, dir string, p *Problems) any {
	switch n := node.(type) {
	case map[string]any:
		for k, v := range n {
			n[k] = resolve(v, strings.TrimPrefix(key+"."+k, "."), dir, p)
		}
	case []any:
		for i, v := range n {
			n[i] = resolve(v, key+"."+strconv.Itoa(i), dir, p)
		}
	case string:
		if m := reference.FindStringSubmatch(n); m != nil {
			value, ok := os.LookupEnv(m[1])
			if !ok || value == "" {
				p.refuse(key, "the environment variable %s is not set", m[1])
			}
			return value
		}
		if path, ok := strings.CutPrefix(n, "file:"); ok {
			if !filepath.IsAbs(path) {
				path = filepath.Join(dir, path)
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				p.refuse(key, "cannot read the file it names: %v", err)
				return ""
			}
			return strings.TrimRight(string(raw), "\r\n")
		}
	}
	return node
}

// checkValues names every value that cannot be read, never showing one of a secret, and takes it out, so that the decoder
// goes on and what is wrong elsewhere is told in the same breath.
func checkValues(p *Problems, node map[string]any, of reflect.Type, key string) {
	for i := range of.NumField() {
		name, t := of.Field(i).Tag.Get("mapstructure"), of.Field(i).Type
		value, ok := node[name]
		if !ok || value == nil || name == "-" {
			continue
		}
		at := strings.TrimPrefix(key+"."+name, ".")
		if p.unread[at] {
			delete(node, name)
			continue
		}
		if t.Kind() == reflect.Map {
			checkTenants(p, node, name, t.Elem().Elem())
			continue
		}
		if t.Kind() == reflect.Struct {
			if child, ok := value.(map[string]any); ok {
				checkValues(p, child, t, at)
				continue
			}
		}
		if err := readable(value, t); err != nil {
			p.refuse(at, "%v", err)
			delete(node, name)
		}
	}
}

func checkTenants(p *Problems, node map[string]any, name string, of reflect.Type) {
	tenants, ok := node[name].(map[string]any)
	if !ok {
		p.refuse(name, "must hold a tenant's keys under each tenant's id")
		delete(node, name)
		return
	}
	for id, tenant := range tenants {
		child, ok := tenant.(map[string]any)
		if !ok {
			p.refuse(name+"."+id, "must hold keys of its own")
			tenants[id] = map[string]any{}
			continue
		}
		checkValues(p, child, of, name+"."+id)
	}
}

// readable tells why a value cannot be one of type t.
func readable(value any, t reflect.Type) (err error) {
	switch {
	case t.Kind() == reflect.Struct:
		return errors.New("must hold keys of its own")
	case t == reflect.TypeFor[Bytes]():
		_, err = ParseBytes(fmt.Sprint(value))
	case t == reflect.TypeFor[time.Duration]():
		_, err = decodeDuration(nil, t, value)
	case t.Kind() == reflect.Int:
		if _, bad := strconv.Atoi(fmt.Sprint(value)); bad != nil {
			err = fmt.Errorf("%q is not a whole number", fmt.Sprint(value))
		}
	case t.Kind() == reflect.Bool:
		if _, bad := strconv.ParseBool(fmt.Sprint(value)); bad != nil && value != "" {
			err = fmt.Errorf("%q is not true or false", fmt.Sprint(value))
		}
	case t.Kind() == reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, v := range list {
			if readable(v, t.Elem()) != nil {
				return errors.New("must be a list of texts")
			}
		}
	case t.Kind() == reflect.String:
		switch value.(type) {
		case string, int, int64, uint64:
		default:
			err = errors.New("must be a text: put it in quotes")
		}
	}
	return err
}

func decodeBytes(_, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[Bytes]() {
		return data, nil
	}
	return ParseBytes(fmt.Sprint(data))
}

func decodeDuration(_, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[time.Duration]() {
		return data, nil
	}
	d, err := time.ParseDuration(fmt.Sprint(data))
	if err != nil {
		return nil, fmt.Errorf("%q is not a duration: write 15m or 720h", fmt.Sprint(data))
	}
	return d, nil
}

func (c *Config) validate(p *Problems) {
	address(p, "http.listen", c.HTTP.Listen)
	address(p, "worker.listen", c.Worker.Listen)
	address(p, "temporal.address", c.Temporal.Address)
	link(p, "http.public_url", c.HTTP.PublicURL)
	c.HTTP.PublicURL = strings.TrimRight(c.HTTP.PublicURL, "/")
	if c.Temporal.UIURL != "" {
		link(p, "temporal.ui_url", c.Temporal.UIURL)
		c.Temporal.UIURL = strings.TrimRight(c.Temporal.UIURL, "/")
	}
	needed(p, "temporal.namespace", c.Temporal.Namespace)
	needed(p, "temporal.task_queue", c.Temporal.TaskQueue)
	dsn := c.Ledger.DSN.Reveal()
	switch file, sqlite := strings.CutPrefix(dsn, "sqlite:"); {
	case sqlite && file == "":
		p.add("ledger.dsn", "names no file after sqlite:")
	case sqlite:
	case !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://"):
		p.add("ledger.dsn", "must begin with sqlite: or postgres://")
	default:
		if u, err := url.Parse(dsn); err != nil || strings.Contains(u.Host, "@") {
			p.add("ledger.dsn", "is no URL: what is special in its password is written in percents, @ as %%40")
		}
	}
	if k := c.Ledger.EncryptionKey; k != "" && len(k) < 16 {
		p.add("ledger.encryption_key", "must have 16 characters or more")
	}
	between(p, "transfer.parts_in_flight", int64(c.Transfer.PartsInFlight), 1, 64)
	between(p, "transfer.part_size", int64(c.Transfer.PartSize), 5<<20, 512<<20)
	if c.Transfer.Memory < c.Transfer.PartSize {
		p.add("transfer.memory", "must hold at least one part of %d bytes", c.Transfer.PartSize)
	}
	for i, text := range c.Transfer.AllowedNetworks {
		if _, err := netip.ParsePrefix(text); err != nil {
			p.add("transfer.allowed_networks."+strconv.Itoa(i), "is not a network as in 10.1.0.0/16")
		}
	}
	if s := c.Mail.SMTPURL.Reveal(); s != "" {
		switch u, err := url.Parse(s); {
		case !strings.HasPrefix(s, "smtp://") && !strings.HasPrefix(s, "smtps://"):
			p.add("mail.smtp_url", "must begin with smtp:// or smtps://")
		case err != nil:
			p.add("mail.smtp_url", "is no URL: what is special in its password is written in percents, @ as %%40")
		case u.Hostname() == "":
			p.add("mail.smtp_url", "names no server after smtp://")
		}
		email(p, "mail.from", c.Mail.From)
	}
	if len(c.Tenants) == 0 {
		p.add("tenants", "at least one tenant is needed")
	}
	keys := map[string]string{}
	for id, t := range c.Tenants {
		t.validate(p, "tenants."+id)
		if t.Frameio.Generation == "v4" && t.Frameio.IMS.RefreshToken != "" && c.Ledger.EncryptionKey == "" {
			p.add("ledger.encryption_key", "is missing: what becomes of tenants.%s.frameio.ims.refresh_token is kept encrypted", id)
		}
		if k := t.APIKey.Reveal(); k != "" {
			if other, taken := keys[k]; taken {
				p.add("tenants."+id+".api_key", "is also that of tenant %s", other)
			}
			keys[k] = id
		}
	}
}

func (t *Tenant) validate(p *Problems, key string) {
	if !uuidForm.MatchString(t.ID) {
		p.add(key, "a tenant's key must be a UUID")
	}
	needed(p, key+".api_key", t.APIKey.Reveal())
	oneOf(p, key+".frameio.generation", t.Frameio.Generation, "legacy", "v4")
	link(p, key+".frameio.base_url", t.Frameio.BaseURL)
	if t.Frameio.Generation == "legacy" || t.Frameio.IMS.ClientID == "" {
		needed(p, key+".frameio.token", t.Frameio.Token.Reveal())
	}
	if t.Frameio.Generation == "v4" && t.Frameio.IMS.ClientID != "" {
		needed(p, key+".frameio.ims.client_secret", t.Frameio.IMS.ClientSecret.Reveal())
		link(p, key+".frameio.ims.token_url", t.Frameio.IMS.TokenURL)
	}
	if strings.ContainsFunc(t.Frameio.ServiceClient, func(r rune) bool { return r <= ' ' || r > '~' }) {
		p.add(key+".frameio.service_client", "must be one word of printable ASCII")
	}
	for i, s := range t.Frameio.WebhookSecrets {
		needed(p, key+".frameio.webhook_secrets."+strconv.Itoa(i), s.Reveal())
	}
	link(p, key+".iconik.base_url", t.Iconik.BaseURL)
	t.Iconik.BaseURL = strings.TrimRight(t.Iconik.BaseURL, "/")
	needed(p, key+".iconik.app_id", t.Iconik.AppID)
	needed(p, key+".iconik.auth_token", t.Iconik.AuthToken.Reveal())
	oneOf(p, key+".iconik.drawing.frame", t.Iconik.Drawing.Frame, "normalised", "pixels")
	if t.Iconik.Drawing.Frame == "pixels" && (t.Iconik.Drawing.Width < 1 || t.Iconik.Drawing.Height < 1) {
		p.add(key+".iconik.drawing", "pixels needs width and height")
	}
	atLeast(p, key+".iconik.settle_time", t.Iconik.SettleTime, 0)
	needed(p, key+".archive.root_collection", t.Archive.RootCollection)
	needed(p, key+".archive.trigger_suffix", strings.TrimSpace(t.Archive.TriggerSuffix))
	if t.Archive.MaxFileSize < 1 {
		p.add(key+".archive.max_file_size", "must be over 0")
	}
	oneOf(p, key+".archive.missing_original", t.Archive.MissingOriginal, "wait", "proxy", "fail")
	atLeast(p, key+".archive.wait_interval", t.Archive.WaitInterval, time.Second)
	between(p, key+".archive.items_in_parallel", int64(t.Archive.ItemsInParallel), 1, 64)
	mails(p, key+".archive.notify", t.Archive.Notify)
	oneOf(p, key+".review.watermark", t.Review.Watermark, "required", "preferred", "off")
	atLeast(p, key+".review.poll_interval", t.Review.PollInterval, time.Second)
	atLeast(p, key+".review.retention", t.Review.Retention, 0)
	atLeast(p, key+".review.warn_before", t.Review.WarnBefore, 0)
	atLeast(p, key+".review.lasts", t.Review.Lasts, time.Minute)
	atLeast(p, key+".review.longest", t.Review.Longest, time.Minute)
	atLeast(p, key+".review.proxy_wait", t.Review.ProxyWait, 0)
	mails(p, key+".review.notify", t.Review.Notify)
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

func link(p *Problems, key, value string) {
	if !isURL(value) {
		p.add(key, "%q is not an http(s) URL", value)
	}
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
