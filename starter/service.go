package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

const (
	startTimeout   = 4 * time.Second  // Frame.io gives a webhook 5 s
	controlTimeout = 10 * time.Second // iconik gives a button 10 s
	closingTime    = 3 * time.Second  // between an archive's result and its end
	lookTimeout    = 2 * time.Second  // for Temporal to say what it knows beside the ledger
)

// service does what the routes and the commands have in common.
type service struct {
	live       *config.Live
	path       string // of the configuration
	ledger     *ledger.Ledger
	temporal   client.Client
	log        *slog.Logger
	attributes atomic.Bool // search attributes are registered
	metrics    *prometheus.Registry
	door       *door
	actor      ledger.Actor // who controls, for the audit, where no request says so

	mu        sync.Mutex
	platforms map[*config.Tenant]frameio.Platform // a tenant whose configuration has changed is another one
	iconiks   sync.Map                            // *config.Tenant → *iconik.Client
	domains   sync.Map                            // *config.Tenant → id of its iconik domain
}

// cfg is the configuration that holds now.
func (s *service) cfg() *config.Config { return s.live.Now() }

// forget drops what was opened for tenants that are no more, or have changed.
func (s *service) forget(now *config.Config) {
	gone := func(key any) bool { t, _ := key.(*config.Tenant); return now.Tenants[t.ID] != t }
	s.mu.Lock()
	maps.DeleteFunc(s.platforms, func(t *config.Tenant, _ frameio.Platform) bool { return gone(t) })
	s.mu.Unlock()
	for _, m := range []*sync.Map{&s.iconiks, &s.domains} {
		m.Range(func(key, _ any) bool {
			if gone(key) {
				m.Delete(key)
			}
			return true
		})
	}
}

func (s *service) platform(t *config.Tenant) (frameio.Platform, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.platforms[t]; ok {
		return p, nil
	}
	p, err := open.Platform(t, s.ledger.Tenant(t.ID), nil)
	if err != nil {
		return nil, err
	}
	s.platforms[t] = p
	return p, nil
}

// accepted is the answer when work was accepted.
type accepted struct {
	ID         string `json:"id"`
	WorkflowID string `json:"workflow_id"`
	Status     string `json:"status"` // started, queued or running
	URL        string `json:"url"`
}

// errUnavailable wraps failures of Temporal or the ledger: the caller should come again.
var errUnavailable = errors.New("Framebridge cannot reach Temporal, its ledger or Frame.io right now: try again")

// startArchive starts a project's archive, or joins the one that is open. Of the project no more than the id need be known.
func (s *service) startArchive(ctx context.Context, t *config.Tenant, known frameio.Project, requestedBy string) (accepted, error) {
	project := known.ID
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	id := workflows.ArchiveID(t.ID, project)
	out := accepted{ID: project, WorkflowID: id, URL: s.archiveURL(project)}
	running, err := s.archiveRuns(ctx, t, project)
	if err != nil {
		return out, errors.Join(errUnavailable, err)
	}
	if running {
		row, known, err := s.ledger.Tenant(t.ID).Archive(project).Get(ctx)
		if err == nil && known && requestedBy != "" {
			row, err = s.ledger.Tenant(t.ID).Archive(project).Update(ctx, func(r *ledger.Archive) { r.AskedBy(requestedBy) })
		}
		if err != nil {
			return out, errors.Join(errUnavailable, err)
		}
		out.Status = "running"
		if row.Status == ledger.Queued {
			out.Status = "queued"
		}
		return out, nil
	}
	position, err := s.ledger.Tenant(t.ID).NextPosition(ctx, project)
	if err != nil {
		return out, errors.Join(errUnavailable, err)
	}
	if _, _, err := s.ledger.Tenant(t.ID).Archive(project).Request(ctx, requestedBy, time.Now().UTC()); err != nil {
		return out, errors.Join(errUnavailable, err)
	}
	_, err = s.ledger.Tenant(t.ID).Archive(project).Update(ctx, func(r *ledger.Archive) { // what people see until it is opened
		if r.Status == ledger.Queued && r.QueuePosition == 0 {
			r.QueuePosition = position
		}
		if r.RootID == "" && known.Name != "" {
			r.Name, r.TeamName, r.ProjectURL = known.Name, known.Team.Name, known.URL
		}
	})
	if err != nil {
		return out, errors.Join(errUnavailable, err)
	}
	o := client.StartWorkflowOptions{
		ID: id, TaskQueue: s.cfg().Temporal.TaskQueue,
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
		return out, errors.Join(errUnavailable, err)
	}
	out.Status = "started"
	if position > 0 {
		out.Status = "queued"
	}
	return out, nil
}

