package activities

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// archives starts and inspects archive workflows for migrations and mirrors.
type archives struct {
	config   *config.Live
	ledger   *ledger.Ledger
	temporal client.Client
}

// Start starts a project's archive, and returns false if one is already open. A migration decides about the turns of its own
// archives; without one, the archive takes its turn like any other.
func (a archives) Start(ctx context.Context, ref workflows.Ref, migration string) (bool, error) {
	row, _, err := a.ledger.Tenant(ref.Tenant).Archive(ref.Archive).Get(ctx)
	if err != nil {
		return false, err
	}
	cfg := a.config.Now()
	label := workflows.LabelArchive(ref, cfg.TenantName(ref.Tenant), row.Name, cfg.Temporal.Codec.Encrypts())
	o := client.StartWorkflowOptions{
		ID: workflows.ArchiveID(ref.Tenant, ref.Archive), TaskQueue: activity.GetInfo(ctx).TaskQueue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            label.Summary, Memo: label.Memo, TypedSearchAttributes: workflows.TypedSearchAttributes(label.Tags),
	}
	in := workflows.ArchiveInput{Ref: ref, State: workflows.ArchiveState{Migration: migration, Orderly: true}}
	err = temporalclient.Start(ctx, a.temporal, o, workflows.ArchiveName, in, nil)
	var open *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &open) {
		return false, nil
	}
	return err == nil, err
}

// Runs reports whether an archive is open.
func (a archives) Runs(ctx context.Context, ref workflows.Ref) (bool, error) {
	d, err := a.temporal.DescribeWorkflowExecution(ctx, workflows.ArchiveID(ref.Tenant, ref.Archive), "")
	if gone(err) {
		return false, nil
	}
	return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, err
}

// Hold pauses or resumes an archive.
func (a archives) Hold(ctx context.Context, ref workflows.Ref, paused bool) error {
	return a.signal(ctx, ref, workflows.HoldSignal{Paused: paused})
}

func (a archives) signal(ctx context.Context, ref workflows.Ref, what workflows.HoldSignal) error {
	err := a.temporal.SignalWorkflow(ctx, workflows.ArchiveID(ref.Tenant, ref.Archive), "", workflows.SignalHold, what)
	if gone(err) {
		return nil
	}
	return err
}

// Release releases an archive that a migration has started.
func (a archives) Release(ctx context.Context, ref workflows.Ref) error {
	return a.signal(ctx, ref, workflows.HoldSignal{Alone: true})
}

// Cancel cancels an archive.
func (a archives) Cancel(ctx context.Context, ref workflows.Ref) error {
	err := a.temporal.CancelWorkflow(ctx, workflows.ArchiveID(ref.Tenant, ref.Archive), "")
	if gone(err) {
		return nil
	}
	return err
}

// gone reports whether a workflow does not exist or has ended.
func gone(err error) bool {
	var absent *serviceerror.NotFound
	return errors.As(err, &absent)
}
