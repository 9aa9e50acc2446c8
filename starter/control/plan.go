package control

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/readers"
	"github.com/framebridge/framebridge/workflows"
)

// Plan reads a project in this process and says what an archive would do. It needs no worker.
func (s *Service) Plan(ctx context.Context, t *config.Tenant, project string) (workflows.Plan, error) {
	p, err := s.Platform(t)
	if err != nil {
		return workflows.Plan{}, err
	}
	found, err := p.Project(ctx, project)
	if err != nil {
		return workflows.Plan{}, err
	}
	ick, err := iconik.New(t.Iconik)
	if err != nil {
		return workflows.Plan{}, err
	}
	return plan.Make(ctx, plan.Source{Frameio: p, Ledger: s.Ledger.Tenant(t.ID), Policy: t.Archive, Access: &readers.Readers{Frameio: p, Iconik: ick, Archive: t.Archive}, Storage: func(ctx context.Context) error {
		storage, err := ick.Files.FilesStorage(ctx, t.Iconik.StorageID)
		switch {
		case rest.IsNotFound(err):
			return errors.New("iconik has no storage for files: create one, or set iconik.storage_id")
		case err == nil && !storage.TakesUploads():
			return fmt.Errorf("iconik storage %q is of type %s, which does not accept uploads over the internet", storage.Name, storage.Method)
		}
		return err
	}}, found)
}

// DryRun lets a worker make the plan, and waits for it.
func (s *Service) DryRun(ctx context.Context, t *config.Tenant, project string) (workflows.Plan, error) {
	var out workflows.Plan
	run, err := s.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.PlanID(t.ID, project), TaskQueue: s.Config().Temporal.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Dry run for Frame.io project " + project,
	}, workflows.ArchivePlanName, workflows.Ref{Tenant: t.ID, Archive: project})
	if err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	err = run.Get(ctx, &out)
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return out, &Refusal{app.Message()}
	}
	return out, err
}
