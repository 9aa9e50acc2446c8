package workflows

import (
	"go.temporal.io/sdk/workflow"
)

// takeTurn waits until the tenant's earlier archives have ended.
func (a *archive) takeTurn(ctx workflow.Context) error {
	if a.state.HasTurn {
		return nil
	}
	if a.ofMigration() {
		a.state.HasTurn = true
		return nil
	}
	if err := ActJoinQueue.Execute(forCalls(ctx, "join the queue"), JoinQueueInput{Ref: a.ref, Ticket: a.ticket(ctx)}); err != nil {
		return err
	}
	turn := workflow.GetSignalChannel(ctx, SignalTurn)
	if ok, _ := turn.ReceiveWithTimeout(ctx, turnGrace, nil); !ok {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.notify(forCalls(ctx, "mail that it is queued"), NotifyQueued); err != nil {
			return err
		}
		if err := a.awaitTurn(ctx, turn); err != nil {
			return err
		}
	}
	a.state.HasTurn = true
	return nil
}

// awaitTurn rejoins the queue from time to time, because a queue that was terminated has forgotten who waits. For an archive that
// is still queued this changes nothing.
func (a *archive) awaitTurn(ctx workflow.Context, turn workflow.ReceiveChannel) error {
	if !markerJoinsAgain.isSet(ctx) {
		turn.Receive(ctx, nil)
		return ctx.Err()
	}
	for {
		ok, _ := turn.ReceiveWithTimeout(ctx, rejoinInterval, nil)
		if err := ctx.Err(); ok || err != nil {
			return err
		}
		if err := ActJoinQueue.Execute(forCalls(ctx, "join the queue again"), JoinQueueInput{Ref: a.ref, Ticket: a.ticket(ctx)}); err != nil {
			return err
		}
	}
}

// leaveTurn lets the tenant's next archive begin. If the queue is gone, nobody waits in it.
func (a *archive) leaveTurn(ctx workflow.Context) {
	a.state.HasTurn = false
	if a.ofMigration() {
		return
	}
	ticket := a.ticket(ctx)
	err := workflow.SignalExternalWorkflow(ctx, ArchiveQueueID(a.ref.Tenant), "", SignalRelease, ticket).Get(ctx, nil)
	if err != nil {
		workflow.GetLogger(ctx).Debug("no queue to leave", "error", err)
	}
}

// yieldWhenStuck tells people, once per run, that something is stuck, and lets the tenant's next archive begin meanwhile. Retries
// of what is stuck go on all the same.
func (a *archive) yieldWhenStuck(ctx workflow.Context) {
	stuck := workflow.GetSignalChannel(ctx, SignalStuck)
	for {
		stuck.Receive(ctx, nil)
		if ctx.Err() != nil {
			return
		}
		if err := a.notify(forCalls(ctx, "mail that it is stuck"), NotifyStuck); err != nil {
			workflow.GetLogger(ctx).Warn("could not send the mail that the archive is stuck", "error", err)
		}
		if a.state.HasTurn {
			a.state.Yielded = true
			a.leaveTurn(ctx)
		}
	}
}

// takeTurnAgain waits to get back the turn that was yielded while something was stuck.
func (a *archive) takeTurnAgain(ctx workflow.Context) error {
	if !a.state.HasTurn {
		a.enter(ctx, stepNameTurn)
		if err := a.takeTurn(ctx); err != nil {
			return err
		}
	}
	a.state.Yielded = false
	return nil
}

func (a *archive) ticket(ctx workflow.Context) Ticket {
	return Ticket{Archive: a.ref.Archive, WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, RunID: a.state.FirstRun}
}
