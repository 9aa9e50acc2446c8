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
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// StartMigration starts a migration of the tenant's account, or joins the open one if its request is the same. A
// tenant has at most one at a time.
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
	row := ledger.Migration{ID: uuid.NewString(), Request: body, RequestedBy: requestedBy, TriggeredBy: ledger.TriggerOf(s.actorIn(ctx)), Status: ledger.MigrationPlanning, CreatedAt: time.Now().UTC()}
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
		TypedSearchAttributes:                    s.tagged(workflows.Keyword(workflows.AttributeTenant, t.ID)),
	}
	in := workflows.MigrationInput{MigrationRef: workflows.MigrationRef{Tenant: t.ID, Migration: row.ID}, State: workflows.MigrationState{Canary: asked.Canary, Orderly: true}}
	err = s.execute(ctx, o, workflows.MigrationName, in)
	var other *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &other) {
		if err := m.Discard(context.WithoutCancel(ctx)); err != nil {
			return out, errors.Join(ErrUnavailable, err)
		}
		return s.joinMigration(ctx, t, body)
	}
	if err != nil {
		return out, s.notStarted(ctx, m, err)
	}
	if err := s.endLeftOver(ctx, t, row.ID); err != nil {
		s.Log.WarnContext(ctx, "migrations that were ended in Temporal are still open in the ledger", "tenant", t.ID, "error", err)
	}
	return out, s.Audit(ctx, t, ledger.AuditEntry{Action: "start", ObjectKind: "migration", ObjectID: row.ID})
}

func (s *Service) accepted(t *config.Tenant, id string) Accepted {
	return Accepted{ID: id, WorkflowID: workflows.MigrationID(t.ID), Status: "started", URL: routes.Migration(s.Config(), id)}
}

// openMigration finds the running migration. It returns a Refusal if that one's request is different.
func (s *Service) openMigration(ctx context.Context, t *config.Tenant, body []byte) (Accepted, bool, error) {
	running, err := s.isRunning(ctx, workflows.MigrationID(t.ID))
	if err != nil {
		return Accepted{}, false, errors.Join(ErrUnavailable, err)
	}
	if !running {
		return Accepted{}, false, nil
	}
	out, err := s.joinMigration(ctx, t, body)
	return out, err == nil, err
}

// joinMigration returns the running migration if its request is the same.
func (s *Service) joinMigration(ctx context.Context, t *config.Tenant, body []byte) (Accepted, error) {
	row, known, err := s.Ledger.Tenant(t.ID).NewestMigration(ctx)
	switch {
	case err != nil:
		return Accepted{}, errors.Join(ErrUnavailable, err)
	case !known || row.Status.Ended():
		return Accepted{}, &Refusal{"the migration before this one is about to end: try again in a moment"}
	case !bytes.Equal(row.Request, body):
		return Accepted{}, &Refusal{"the migration " + row.ID + " of this tenant has not ended: cancel it, or wait until it ends"}
	}
	out := s.accepted(t, row.ID)
	out.Status = "running"
	return out, nil
}

// notStarted marks a migration that nobody works on as failed. If only Temporal's response was lost, its workflow corrects the row.
func (s *Service) notStarted(ctx context.Context, m ledger.MigrationLedger, cause error) error {
	_, err := m.Update(context.WithoutCancel(ctx), func(r *ledger.Migration) {
		if r.Changes == 0 {
			r.Status, r.Reason, r.FinishedAt = ledger.MigrationFailed, "Framebridge could not reach Temporal: start the migration again", time.Now().UTC()
		}
	})
	return errors.Join(ErrUnavailable, cause, err)
}

