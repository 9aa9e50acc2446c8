package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// Controls of a reclaim, beside those of archives.
const (
	VerbApprove = "approve"
	VerbPause   = "pause"
	VerbResume  = "resume"
	VerbCancel  = "cancel"
)

// ReclaimRequest asks for the deletion in Frame.io of what an archive has proven.
type ReclaimRequest struct {
	DryRun bool
	// Name is the project's, as whoever asks has typed it: the deletion needs no second person then.
	Name string
	// Accepts are kinds of what was not carried that may be lost with the files.
	Accepts []string
}

// StartReclaim starts a reclaim, or refuses: one at a time for each project.
func (s *Service) StartReclaim(ctx context.Context, t *config.Tenant, archive ledger.Archive, in ReclaimRequest) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	for _, kind := range in.Accepts {
		if !workflows.MayBeLost(kind) {
			return Accepted{}, &Refusal{fmt.Sprintf("what Frame.io alone has of the kind %q cannot be given up: files with it stay", kind)}
		}
	}
	if !in.DryRun && t.Archive.Reclaim != "allowed" {
		return Accepted{}, &Refusal{"archive.reclaim is off: an administrator has to set it to allowed"}
	}
	if in.Name != "" && in.Name != archive.Name {
		return Accepted{}, &Refusal{fmt.Sprintf("the name that was typed is not the project's, which is %q in Frame.io", archive.Name)}
	}
	who, now := s.actor(ctx), time.Now().UTC()
	row := ledger.Reclaim{Project: archive.Name, Status: ledger.ReclaimExamining, DryRun: in.DryRun, RequestedBy: who, RequestedAt: now, Accepts: in.Accepts, WorkflowID: workflows.ReclaimID(t.ID, archive.ID)}
	if in.Name != "" && !in.DryRun {
		row.ApprovedBy, row.ApprovedAt, row.ApprovedHow = who, now, ledger.ApprovedByName
	}
	out := Accepted{ID: archive.ID, WorkflowID: row.WorkflowID, Status: "started", URL: s.archiveURL(archive.ID)}
	h := s.Ledger.Tenant(t.ID).Archive(archive.ID)
	made, joined, err := h.RequestReclaim(ctx, row)
	if err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	if joined {
		return out, s.joinReclaim(ctx, t, made, in)
	}
	o := client.StartWorkflowOptions{ID: row.WorkflowID, TaskQueue: s.Config().Temporal.TaskQueue, StaticSummary: "Reclaim of Frame.io project " + archive.ID,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		TypedSearchAttributes: s.tagged(keyword(workflows.AttributeTenant, t.ID), keyword(workflows.AttributeProject, archive.ID))}
	input := workflows.ReclaimInput{ReclaimRef: workflows.ReclaimRef{Tenant: t.ID, Archive: archive.ID, Run: made.Run}, DryRun: in.DryRun}
	if err := s.execute(ctx, o, workflows.ReclaimName, input); err != nil {
		_, uerr := h.UpdateReclaim(context.WithoutCancel(ctx), func(r *ledger.Reclaim) error {
			r.Status, r.Reason, r.FinishedAt = ledger.ReclaimRefused, "Framebridge could not reach Temporal: ask again", time.Now().UTC()
			return nil
		})
		return out, errors.Join(ErrUnavailable, err, uerr)
	}
	action := "reclaim asked for"
	switch {
	case in.DryRun:
		action = "reclaim examined"
	case row.ApprovedHow != "":
		action = "reclaim approved"
	}
	return out, s.auditReclaim(ctx, t, archive.ID, action, made.Run, row.ApprovedHow)
}

