package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"
)

// HoldSignal tells an archive of a migration to pause or to continue. Alone releases it: the migration has ended, and the archive
// continues like any other, with its own turn and mail.
type HoldSignal struct {
	Paused bool `json:"paused"`
	Alone  bool `json:"alone,omitempty"`
}

// PausedWithMigration is the code of an archive that waits because its migration is paused; see SetStatusInput.
const PausedWithMigration = "paused_with_migration"

// phasePlanning is the first part of the job in iconik.
const phasePlanning = "plan"

const stepNamePaused = "paused with its migration"

// orderly marks a context whose canceled activities and children are waited for, because what comes next must not overlap with
// them.
type orderly struct{}

// ofMigration reports whether a migration started the archive. Its turn is then decided by the migration's list.
func (a *archive) ofMigration() bool { return a.state.Migration != "" }

func (a *archive) isOrderly() bool { return a.ofMigration() || a.state.Orderly }

// followHolds interrupts the running step when the migration is paused. An archive that waits for originals may keep waiting.
func (a *archive) followHolds(ctx workflow.Context) {
	holds := workflow.GetSignalChannel(ctx, SignalHold)
	for {
		var in HoldSignal
		holds.Receive(ctx, &in)
		if ctx.Err() != nil {
			return
		}
		if a.state.Paused = in.Paused; in.Alone { // no marker: nothing recorded before this has it
			a.state.Migration = ""
		}
		if in.Paused && a.interrupt != nil && a.step != stepNameWaiting {
			a.interrupt()
		}
	}
}

// runStep runs a step that a pause may interrupt. It returns again = true if that happened and the step must run again: each step
// continues with what is missing.
func (a *archive) runStep(ctx workflow.Context, s step) (again bool, err error) {
	if !a.ofMigration() { // nothing pauses it
		return false, s.run(a, ctx)
	}
	step, before := a.state.Step, ctx
	ctx, a.interrupt = workflow.WithCancel(ctx)
	err = s.run(a, ctx)
	interrupted := ctx.Err() != nil && before.Err() == nil
	a.interrupt = nil
	if !interrupted || err == nil {
		return false, err
	}
	a.state.Step = step
	for _, r := range a.unfinished {
		if r.Pass > 0 && r.Pass < lastPass { // what was read in this pass is not read again
			a.state.Pass, a.state.Passed = 0, 0
			continue
		}
		a.state.After = min(a.state.After, r.From-1)
	}
	a.unfinished = nil
	return true, nil
}

// finished notes that a range needs no second visit.
func (a *archive) finished(r Range) {
	a.unfinished = slices.DeleteFunc(a.unfinished, func(u Range) bool { return u == r })
}

// awaitResumed waits while the migration is paused. It may be paused again while the archive records that it continues; runs
// started by older versions did not notice that.
func (a *archive) awaitResumed(ctx workflow.Context) error {
	for a.state.Paused {
		if err := a.standStill(ctx); err != nil || !a.state.Orderly {
			return err
		}
	}
	return nil
}

// standStill waits until the archive may continue, and shows that it waits.
func (a *archive) standStill(ctx workflow.Context) error {
	a.enter(ctx, stepNamePaused)
	shown := a.state.Step > stepOpen // before that, there is nothing to show it on
	if shown {
		in := SetStatusInput{Ref: a.ref, Status: StatusWaiting, Phase: a.phase(), Reason: "The migration is paused. The archive continues from here when it is resumed.", Code: PausedWithMigration}
		if err := ActSetStatus.Execute(forCalls(ctx, "status "+StatusWaiting), in); err != nil {
			return err
		}
	}
	if err := workflow.Await(ctx, func() bool { return !a.state.Paused }); err != nil || !shown {
		return err
	}
	status := StatusRunning
	switch {
	case a.state.Step < stepCopy:
		status = StatusPlanning
	case a.state.Step >= stepCompare:
		status = StatusVerifying
	}
	return a.setStatus(ctx, status, a.phase())
}

// phase returns the phase of the job that the step belongs to.
func (a *archive) phase() string {
	switch {
	case a.state.Step < stepCopy:
		return phasePlanning
	case a.state.Step < stepComments:
		return PhaseCopy
	case a.state.Step < stepCompare:
		return PhaseComments
	}
	return PhaseVerify
}

// tellMigration lets the migration start its next project. It ignores a migration that is gone.
func (a *archive) tellMigration(ctx workflow.Context) {
	if !a.ofMigration() {
		return
	}
	if err := workflow.SignalExternalWorkflow(ctx, a.state.Migration, "", SignalEnded, nil).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Debug("no migration to tell", "error", err)
	}
}
