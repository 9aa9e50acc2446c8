package control

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// Controls of a review.
const (
	VerbExtend = "extend"
	VerbStop   = "stop"
	VerbSync   = "sync"
)

const sameClick = 10 * time.Second // two of one content within this are one click

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
		StaticSummary:            "Review in Frame.io " + have.ID,
	}
	if s.attributes.Load() {
		set := []temporal.SearchAttributeUpdate{workflows.AttributeTenant.ValueSet(t.ID), workflows.AttributeStatus.ValueSet("sending")}
		if len(have.ClickedAssets) > 0 {
			set = append(set, workflows.AttributeAsset.ValueSet(have.ClickedAssets[0]))
		}
		o.TypedSearchAttributes = temporal.NewSearchAttributes(set...)
	}
	in := workflows.ReviewInput{ReviewRef: workflows.ReviewRef{Tenant: t.ID, Review: have.ID}}
	err = s.execute(ctx, o, workflows.ReviewName, in)
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &ended) {
		// Nobody works on it then, unless it was started after all: its first step writes its workflow down.
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
	return out, nil
}

// ReviewURL is a review's place in the API.
func (s *Service) ReviewURL(id string) string {
	return routes.Review(s.Config(), id)
}

// ControlReview sends an update to the review's workflow and waits for it.
func (s *Service) ControlReview(ctx context.Context, t *config.Tenant, id, verb string, until time.Time) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	o := client.UpdateWorkflowOptions{WorkflowID: workflows.ReviewID(t.ID, id), WaitForStage: client.WorkflowUpdateStageCompleted}
	switch verb {
	case VerbExtend:
		o.UpdateName, o.Args = workflows.UpdateExtend, []any{workflows.ExtendUpdate{ExpiresAt: until.UTC()}}
	case VerbStop:
		o.UpdateName = workflows.UpdateStop
	case VerbSync: // it may take its time: it is enough that it is accepted
		o.UpdateName, o.WaitForStage = workflows.UpdateSync, client.WorkflowUpdateStageAccepted
	}
	out := Accepted{ID: id, WorkflowID: o.WorkflowID, Status: "running", URL: s.ReviewURL(id)}
	if err := s.update(ctx, o, nil, "the review has ended"); err != nil {
		return out, err
	}
	detail := ""
	if verb == VerbExtend {
		detail = until.UTC().Format(time.RFC3339)
	}
	return out, s.Audit(ctx, t, ledger.AuditEntry{Action: verb, ObjectKind: "review", ObjectID: id, Review: id, Detail: ledger.AuditText(detail)})
}
