package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// StartMigration starts a migration of the tenant's account, or joins the one that is open and was asked for the same. A tenant
// has no more than one at a time.
func (s *Service) StartMigration(ctx context.Context, t *config.Tenant, asked account.Request, requestedBy string) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	if err := asked.Validate(); err != nil {
		return Accepted{}, err
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return Accepted{}, err
	}
	out, open, err := s.openMigration(ctx, t, body)
	if err != nil || open {
		return out, err
	}
	row := ledger.Migration{ID: uuid.NewString(), Request: body, RequestedBy: requestedBy, Status: ledger.MigrationPlanning, CreatedAt: time.Now().UTC()}
	m := s.Ledger.Tenant(t.ID).Migration(row.ID)
	if err := m.Create(ctx, row); err != nil {
		return out, errors.Join(ErrUnavailable, err)
	}
	out = s.accepted(t, row.ID)
	o := client.StartWorkflowOptions{
		ID: out.WorkflowID, TaskQueue: s.Config().Temporal.TaskQueue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            "Migration of " + cmp.Or(t.Name, t.ID),
		TypedSearchAttributes:                    s.tagged(keyword(workflows.AttributeTenant, t.ID)),
	}
	in := workflows.MigrationInput{MigrationRef: workflows.MigrationRef{Tenant: t.ID, Migration: row.ID}, State: workflows.MigrationState{Canary: asked.Canary}}
	if err := s.execute(ctx, o, workflows.MigrationName, in); err != nil {
		return out, s.notStarted(ctx, m, err)
	}
	return out, s.Audit(ctx, t, ledger.AuditEntry{Action: "start", ObjectKind: "migration", ObjectID: row.ID})
}

func (s *Service) accepted(t *config.Tenant, id string) Accepted {
	return Accepted{ID: id, WorkflowID: workflows.MigrationID(t.ID), Status: "started", URL: routes.Migration(s.Config(), id)}
}

// openMigration finds the migration that runs. One that was asked for something else is a refusal.
func (s *Service) openMigration(ctx context.Context, t *config.Tenant, body []byte) (Accepted, bool, error) {
	running, err := s.isRunning(ctx, workflows.MigrationID(t.ID))
	if err != nil {
		return Accepted{}, false, errors.Join(ErrUnavailable, err)
	}
	if !running {
		return Accepted{}, false, nil
	}
	row, known, err := s.Ledger.Tenant(t.ID).NewestMigration(ctx)
	switch {
	case err != nil:
		return Accepted{}, false, errors.Join(ErrUnavailable, err)
	case !known || row.Status.Ended():
		return Accepted{}, false, &Refusal{"the migration before this one is about to end: try again in a moment"}
	case !bytes.Equal(row.Request, body):
		return Accepted{}, false, &Refusal{"the migration " + row.ID + " of this tenant has not ended: cancel it, or wait for its end"}
	}
	out := s.accepted(t, row.ID)
	out.Status = "running"
	return out, true, nil
}

// notStarted leaves no migration in the ledger that nobody works on.
func (s *Service) notStarted(ctx context.Context, m ledger.MigrationLedger, cause error) error {
	var other *serviceerror.WorkflowExecutionAlreadyStarted
	why := "Framebridge could not reach Temporal: start the migration again"
	if errors.As(cause, &other) {
		why = "another migration of this tenant was started at the same time"
	}
	_, err := m.Update(context.WithoutCancel(ctx), func(r *ledger.Migration) {
		if r.StartedAt.IsZero() {
			r.Status, r.Reason, r.FinishedAt = ledger.MigrationFailed, why, time.Now().UTC()
		}
	})
	if other != nil && err == nil {
		return &Refusal{why}
	}
	return errors.Join(ErrUnavailable, cause, err)
}

// ControlMigration pauses, resumes or cancels a migration.
func (s *Service) ControlMigration(ctx context.Context, t *config.Tenant, id, verb string) (Accepted, error) {
	who := s.actor(ctx)
	return s.updateMigration(ctx, t, id, verb, workflows.ControlUpdate{By: cmp.Or(who.Name, who.Key)}, "")
}

// OrderMigration gives a queued project of a migration another place; 1 is the next one to start.
func (s *Service) OrderMigration(ctx context.Context, t *config.Tenant, id, project string, position int) (Accepted, error) {
	return s.updateMigration(ctx, t, id, workflows.UpdateOrder, workflows.OrderUpdate{Project: project, Position: position}, project+" to place "+strconv.Itoa(position))
}

func (s *Service) updateMigration(ctx context.Context, t *config.Tenant, id, verb string, in any, detail string) (Accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	out := s.accepted(t, id)
	out.Status = "running"
	row, known, err := s.Ledger.Tenant(t.ID).Migration(id).Get(ctx)
	switch {
	case err != nil:
		return out, errors.Join(ErrUnavailable, err)
	case !known:
		return out, &Refusal{"there is no migration " + id}
	case row.Status.Ended():
		return out, &Refusal{"the migration has ended: it is " + string(row.Status)}
	}
	o := client.UpdateWorkflowOptions{WorkflowID: out.WorkflowID, UpdateName: verb, Args: []any{in}, WaitForStage: client.WorkflowUpdateStageCompleted}
	if err := s.update(ctx, o, nil, "the migration is not running"); err != nil {
		return out, err
	}
	return out, s.Audit(ctx, t, ledger.AuditEntry{Action: verb, ObjectKind: "migration", ObjectID: id, Detail: ledger.AuditText(detail)})
}
