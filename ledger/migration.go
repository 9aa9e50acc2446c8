package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// MigrationStatus is where a migration stands, as GET /migrations says it.
type MigrationStatus string

// Statuses of a migration.
const (
	MigrationPlanning  MigrationStatus = "planning" // its projects are being listed
	MigrationRunning   MigrationStatus = "running"
	MigrationPaused    MigrationStatus = "paused"             // by a person, or after its canary
	MigrationScheduled MigrationStatus = "waiting_for_window" // of time
	MigrationDone      MigrationStatus = "done"
	MigrationCancelled MigrationStatus = "cancelled"
	MigrationFailed    MigrationStatus = "failed"
)

// Ended says that the migration does nothing more.
func (s MigrationStatus) Ended() bool {
	return s == MigrationDone || s == MigrationCancelled || s == MigrationFailed
}

// Migration brings the projects of an account over as one job.
type Migration struct {
	newer

	Tenant      string            `json:"tenant"`
	ID          string            `json:"id"`
	Request     json.RawMessage   `json:"request"`         // the selection and how to go about it, as they were asked for
	Added       []json.RawMessage `json:"added,omitempty"` // selections whose projects were added since
	RequestedBy string            `json:"requested_by"`
	TriggeredBy Trigger           `json:"triggered_by,omitzero"`
	Status      MigrationStatus   `json:"status"`
	Reason      string            `json:"reason"`
	WaitsForGo  bool              `json:"waits_for_go,omitempty"` // paused after its canary, and not by a person
	Changes     int               `json:"changes,omitempty"`      // of the status so far
	Round       int               `json:"round"`                  // 0: the first pass; 1: what has changed since
	RoundItems  int64             `json:"round_items,omitempty"`  // files that the second round began with
	LookedAt    time.Time         `json:"looked_at"`              // by its workflow, which says so every minute
	Generation  string            `json:"generation,omitempty"`   // of Frame.io's API, when the projects were listed
	NotExtended string            `json:"not_extended,omitempty"` // why the second round could not look for new projects
	Bandwidth   int64             `json:"bandwidth"`              // bytes a second that the present window allows; 0: no limit
	CreatedAt   time.Time         `json:"created_at"`
	StartedAt   time.Time         `json:"started_at"` // its first project
	FinishedAt  time.Time         `json:"finished_at"`
	Pace        json.RawMessage   `json:"pace,omitempty"` // how fast it goes, as measured
	ETA         time.Time         `json:"eta"`            // zero: not known
	// ReportAssetID is the account's report in iconik, ReportVersion what its files are stored under.
	ReportAssetID string `json:"report_asset_id"`
}

// MigrationLedger is what the ledger knows of one migration.
type MigrationLedger struct {
	l          *Ledger
	tenant, id string
}

// Migration is a handle; it reads nothing.
func (h TenantLedger) Migration(id string) MigrationLedger { return MigrationLedger{h.l, h.id, id} }

func scanMigration(r scanner) (Migration, error) {
	var data document
	if err := r.Scan(&data); err != nil {
		return Migration{}, err
	}
	return decode[Migration](data)
}

// Create makes the migration's row; one that is there stays as it is.
func (h MigrationLedger) Create(ctx context.Context, m Migration) error {
	m.Tenant, m.ID = h.tenant, h.id
	data, err := encode(m)
	if err != nil {
		return err
	}
	_, err = h.l.exec(ctx, "INSERT INTO migrations (tenant, id, created_at, data) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, id) DO NOTHING", h.tenant, h.id, micros(m.CreatedAt), data)
	return err
}

// Get returns the migration, and false when there is none.
func (h MigrationLedger) Get(ctx context.Context) (Migration, bool, error) {
	m, err := scanMigration(h.l.reads().Row(ctx, oneMigration, h.tenant, h.id))
	if errors.Is(err, sql.ErrNoRows) {
		return Migration{}, false, nil
	}
	return m, err == nil, err
}

// Update changes the migration in one transaction, with entries in the audit log about it.
func (h MigrationLedger) Update(ctx context.Context, change func(*Migration), audit ...func(Migration) *AuditEntry) (Migration, error) {
	var m Migration
	err := h.l.tx(ctx, func(tx session) (err error) {
		if m, err = scanMigration(tx.Row(ctx, oneMigration+tx.ForUpdate(), h.tenant, h.id)); errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("migration %s: %w", h.id, ErrUnknown)
		} else if err != nil {
			return err
		}
		change(&m)
		m.Tenant, m.ID = h.tenant, h.id
		data, err := encode(m)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE migrations SET data = ? WHERE tenant = ? AND id = ?", data, h.tenant, h.id)
		return audited(ctx, tx, err, m, audit)
	})
	return m, err
}

// Migrations lists a tenant's migrations, newest first. after is the next of the page before.
func (h TenantLedger) Migrations(ctx context.Context, after string, limit int) ([]Migration, string, error) {
	at, id := int64(1)<<62, ""
	if after != "" {
		var err error
		if at, id, err = cursor(after, "~"); err != nil {
			return nil, "", err
		}
	}
	out, err := collect(ctx, h.l.reads(), scanMigration, migrationsPage, h.id, at, id, limit)
	next := ""
	if err == nil && len(out) == limit {
		last := out[len(out)-1]
		next = strconv.FormatInt(micros(last.CreatedAt), 10) + "~" + last.ID
	}
	return out, next, err
}

// Discard removes the row of a migration that was never started, because another one of the tenant's was at the same time.
func (h MigrationLedger) Discard(ctx context.Context) error {
	_, err := h.l.exec(ctx, "DELETE FROM migrations WHERE tenant = ? AND id = ?", h.tenant, h.id)
	return err
}

// NewestMigration is the one that is open, or else the one that was started last; false where there is none. A start that Temporal did not
// take hides none that is open.
func (h TenantLedger) NewestMigration(ctx context.Context) (Migration, bool, error) {
	out, _, err := h.Migrations(ctx, "", 20)
	if err != nil || len(out) == 0 {
		return Migration{}, false, err
	}
	if i := slices.IndexFunc(out, Migration.WasStarted); i > 0 && !out[i].Status.Ended() {
		return out[i], true, nil
	}
	return out[0], true, nil
}

// WasStarted says that a migration's workflow runs, or has run.
func (m Migration) WasStarted() bool { return m.Status != MigrationFailed || m.Changes > 0 }
