// Package reclaim deletes in Frame.io what is proven to be in iconik. Each step is idempotent and records its progress in the
// ledger. Besides reading, it can do only one thing to Frame.io: delete a file.
package reclaim

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upload"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// Deleter is all that a reclaim may change in Frame.io.
type Deleter interface {
	// Delete moves a file to Frame.io's trash. It is not an error if the file is already gone.
	Delete(ctx context.Context, a frameio.Asset) error
}

// Options is what a worker's reclaims share.
type Options struct {
	Config  *config.Live
	Ledger  *ledger.Ledger
	Engine  *transfer.Engine
	Objects *http.Client // no credentials: for signed URLs
	Log     *slog.Logger
	// Tenant returns a tenant by ID, with the Deleter for its Frame.io.
	Tenant func(id string) (*tenant.Tenant, Deleter, error)
}

// Activities holds the activities of a reclaim; each method is registered under its own name.
type Activities struct {
	Options
	uploads *upload.Uploads
}

// New returns the activities for a worker's reclaims.
func New(o Options) *Activities {
	return &Activities{Options: o, uploads: upload.New(o.Config, o.Objects)}
}

// run is one run of a reclaim, as one activity works on it.
type run struct {
	ref     workflows.ReclaimRef
	steps   *Activities
	tenant  *tenant.Tenant
	cfg     *config.Tenant
	frameio frameio.Reader
	deleter Deleter
	iconik  *iconik.Client
	ledger  ledger.ArchiveLedger
	archive ledger.Archive
	row     ledger.Reclaim

	collections map[string]finding // by folder: findings on the collections compared
	compared    string             // the version stack whose versions were all compared before the first of them was deleted
}

func (a *Activities) open(ctx context.Context, ref workflows.ReclaimRef) (*run, error) {
	r := &run{ref: ref, steps: a, ledger: a.Ledger.Tenant(ref.Tenant).Archive(ref.Archive)}
	return r, r.read(ctx)
}

// read gets the tenant again, because a reload of the configuration may have changed it, and reads the rows again. Nothing
// compared before still counts.
func (r *run) read(ctx context.Context) error {
	t, deleter, err := r.steps.Tenant(r.ref.Tenant)
	if err != nil {
		return err
	}
	r.tenant, r.cfg, r.frameio, r.deleter, r.iconik, r.collections = t, t.Config, t.Frameio, deleter, t.Iconik, map[string]finding{}
	var known bool
	if r.archive, known, err = r.ledger.Get(ctx); err != nil {
		return err
	}
	if !known {
		return fault.System("archive %s is not in the ledger: was the ledger replaced during the run?", r.ref.Archive)
	}
	if r.row, known, err = r.ledger.Reclaim(ctx); err != nil {
		return err
	}
	if !known || r.row.Run != r.ref.Run {
		return fault.System("reclaim %d of archive %s is not in the ledger: was the ledger replaced during the run?", r.ref.Run, r.ref.Archive)
	}
	return nil
}

// set changes the run's row. Each change of status is logged and reported. change is called twice.
func (r *run) set(ctx context.Context, change func(*ledger.Reclaim), audit ...func(ledger.Reclaim) *ledger.AuditEntry) error {
	before, next := r.row.Status, r.row
	change(&next)
	var told []ledger.Delivery
	var err error
	if next.Status != before {
		if told, err = r.tell(ctx, next); err != nil {
			return err
		}
	}
	r.row, err = r.ledger.UpdateReclaim(ctx, func(row *ledger.Reclaim) error { change(row); return nil }, audit...)
	if err == nil && r.row.Status != before {
		r.steps.Log.InfoContext(ctx, "reclaim", "tenant", r.cfg.Name, "project", r.archive.Name, "archive", r.ref.Archive, "run", r.ref.Run, "status", r.row.Status, "from", before, "reason", r.row.Reason)
	}
	if err == nil {
		r.tenant.Start(ctx, told)
	}
	return err
}

// goOn changes the run's row, and reports whether the run goes on. A run that has ended stays as it is: it was ended by an attempt whose
// answer was lost, or by the starter, which got no answer when it started the run.
func (r *run) goOn(ctx context.Context, change func(*ledger.Reclaim)) (bool, error) {
	err := r.set(ctx, func(row *ledger.Reclaim) {
		if !row.Status.Ended() {
			change(row)
		}
	})
	return err == nil && !r.row.Status.Ended(), err
}

