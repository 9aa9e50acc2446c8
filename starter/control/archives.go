package control

import (
	"context"
	"errors"
	"strconv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// StartArchive starts a project's archive, or joins the open one. Only the project's ID is required.
func (s *Service) StartArchive(ctx context.Context, t *config.Tenant, known frameio.Project, requestedBy string) (Accepted, error) {
	out, began, err := s.startArchive(ctx, t, known, requestedBy, nil)
	if err != nil || !began {
		return out, err
	}
	s.auditBegun(ctx, t, ledger.AuditEntry{Action: "start", ObjectKind: "archive", ObjectID: known.ID, Archive: known.ID})
	return out, nil
}

// startArchive also takes the only range of items that the run may copy, or nil. It reports whether this call started a run.
func (s *Service) startArchive(ctx context.Context, t *config.Tenant, known frameio.Project, requestedBy string, only *workflows.Range) (out Accepted, began bool, err error) {
	project := known.ID
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	id := workflows.ArchiveID(t.ID, project)
	out = Accepted{ID: project, WorkflowID: id, URL: s.archiveURL(project)}
	running, err := s.archiveRuns(ctx, t, project)
	if err != nil {
		return out, false, errors.Join(ErrUnavailable, err)
	}
	if running {
		row, known, err := s.Ledger.Tenant(t.ID).Archive(project).Get(ctx)
		if err == nil && known {
			row, err = s.Ledger.Tenant(t.ID).Archive(project).Update(ctx, func(r *ledger.Archive) {
				r.AskedBy(requestedBy)
				r.Delta = r.Delta && r.Status != ledger.Queued // what a person asks for reads everything, unless it has already begun
			})
		}
		if err != nil {
			return out, false, errors.Join(ErrUnavailable, err)
		}
		out.Status = joinedStatus(row)
		return out, false, nil
	}
	position, err := s.Ledger.Tenant(t.ID).NextPosition(ctx, project)
	if err != nil {
		return out, false, errors.Join(ErrUnavailable, err)
	}
	_, joined, err := s.Ledger.Tenant(t.ID).Archive(project).Request(ctx, requestedBy, time.Now().UTC())
	if err != nil {
		return out, false, errors.Join(ErrUnavailable, err)
	}
	row, err := s.Ledger.Tenant(t.ID).Archive(project).Update(ctx, func(r *ledger.Archive) { // what people see until the workflow opens it
		r.Delta = false // also if it was set by a mirror's run that never ended
		if !joined {
			r.TriggeredBy = ledger.TriggerOf(s.actorIn(ctx))
		}
		if r.Status == ledger.Queued && r.QueuePosition == 0 {
			r.QueuePosition = position
		}
		if r.RootID == "" && known.Name != "" {
			r.Name, r.TeamName, r.ProjectURL = known.Name, known.Team.Name, known.URL
		}
	})
	if err != nil {
		return out, false, errors.Join(ErrUnavailable, err)
	}
	ref := workflows.Ref{Tenant: t.ID, Archive: project}
	label := workflows.LabelArchive(ref, t.Name, row.Name, s.Config().Temporal.Codec.Encrypts())
	o := client.StartWorkflowOptions{
		ID: id, TaskQueue: s.Config().Temporal.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary: label.Summary, Memo: label.Memo, TypedSearchAttributes: s.tagged(label.Tags...),
	}
	in := workflows.ArchiveInput{Ref: ref, State: workflows.ArchiveState{Only: only, Orderly: true}}
	err = s.execute(ctx, o, workflows.ArchiveName, in)
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case errors.As(err, &already): // by another request at the same moment
		out.Status = joinedStatus(row)
		return out, false, nil
	case err != nil:
		return out, false, errors.Join(ErrUnavailable, err)
	}
	out.Status = "started"
	if position > 0 {
		out.Status = "queued"
	}
	return out, true, nil
}

// joinedStatus returns the status for a request that joins an open archive: queued if the archive waits for others.
func joinedStatus(row ledger.Archive) string {
	if row.Status == ledger.Queued && row.QueuePosition > 0 {
		return "queued"
	}
	return "running"
}

// archiveRuns reports whether an archive is open.
func (s *Service) archiveRuns(ctx context.Context, t *config.Tenant, project string) (bool, error) {
	return s.isOpen(ctx, workflows.ArchiveID(t.ID, project), func() (bool, error) {
		row, known, err := s.Ledger.Tenant(t.ID).Archive(project).Get(ctx)
		return known && row.Status.Ended(), err
	})
}

// CancelArchive stops an open archive.
func (s *Service) CancelArchive(ctx context.Context, t *config.Tenant, project string) (Accepted, error) {
	return s.control(ctx, t, project, workflows.UpdateCancel)
}

