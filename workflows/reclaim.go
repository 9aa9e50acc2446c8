package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/english"
)

// ReclaimInput starts or continues a reclaim.
type ReclaimInput struct {
	ReclaimRef
	// DryRun ends the reclaim after the comparison.
	DryRun bool         `json:"dry_run,omitempty"`
	State  ReclaimState `json:"state"`
}

// ReclaimState is what a run of the workflow hands on to the next one.
type ReclaimState struct {
	Step     int           `json:"step"`
	Paused   bool          `json:"paused,omitempty"`
	Approved bool          `json:"approved,omitempty"`
	Counts   ReclaimCounts `json:"counts"`
}

// ReclaimStatus answers the status query.
type ReclaimStatus struct {
	Step   string        `json:"step"`
	Paused bool          `json:"paused,omitempty"`
	Counts ReclaimCounts `json:"counts"`
}

// reclaim is one run of the workflow.
type reclaim struct {
	ref       ReclaimRef
	dry       bool
	state     ReclaimState
	step      string
	ended     bool // by a refusal or a surprise, or after a dry run
	cancelled bool // by the update
	stop      workflow.CancelFunc
	interrupt workflow.CancelFunc // interrupts what is in progress; nil if nothing is
}

// neverLost are losses that nobody may accept with a reclaim: content that exists only in Frame.io.
var neverLost = map[string]bool{"comment": true, "attachment": true}

// MayBeLost reports whether somebody may accept, with a reclaim, that content of this kind was not carried and is lost.
func MayBeLost(kind string) bool { return !neverLost[kind] }

// RestorableFor is how long Frame.io keeps deleted files: thirty days in Recently Deleted.
const RestorableFor = 30 * 24 * time.Hour

// Step names that other code relies on.
const stepNameApproval = "waiting for approval"

// reclaimSteps returns the steps of a reclaim, in order. Their numbers are part of the state handed on between runs.
func reclaimSteps() []reclaimStep {
	return []reclaimStep{
		{"comparing both sides", (*reclaim).examine},
		{stepNameApproval, (*reclaim).awaitApproval},
		{"proving each file", (*reclaim).prove},
		{"deleting in Frame.io", (*reclaim).delete},
	}
}

// ReclaimOver returns the state of a reclaim that has nothing left to do but record its end and certify what was deleted.
func ReclaimOver() ReclaimState { return ReclaimState{Step: len(reclaimSteps())} }

type reclaimStep struct {
	name string
	run  func(*reclaim, workflow.Context) error
}

// Reclaim deletes in Frame.io the files of an archive that are proven to be in iconik. It deletes nothing before every file has
// been compared in full and somebody has approved, and each file is compared once more right before its deletion.
func Reclaim(ctx workflow.Context, in ReclaimInput) (ReclaimResult, error) {
	r := &reclaim{ref: in.ReclaimRef, dry: in.DryRun, state: in.State}
	ctx, r.stop = workflow.WithCancel(ctx)
	if err := r.setup(ctx); err != nil {
		return ReclaimResult{}, err
	}
	err := r.run(ctx)
	var again *workflow.ContinueAsNewError
	if errors.As(err, &again) {
		return ReclaimResult{}, err
	}
	return r.end(ctx, err)
}

