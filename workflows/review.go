package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"
)

// ReviewInput starts a review, or goes on with one.
type ReviewInput struct {
	ReviewRef
	State ReviewState `json:"state"`
}

// ReviewState is what a run hands to the next one. It does not grow with comments.
type ReviewState struct {
	Phase     string              `json:"phase"`
	Prepared  PrepareReviewResult `json:"prepared"`
	ExpiresAt time.Time           `json:"expires_at"`
	ShareURL  string              `json:"share_url"`
	Last      SyncResult          `json:"last"`
	LastSync  time.Time           `json:"last_sync"`
	NextSync  time.Time           `json:"next_sync"`
	FullSync  time.Time           `json:"full_sync"` // never set; the name stays in what runs hand on, as the goldens hold it
	Hints     []Hint              `json:"hints,omitempty"`
	AllHints  bool                `json:"all_hints,omitempty"` // there were too many to name
	Ended     string              `json:"ended,omitempty"`     // expired or stopped
	LastDue   bool                `json:"last_due,omitempty"`  // the link is off; the last sync and the news of the end are not made yet
	Away      bool                `json:"away,omitempty"`      // the last sync was made without what counts as deleted, which may come back
	WarnAt    time.Time           `json:"warn_at"`
	DeleteAt  time.Time           `json:"delete_at"`
	Warned    bool                `json:"warned,omitempty"`
	Note      string              `json:"note,omitempty"`
	// What was asked for while a run handed over to the next one.
	Stop   bool `json:"stop,omitempty"`
	Resend bool `json:"resend,omitempty"`
}

// Phases of a review, in order. Extending an expired one goes back to open.
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
	sendCancelled       bool // by a stop
	// While an extension is on its way the review neither ends nor loses its media: what it does to the link would come
	// after the end.
	extending bool
	reopeners int  // extensions that wait for what the end does meanwhile to give way
	finishing bool // the last sync, or the news of the end, is on its way
	deleting  bool // there is no way back
}

// Review shares iconik assets in Frame.io, keeps both sides' comments equal until the expiry, and deletes the media
// after the retention.
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

// continueAsNew hands over to the next run, unless somebody waits for an answer of this one: then the loop goes on, and
// the next round asks again.
func (r *review) continueAsNew(ctx workflow.Context) error {
	if !markerContinueAlone.isSet(ctx) {
		if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
			return err
		}
	} else {
		// What came together with what this coroutine woke up for is taken in first: the others' turn is before the new one's.
		taken := false
		workflow.Go(ctx, func(workflow.Context) { taken = true })
		if err := workflow.Await(ctx, func() bool { return taken }); err != nil || !workflow.AllHandlersFinished(ctx) {
			return err
		}
	}
	r.state.Stop, r.state.Resend = r.stop, r.resend
	return workflow.NewContinueAsNewError(ctx, ReviewName, ReviewInput{ReviewRef: r.ref, State: r.state})
}
