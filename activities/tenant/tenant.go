// Package tenant holds one customer in this process: its clients, and what both features need of them.
package tenant

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// ShowPatience is how long recording the end of something may wait for the vendors to show it.
const ShowPatience = 30 * time.Second

// Tenant holds one customer's clients and what this process remembers about them. None of that is needed for correctness:
// another worker finds it out again.
type Tenant struct {
	ID      string
	Config  *config.Tenant
	Ledger  ledger.TenantLedger
	Frameio frameio.Reader
	Iconik  *iconik.Client
	Mail    *Mail
	Log     *slog.Logger
	start   Starter // starts deliveries; if nil, they are started later

	views  Memo[string]
	fields atomic.Pointer[FieldsView]
	making chan struct{} // held while a view and its fields are created, because views share fields
	users  Memo[string]
	me     Memo[*iconik.User]
	notAs  sync.Map // iconik user ID, "" for all → when iconik refused a comment in their name
}

// New returns a tenant with open clients. If sender is nil, no mail is sent.
func New(cfg *config.Tenant, l *ledger.Ledger, fio frameio.Reader, ick *iconik.Client, sender Sender, log *slog.Logger) *Tenant {
	return &Tenant{
		ID: cfg.ID, Config: cfg, Ledger: l.Tenant(cfg.ID), Frameio: fio, Iconik: ick, Log: log,
		Mail:   &Mail{sender: sender, notify: &cfg.Notify, ledger: l.Tenant(cfg.ID), shared: l, id: cfg.ID, tenant: cfg.Name, log: log},
		making: make(chan struct{}, 1), users: Memo[string]{Lasts: userMemory}, views: Memo[string]{Lasts: viewMemory},
	}
}

// absentPatience is the interval between checks whether a tenant is back in the configuration.
const absentPatience = time.Minute

// Tenants opens each tenant's clients at their first use, and again when the tenant's configuration has changed.
type Tenants struct {
	// Watch counts the calls of the tenants' clients. It may be nil.
	Watch *rest.Watch

	config *config.Live
	ledger *ledger.Ledger
	log    *slog.Logger
	start  Starter

	mu     sync.Mutex
	open   map[string]*opened
	sender Sender
	mail   config.Mail // that sender was opened with
}

type opened struct {
	*Tenant
	platform frameio.Platform
}

// NewTenants opens the mail server. start starts deliveries; if it is nil, they wait.
func NewTenants(cfg *config.Live, l *ledger.Ledger, start Starter, log *slog.Logger) (*Tenants, error) {
	t := &Tenants{config: cfg, ledger: l, log: log, start: start, open: map[string]*opened{}}
	return t, t.openMail(cfg.Now().Mail)
}

// openMail opens the mail server that is configured now.
func (s *Tenants) openMail(cfg config.Mail) error {
	m, err := mail.Open(cfg)
	if err != nil {
		return err
	}
	if s.sender = nil; m != nil {
		s.sender = m
	}
	s.mail = cfg
	return nil
}

// Get returns a tenant for reading Frame.io.
func (s *Tenants) Get(id string) (*Tenant, error) {
	o, err := s.get(id)
	if err != nil {
		return nil, err
	}
	return o.Tenant, nil
}

// GetPlatform returns a tenant, and the Platform that changes its Frame.io.
func (s *Tenants) GetPlatform(id string) (*Tenant, frameio.Platform, error) {
	o, err := s.get(id)
	if err != nil {
		return nil, nil, err
	}
	return o.Tenant, o.platform, nil
}

func (s *Tenants) get(id string) (*opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	cfg, ok := now.Tenant(id)
	if !ok {
		delete(s.open, id)
		return nil, fault.Wait("TenantAbsent", absentPatience, "tenant %s is not in this worker's configuration: its work waits until the tenant is back there, in the file or in tenants.d", id)
	}
	if now.Mail != s.mail {
		if err := s.openMail(now.Mail); err != nil {
			return nil, err
		}
		clear(s.open)
	}
	if o, ok := s.open[id]; ok && o.Config == cfg {
		return o, nil
	}
	notice := &migrationNotice{}
	platform, err := open.Platform(cfg, s.ledger.Tenant(cfg.ID), notice.refused, open.Watched(s.Watch))
	if err != nil {
		return nil, fault.System("%v", err)
	}
	ick, err := iconik.New(cfg.Iconik, iconik.WithWatch(s.Watch, cfg.ID))
	if err != nil {
		return nil, fault.System("%v", err)
	}
	o := &opened{Tenant: New(cfg, s.ledger, platform, ick, s.sender, s.log), platform: platform}
	o.start = s.start
	notice.tenant = o.Tenant
	ick.OnTakenOut(o.credentialOut)
	if p, ok := platform.(interface{ OnTakenOut(func(string, error)) }); ok {
		p.OnTakenOut(o.credentialOut)
	}
	s.open[id] = o
	return o, nil
}
