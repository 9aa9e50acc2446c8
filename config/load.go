package config

import (
	"reflect"
	"slices"
	"sort"

	"github.com/framebridge/framebridge/redact"
)

// Load reads a configuration. The error is *Problems unless the file itself cannot be read. On success, package redact knows its
// secrets from then on.
func Load(path string) (*Config, error) {
	cfg, _, err := read(path)
	return cfg, err
}

// read also returns the files that values come from by file:PATH, even if the configuration has problems.
func read(path string) (cfg *Config, named []string, err error) {
	d, err := readDocument(path)
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(d.named)
	if cfg, err = d.load(); err != nil {
		return nil, d.named, err
	}
	redact.Know(cfg.SecretValues()...)
	return cfg, d.named, nil
}

func (d *document) load() (*Config, error) {
	cfg := &Config{}
	d.decode(d.tree, reflect.ValueOf(cfg).Elem(), "")
	for id, t := range cfg.Tenants {
		if t == nil {
			t = &Tenant{}
			cfg.Tenants[id] = t
		}
		t.ID = id
		d.unsaid(t)
		t.Frameio.inherit()
	}
	cfg.validate(d.p)
	sort.Strings(d.p.List)
	sort.Strings(d.p.warnings)
	cfg.Warnings = d.p.warnings
	if len(d.p.List) > 0 {
		return nil, d.p
	}
	return cfg, nil
}

// inherit fills in what further credentials leave out. Each has its own sign-in.
func (f *Frameio) inherit() {
	for i := range f.Credentials {
		c := &f.Credentials[i]
		for _, text := range []struct {
			own    *string
			common string
		}{
			{&c.Generation, f.Generation}, {&c.BaseURL, f.BaseURL}, {&c.AccountID, f.AccountID}, {&c.Workspace, f.Workspace},
			{&c.ServiceClient, f.ServiceClient}, {&c.IMS.TokenURL, f.IMS.TokenURL},
		} {
			if *text.own == "" {
				*text.own = text.common
			}
		}
	}
}

// unsaid refuses to guess which API a developer token is for, because both accept one.
func (d *document) unsaid(t *Tenant) {
	f, key := t.Frameio, "tenants."+t.ID+".frameio.generation"
	if d.origin[key] != "default" || f.Token == "" || f.IMS.ClientID != "" || f.ServiceClient != "" {
		return
	}
	d.p.add(key, "is not set, and there is only a developer token. Write v4 if the account is on V4 and not managed in Adobe's "+
		"Admin Console; for other V4 accounts set frameio.ims.client_id and client_secret. Write legacy if the account is still on the "+
		"legacy API, which Frame.io supports until December 1, 2026")
}
