package config

import (
	"crypto/sha256"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Live is the configuration of a running program. What Now returns never changes: whoever works with it keeps it, and a reload
// replaces the whole configuration.
type Live struct {
	path string
	now  atomic.Pointer[Config]

	mu      sync.Mutex // one reload at a time
	changed []func(*Config)
	named   []string          // files that the last read configuration takes values from
	read    [sha256.Size]byte // fingerprint of what was last read
}

// Open loads the configuration that a program starts with.
func Open(path string) (*Live, error) {
	l := &Live{path: path}
	cfg, err := l.load()
	if err != nil {
		return nil, err
	}
	l.now.Store(cfg)
	return l, nil
}

// Hold returns a Live for a configuration that does not come from a file.
func Hold(cfg *Config) *Live {
	l := &Live{}
	l.now.Store(cfg)
	return l
}

// Now returns the configuration in effect.
func (l *Live) Now() *Config { return l.now.Load() }

// load reads the files and remembers what it read, even if it has problems.
func (l *Live) load() (*Config, error) {
	for {
		before := fingerprint(l.path, l.named)
		cfg, named, err := read(l.path)
		if slices.Equal(named, l.named) {
			l.read = before
			return cfg, err
		}
		l.named = named // read again, so that none of them changes between fingerprint and reading
	}
}

// OnChange registers f to be called after each reload, in order of registration.
func (l *Live) OnChange(f func(*Config)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed = append(l.changed, f)
}

// Change says what a reload changed: IDs of tenants, and keys that differ but take effect only at the next start.
type Change struct {
	Added, Removed, Changed []string
	AtStart                 []string
}

// Reload reads the configuration again. If it has problems, the current one stays in effect and the error lists all of them. An
// unchanged tenant keeps its *Tenant, so that clients created for it are kept, too.
func (l *Live) Reload() (Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next, err := l.load()
	if err != nil {
		return Change{}, err
	}
	was := l.Now()
	c := Change{AtStart: next.keepUntilStart(was)}
	for id, t := range next.Tenants {
		switch old, had := was.Tenants[id]; {
		case !had:
			c.Added = append(c.Added, id)
		case reflect.DeepEqual(old, t):
			next.Tenants[id] = old
		default:
			c.Changed = append(c.Changed, id)
		}
	}
	for id := range was.Tenants {
		if _, has := next.Tenants[id]; !has {
			c.Removed = append(c.Removed, id)
		}
	}
	for _, ids := range [][]string{c.Added, c.Removed, c.Changed} {
		slices.Sort(ids)
	}
	l.now.Store(next)
	for _, f := range l.changed {
		f(next)
	}
	return c, nil
}

// keepUntilStart keeps the settings that a program used at its start, and returns the keys that differ. Everything else takes
// effect at once: tenants, mail, reports and the public address.
func (c *Config) keepUntilStart(was *Config) (differs []string) {
	for _, s := range []struct {
		key      string
		now, was any // pointers to the same kind
	}{
		{"http.listen", &c.HTTP.Listen, &was.HTTP.Listen}, {"http.internal_listen", &c.HTTP.InternalListen, &was.HTTP.InternalListen},
		{"temporal", &c.Temporal, &was.Temporal}, {"ledger", &c.Ledger, &was.Ledger}, {"worker", &c.Worker, &was.Worker},
		{"transfer", &c.Transfer, &was.Transfer}, {"notify", &c.Notify, &was.Notify}, {"auth", &c.Auth, &was.Auth},
		{"telemetry", &c.Telemetry, &was.Telemetry},
	} {
		now, old := reflect.ValueOf(s.now).Elem(), reflect.ValueOf(s.was).Elem()
		if !reflect.DeepEqual(now.Interface(), old.Interface()) {
			now.Set(old)
			differs = append(differs, s.key)
		}
	}
	return differs
}

// reload reloads and logs the outcome for the operator.
func (l *Live) reload(log *slog.Logger, why string) {
	c, err := l.Reload()
	if err != nil {
		log.Error("the new configuration has problems; the previous one stays in effect", "because", why, "error", err)
		return
	}
	log.Info("configuration reloaded", "because", why, "tenants", len(l.Now().Tenants), "added", strings.Join(c.Added, " "), "changed", strings.Join(c.Changed, " "),
		"removed", strings.Join(c.Removed, " "))
	for _, id := range c.Removed {
		log.Warn("a tenant is no longer in the configuration: its archives and reviews wait until it returns", "tenant", id)
	}
	for _, key := range c.AtStart {
		log.Warn("a changed setting takes effect at the next restart", "key", key)
	}
	l.Now().LogWarnings(log)
}