// endLeftOver marks migrations as failed that ended in Temporal without recording it, because a tenant has only one at a time.
func (s *Service) endLeftOver(ctx context.Context, t *config.Tenant, running string) error {
	newest, _, err := s.Ledger.Tenant(t.ID).Migrations(ctx, "", newestMigrations)
	if err != nil {
		return err
	}
	older := false
	for _, row := range newest {
		if !older || row.Status.Ended() {
			older = older || row.ID == running
			continue
		}
		_, err = s.Ledger.Tenant(t.ID).Migration(row.ID).Update(ctx, func(r *ledger.Migration) {
			r.Status, r.Reason, r.FinishedAt, r.Bandwidth, r.ETA = ledger.MigrationFailed, endedInTemporal("ended"), time.Now().UTC(), 0, time.Time{}
		}, func(r ledger.Migration) *ledger.AuditEntry {
			return &ledger.AuditEntry{Tenant: t.ID, Actor: ledger.Actor{Kind: ledger.ActorSystem}, Action: "migration_" + string(ledger.MigrationFailed), ObjectKind: "migration", ObjectID: r.ID, Detail: ledger.AuditText(r.Reason)}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ControlMigration pauses, resumes or cancels a migration.
func (s *Service) ControlMigration(ctx context.Context, t *config.Tenant, id, verb string) (Accepted, error) {
	who := s.actor(ctx)
	return s.updateMigration(ctx, t, id, verb, workflows.ControlUpdate{By: cmp.Or(who.Name, who.Key), MigrationID: id}, "")
}

// OrderMigration moves a queued project to another position; 1 is the next one to start.
func (s *Service) OrderMigration(ctx context.Context, t *config.Tenant, id, project string, position int) (Accepted, error) {
	return s.updateMigration(ctx, t, id, workflows.UpdateOrder, workflows.OrderUpdate{Project: project, Position: position, MigrationID: id}, project+" to place "+strconv.Itoa(position))
}

// Added is the response after projects were added to a migration's list.
type Added struct {
	Accepted

	Projects *int `json:"added"` // null while Frame.io is still being read
}

// AddToMigration adds the projects that match a selection to a migration's list. If take is nil, it uses the migration's own selection.
func (s *Service) AddToMigration(ctx context.Context, t *config.Tenant, id string, take *account.Selection) (Added, error) {
	in := workflows.AddUpdate{MigrationID: id}
	detail := ""
	if take != nil {
		if err := take.Validate(); err != nil {
			return Added{}, err
		}
		var err error
		if in.Selection, err = json.Marshal(take); err != nil {
			return Added{}, err
		}
		detail = take.String()
	}
	var added workflows.AddProjectsResult
	out, answered, err := s.beginMigrationUpdate(ctx, t, id, workflows.UpdateAdd, in, &added, ledger.AuditEntry{Action: "add_projects", Detail: ledger.AuditText(detail)})
	if err != nil || !answered {
		return Added{Accepted: out}, err
	}
	return Added{out, &added.Added}, nil
}

func (s *Service) updateMigration(ctx context.Context, t *config.Tenant, id, verb string, in any, detail string) (Accepted, error) {
	out, answered, err := s.beginMigrationUpdate(ctx, t, id, verb, in, nil, ledger.AuditEntry{Action: verb, Detail: ledger.AuditText(detail)})
	if err == nil && !answered {
		err = ErrUnavailable
	}
	return out, err
}

// beginMigrationUpdate sends an update and waits for its result until controlTimeout. It returns false if the update was accepted
// but has not finished. said is the entry for the audit log.
func (s *Service) beginMigrationUpdate(ctx context.Context, t *config.Tenant, id, verb string, in, result any, said ledger.AuditEntry) (Accepted, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	out := s.accepted(t, id)
	out.Status = "running"
	row, known, err := s.Ledger.Tenant(t.ID).Migration(id).Get(ctx)
	switch {
	case err != nil:
		return out, false, errors.Join(ErrUnavailable, err)
	case !known:
		return out, false, &Refusal{"there is no migration " + id}
	case row.Status.Ended():
		return out, false, &Refusal{"the migration has ended: " + english.State(string(row.Status))}
	}
	switch gone, err := s.isSuperseded(ctx, row); {
	case err != nil:
		return out, false, errors.Join(ErrUnavailable, err)
	case gone:
		return out, false, &Refusal{"the migration has ended: another one was started after it"}
	}
	o := client.UpdateWorkflowOptions{WorkflowID: out.WorkflowID, UpdateName: verb, Args: []any{in}}
	done, err := s.begin(ctx, o, result, "the migration is not running")
	if err != nil {
		return out, false, err
	}
	said.ObjectKind, said.ObjectID = "migration", id
	return out, done, s.Audit(context.WithoutCancel(ctx), t, said)
}
