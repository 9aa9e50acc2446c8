// Package archive implements the activities of an archive. Each one is idempotent, calls the vendors' clients, the transfer
// engine and the mapping, and records in the ledger what it did. It reads Frame.io and cannot change it.
package archive

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/activities/bandwidth"
	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upload"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/readers"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// Options is what a worker's archives share.
type Options struct {
	Config  *config.Live
	Ledger  *ledger.Ledger
	Engine  *transfer.Engine
	Objects *http.Client // no credentials: for signed URLs
	Log     *slog.Logger
	// Tenant returns a tenant by ID.
	Tenant func(id string) (*tenant.Tenant, error)
	// Result, if not nil, is called for each item that reaches a result.
	Result func(tenant string, it ledger.Item)
	// Cancel requests the cancellation of a workflow.
	Cancel func(ctx context.Context, workflowID string) error
	// WorkflowURL returns where a person can see a workflow, or "" if there is no such place.
	WorkflowURL func(workflowID string) string
}

// Activities holds the activities of an archive; each method is registered under its own name.
type Activities struct {
	Options

	uploads *upload.Uploads
	lacking sync.Map // tenant and call: bulk calls that iconik does not know
	// Limits, which may be nil, enforces what the migration's window allows.
	Limits *bandwidth.Limits
}

// New returns the activities for a worker's archives.
func New(o Options) *Activities {
	return &Activities{Options: o, uploads: upload.New(o.Config, o.Objects)}
}

// archive is an archive as one activity works on it.
type archive struct {
	ref     workflows.Ref
	steps   *Activities
	tenant  *tenant.Tenant
	cfg     *config.Tenant
	frameio frameio.Reader
	iconik  *iconik.Client
	ledger  ledger.ArchiveLedger
	objects isolate.Objects
	access  *acls.Keeper
	log     *slog.Logger

	findings *comparing.Findings
	// countsFail is ledger.Archive.CountsFail.
	countsFail bool
}

func (a *Activities) archive(ref workflows.Ref) (*archive, error) {
	t, err := a.Tenant(ref.Tenant)
	if err != nil {
		return nil, err
	}
	return a.of(t, ref), nil
}

func (a *Activities) of(t *tenant.Tenant, ref workflows.Ref) *archive {
	l := a.rows(ref)
	arc := &archive{ref: ref, steps: a, tenant: t, cfg: t.Config, frameio: t.Frameio, iconik: t.Iconik, ledger: l,
		objects: isolate.Objects{Archive: ref.Archive, Ledger: l, Log: a.Log}, log: a.Log,
		findings: &comparing.Findings{Rows: l, Restores: t.Config.Archive.OnDifference == "restore"}}
	arc.access = &acls.Keeper{Readers: &readers.Readers{Frameio: t.Frameio, Iconik: t.Iconik, Archive: t.Config.Archive},
		Tenant: t, Ledger: l, Project: ref.Archive, Log: a.Log, Changed: arc.markChanged, Audit: arc.audit}
	return arc
}

// files returns the tenant's files in its storage.
func (a *archive) files() upload.Files { return a.steps.uploads.Of(a.tenant) }

// rows returns the ledger's data of an archive, which is all that an activity needs if it calls no vendor.
func (a *Activities) rows(ref workflows.Ref) ledger.ArchiveLedger {
	return a.Ledger.Tenant(ref.Tenant).Archive(ref.Archive)
}

// row reads the archive's ledger row.
func (a *archive) row(ctx context.Context) (ledger.Archive, error) {
	row, ok, err := a.ledger.Get(ctx)
	if err != nil {
		return row, err
	}
	if !ok {
		return row, fault.System("archive %s is not in the ledger: was the ledger replaced during the run?", a.ref.Archive)
	}
	return row, nil
}

// item reads an item's ledger row.
func (a *archive) item(ctx context.Context, id string) (ledger.Item, error) {
	it, ok, err := a.ledger.Item(ctx, id)
	if err == nil && !ok {
		err = fault.System("file %s is not in the ledger", id)
	}
	return it, err
}

// markChanged records that this run has changed something in iconik.
func (a *archive) markChanged(ctx context.Context) error {
	row, err := a.row(ctx)
	if err != nil || row.Changed {
		return err
	}
	_, err = a.ledger.Update(ctx, func(r *ledger.Archive) { r.Changed = true })
	return err
}

// workflowID returns the ID of the archive's workflow, for control from inside.
func (a *archive) workflowID() string { return workflows.ArchiveID(a.ref.Tenant, a.ref.Archive) }

// update changes the archive's row and logs each change of status.
func (a *archive) update(ctx context.Context, change func(*ledger.Archive)) (ledger.Archive, error) {
	var from ledger.ArchiveStatus
	row, err := a.ledger.Update(ctx, func(r *ledger.Archive) {
		from = r.Status
		change(r)
	})
	if err == nil && row.Status != from {
		a.logStatus(ctx, row, from)
	}
	return row, err
}

// logStatus logs one line about a change of the archive's status.
func (a *archive) logStatus(ctx context.Context, row ledger.Archive, from ledger.ArchiveStatus) {
	args := []any{"tenant", a.cfg.Name, "project", row.Name, "archive", row.ID, "status", row.Status, "from", from}
	if row.Reason != "" {
		args = append(args, "reason", row.Reason)
	}
	if row.Status.Ended() {
		if totals, err := a.ledger.Totals(ctx); err == nil {
			args = append(args, "verified", totals.Verified, "skipped", totals.Skipped, "failed", totals.Failed, "bytes", totals.BytesDone, "comments", totals.CommentsDone)
		}
		args = append(args, "took", row.FinishedAt.Sub(row.StartedAt).Round(time.Second).String())
	}
	a.log.InfoContext(ctx, "archive", args...)
}

// updateItem changes an item's row.
func (a *archive) updateItem(ctx context.Context, it ledger.Item, change func(*ledger.Item)) (ledger.Item, error) {
	var from ledger.ItemState
	row, err := a.ledger.UpdateItem(ctx, it.SourceID, func(i *ledger.Item) {
		from = i.State
		change(i)
	})
	if err == nil && row.State != from {
		a.steps.noteResult(ctx, a.ref, row)
	}
	return row, err
}

// noteResult counts an item's result, and logs each failure.
func (a *Activities) noteResult(ctx context.Context, ref workflows.Ref, row ledger.Item) {
	if a.Result != nil {
		a.Result(ref.Tenant, row)
	}
	if row.State == ledger.ItemFailed {
		a.Log.InfoContext(ctx, "file failed", "tenant", a.Config.Now().TenantName(ref.Tenant), "archive", ref.Archive, "file", row.Path, "version", row.Version, "fault", row.Fault, "reason", row.Reason)
	}
}

// createOnce creates something for this archive.
func (a *archive) createOnce(ctx context.Context, c tenant.Creation) (id string, made bool, err error) {
	c.Owner, c.BeforeWrite = a.ref.Archive, a.markChanged
	return a.tenant.CreateOnce(ctx, c)
}

// audit records what Framebridge did by itself.
func (a *archive) audit(ctx context.Context, action, text string) error {
	_, err := a.steps.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: a.ref.Tenant, Actor: ledger.Actor{Kind: ledger.ActorSystem}, Action: action,
		ObjectKind: "archive", ObjectID: a.ref.Archive, Archive: a.ref.Archive, Detail: ledger.AuditText(text)})
	return err
}
