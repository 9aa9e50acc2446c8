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

// lanes hands the ranges of a phase that have work to as many coroutines as the tenant allows, and continues as new
// between them before the history grows long.
func (a *archive) lanes(ctx workflow.Context, phase string, size int, work func(workflow.Context, Range) error) error {
	lanes := max(a.state.Opened.Lanes, 1)
	var failed error
	full := func() bool { return a.inFlight >= lanes }
	for failed == nil {
		ranges, err := ActNextRanges.Execute(forCalls(ctx, "what is left to "+phase), NextRangesInput{Ref: a.ref, Phase: phase, After: a.state.After, Size: size, Max: rangesPerAsk,
			Again: phase == PhaseComments && a.state.Waited})
		if err != nil {
			failed = err
			break
		}
		if len(ranges) == 0 {
			break
		}
		for _, r := range ranges {
			if err := workflow.Await(ctx, func() bool { return !full() || failed != nil }); err != nil {
				failed = err
			}
			if failed != nil || a.historyIsLong(ctx) {
				break
			}
			a.inFlight++
			a.started++
			a.state.After = r.To
			workflow.Go(ctx, func(ctx workflow.Context) {
				defer func() { a.inFlight-- }()
				if err := work(ctx, r); err != nil && failed == nil {
					failed = err
				}
				a.describe(ctx, "")
			})
		}
		if a.historyIsLong(ctx) {
			break
		}
	}
	quiet, cancel := workflow.NewDisconnectedContext(ctx) // lanes end by themselves when ctx is cancelled
	defer cancel()
	if err := workflow.Await(quiet, func() bool { return a.inFlight == 0 }); err != nil {
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

func (a *archive) historyIsLong(ctx workflow.Context) bool {
	return a.started >= continueAfterRuns || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

func (a *archive) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, ArchiveName, ArchiveInput{Ref: a.ref, State: a.state})
}
