package control

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// StartArchive starts a project's archive, or joins the one that is open. Of the project no more than the id need be known.
func (s *Service) StartArchive(ctx context.Context, t *config.Tenant, known frameio.Project, requestedBy string) (Accepted, error) {
	project := known.ID
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	id := workflows.ArchiveID(t.ID, project)
	out := Accepted{ID: project, WorkflowID: id, URL: s.archiveURL(project)}
	running, err := s.archiveRuns(ctx, t, project)
	if err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	if running {
		row, known, err := s.Ledger.Tenant(t.ID).Archive(project).Get(ctx)
		if err == nil && known && requestedBy != "" {
			row, err = s.Ledger.Tenant(t.ID).Archive(project).Update(ctx, func(r *ledger.Archive) { r.AskedBy(requestedBy) })
		}
		if err != nil {
			return out, errors.Join(ErrUnavailable, err)
		}
		out.Status = "running"
		if row.Status == ledger.Queued {
			out.Status = "queued"
		}
		return out, nil
	}
	position, err := s.Ledger.Tenant(t.ID).NextPosition(ctx, project)
	if err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	if _, _, err := s.Ledger.Tenant(t.ID).Archive(project).Request(ctx, requestedBy, time.Now().UTC()); err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	_, err = s.Ledger.Tenant(t.ID).Archive(project).Update(ctx, func(r *ledger.Archive) { // what people see until it is opened
		if r.Status == ledger.Queued && r.QueuePosition == 0 {
			r.QueuePosition = position
		}
		if r.RootID == "" && known.Name != "" {
			r.Name, r.TeamName, r.ProjectURL = known.Name, known.Team.Name, known.URL
		}
	})
	if err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	o := client.StartWorkflowOptions{
		ID: id, TaskQueue: s.Config().Temporal.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Archive of Frame.io project " + project,
	}
	if s.attributes.Load() {
		o.TypedSearchAttributes = temporal.NewSearchAttributes(
			workflows.AttributeTenant.ValueSet(t.ID), workflows.AttributeProject.ValueSet(project), workflows.AttributeStatus.ValueSet("queued"))
	}
	in := workflows.ArchiveInput{Ref: workflows.Ref{Tenant: t.ID, Archive: project}}
	if err := s.execute(ctx, o, workflows.ArchiveName, in); err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	out.Status = "started"
	if position > 0 {
		out.Status = "queued"
	}
	return out, nil
}

// archiveRuns says whether an archive is open. One that has its result and is about to close is given a moment: whoever
// reads the result and acts on it means the next run.
func (s *Service) archiveRuns(ctx context.Context, t *config.Tenant, project string) (bool, error) {
	until := time.Now().Add(closingTime)
	for {
		running, err := s.isRunning(ctx, workflows.ArchiveID(t.ID, project))
		if err != nil || !running || time.Now().After(until) {
			return running, err
		}
		row, ok, err := s.Ledger.Tenant(t.ID).Archive(project).Get(ctx)
		if err != nil || !ok || !row.Status.Ended() {
			return true, err
		}
		select {
		case <-ctx.Done():
			return true, nil
		case <-time.After(closingTime / 30):
		}
	}
}

// CancelArchive stops an open archive.
func (s *Service) CancelArchive(ctx context.Context, t *config.Tenant, project string) (Accepted, error) {
	return s.control(ctx, t, project, workflows.UpdateCancel)
}

// RetryArchive lets a waiting archive look at once, and starts an ended one again: it continues with what is missing.
func (s *Service) RetryArchive(ctx context.Context, t *config.Tenant, project string) (Accepted, error) {
	running, err := s.archiveRuns(ctx, t, project)
	if err != nil {
		return Accepted{}, errors.Join(ErrUnavailable, err)
	}
	if !running {
		out, err := s.StartArchive(ctx, t, frameio.Project{ID: project}, "")
		if err != nil {
			return out, err
		}
		return out, s.Audit(ctx, t, ledger.AuditEntry{Action: workflows.UpdateRetry, ObjectKind: "archive", ObjectID: project, Archive: project})
	}
	return s.control(ctx, t, project, workflows.UpdateRetry)
}

func (s *Service) control(ctx context.Context, t *config.Tenant, project, update string) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	id := workflows.ArchiveID(t.ID, project)
	out := Accepted{ID: project, WorkflowID: id, Status: "running", URL: s.archiveURL(project)}
	h, err := s.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: update, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err == nil {
		err = h.Get(ctx, nil)
	}
	var gone *serviceerror.NotFound
	var app *temporal.ApplicationError
	switch {
	case err == nil:
		return out, s.Audit(ctx, t, ledger.AuditEntry{Action: update, ObjectKind: "archive", ObjectID: project, Archive: project})
	case errors.As(err, &gone):
		return out, &Refusal{"the archive is not running"}
	case errors.As(err, &app):
		return out, &Refusal{app.Message()}
	}
	return out, errors.Join(ErrUnavailable, err)
}

func (s *Service) archiveURL(id string) string {
	return routes.Archive(s.Config(), id)
}