// execute starts a workflow. Search attributes that the server has not learnt yet, or knows no more, are left out: they
// are for people who filter.
func (s *service) execute(ctx context.Context, o client.StartWorkflowOptions, name string, in any) error {
	_, err := s.temporal.ExecuteWorkflow(ctx, o, name, in)
	var refused *serviceerror.InvalidArgument
	if errors.As(err, &refused) && o.TypedSearchAttributes.Size() > 0 {
		s.log.WarnContext(ctx, "started without search attributes", "workflow_id", o.ID, "error", err)
		o.TypedSearchAttributes = temporal.SearchAttributes{}
		_, err = s.temporal.ExecuteWorkflow(ctx, o, name, in)
	}
	return err
}

func (s *service) isRunning(ctx context.Context, workflowID string) (bool, error) {
	d, err := s.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	var gone *serviceerror.NotFound
	switch {
	case errors.As(err, &gone):
		return false, nil
	case err != nil:
		return false, err
	}
	return d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// stoppedInTemporal says how a workflow ended that left nothing in the ledger, as one does that was terminated: "" while
// it runs, where that cannot be told now, and where it ended before since.
func (s *service) stoppedInTemporal(ctx context.Context, workflowID string, since time.Time) string {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	d, err := s.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return ""
	}
	info := d.GetWorkflowExecutionInfo()
	if info.GetCloseTime() == nil || info.GetCloseTime().AsTime().Before(since) {
		return ""
	}
	switch info.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "terminated"
	case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "ended"
	}
	return ""
}

// archiveRuns says whether an archive is open. One that has its result and is about to close is given a moment: whoever
// reads the result and acts on it means the next run.
func (s *service) archiveRuns(ctx context.Context, t *config.Tenant, project string) (bool, error) {
	until := time.Now().Add(closingTime)
	for {
		running, err := s.isRunning(ctx, workflows.ArchiveID(t.ID, project))
		if err != nil || !running || time.Now().After(until) {
			return running, err
		}
		row, ok, err := s.ledger.Tenant(t.ID).Archive(project).Get(ctx)
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

// refusal is a control that was understood but is not possible now.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

// cancelArchive stops an open archive.
func (s *service) cancelArchive(ctx context.Context, t *config.Tenant, project string) (accepted, error) {
	return s.control(ctx, t, project, workflows.UpdateCancel)
}

// retryArchive lets a waiting archive look at once, and starts an ended one again: it continues with what is missing.
func (s *service) retryArchive(ctx context.Context, t *config.Tenant, project string) (accepted, error) {
	running, err := s.archiveRuns(ctx, t, project)
	if err != nil {
		return accepted{}, errors.Join(errUnavailable, err)
	}
	if !running {
		out, err := s.startArchive(ctx, t, frameio.Project{ID: project}, "")
		if err != nil {
			return out, err
		}
		return out, s.audit(ctx, t, ledger.AuditEntry{Action: workflows.UpdateRetry, ObjectKind: "archive", ObjectID: project, Archive: project})
	}
	return s.control(ctx, t, project, workflows.UpdateRetry)
}

func (s *service) control(ctx context.Context, t *config.Tenant, project, update string) (accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	id := workflows.ArchiveID(t.ID, project)
	out := accepted{ID: project, WorkflowID: id, Status: "running", URL: s.archiveURL(project)}
	h, err := s.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: update, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err == nil {
		err = h.Get(ctx, nil)
	}
	var gone *serviceerror.NotFound
	var app *temporal.ApplicationError
	switch {
	case err == nil:
		return out, s.audit(ctx, t, ledger.AuditEntry{Action: update, ObjectKind: "archive", ObjectID: project, Archive: project})
	case errors.As(err, &gone):
		return out, &refusal{"the archive is not running"}
	case errors.As(err, &app):
		return out, &refusal{app.Message()}
	}
	return out, errors.Join(errUnavailable, err)
}

// plan makes a dry run and waits for it.
func (s *service) plan(ctx context.Context, t *config.Tenant, project string) (workflows.Plan, error) {
	var out workflows.Plan
	run, err := s.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.PlanID(t.ID, project), TaskQueue: s.cfg().Temporal.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Dry run for Frame.io project " + project,
	}, workflows.ArchivePlanName, workflows.Ref{Tenant: t.ID, Archive: project})
	if err != nil {
		return out, errors.Join(errUnavailable, err)
	}
	err = run.Get(ctx, &out)
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return out, &refusal{app.Message()}
	}
	return out, err
}

func (s *service) archiveURL(id string) string {
	return routes.Archive(s.cfg(), id)
}