func (r *reclaim) run(ctx workflow.Context) error {
	steps := reclaimSteps()
	for ; r.state.Step < len(steps) && !r.ended; r.state.Step++ {
		r.enter(ctx, steps[r.state.Step].name)
		if err := steps[r.state.Step].run(r, ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *reclaim) examine(ctx workflow.Context) error {
	res, err := ActExamineReclaim.Execute(forWalks(ctx, "compare Frame.io, ledger and reviews"), r.ref)
	if err != nil {
		return err
	}
	r.state.Counts, r.state.Approved = res.Counts, r.state.Approved || res.Approved
	r.ended = res.Ended || r.dry
	return nil
}

// awaitApproval waits for a second person, unless the requester typed the project's name. It then compares again, because days
// may have passed.
func (r *reclaim) awaitApproval(ctx workflow.Context) error {
	if r.state.Approved {
		return nil
	}
	if err := ActAwaitApproval.Execute(forCalls(ctx, "ask for approval"), r.ref); err != nil {
		return err
	}
	if ok, err := workflow.AwaitWithTimeout(ctx, ApprovalPatience, func() bool { return r.state.Approved }); err != nil || !ok {
		if err == nil {
			err = temporal.NewNonRetryableApplicationError("nobody approved the deletion within "+english.Duration(ApprovalPatience)+": ask again", ErrorContent, nil)
		}
		return err
	}
	return r.examine(ctx)
}

func (r *reclaim) prove(ctx workflow.Context) error {
	return r.batches(ctx, ActProveFiles, "read files back and compare")
}

func (r *reclaim) delete(ctx workflow.Context) error {
	return r.batches(ctx, ActDeleteProven, "compare again and delete")
}

// batches runs an activity until it has nothing left to do. A pause ends the one in progress, which keeps its position in the ledger.
func (r *reclaim) batches(ctx workflow.Context, act Activity[ReclaimRef, ReclaimProgress], summary string) error {
	for {
		if err := workflow.Await(ctx, func() bool { return !r.state.Paused }); err != nil {
			return err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
				return err
			}
			return workflow.NewContinueAsNewError(ctx, ReclaimName, ReclaimInput{ReclaimRef: r.ref, DryRun: r.dry, State: r.state})
		}
		under, interrupt := workflow.WithCancel(ctx)
		r.interrupt = interrupt
		res, err := act.Execute(letGo(forWalks(under, summary)), r.ref)
		r.interrupt = nil
		if temporal.IsCanceledError(err) && ctx.Err() == nil { // a pause
			continue
		}
		if err != nil {
			return err
		}
		if r.state.Counts, r.ended = res.Counts, res.Ended; res.Ended || res.Done {
			return nil
		}
		r.describe(ctx)
	}
}

// end records how the reclaim ended, whatever the cause, and certifies what was deleted.
func (r *reclaim) end(ctx workflow.Context, cause error) (ReclaimResult, error) {
	out := FinishReclaimInput{ReclaimRef: r.ref}
	switch {
	case cause == nil:
	case temporal.IsCanceledError(cause) || r.cancelled:
		out.Status, out.Reason = ReclaimCancelled, "canceled on request"
	default:
		out.Status, out.Reason = ReclaimStopped, reasonOf(cause)
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	r.enter(ctx, "finishing")
	fin, err := ActFinishReclaim.Execute(forFinish(ctx, "record the result"), out)
	if err == nil && fin.Counts.Deleted > 0 {
		err = ActCertifyReclaim.Execute(forFinish(ctx, "deletion certificate"), r.ref)
	}
	r.state.Counts = fin.Counts
	r.enter(ctx, fin.Status)
	if err != nil {
		return fin, err
	}
	if out.Status == ReclaimCancelled && !r.cancelled {
		return fin, temporal.NewCanceledError(out.Reason)
	}
	return fin, workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

func (r *reclaim) status() ReclaimStatus {
	return ReclaimStatus{Step: r.step, Paused: r.state.Paused, Counts: r.state.Counts}
}

func (r *reclaim) enter(ctx workflow.Context, name string) {
	r.step = name
	r.describe(ctx)
}

func (r *reclaim) describe(ctx workflow.Context) {
	c := r.state.Counts
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s** — %s\n\n| | files | bytes |\n|---|---|---|\n| to be proven | %d | %d |\n| proven | %d | %d |\n| deleted | %d | %d |\n| left in Frame.io | %d | %d |\n",
		r.step, r.ref.Archive, c.Ready, c.ReadyBytes, c.Proven, c.ProvenBytes, c.Deleted, c.DeletedBytes, c.Left, c.LeftBytes))
}

// setup sets the query and update handlers.
func (r *reclaim) setup(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryStatus, func() (ReclaimStatus, error) { return r.status(), nil }); err != nil {
		return err
	}
	for _, u := range []struct {
		name, description string
		may               func() error
		do                func(workflow.Context) error
	}{
		{UpdateCancel, "Stop for good. What is already deleted can be restored in Frame.io for " + english.Duration(RestorableFor) + ".", r.mayCancel, r.cancel},
		{UpdatePause, "Stop after the file that is under way; resume continues.", func() error { return r.mayPause(true) }, func(ctx workflow.Context) error { return r.pause(ctx, true) }},
		{UpdateResume, "Continue after a pause.", func() error { return r.mayPause(false) }, func(ctx workflow.Context) error { return r.pause(ctx, false) }},
		{UpdateApprove, "Let the deletion begin. The ledger says who approved.", r.mayApprove, func(workflow.Context) error { r.state.Approved = true; return nil }},
	} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, u.name, func(ctx workflow.Context) (ReclaimStatus, error) {
			err := u.do(ctx)
			return r.status(), err
		}, workflow.UpdateHandlerOptions{Description: u.description, Validator: u.may})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reclaim) mayCancel() error {
	if r.cancelled {
		return refuse("the reclaim is already being canceled")
	}
	return nil
}

func (r *reclaim) cancel(workflow.Context) error {
	r.cancelled = true
	r.stop()
	return nil
}

func (r *reclaim) mayPause(pause bool) error {
	switch {
	case pause && r.state.Paused:
		return refuse("the reclaim is already paused")
	case !pause && !r.state.Paused:
		return refuse("the reclaim is not paused")
	}
	return nil
}

// pause also ends what is in progress, after the current file.
func (r *reclaim) pause(ctx workflow.Context, pause bool) error {
	r.state.Paused = pause
	if pause && r.interrupt != nil {
		r.interrupt()
	}
	return ActPauseReclaim.Execute(forCalls(ctx, "show the pause"), PauseReclaimInput{ReclaimRef: r.ref, Paused: pause})
}

func (r *reclaim) mayApprove() error {
	if r.step != stepNameApproval || r.state.Approved {
		return refuse("the reclaim is not waiting for approval")
	}
	return nil
}
