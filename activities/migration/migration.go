// Package migration implements the activities of a migration. Each one is idempotent. The archives are workflows of their own,
// which the migration starts and observes.
package migration

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upload"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// Archives controls the workflows that archive projects.
type Archives interface {
	// Start starts a project's archive on behalf of a migration's workflow. It returns false if an archive of that project is already open.
	Start(ctx context.Context, ref workflows.Ref, migration string) (bool, error)
	// Runs reports whether a project's archive is open.
	Runs(ctx context.Context, ref workflows.Ref) (bool, error)
	// Hold pauses or resumes an archive. It leaves one that has ended alone.
	Hold(ctx context.Context, ref workflows.Ref, paused bool) error
	// Release lets an archive that waits for originals continue without its migration.
	Release(ctx context.Context, ref workflows.Ref) error
	// Cancel cancels an archive.
	Cancel(ctx context.Context, ref workflows.Ref) error
}

// Options is what a worker's migrations share.
type Options struct {
	Config   *config.Live
	Ledger   *ledger.Ledger
	Engine   *transfer.Engine
	Objects  *http.Client // no credentials: for signed URLs
	Log      *slog.Logger
	Tenant   func(id string) (*tenant.Tenant, error)
	Archives Archives
}

// Activities holds the activities of a migration; each method is registered under its own name.
type Activities struct {
	Options

	uploads *upload.Uploads
}

// New returns the activities for a worker's migrations.
func New(o Options) *Activities {
	return &Activities{Options: o, uploads: upload.New(o.Config, o.Objects)}
}

// migration is a migration as one activity works on it.
type migration struct {
	*Activities

	ref    workflows.MigrationRef
	row    ledger.Migration
	ledger ledger.MigrationLedger
	asked  account.Request
}

func (a *Activities) open(ctx context.Context, ref workflows.MigrationRef) (*migration, error) {
	m := &migration{Activities: a, ref: ref, ledger: a.Ledger.Tenant(ref.Tenant).Migration(ref.Migration)}
	var known bool
	var err error
	switch m.row, known, err = m.ledger.Get(ctx); {
	case err != nil:
		return nil, err
	case !known:
		return nil, fault.System("migration %s is not in the ledger: was the ledger replaced while it ran?", ref.Migration)
	}
	if m.asked, err = account.ReadRequest(m.row.Request); err != nil {
		return nil, fault.System("the request of migration %s cannot be read: %v", ref.Migration, err)
	}
	return m, nil
}

func (m *migration) archiveOf(project string) workflows.Ref {
	return workflows.Ref{Tenant: m.ref.Tenant, Archive: project}
}

func (m *migration) archiveLedger(project string) ledger.ArchiveLedger {
	return m.Ledger.Tenant(m.ref.Tenant).Archive(project)
}

// audit records what the migration did by itself.
func (m *migration) audit(ctx context.Context, action, text string) error {
	_, err := m.Ledger.AppendAudit(ctx, m.entry(action, text))
	return err
}

func (m *migration) entry(action, text string) ledger.AuditEntry {
	return ledger.AuditEntry{Tenant: m.ref.Tenant, Actor: ledger.Actor{Kind: ledger.ActorSystem}, Action: action, ObjectKind: "migration", ObjectID: m.ref.Migration, Detail: ledger.AuditText(text)}
}

// SetMigrationStatus records the migration's status.
func (a *Activities) SetMigrationStatus(ctx context.Context, in workflows.MigrationStatusInput) error {
	m, err := a.open(ctx, in.MigrationRef)
	if err != nil {
		return err
	}
	return m.setStatus(ctx, ledger.MigrationStatus(in.Status), in.Reason, in.WaitsForGo)
}

// isOver reports whether a migration's workflow has recorded its end. If the start was given up because no answer came, that is
// only the starter's word: the migration is running if its workflow says so.
func isOver(r ledger.Migration) bool { return r.Status.Ended() && r.WasStarted() }

func (m *migration) setStatus(ctx context.Context, status ledger.MigrationStatus, reason string, waitsForGo bool) error {
	if isOver(m.row) && !status.Ended() { // a control that arrived at the end
		return nil
	}
	told, err := m.tellStatus(ctx, status, reason, waitsForGo)
	if err != nil {
		return err
	}
	var from ledger.MigrationStatus
	row, err := m.ledger.Update(ctx, func(r *ledger.Migration) {
		now := time.Now().UTC()
		if from = r.Status; isOver(*r) && !status.Ended() {
			status = from
			return
		}
		if from != status {
			r.Changes++
		}
		r.Status, r.Reason, r.WaitsForGo, r.FinishedAt = status, reason, waitsForGo, time.Time{}
		if status == ledger.MigrationRunning && r.StartedAt.IsZero() {
			r.StartedAt = now
		}
		if status.Ended() {
			r.FinishedAt, r.Bandwidth, r.ETA = now, 0, time.Time{}
		}
	}, func(ledger.Migration) *ledger.AuditEntry {
		if from == status {
			return nil
		}
		e := m.entry("migration_"+string(status), reason)
		return &e
	})
	if err != nil {
		return err
	}
	m.send(ctx, told)
	if m.row = row; from != status {
		m.Log.InfoContext(ctx, "migration", "tenant", m.Config.Now().TenantName(m.ref.Tenant), "migration", m.ref.Migration, "status", status, "from", from, "reason", reason)
	}
	return nil
}

// OrderProject moves a queued project to another position.
func (a *Activities) OrderProject(ctx context.Context, in workflows.OrderProjectInput) error {
	err := a.Ledger.Tenant(in.Tenant).Migration(in.Migration).Order(ctx, in.Project, in.Position)
	if errors.Is(err, ledger.ErrNotQueued) {
		return fault.Content("%v", err)
	}
	return err
}
