package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"
)

// HoldSignal tells an archive of a migration to stand still, or to go on. Alone lets it go: the migration has ended, and it goes on
// like any other archive, with a turn and a mail of its own.
type HoldSignal struct {
	Paused bool `json:"paused"`
	Alone  bool `json:"alone,omitempty"`
}

// PausedWithMigration is the code of an archive that waits because its migration is paused; see SetStatusInput.
const PausedWithMigration = "paused_with_migration"

// phasePlanning is the first part of the job in iconik.
const phasePlanning = "plan"

const stepNamePaused = "paused with its migration"

// orderly marks a context whose activities and children are waited for when they are canceled: what comes after them must not
// happen beside them.
type orderly struct{}

// ofMigration says that a migration has started the archive: its turn is that of the migration's list.
func (a *archive) ofMigration() bool { return a.state.Migration != "" }

func (a *archive) isOrderly() bool { return a.ofMigration() || a.state.Orderly }

// followHolds interrupts the step that runs when the migration is paused. One that waits for originals may go on waiting.
func (a *archive) followHolds(ctx workflow.Context) {
	holds := workflow.GetSignalChannel(ctx, SignalHold)
	for {
		var in HoldSignal
		holds.Receive(ctx, &in)
		if ctx.Err() != nil {
			return
		}
		if a.state.Paused = in.Paused; in.Alone { // no marker: nothing that was recorded before has it
			a.state.Migration = ""
		}
		if in.Paused && a.interrupt != nil && a.step != stepNameWaiting {
			a.interrupt()
		}
	}
}

// runStep runs a step that a pause may interrupt. again says that it was, and is to be run again: each step continues with what
// is missing.
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
		if r.Pass > 0 && r.Pass < lastPass { // what was read in it is not read again
			a.state.Pass, a.state.Passed = 0, 0
			continue
		}
		a.state.After = min(a.state.After, r.From-1)
	}
	a.unfinished = nil
	return true, nil
}

// finished notes that a range needs no going back to.
func (a *archive) finished(r Range) {
	a.unfinished = slices.DeleteFunc(a.unfinished, func(u Range) bool { return u == r })
}

// awaitResumed stands still while the migration is paused. It may be paused again while the archive writes down that it goes on; runs
// that older versions started took no notice of that.
func (a *archive) awaitResumed(ctx workflow.Context) error {
	for a.state.Paused {
		if err := a.standStill(ctx); err != nil || !a.state.Orderly {
			return err
		}
	}
	return nil
}

// standStill waits until the archive may go on, and says so.
func (a *archive) standStill(ctx workflow.Context) error {
	a.enter(ctx, stepNamePaused)
	shown := a.state.Step > stepOpen // before, there is nothing to show it on
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

// phase is the part of the job that the step belongs to.
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

// tellMigration lets the migration start its next project. One that is gone needs no word.
func (a *archive) tellMigration(ctx workflow.Context) {
	if !a.ofMigration() {
		return
	}
	if err := workflow.SignalExternalWorkflow(ctx, a.state.Migration, "", SignalEnded, nil).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Debug("no migration to tell", "error", err)
	}
}
