// Package control starts archives and reviews, acts on them and shows their state. The HTTP API, the console and the commands share
// it. It records all actions in the audit log, in the name of whoever requested them.
package control

import (
	"errors"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// Time limits for operations that somebody waits for.
const (
	StartTimeout   = 4 * time.Second  // Frame.io gives a webhook 5 s
	controlTimeout = 10 * time.Second // iconik gives a button 10 s
	closingTime    = 3 * time.Second  // between a workflow's result and its close
	lookTimeout    = 2 * time.Second  // for what Temporal knows beyond the ledger
)

// Service acts for all tenants of a configuration.
type Service struct {
	Live     *config.Live
	Ledger   *ledger.Ledger
	Temporal client.Client
	Log      *slog.Logger
	Actor    ledger.Actor // for the audit log, if no request says who acts
	// Watch counts the calls to the vendors.
	Watch *rest.Watch
	// OpenFrameio opens a tenant's Frame.io client.
	OpenFrameio func(*config.Tenant) (frameio.Platform, error)

	path    string                   // of the configuration file
	missing atomic.Pointer[[]string] // search attributes that the server does not know; nil: not checked yet

	mu        sync.Mutex
	platforms map[*config.Tenant]frameio.Platform // a tenant whose configuration changes gets a new pointer
	iconiks   sync.Map                            // *config.Tenant → *iconik.Client
	domains   sync.Map                            // *config.Tenant → ID of its iconik domain
	progress  progress
}

// New returns a service that follows the configuration as it changes.
func New(live *config.Live, path string, actor ledger.Actor, l *ledger.Ledger, tc client.Client, log *slog.Logger) *Service {
	s := &Service{Live: live, path: path, Actor: actor, Ledger: l, Temporal: tc, Log: log, platforms: map[*config.Tenant]frameio.Platform{}, Watch: rest.NewWatch()}
	s.OpenFrameio = func(t *config.Tenant) (frameio.Platform, error) {
		return open.Platform(t, l.Tenant(t.ID), nil, open.Watched(s.Watch))
	}
	live.OnChange(s.forget)
	return s
}

// Reopen makes the next call open the tenant's Frame.io client with the sign-in stored by then.
func (s *Service) Reopen(t *config.Tenant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.platforms, t)
}

// Config returns the current configuration.
func (s *Service) Config() *config.Config { return s.Live.Now() }

// forget drops the clients of tenants that were removed or changed.
func (s *Service) forget(now *config.Config) {
	gone := func(key any) bool { t, _ := key.(*config.Tenant); return now.Tenants[t.ID] != t }
	s.mu.Lock()
	maps.DeleteFunc(s.platforms, func(t *config.Tenant, _ frameio.Platform) bool { return gone(t) })
	s.mu.Unlock()
	for _, m := range []*sync.Map{&s.iconiks, &s.domains} {
		m.Range(func(key, _ any) bool {
			if gone(key) {
				m.Delete(key)
			}
			return true
		})
	}
}

// Platform returns the tenant's Frame.io client.
func (s *Service) Platform(t *config.Tenant) (frameio.Platform, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.platforms[t]; ok {
		return p, nil
	}
	p, err := s.OpenFrameio(t)
	if err != nil {
		return nil, err
	}
	s.platforms[t] = p
	return p, nil
}

// Accepted is the response when work was accepted.
type Accepted struct {
	ID         string `json:"id"`
	WorkflowID string `json:"workflow_id"`
	Status     string `json:"status"` // started, queued or running
	URL        string `json:"url"`
}

// ErrUnavailable wraps failures to reach Temporal, the ledger or Frame.io. The caller should retry.
var ErrUnavailable = errors.New("Framebridge cannot reach Temporal, its ledger or Frame.io right now: try again")

// Refusal is the error of a control that is valid but not possible now.
type Refusal struct{ Why string }

func (r *Refusal) Error() string { return r.Why }

// Missing is the error of a control of something that does not exist.
type Missing struct{ Refusal }

// Unwrap returns the Refusal, which is all that most callers look for.
func (m *Missing) Unwrap() error { return &m.Refusal }