// joinReclaim says why another one cannot begin. One whose workflow is gone, as after it was terminated, is closed first.
func (s *Service) joinReclaim(ctx context.Context, t *config.Tenant, open ledger.Reclaim, in ReclaimRequest) error {
	running, err := s.isRunning(ctx, open.WorkflowID)
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	if running {
		return &Refusal{fmt.Sprintf("a reclaim of the project is %s already: see `starter reclaim status`", open.Status)}
	}
	if _, err := s.Ledger.Tenant(t.ID).Archive(open.Archive).UpdateReclaim(ctx, func(r *ledger.Reclaim) error {
		r.Status, r.Reason, r.FinishedAt = ledger.ReclaimStopped, "its workflow was ended in Temporal", time.Now().UTC()
		return nil
	}); err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	return &Refusal{"the reclaim before was ended in Temporal, and is closed now: ask again"}
}

// ControlReclaim approves, pauses, resumes or cancels a reclaim.
func (s *Service) ControlReclaim(ctx context.Context, t *config.Tenant, archive, verb string) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	update := map[string]string{VerbApprove: workflows.UpdateApprove, VerbPause: workflows.UpdatePause, VerbResume: workflows.UpdateResume, VerbCancel: workflows.UpdateCancel}[verb]
	if update == "" {
		return Accepted{}, &Refusal{fmt.Sprintf("a reclaim has no control %q", verb)}
	}
	h := s.Ledger.Tenant(t.ID).Archive(archive)
	row, known, err := h.Reclaim(ctx)
	if err != nil {
		return Accepted{}, errors.Join(ErrUnavailable, err)
	}
	out := Accepted{ID: archive, WorkflowID: workflows.ReclaimID(t.ID, archive), Status: "running", URL: s.archiveURL(archive)}
	if !known || row.Status.Ended() {
		return out, &Refusal{"no reclaim of the project is under way"}
	}
	if verb == VerbApprove {
		if err := s.approve(ctx, h); err != nil {
			return out, err
		}
	}
	if err := s.update(ctx, client.UpdateWorkflowOptions{WorkflowID: out.WorkflowID, UpdateName: update, WaitForStage: client.WorkflowUpdateStageCompleted}, nil, "the reclaim has ended"); err != nil {
		return out, err
	}
	return out, s.auditReclaim(ctx, t, archive, "reclaim "+verb, row.Run, "")
}

// approve writes down who lets the deletion begin: not whoever has asked for it, and nobody without a name.
func (s *Service) approve(ctx context.Context, h ledger.ArchiveLedger) error {
	who := s.actor(ctx)
	_, err := h.UpdateReclaim(ctx, func(r *ledger.Reclaim) error {
		switch {
		case r.Status != ledger.ReclaimWaiting:
			return &Refusal{"the reclaim does not wait for approval: it is " + string(r.Status)}
		case identity(who) == "":
			return &Refusal{"a deletion is approved in somebody's name: sign in, or use an API key that has a name"}
		case identity(who) == identity(r.RequestedBy) || identity(r.RequestedBy) == "":
			return &Refusal{"whoever asked for the deletion cannot approve it: somebody else has to"}
		}
		r.ApprovedBy, r.ApprovedAt, r.ApprovedHow = who, time.Now().UTC(), ledger.ApprovedBySecond
		return nil
	})
	var refused *Refusal
	if err != nil && !errors.As(err, &refused) {
		return errors.Join(ErrUnavailable, err)
	}
	return err
}

// identity is what tells one person from another: who signed in, or the name of the API key.
func identity(a ledger.Actor) string {
	if a.Name != "" {
		return "person " + strings.ToLower(a.Name)
	}
	if a.Key != "" {
		return "key " + a.Key
	}
	return ""
}

// actor is who the request or the command is from.
func (s *Service) actor(ctx context.Context) ledger.Actor {
	if who, ok := ctx.Value(actorKey{}).(ledger.Actor); ok {
		return who
	}
	return s.Actor
}

func (s *Service) auditReclaim(ctx context.Context, t *config.Tenant, archive, action string, run int, text string) error {
	if text == "" {
		text = fmt.Sprintf("run %d", run)
	}
	return s.Audit(ctx, t, ledger.AuditEntry{Action: action, ObjectKind: "archive", ObjectID: archive, Archive: archive, Detail: ledger.AuditText(text)})
}
