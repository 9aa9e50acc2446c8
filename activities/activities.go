// Package activities does the archive's work in the world: each activity is idempotent, calls the vendors' clients, the
// transfer engine and the mapping, and writes down in the ledger what it did.
package activities

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// Activities holds what all tenants share. Its exported methods with a workflows input are the activities.
type Activities struct {
	Config   *config.Config
	Ledger   *ledger.Ledger
	Engine   *transfer.Engine
	Temporal client.Client
	Log      *slog.Logger

	mailer  mailer
	store   *http.Client // for signed URLs: no credentials
	mu      sync.Mutex
	tenants map[string]*tenant
}

type mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// New prepares the activities; clients of a tenant are opened at its first use.
func New(cfg *config.Config, l *ledger.Ledger, engine *transfer.Engine, store *http.Client, tc client.Client, log *slog.Logger) (*Activities, error) {
	a := &Activities{Config: cfg, Ledger: l, Engine: engine, Temporal: tc, Log: log, store: store, tenants: map[string]*tenant{}}
	m, err := mail.Open(cfg.Mail)
	if err != nil {
		return nil, err
	}
	if m != nil {
		a.mailer = m
	}
	return a, nil
}

// tenant is one customer's clients and what is remembered of them in this process. Nothing here is needed for
// correctness: another worker finds it out again.
type tenant struct {
	*Activities
	cfg     *config.Tenant
	frameio frameio.Platform
	iconik  *iconik.Client

	mu      sync.Mutex
	views   map[string]string // view name → id
	users   map[string]userAt // e-mail → iconik user id, "" for none
	storage *iconik.Storage
	me      *iconik.User

	reviews struct {
		project frameio.Project
		at      time.Time
	}
	refusedTold string // the day on which operators were told of a refused token

	notAs     sync.Map // iconik user id, "" for any → when iconik refused a comment in their name
	uploads   sync.Map // file id → freshUpload
	callsSeen int64
}

type userAt struct {
	id string
	at time.Time
}

func (a *Activities) tenant(id string) (*tenant, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t, ok := a.tenants[id]; ok {
		return t, nil
	}
	cfg, ok := a.Config.Tenant(id)
	if !ok {
		return nil, systemError("tenant %s is not in this worker's configuration", id)
	}
	t := &tenant{Activities: a, cfg: cfg, views: map[string]string{}, users: map[string]userAt{}}
	fio, err := open.Platform(cfg, a.Ledger, t.tokenRefused)
	if err != nil {
		return nil, systemError("%v", err)
	}
	ick, err := iconik.New(cfg.Iconik)
	if err != nil {
		return nil, systemError("%v", err)
	}
	t.frameio, t.iconik = fio, ick
	a.tenants[id] = t
	return t, nil
}

// archive is one archive in the hands of one activity.
type archive struct {
	*tenant
	ref workflows.Ref
}

func (a *Activities) archive(ref workflows.Ref) (*archive, error) {
	t, err := a.tenant(ref.Tenant)
	if err != nil {
		return nil, err
	}
	return &archive{tenant: t, ref: ref}, nil
}

// row reads the archive's ledger row.
func (a *archive) row(ctx context.Context) (ledger.Archive, error) {
	row, ok, err := a.Ledger.Archive(ctx, a.ref.Tenant, a.ref.Archive)
	if err != nil {
		return row, err
	}
	if !ok {
		return row, systemError("the ledger does not know archive %s: was the ledger replaced while it ran?", a.ref.Archive)
	}
	return row, nil
}

// wrote notes that this run has changed something in iconik.
func (a *archive) wrote(ctx context.Context) error {
	row, err := a.row(ctx)
	if err != nil || row.Changed {
		return err
	}
	_, err = a.Ledger.UpdateArchive(ctx, a.ref.Tenant, a.ref.Archive, func(r *ledger.Archive) { r.Changed = true })
	return err
}

// workflowID is the archive's workflow, for control from inside.
func (a *archive) workflowID() string { return workflows.ArchiveID(a.ref.Tenant, a.ref.Archive) }
