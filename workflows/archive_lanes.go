package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"
)

// walks runs an activity over ranges of items.
func walks[In any](ctx workflow.Context, a *archive, phase string, act Activity[In, Counts], what string, input func(RangeInput) In, add func(Counts)) error {
	return a.lanes(ctx, phase, walkBatch, func(ctx workflow.Context, r Range) error {
		summary := fmt.Sprintf("%s of items %d to %d", what, r.From, r.To)
		counts, err := act.Execute(forWalks(ctx, summary), input(RangeInput{Ref: a.ref, Range: r}))
		add(counts)
		return err
	})
}

// lanes hands the ranges of a phase that have work to as many coroutines as the tenant allows. It continues as new between them
// before the history grows long.
func (a *archive) lanes(ctx workflow.Context, phase string, size int, work func(workflow.Context, Range) error) error {
	lanes := max(a.state.Opened.Lanes, 1)
	var failed error
	full := func() bool { return a.inFlight >= lanes }
	for failed == nil {
		next := NextRangesInput{Ref: a.ref, Phase: phase, After: a.state.After, Size: size, Max: rangesPerAsk, Again: phase == PhaseComments && a.state.Waited}
		if phase == PhaseCopy {
			next.Bytes = a.batchBytes()
		}
		if phase == PhaseComments && !next.Again {
			next.Pass, next.Passed = max(a.state.Pass, 1), a.state.Passed
		}
		ranges, err := ActNextRanges.Execute(forCalls(ctx, "what is left to "+phase), next)
		if err != nil {
			failed = err
			break
		}
		if len(ranges) == 0 {
			break
		}
		for _, r := range ranges {
			if r.Pass != a.state.Pass { // no two passes may hold the same item
				if err := a.drained(ctx); err != nil {
					return err
				}
			}
			if err := workflow.Await(ctx, func() bool { return !full() || failed != nil }); err != nil {
				failed = err
			}
			if failed != nil || a.historyIsLong(ctx) {
				break
			}
			a.inFlight++
			a.started++
			a.handedOut(r)
			a.unfinished = append(a.unfinished, r)
			workflow.Go(ctx, func(ctx workflow.Context) {
				defer func() { a.inFlight-- }()
				switch err := work(ctx, r); {
				case err == nil:
					a.finished(r)
				case failed == nil:
					failed = err
				}
				a.describe(ctx, "")
			})
		}
		if a.historyIsLong(ctx) {
			break
		}
	}
	if err := a.drained(ctx); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	if a.historyIsLong(ctx) {
		return a.continueAsNew(ctx)
	}
	return nil
}

// drained waits until no lane has work. Lanes end by themselves when ctx is canceled.
func (a *archive) drained(ctx workflow.Context) error {
	quiet, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	return workflow.Await(quiet, func() bool { return a.inFlight == 0 })
}

// handedOut notes where the phase continues.
func (a *archive) handedOut(r Range) {
	if a.state.Pass = r.Pass; r.Pass > 0 && r.Pass < lastPass {
		a.state.Passed = r.To
		return
	}
	a.state.After = r.To
}

func (a *archive) historyIsLong(ctx workflow.Context) bool {
	return a.started >= continueAfterRuns || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

func (a *archive) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, ArchiveName, ArchiveInput{Ref: a.ref, State: a.state})
}