// halt ends the run with a reason. Nothing is deleted after it.
func (r *run) halt(ctx context.Context, status ledger.ReclaimStatus, reason string) (workflows.ReclaimProgress, error) {
	if _, err := r.goOn(ctx, func(row *ledger.Reclaim) { row.Status, row.Reason = status, reason }); err != nil {
		return workflows.ReclaimProgress{}, err
	}
	return r.ended(ctx)
}

func (r *run) ended(ctx context.Context) (workflows.ReclaimProgress, error) {
	return r.progress(ctx, workflows.ReclaimProgress{Ended: true})
}

func (r *run) progress(ctx context.Context, p workflows.ReclaimProgress) (workflows.ReclaimProgress, error) {
	sums, err := r.ledger.ReclaimSums(ctx, r.ref.Run)
	ready, proven, deleting, deleted, left := sums[ledger.ReclaimReady], sums[ledger.ReclaimProven], sums[ledger.ReclaimIntends], sums[ledger.ReclaimDeleted], sums[ledger.ReclaimLeft]
	p.Counts = workflows.ReclaimCounts{Ready: ready.Files, ReadyBytes: ready.Bytes, Proven: proven.Files + deleting.Files, ProvenBytes: proven.Bytes + deleting.Bytes,
		Deleted: deleted.Files, DeletedBytes: deleted.Bytes, Left: left.Files, LeftBytes: left.Bytes}
	p.Approved = !r.row.ApprovedAt.IsZero()
	return p, err
}

// audit records what Framebridge did on behalf of those who requested and approved.
func (r *run) audit(ctx context.Context, e ledger.AuditEntry) error {
	_, err := r.steps.Ledger.AppendAudit(ctx, *r.entry(e))
	return err
}

// entry returns an audit log entry about the run.
func (r *run) entry(e ledger.AuditEntry) *ledger.AuditEntry {
	e.Tenant, e.Actor, e.Archive = r.ref.Tenant, ledger.Actor{Kind: ledger.ActorSystem}, r.ref.Archive
	return &e
}

// PauseReclaim shows that a run is paused or has resumed.
func (a *Activities) PauseReclaim(ctx context.Context, in workflows.PauseReclaimInput) error {
	r, err := a.open(ctx, in.ReclaimRef)
	if err != nil {
		return err
	}
	return r.set(ctx, func(row *ledger.Reclaim) { row.Paused = in.Paused })
}

// AwaitReclaimApproval shows that a run waits for a second person.
func (a *Activities) AwaitReclaimApproval(ctx context.Context, ref workflows.ReclaimRef) error {
	r, err := a.open(ctx, ref)
	if err != nil {
		return err
	}
	_, err = r.goOn(ctx, func(row *ledger.Reclaim) { row.Status = ledger.ReclaimWaiting })
	return err
}

// FinishReclaim records how a run ended.
func (a *Activities) FinishReclaim(ctx context.Context, in workflows.FinishReclaimInput) (workflows.ReclaimResult, error) {
	r, err := a.open(ctx, in.ReclaimRef)
	if err != nil {
		return workflows.ReclaimResult{}, err
	}
	if err := r.settle(ctx); err != nil {
		return workflows.ReclaimResult{}, err
	}
	p, err := r.progress(ctx, workflows.ReclaimProgress{})
	if err != nil {
		return workflows.ReclaimResult{}, err
	}
	if r.row.FinishedAt.IsZero() {
		err = r.set(ctx, func(row *ledger.Reclaim) {
			row.FinishedAt, row.Paused = time.Now().UTC(), false
			switch {
			case in.Status != "":
				row.Status, row.Reason = ledger.ReclaimStatus(in.Status), in.Reason
			case row.Status.Ended():
			case row.DryRun:
				row.Status, row.Reason = ledger.ReclaimExamined, wouldFree(p.Counts)
			default:
				row.Status, row.Reason = ledger.ReclaimDone, freed(p.Counts)
			}
		}, func(row ledger.Reclaim) *ledger.AuditEntry {
			return r.entry(ledger.AuditEntry{Action: "reclaim " + string(row.Status), ObjectKind: "archive", ObjectID: r.ref.Archive, Reason: row.Reason})
		})
	}
	return workflows.ReclaimResult{Status: string(r.row.Status), Counts: p.Counts}, err
}