// RetryArchive makes a waiting archive check at once, and restarts an ended one, which continues with what is missing.
func (s *Service) RetryArchive(ctx context.Context, t *config.Tenant, project string) (Accepted, error) {
	running, err := s.archiveRuns(ctx, t, project)
	if err != nil {
		return Accepted{}, errors.Join(ErrUnavailable, err)
	}
	if !running {
		out, _, err := s.startArchive(ctx, t, frameio.Project{ID: project}, "", nil)
		if err != nil {
			return out, err
		}
		return out, s.Audit(ctx, t, ledger.AuditEntry{Action: workflows.UpdateRetry, ObjectKind: "archive", ObjectID: project, Archive: project})
	}
	return s.control(ctx, t, project, workflows.UpdateRetry)
}

// RetryItem retries one failed file of an ended archive, together with the other versions of its asset.
func (s *Service) RetryItem(ctx context.Context, t *config.Tenant, project, sourceID string) (Accepted, error) {
	h := s.Ledger.Tenant(t.ID).Archive(project)
	row, known, err := h.Get(ctx)
	if err != nil {
		return Accepted{}, errors.Join(ErrUnavailable, err)
	}
	it, listed, err := h.Item(ctx, sourceID)
	if err != nil {
		return Accepted{}, errors.Join(ErrUnavailable, err)
	}
	switch {
	case !known || !listed || it.Seq == 0:
		return Accepted{}, &Refusal{"the archive has no such file"}
	case !row.Status.Ended():
		return Accepted{}, &Refusal{"the archive is still running: retry the file when it has ended"}
	case it.State != ledger.ItemFailed:
		return Accepted{}, &Refusal{"the file has not failed: it is " + string(it.State)}
	}
	running, err := s.archiveRuns(ctx, t, project)
	switch {
	case err != nil:
		return Accepted{}, errors.Join(ErrUnavailable, err)
	case running:
		return Accepted{}, &Refusal{"the archive is still running: retry the file when it has ended"}
	}
	asset := workflows.Range{From: it.Seq - int64(max(it.Version-1, 0)), To: it.Seq + int64(max(it.Versions-it.Version, 0))}
	out, _, err := s.startArchive(ctx, t, frameio.Project{ID: project}, "", &asset)
	if err != nil {
		return out, err
	}
	return out, s.Audit(ctx, t, ledger.AuditEntry{Action: workflows.UpdateRetry, ObjectKind: "file", ObjectID: sourceID, Archive: project, Detail: ledger.AuditText(it.Path)})
}

// MoveArchive moves a queued archive to another position in its tenant's queue; 1 is the next one to start.
func (s *Service) MoveArchive(ctx context.Context, t *config.Tenant, project string, position int) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	out := Accepted{ID: project, WorkflowID: workflows.ArchiveID(t.ID, project), Status: string(ledger.Queued), URL: s.archiveURL(project)}
	var queue workflows.QueueState
	if err := s.update(ctx, client.UpdateWorkflowOptions{WorkflowID: workflows.ArchiveQueueID(t.ID), UpdateName: workflows.UpdateMove, WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{workflows.MoveUpdate{Archive: project, Position: position}}}, &queue, "the queue is empty"); err != nil {
		return out, err
	}
	ids := make([]string, len(queue.Waiting))
	for i, w := range queue.Waiting {
		ids[i] = w.Archive
	}
	if err := s.Ledger.Tenant(t.ID).SetQueuePositions(ctx, ids); err != nil { // as the queue does, so that the next reader sees it
		return out, errors.Join(ErrUnavailable, err)
	}
	return out, s.Audit(ctx, t, ledger.AuditEntry{Action: workflows.UpdateMove, ObjectKind: "archive", ObjectID: project, Archive: project, Detail: ledger.AuditText("to place " + strconv.Itoa(position))})
}

// ArchiveStep says what an archive's workflow is doing.
func (s *Service) ArchiveStep(ctx context.Context, t *config.Tenant, project string) (string, error) {
	v, err := s.Temporal.QueryWorkflow(ctx, workflows.ArchiveID(t.ID, project), "", workflows.QueryStatus)
	if err != nil {
		return "", err
	}
	var status workflows.ArchiveStatus
	err = v.Get(&status)
	return status.Step, err
}

func (s *Service) control(ctx context.Context, t *config.Tenant, project, update string) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	id := workflows.ArchiveID(t.ID, project)
	out := Accepted{ID: project, WorkflowID: id, Status: "running", URL: s.archiveURL(project)}
	if err := s.update(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: update, WaitForStage: client.WorkflowUpdateStageCompleted}, nil, "the archive is not running"); err != nil {
		return out, err
	}
	return out, s.Audit(ctx, t, ledger.AuditEntry{Action: update, ObjectKind: "archive", ObjectID: project, Archive: project})
}

func (s *Service) archiveURL(id string) string {
	return routes.Archive(s.Config(), id)
}
