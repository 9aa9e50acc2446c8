package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"
)

// ReviewInput starts or continues a review.
type ReviewInput struct {
	ReviewRef
	State ReviewState `json:"state"`
}

// ReviewState is what a run hands on to the next one. Its size does not grow with comments.
type ReviewState struct {
	Phase     string              `json:"phase"`
	Prepared  PrepareReviewResult `json:"prepared"`
	ExpiresAt time.Time           `json:"expires_at"`
	ShareURL  string              `json:"share_url"`
	Last      SyncResult          `json:"last"`
	LastSync  time.Time           `json:"last_sync"`
	NextSync  time.Time           `json:"next_sync"`
	FullSync  time.Time           `json:"full_sync"` // never set; the name stays because the golden files contain it
	Hints     []Hint              `json:"hints,omitempty"`
	AllHints  bool                `json:"all_hints,omitempty"` // there were too many hints to keep
	Ended     string              `json:"ended,omitempty"`     // expired or stopped
	LastDue   bool                `json:"last_due,omitempty"`  // the link is off, but the last sync and the news of the end are still due
	Away      bool                `json:"away,omitempty"`      // the last sync did not find some assets; they count as deleted but may come back
	WarnAt    time.Time           `json:"warn_at"`
	DeleteAt  time.Time           `json:"delete_at"`
	Warned    bool                `json:"warned,omitempty"`
	Note      string              `json:"note,omitempty"`
	// What was requested while a run handed over to the next one.
	Stop   bool `json:"stop,omitempty"`
	Resend bool `json:"resend,omitempty"`
}

// Phases of a review, in order. Extending an expired review goes back to open.
const (
	phasePreparing = "preparing"
	phaseSending   = "sending"
	phaseSharing   = "sharing"
	phaseOpen      = "open"
	phaseClosing   = "closing"
	phaseRetained  = "waiting for deletion"
	phaseDeleted   = "deleted"
	phaseHanded    = "handed over"
	phaseFailed    = "failed"
)

// How a review ends.
const (
	endExpired = "expired"
	endStopped = "stopped"
)

type review struct {
	ref                 ReviewRef
	state               ReviewState
	stop                bool
	syncRequested       bool
	syncs               int // done by this run
	resend              bool
	hasSearchAttributes bool
	sendCancelled       bool // by a stop, or by the expiry
	meanwhile           bool // an open review sends more, and is synced beside that
	lapsed              bool // it expired before everything was sent
	// While an extension is in progress the review neither ends nor loses its media; otherwise the extension could switch the
	// link on after the end.
	extending bool
	reopeners int  // extensions that wait for the end's current work to give way
	finishing bool // the last sync, or the news of the end, is in progress
	deleting  bool // there is no way back
}

// Review shares iconik assets in Frame.io, keeps the comments on both sides in sync until the expiry, and deletes the media after
// the retention period.
func Review(ctx workflow.Context, in ReviewInput) (ReviewStatus, error) {
	r := &review{ref: in.ReviewRef, state: in.State, stop: in.State.Stop, resend: in.State.Resend}
	if r.state.Phase == "" {
		r.state.Phase = phasePreparing
	}
	if err := r.setup(ctx); err != nil {
		return ReviewStatus{}, err
	}
	err := r.run(ctx)
	var again *workflow.ContinueAsNewError
	if errors.As(err, &again) {
		return ReviewStatus{}, err
	}
	if err != nil {
		return r.failed(ctx, err)
	}
	return r.status(), workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

func (r *review) run(ctx workflow.Context) error {
	phases := map[string]func(workflow.Context) error{
		phasePreparing: r.prepare,
		phaseSending:   r.send,
		phaseSharing:   r.share,
		phaseOpen:      r.open,
		phaseClosing:   r.close,
		phaseRetained:  r.retain,
	}
	for {
		phase, ok := phases[r.state.Phase]
		if !ok {
			return nil
		}
		r.show(ctx)
		if err := phase(ctx); err != nil {
			return err
		}
	}
}

func (r *review) setup(ctx workflow.Context) error {
	_, r.hasSearchAttributes = workflow.GetTypedSearchAttributes(ctx).GetKeyword(AttributeTenant)
	if err := workflow.SetQueryHandler(ctx, QueryStatus, func() (ReviewStatus, error) { return r.status(), nil }); err != nil {
		return err
	}
	wake, resend := workflow.GetSignalChannel(ctx, SignalWake), workflow.GetSignalChannel(ctx, SignalResend)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var h Hint
			if !wake.Receive(ctx, &h) {
				return
			}
			r.hint(h)
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for resend.Receive(ctx, nil) {
			r.resend = true
		}
	})
	return errors.Join(r.handleExtend(ctx), r.handleStop(ctx), r.handleSync(ctx))
}

// continueAsNew hands over to the next run. If somebody still waits for an answer from this one, it returns nil: the loop goes
// on, and the next iteration calls it again.
func (r *review) continueAsNew(ctx workflow.Context) error {
	if !markerContinueAlone.isSet(ctx) {
		if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
			return err
		}
	} else {
		// First take in what arrived together with the event that woke this coroutine: the other coroutines run before the new one.
		taken := false
		workflow.Go(ctx, func(workflow.Context) { taken = true })
		if err := workflow.Await(ctx, func() bool { return taken }); err != nil || !workflow.AllHandlersFinished(ctx) {
			return err
		}
	}
	r.state.Stop, r.state.Resend = r.stop, r.resend
	return workflow.NewContinueAsNewError(ctx, ReviewName, ReviewInput{ReviewRef: r.ref, State: r.state})
}
