// Package review does the steps of a review: each is idempotent, calls the vendors' clients, the transfer engine and the
// mapping, and writes down in the ledger what it did.
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

// mailPatience is how long a step of a review tries to send its mail. A mail server that is away must hold up neither the
// comments nor the end of a review.
const mailPatience = 5 * time.Minute

// Options is what the reviews of a worker share.
type Options struct {
	Config  *config.Live
	Ledger  *ledger.Ledger
	Engine  *transfer.Engine
	Objects *http.Client // for signed URLs: no credentials
	Log     *slog.Logger
	// Tenant returns a tenant by its id, and what changes its Frame.io.
	Tenant func(id string) (*tenant.Tenant, frameio.Platform, error)
	// WorkflowURL is where a person sees a workflow; empty where there is no such place.
	WorkflowURL func(workflowID string) string
}

// Activities are the steps, in methods named like the activities.
type Activities struct {
	Options

	mailPatience time.Duration
	projects     tenant.Memo[frameio.Project] // for reviews, of each tenant
	uploads      sync.Map                     // the last uploads of this process, for a ledger without a key
}

// New returns the steps of a worker's reviews.
func New(o Options) *Activities {
	return &Activities{Options: o,
		mailPatience: mailPatience, projects: tenant.Memo[frameio.Project]{Lasts: projectMemory}}
}

// review is one review in the hands of one activity.
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
	return &review{ref: ref, row: row, steps: a, tenant: t, cfg: t.Config, frameio: platform, iconik: t.Iconik, ledger: a.Ledger.Tenant(ref.Tenant).Review(ref.Review), log: a.Log}
}

// update changes the review's row. Each change of its status is one line in the log.
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

// mostNotes is how many notes of a review are kept; the log has the others.
const mostNotes = 200

// note keeps a sentence for people, once.
func (r *review) note(ctx context.Context, text string) error {
	return r.noteUnless(ctx, text, func(have string) bool { return have == text })
}

// noteError keeps what went wrong for people, once however often it does: a vendor may say it in other words each time, such as
// with the request's id.
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
			r.log.WarnContext(ctx, "a further note of a review", "review", r.ref.Review, "note", text)
		}
	})
}

// audit writes down what was done to the review, and on whose side.
func (r *review) audit(ctx context.Context, actor, action, text string) error {
	_, err := r.steps.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: r.ref.Tenant, Actor: ledger.Actor{Kind: actor}, Action: action,
		ObjectKind: "review", ObjectID: r.ref.Review, Review: r.ref.Review, Detail: ledger.AuditText(text)})
	return err
}
