// Package review implements the activities of a review. Each one is idempotent, calls the vendors' clients, the transfer
// engine and the mapping, and records in the ledger what it did.
package review

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// mailPatience is how long a step of a review keeps trying to send its mail. A mail server that is down must not hold up the
// comments or the end of a review.
const mailPatience = 5 * time.Minute

// Options is what a worker's reviews share.
type Options struct {
	Config  *config.Live
	Ledger  *ledger.Ledger
	Engine  *transfer.Engine
	Objects *http.Client // no credentials: for signed URLs
	Log     *slog.Logger
	// Tenant returns a tenant by ID, with the Platform that changes its Frame.io.
	Tenant func(id string) (*tenant.Tenant, frameio.Platform, error)
	// WorkflowURL returns where a person can see a workflow, or "" if there is no such place.
	WorkflowURL func(workflowID string) string
}

// Activities holds the activities of a review; each method is registered under its own name.
type Activities struct {
	Options

	mailPatience time.Duration
	projects     tenant.Memo[frameio.Project] // each tenant's project for reviews
	uploads      sync.Map                     // this process's latest uploads, for a ledger without a key
}

// New returns the activities for a worker's reviews.
func New(o Options) *Activities {
	return &Activities{Options: o,
		mailPatience: mailPatience, projects: tenant.Memo[frameio.Project]{Lasts: projectMemory}}
}

// review is a review as one activity works on it.
type review struct {
	ref     workflows.ReviewRef
	row     ledger.Review
	steps   *Activities
	tenant  *tenant.Tenant
	cfg     *config.Tenant
	frameio frameio.Platform
	iconik  *iconik.Client
	ledger  ledger.ReviewLedger
	log     *slog.Logger
	files   map[string]seenFile // by ID
}

func (a *Activities) review(ctx context.Context, ref workflows.ReviewRef) (*review, error) {
	t, platform, err := a.Tenant(ref.Tenant)
	if err != nil {
		return nil, err
	}
	row, ok, err := a.Ledger.Tenant(ref.Tenant).Review(ref.Review).Get(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.System("review %s is not in the ledger: was the ledger replaced during the review?", ref.Review)
	}
	return a.of(t, platform, ref, row), nil
}

func (a *Activities) of(t *tenant.Tenant, platform frameio.Platform, ref workflows.ReviewRef, row ledger.Review) *review {
	return &review{ref: ref, row: row, steps: a, tenant: t, cfg: t.Config, frameio: platform, iconik: t.Iconik, ledger: a.Ledger.Tenant(ref.Tenant).Review(ref.Review), log: a.Log,
		files: map[string]seenFile{}}
}

// reread reads the row again: a sync takes minutes, and updates such as an extension run alongside it.
func (r *review) reread(ctx context.Context) error {
	row, ok, err := r.ledger.Get(ctx)
	if ok && err == nil {
		r.row = row
	}
	return err
}

// update changes the review's row and logs each change of status.
func (r *review) update(ctx context.Context, change func(*ledger.Review)) (err error) {
	var from ledger.ReviewStatus
	r.row, err = r.ledger.Update(ctx, func(row *ledger.Review) {
		from = row.Status
		change(row)
	})
	if err == nil && r.row.Status != from {
		r.log.InfoContext(ctx, "review", "tenant", r.cfg.Name, "title", r.row.Title, "review", r.row.ID, "status", r.row.Status, "from", from, "reason", r.row.Reason,
			"reviewers", len(r.row.Reviewers), "expires", r.row.ExpiresAt.UTC().Format(time.RFC3339))
	}
	return err
}

func (r *review) assets(ctx context.Context) ([]ledger.ReviewAsset, error) {
	return r.ledger.Assets(ctx)
}

func (r *review) updateAsset(ctx context.Context, n int, change func(*ledger.ReviewAsset)) (ledger.ReviewAsset, error) {
	return r.ledger.UpdateAsset(ctx, n, change)
}

func (r *review) workflowID() string { return workflows.ReviewID(r.ref.Tenant, r.ref.Review) }

// mostNotes is how many notes a review keeps. Further ones are only logged.
const mostNotes = 200

// note records a sentence for people, once.
func (r *review) note(ctx context.Context, text string) error {
	return r.noteUnless(ctx, text, func(have string) bool { return have == text })
}

// noteError records for people what went wrong, once no matter how often it happens: a vendor may word it differently each
// time, for example with a request ID.
func (r *review) noteError(ctx context.Context, what string, err error) error {
	return r.noteUnless(ctx, what+": "+err.Error(), func(have string) bool {
		before, is := strings.CutPrefix(have, what+": ")
		return is && sameReason(before, err.Error())
	})
}

func (r *review) noteUnless(ctx context.Context, text string, known func(string) bool) error {
	if slices.ContainsFunc(r.row.Notes, known) {
		return nil
	}
	return r.update(ctx, func(row *ledger.Review) {
		switch n := len(row.Notes); {
		case slices.ContainsFunc(row.Notes, known):
		case n < mostNotes:
			row.Notes = append(row.Notes, text)
		default:
			if n == mostNotes {
				row.Notes = append(row.Notes, "There are more notes of this kind: see Framebridge's log.")
			}
			r.log.WarnContext(ctx, "another note on a review", "review", r.ref.Review, "note", text)
		}
	})
}

// audit records what was done to the review, and by which side.
func (r *review) audit(ctx context.Context, actor, action, text string) error {
	_, err := r.steps.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: r.ref.Tenant, Actor: ledger.Actor{Kind: actor}, Action: action,
		ObjectKind: "review", ObjectID: r.ref.Review, Review: r.ref.Review, Detail: ledger.AuditText(text)})
	return err
}
