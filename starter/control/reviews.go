package control

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// Verbs that control a review.
const (
	VerbExtend = "extend"
	VerbStop   = "stop"
	VerbSync   = "sync"
	VerbResend = "resend"
)

const reviewEnded = "the review has ended"

const sameClick = 10 * time.Second // clicks with the same content within this time count as one

// StartReview starts a review, or joins the one that the same click has started.
func (s *Service) StartReview(ctx context.Context, t *config.Tenant, row ledger.Review, passphrase string) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	if passphrase != "" {
		if err := s.Ledger.Tenant(t.ID).PutToken(ctx, ledger.PassphraseToken(row.ID), []byte(passphrase)); err != nil {
			return Accepted{}, errors.Join(ErrUnavailable, err)
		}
	}
	have, joined, err := s.Ledger.RequestReview(ctx, row, sameClick)
	if err != nil {
		return Accepted{}, errors.Join(ErrUnavailable, err)
	}
	id := workflows.ReviewID(t.ID, have.ID)
	out := Accepted{ID: have.ID, WorkflowID: id, Status: "started", URL: s.ReviewURL(have.ID)}
	if joined {
		out.Status = "running"
	}
	o := client.StartWorkflowOptions{
		ID: id, TaskQueue: s.Config().Temporal.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            workflows.Clip("Review " + cmp.Or(have.Title, have.ID)),
		Memo:                     map[string]any{"tenant": t.Name, "review": cmp.Or(have.Title, have.ID)},
	}
	tags := []workflows.Tag{workflows.Keyword(workflows.AttributeTenant, t.ID), workflows.Keyword(workflows.AttributeStatus, "sending")}
	if len(have.ClickedAssets) > 0 {
		tags = append(tags, workflows.Keyword(workflows.AttributeAsset, have.ClickedAssets[0]))
	}
	if !have.ExpiresAt.IsZero() {
		tags = append(tags, workflows.Tag{Name: workflows.AttributeExpires.GetName(), Set: workflows.AttributeExpires.ValueSet(have.ExpiresAt.UTC())})
	}
	o.TypedSearchAttributes = s.tagged(tags...)
	in := workflows.ReviewInput{ReviewRef: workflows.ReviewRef{Tenant: t.ID, Review: have.ID}}
	err = s.execute(ctx, o, workflows.ReviewName, in)
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &ended) {
		// Then nobody works on it, unless it was started after all: its first step records its workflow.
		runs := false
		_, uerr := s.Ledger.Tenant(t.ID).Review(have.ID).Update(context.WithoutCancel(ctx), func(r *ledger.Review) {
			if runs = r.WorkflowID != ""; !runs {
				r.Status, r.Reason, r.Click = ledger.ReviewFailed, "Framebridge could not reach Temporal: click again", ""
			}
		})
		if runs && uerr == nil {
			return out, nil
		}
		return out, errors.Join(ErrUnavailable, err, uerr)
	}
	if !joined {
		s.auditBegun(WithPerson(ctx, have.RequestedBy), t, ledger.AuditEntry{Action: "send", ObjectKind: "review", ObjectID: have.ID, Review: have.ID})
	}
	return out, nil
}

// ReviewURL returns a review's URL in the API.
func (s *Service) ReviewURL(id string) string {
	return routes.Review(s.Config(), id)
}

// ControlReview sends an update to the review's workflow and waits for it until controlTimeout. What has been accepted by then will be
// done: Frame.io allows only ten changes of links a minute, so an extension may have to wait for others.
func (s *Service) ControlReview(ctx context.Context, t *config.Tenant, id, verb string, until time.Time) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	o := client.UpdateWorkflowOptions{WorkflowID: workflows.ReviewID(t.ID, id)}
	switch verb {
	case VerbExtend:
		o.UpdateName, o.Args = workflows.UpdateExtend, []any{workflows.ExtendUpdate{ExpiresAt: until.UTC()}}
	case VerbStop:
		o.UpdateName = workflows.UpdateStop
	case VerbSync: // a sync may take a while; accepting it is enough
		o.UpdateName, o.WaitForStage = workflows.UpdateSync, client.WorkflowUpdateStageAccepted
	}
	out := Accepted{ID: id, WorkflowID: o.WorkflowID, Status: "running", URL: s.ReviewURL(id)}
	var err error
	if verb == VerbSync {
		err = s.update(ctx, o, nil, reviewEnded)
	} else {
		_, err = s.begin(ctx, o, nil, reviewEnded)
	}
	if err != nil {
		return out, err
	}
	entry := ledger.AuditEntry{Action: verb, ObjectKind: "review", ObjectID: id, Review: id}
	if verb == VerbExtend {
		entry.Detail = ledger.AuditText(until.UTC().Format(time.RFC3339))
	}
	return out, s.Audit(context.WithoutCancel(ctx), t, entry)
}

// ResendReview resends what an open review could not send. The audit log records which assets those are.
func (s *Service) ResendReview(ctx context.Context, t *config.Tenant, id string) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	review := s.Ledger.Tenant(t.ID).Review(id)
	row, _, err := review.Get(ctx)
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	if row.Status != ledger.ReviewOpen {
		return &Refusal{Why: "only an open review can resend what failed: send the assets again in iconik"}
	}
	assets, err := review.Assets(ctx)
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	var again []string
	for _, a := range assets {
		if a.State != ledger.AssetFailed {
			continue
		}
		changed, err := review.UpdateAsset(ctx, a.N, func(row *ledger.ReviewAsset) {
			if row.State == ledger.AssetFailed {
				row.State, row.Reason, row.Trouble, row.BytesDone = ledger.AssetPending, "", "", 0
			}
		})
		if err != nil {
			return errors.Join(ErrUnavailable, err)
		}
		again = append(again, changed.Title)
	}
	if len(again) == 0 {
		return &Refusal{Why: "nothing in this review has failed"}
	}
	err = s.Temporal.SignalWorkflow(ctx, workflows.ReviewID(t.ID, id), "", workflows.SignalResend, nil)
	var gone *serviceerror.NotFound
	switch {
	case errors.As(err, &gone):
		return &Refusal{Why: reviewEnded}
	case err != nil:
		return errors.Join(ErrUnavailable, err)
	}
	return s.Audit(ctx, t, ledger.AuditEntry{Action: VerbResend, ObjectKind: "review", ObjectID: id, Review: id, Detail: ledger.AuditText(strings.Join(again, ", "))})
}
