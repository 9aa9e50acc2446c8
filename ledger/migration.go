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

// MigrationStatus is the status of a migration, as GET /migrations returns it.
type MigrationStatus string

// Statuses of a migration.
const (
	MigrationPlanning  MigrationStatus = "planning" // its projects are being listed
	MigrationRunning   MigrationStatus = "running"
	MigrationPaused    MigrationStatus = "paused"             // by a person, or after its canary
	MigrationScheduled MigrationStatus = "waiting_for_window" // for its time window
	MigrationDone      MigrationStatus = "done"
	MigrationCancelled MigrationStatus = "cancelled"
	MigrationFailed    MigrationStatus = "failed"
)

// Ended reports whether the migration has ended.
func (s MigrationStatus) Ended() bool {
	return s == MigrationDone || s == MigrationCancelled || s == MigrationFailed
}

// Migration is the archiving of an account's projects as one job.
type Migration struct {
	newer

	Tenant      string            `json:"tenant"`
	ID          string            `json:"id"`
	Request     json.RawMessage   `json:"request"`         // the selection and how to process it, as requested
	Added       []json.RawMessage `json:"added,omitempty"` // selections whose projects were added later
	RequestedBy string            `json:"requested_by"`
	TriggeredBy Trigger           `json:"triggered_by,omitzero"`
	Status      MigrationStatus   `json:"status"`
	Reason      string            `json:"reason"`
	WaitsForGo  bool              `json:"waits_for_go,omitempty"` // paused after its canary, not by a person
	Changes     int               `json:"changes,omitempty"`      // number of status changes
	Round       int               `json:"round"`                  // 0: the first pass; 1: what changed since
	RoundItems  int64             `json:"round_items,omitempty"`  // files when the second round began
	LookedAt    time.Time         `json:"looked_at"`              // by its workflow, which updates it every minute
	Generation  string            `json:"generation,omitempty"`   // of Frame.io's API, when the projects were listed
	NotExtended string            `json:"not_extended,omitempty"` // why the second round could not look for new projects
	Bandwidth   int64             `json:"bandwidth"`              // bytes per second that the current window allows; 0: no limit
	CreatedAt   time.Time         `json:"created_at"`
	StartedAt   time.Time         `json:"started_at"` // when its first project started
	FinishedAt  time.Time         `json:"finished_at"`
	Pace        json.RawMessage   `json:"pace,omitempty"` // measured speed
	ETA         time.Time         `json:"eta"`            // zero if unknown
	// ReportAssetID is the account's report in iconik.
	ReportAssetID string `json:"report_asset_id"`
}

// MigrationLedger is what the ledger knows about one migration.
type MigrationLedger struct {
	l          *Ledger
	tenant, id string
}

// Migration returns a handle. It reads nothing.
func (h TenantLedger) Migration(id string) MigrationLedger { return MigrationLedger{h.l, h.id, id} }

func scanMigration(r scanner) (Migration, error) {
	var data document
	if err := r.Scan(&data); err != nil {
		return Migration{}, err
	}
	return decode[Migration](data)
}

// Create creates the migration's row. An existing one stays as it is.
func (h MigrationLedger) Create(ctx context.Context, m Migration) error {
	m.Tenant, m.ID = h.tenant, h.id
	data, err := encode(m)
	if err != nil {
		return err
	}
	_, err = h.l.exec(ctx, "INSERT INTO migrations (tenant, id, created_at, data) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, id) DO NOTHING", h.tenant, h.id, micros(m.CreatedAt), data)
	return err
}

// Get returns the migration, and false if there is none.
func (h MigrationLedger) Get(ctx context.Context) (Migration, bool, error) {
	m, err := scanMigration(h.l.reads().Row(ctx, oneMigration, h.tenant, h.id))
	if errors.Is(err, sql.ErrNoRows) {
		return Migration{}, false, nil
	}
	return m, err == nil, err
}

// Update changes the migration and appends the audit entries about it in one transaction.
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

// Migrations lists a tenant's migrations, newest first. after is the cursor that the previous page returned.
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

// Discard removes the row of a migration that was never started because another one of the tenant started at the same time.
func (h MigrationLedger) Discard(ctx context.Context) error {
	_, err := h.l.exec(ctx, "DELETE FROM migrations WHERE tenant = ? AND id = ?", h.tenant, h.id)
	return err
}

// NewestMigration returns the open migration, or else the newest one, and false if there is none. A start that Temporal refused does not
// hide an open migration.
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

// WasStarted reports whether the migration's workflow runs or has run.
func (m Migration) WasStarted() bool { return m.Status != MigrationFailed || m.Changes > 0 }
