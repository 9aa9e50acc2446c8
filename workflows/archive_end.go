package workflows

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// end records how the archive ended, whatever the cause, and lets the next archive begin.
func (a *archive) end(ctx workflow.Context, cause error) (FinishArchiveResult, error) {
	out := FinishInput{Ref: a.ref}
	switch {
	case cause == nil:
	case temporal.IsCanceledError(cause) || a.stopped:
		out.Status, out.Reason = StatusCancelled, "canceled on request; a retry continues from here"
	default:
		out.Status, out.Fault, out.Reason = StatusFailed, faultOf(cause), reasonOf(cause)
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	a.enter(ctx, "finishing")
	fin, err := ActFinishArchive.Execute(forFinish(ctx, "record the result"), out)
	if err == nil {
		a.state.Finished, a.state.Counts = fin, fin.Counts
		if !a.ofMigration() { // the migration sends one mail for all
			err = a.notify(forFinish(ctx, "mail the result"), NotifyEnded)
		}
	}
	a.leaveTurn(ctx)
	a.tellMigration(ctx)
	a.enter(ctx, fin.Status)
	if err != nil {
		return fin, err
	}
	switch {
	case out.Status == StatusCancelled && !a.stopped:
		return fin, temporal.NewCanceledError(out.Reason)
	case out.Status == StatusFailed:
		return fin, cause
	}
	return fin, workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// notify has a workflow of its own send a mail. A mail server that is down then holds up neither this archive nor those that wait
// for its turn.
func (a *archive) notify(ctx workflow.Context, kind string) error {
	in := NotifyInput{Ref: a.ref, Kind: kind, Run: a.state.Opened.Run}
	if !markerMailsByThemselves.isSet(ctx) {
		return ActNotify.Execute(ctx, in)
	}
	o := workflow.ChildWorkflowOptions{
		TypedSearchAttributes: a.childAttributes(),
		StaticSummary:         "mail: " + kind,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
	}
	if markerMailsHaveIDs.isSet(ctx) {
		o.WorkflowID = ArchiveMailID(a.ref.Tenant, a.ref.Archive, in.Run, kind)
	}
	err := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, o), ArchiveMailName, in).GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil // the same mail is still waiting for the mail server
	}
	return err
}

// ArchiveMail sends one mail about an archive, retrying while the mail server is down.
func ArchiveMail(ctx workflow.Context, in NotifyInput) error {
	return ActNotify.Execute(forFinish(ctx, "mail: "+in.Kind), in)
}
