package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/text/unicode/norm"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// Verbs that control a reclaim.
const (
	VerbApprove = "approve"
	VerbPause   = "pause"
	VerbResume  = "resume"
	VerbCancel  = "cancel"
)

// ReclaimRequest asks to delete in Frame.io what an archive has proven.
type ReclaimRequest struct {
	DryRun bool
	// Name is the project's name as typed by the requester. With it, the deletion needs no approval by a second person.
	Name string
	// Accepts are kinds of data not carried that may be lost with the files.
	Accepts []string
}

// StartReclaim starts a reclaim. It returns a Refusal if the project already has one.
func (s *Service) StartReclaim(ctx context.Context, t *config.Tenant, archive ledger.Archive, in ReclaimRequest) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	for _, kind := range in.Accepts {
		if !workflows.MayBeLost(kind) {
			return Accepted{}, &FieldError{"accept", fmt.Sprintf("you cannot accept the loss of %q, which exists only in Frame.io: files with it stay", kind)}
		}
	}
	if !in.DryRun && t.Archive.Reclaim != "allowed" {
		return Accepted{}, &Refusal{"archive.reclaim is off: an administrator must set it to allowed"}
	}
	if in.Name != "" && norm.NFC.String(in.Name) != norm.NFC.String(archive.Name) { // people cannot see the difference
		return Accepted{}, &FieldError{"project", fmt.Sprintf("the name you typed is not the project's name in Frame.io, which is %q", archive.Name)}
	}
	who, now := s.actor(ctx), time.Now().UTC()
	row := ledger.Reclaim{Project: archive.Name, Status: ledger.ReclaimExamining, DryRun: in.DryRun, RequestedBy: who, RequestedAt: now, Accepts: in.Accepts, WorkflowID: workflows.ReclaimID(t.ID, archive.ID)}
	if in.Name != "" && !in.DryRun {
		row.ApprovedBy, row.ApprovedAt, row.ApprovedHow = who, now, ledger.ApprovedByName
	}
	out := Accepted{ID: archive.ID, WorkflowID: row.WorkflowID, Status: "started", URL: s.archiveURL(archive.ID)}
	h := s.Ledger.Tenant(t.ID).Archive(archive.ID)
	if err := s.certifying(ctx, t, h); err != nil {
		return out, err
	}
	action := "reclaim asked for"
	switch {
	case in.DryRun:
		action = "reclaim examined"
	case row.ApprovedHow != "":
		action = "reclaim approved"
	}
	made, joined, err := h.RequestReclaim(ctx, row, s.auditsReclaim(ctx, t, action, row.ApprovedHow))
	if err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	if joined {
		return out, s.joinReclaim(ctx, t, made)
	}
	if err := s.runReclaim(ctx, t, made, workflows.ReclaimState{}); err != nil {
		why := "Framebridge could not reach Temporal: ask again"
		_, uerr := h.UpdateReclaim(context.WithoutCancel(ctx), func(r *ledger.Reclaim) error {
			if r.ArchiveRun != 0 { // the run has begun: only Temporal's answer was lost
				return errHasBegun
			}
			r.Status, r.Reason, r.FinishedAt = ledger.ReclaimRefused, why, time.Now().UTC()
			return nil
		}, s.auditsReclaim(ctx, t, "reclaim refused", why))
		if errors.Is(uerr, errHasBegun) {
			return out, nil
		}
		return out, errors.Join(ErrUnavailable, err, uerr)
	}
	return out, nil
}

var errHasBegun = errors.New("the run has begun")

// runReclaim starts the workflow of a run.
func (s *Service) runReclaim(ctx context.Context, t *config.Tenant, r ledger.Reclaim, state workflows.ReclaimState) error {
	o := client.StartWorkflowOptions{ID: workflows.ReclaimID(t.ID, r.Archive), TaskQueue: s.Config().Temporal.TaskQueue, StaticSummary: "Reclaim of Frame.io project " + r.Archive,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		TypedSearchAttributes: s.tagged(workflows.Keyword(workflows.AttributeTenant, t.ID), workflows.Keyword(workflows.AttributeProject, r.Archive))}
	return s.execute(ctx, o, workflows.ReclaimName, workflows.ReclaimInput{ReclaimRef: workflows.ReclaimRef{Tenant: t.ID, Archive: r.Archive, Run: r.Run}, DryRun: r.DryRun, State: state})
}

// certifying refuses another run while the last one, which has ended, makes its certificate. If that is missing, it has it made first: after
// another run, nothing would make it.
func (s *Service) certifying(ctx context.Context, t *config.Tenant, h ledger.ArchiveLedger) error {
	last, known, err := h.Reclaim(ctx)
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	if !known || !last.Status.Ended() {
		return nil
	}
	running, err := s.isOpen(ctx, last.WorkflowID, func() (bool, error) { return true, nil })
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	if running {
		return &Refusal{"the previous reclaim has ended and is still recording its result: ask again in a minute"}
	}
	sums, err := h.ReclaimSums(ctx, last.Run)
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	if last.FinishedAt.IsZero() || last.Certificate != "" || sums[ledger.ReclaimDeleted].Files == 0 {
		return nil
	}
	if err := s.runReclaim(ctx, t, last, workflows.ReclaimOver()); err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	return &Refusal{"the reclaim before has no deletion certificate, as iconik could not take it then: it is made now, ask again in a minute"}
}

