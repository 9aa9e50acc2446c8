package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"
)

// ArchiveInput starts or continues an archive.
type ArchiveInput struct {
	Ref
	// State is where the previous run of a long archive stopped. The zero value starts from the beginning.
	State ArchiveState `json:"state"`
}

// ArchiveState is what a run hands on to the next one. Its size does not grow with the project.
type ArchiveState struct {
	Step     int    `json:"step"`
	After    int64  `json:"after"`            // the last item number handed out in this step
	Pass     int    `json:"pass,omitempty"`   // over the comments; see NextRangesInput
	Passed   int64  `json:"passed,omitempty"` // the last item number handed out in that pass
	Round    int    `json:"round"`
	Missing  int64  `json:"lost,omitempty"`   // in iconik, found so far by this verification
	Repairs  int    `json:"healed,omitempty"` // rounds that restored what was missing
	Waited   bool   `json:"waited,omitempty"` // for originals: what was read before may be stale
	FirstRun string `json:"first_run,omitempty"`
	HasTurn  bool   `json:"has_turn,omitempty"`
	Yielded  bool   `json:"yielded,omitempty"` // the turn, while something was stuck
	// Only is the range of one asset that somebody wants to retry. If nothing else is left to copy, the run goes on to compare
	// the whole project like any other.
	Only *Range `json:"only,omitempty"`
	// Migration is the workflow that started the archive, if any. Paused means that the archive is paused with it.
	Migration string `json:"migration,omitempty"`
	Paused    bool   `json:"paused,omitempty"`
	// Orderly makes a canceled archive wait for what is in progress, as in a migration; otherwise the project's next archive
	// would find it half done. Runs started by older versions do not have it.
	Orderly bool `json:"orderly,omitempty"`

	Opened   OpenArchiveResult   `json:"opened"`
	Counts   Counts              `json:"counts"`
	Finished FinishArchiveResult `json:"finished"`
}

// archive is one run of the workflow.
type archive struct {
	ref                 Ref
	state               ArchiveState
	step                string
	inFlight            int
	started             int // children and walks started by this run
	stop                workflow.CancelFunc
	stopped             bool                // by the cancel update
	recheckRequested    bool                // by the retry update
	hasSearchAttributes bool                // search attributes are registered on this cluster
	interrupt           workflow.CancelFunc // interrupts the running step
	unfinished          []Range             // ranges of this step that were handed out
}

// step is one stage of the process.
type step struct {
	name string
	run  func(*archive, workflow.Context) error
}

// The steps of an archive, in order. Their numbers are part of the state handed on between runs: add a new one at the end, or
// behind a marker.
const (
	stepTurn        = 0
	stepOpen        = 1
	stepPlan        = 2
	stepCollections = 3
	stepCopy        = 4
	stepOriginals   = 5
	stepComments    = 6
	stepShares      = 7
	stepCompare     = 8
	stepVerify      = 9
	stepReport      = 10
)

// Step names that other code relies on.
const (
	stepNameTurn    = "waiting for its turn"
	stepNameWaiting = "waiting for originals"
)

// archiveSteps returns the steps by number.
func archiveSteps() []step {
	return []step{
		stepTurn:        {stepNameTurn, (*archive).takeTurn},
		stepOpen:        {"opening", (*archive).open},
		stepPlan:        {"planning", (*archive).plan},
		stepCollections: {"making collections", (*archive).collections},
		stepCopy:        {"copying", (*archive).copy},
		stepOriginals:   {stepNameWaiting, (*archive).awaitOriginals},
		stepComments:    {"copying comments", (*archive).comments},
		stepShares:      {"copying presentations", (*archive).shares},
		stepCompare:     {"comparing with Frame.io", (*archive).compare},
		stepVerify:      {"verifying", (*archive).verify},
		stepReport:      {"reporting", (*archive).report},
	}
}

// Archive brings one whole Frame.io project into iconik. It may be run again at any time and then does what is missing.
func Archive(ctx workflow.Context, in ArchiveInput) (FinishArchiveResult, error) {
	a := &archive{ref: in.Ref, state: in.State}
	if a.isOrderly() {
		ctx = workflow.WithValue(ctx, orderly{}, true)
	}
	ctx, a.stop = workflow.WithCancel(ctx)
	if err := a.setup(ctx); err != nil {
		return FinishArchiveResult{}, err
	}
	err := a.run(ctx)
	var again *workflow.ContinueAsNewError
	if errors.As(err, &again) {
		return FinishArchiveResult{}, err
	}
	return a.end(ctx, err)
}

func (a *archive) setup(ctx workflow.Context) error {
	info := workflow.GetInfo(ctx)
	if a.state.FirstRun == "" {
		a.state.FirstRun = info.FirstRunID
	}
	_, a.hasSearchAttributes = workflow.GetTypedSearchAttributes(ctx).GetKeyword(AttributeTenant)
	if err := workflow.SetQueryHandler(ctx, QueryStatus, func() (ArchiveStatus, error) { return a.status(), nil }); err != nil {
		return err
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateCancel, func(workflow.Context) (ArchiveStatus, error) {
		a.stopped = true
		a.stop()
		return a.status(), nil
	}, workflow.UpdateHandlerOptions{
		Description: "Stop the archive. Everything already in iconik stays, and a retry continues from there.",
		Validator: func() error {
			if a.stopped {
				return refuse("the archive is already being canceled")
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	if markerYieldsTurn.isSet(ctx) {
		workflow.Go(ctx, a.yieldWhenStuck)
	}
	workflow.Go(ctx, a.followHolds)
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateRetry, func(workflow.Context) (ArchiveStatus, error) {
		a.recheckRequested = true
		return a.status(), nil
	}, workflow.UpdateHandlerOptions{
		Description: "Check now whether the originals are back.",
		Validator: func() error {
			if a.step != stepNameWaiting {
				return refuse("the archive is still running: retry it when it has ended")
			}
			return nil
		},
	})
}

func (a *archive) run(ctx workflow.Context) error {
	steps := archiveSteps()
	for a.state.Step < len(steps) {
		if err := a.awaitResumed(ctx); err != nil {
			return err
		}
		s := steps[a.state.Step]
		if a.state.Yielded {
			if err := a.takeTurnAgain(ctx); err != nil {
				return err
			}
		}
		a.enter(ctx, s.name)
		before := a.state.Step
		if again, err := a.runStep(ctx, s); err != nil {
			return err
		} else if again {
			continue
		}
		if a.state.Step == before { // a step may have set where to continue
			a.state.Step++
			a.state.After, a.state.Pass, a.state.Passed = 0, 0, 0
		}
	}
	return nil
}