// joinReclaim says why another reclaim cannot start. If the open one's workflow is gone, for example terminated, it first closes
// that one: the workflow runs once more, only for the end and the certificate.
func (s *Service) joinReclaim(ctx context.Context, t *config.Tenant, open ledger.Reclaim) error {
	running, err := s.isRunning(ctx, open.WorkflowID)
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	if running {
		return &Refusal{fmt.Sprintf("a reclaim of the project is already under way (%s): see `starter reclaim status`", english.State(string(open.Status)))}
	}
	why := "its workflow was ended in Temporal"
	if _, err := s.Ledger.Tenant(t.ID).Archive(open.Archive).UpdateReclaim(ctx, func(r *ledger.Reclaim) error {
		if !r.Status.Ended() {
			r.Status, r.Reason = ledger.ReclaimStopped, why
		}
		return nil
	}, s.auditsReclaim(ctx, t, "reclaim closed", why)); err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	if err := s.runReclaim(ctx, t, open, workflows.ReclaimOver()); err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	return &Refusal{"the previous reclaim was ended in Temporal and is now being closed: ask again in a minute"}
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
		if err := s.approve(ctx, t, h); err != nil {
			return out, err
		}
	}
	err = s.update(ctx, client.UpdateWorkflowOptions{WorkflowID: out.WorkflowID, UpdateName: update, WaitForStage: client.WorkflowUpdateStageCompleted}, nil, "the reclaim has ended")
	var refused *Refusal
	if verb == VerbApprove || errors.As(err, &refused) {
		return out, err
	}
	// Without a response, the update may still have taken effect, so record it.
	return out, errors.Join(err, s.Audit(context.WithoutCancel(ctx), t, *s.auditsReclaim(ctx, t, "reclaim "+verb, "")(row)))
}

// approve records who lets the deletion begin, together with the audit entry. It refuses whoever asked for the
// deletion, and people without a name.
func (s *Service) approve(ctx context.Context, t *config.Tenant, h ledger.ArchiveLedger) error {
	who := s.actor(ctx)
	_, err := h.UpdateReclaim(ctx, func(r *ledger.Reclaim) error {
		switch {
		case r.Status != ledger.ReclaimWaiting:
			return &Refusal{"the reclaim is not waiting for approval: it is " + english.State(string(r.Status))}
		case identity(who) == "":
			return &Refusal{"an approval needs a name: sign in, or use an API key that has a name"}
		case identity(r.RequestedBy) == "" || mayBeOne(who, r.RequestedBy):
			return &Refusal{"whoever requested the deletion cannot approve it: someone else must"}
		}
		r.ApprovedBy, r.ApprovedAt, r.ApprovedHow = who, time.Now().UTC(), ledger.ApprovedBySecond
		return nil
	}, s.auditsReclaim(ctx, t, "reclaim "+VerbApprove, ""))
	var refused *Refusal
	if err != nil && !errors.As(err, &refused) {
		return errors.Join(ErrUnavailable, err)
	}
	return err
}

// identity distinguishes people: by who signed in, or by the name of the API key.
func identity(a ledger.Actor) string {
	if a.Name != "" {
		return "person " + strings.ToLower(a.Name)
	}
	if a.Key != "" {
		return "key " + a.Key
	}
	return ""
}

// mayBeOne reports whether two actors may be one person. The console knows people by address, the command line by account name.
func mayBeOne(a, b ledger.Actor) bool {
	x, _, _ := strings.Cut(identity(a), "@")
	y, _, _ := strings.Cut(identity(b), "@")
	return x == y && (a.Kind != b.Kind || identity(a) == identity(b))
}

// actor returns who the request or the command is from.
func (s *Service) actor(ctx context.Context) ledger.Actor {
	if who, ok := ctx.Value(actorKey{}).(ledger.Actor); ok {
		return who
	}
	return s.Actor
}

// auditsReclaim returns a function that makes the audit entry for a change of a run.
func (s *Service) auditsReclaim(ctx context.Context, t *config.Tenant, action, text string) func(ledger.Reclaim) *ledger.AuditEntry {
	return func(r ledger.Reclaim) *ledger.AuditEntry {
		return &ledger.AuditEntry{Tenant: t.ID, Actor: s.actor(ctx), Action: action, ObjectKind: "archive", ObjectID: r.Archive, Archive: r.Archive, Detail: ledger.AuditText(cmp.Or(text, fmt.Sprintf("run %d", r.Run)))}
	}
}
