package workflows

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ReviewInput starts a review, or goes on with one.
type ReviewInput struct {
	ReviewRef
	State ReviewState `json:"state"`
}

// ReviewState is what a run hands to the next one. It does not grow with comments.
type ReviewState struct {
	Phase     string     `json:"phase"`
	Prepared  Prepared   `json:"prepared"`
	ExpiresAt time.Time  `json:"expires_at"`
	ShareURL  string     `json:"share_url"`
	Last      SyncResult `json:"last"`
	LastSync  time.Time  `json:"last_sync"`
	NextSync  time.Time  `json:"next_sync"`
	FullSync  time.Time  `json:"full_sync"` // when everything was read last
	Hints     []Hint     `json:"hints,omitempty"`
	AllHints  bool       `json:"all_hints,omitempty"` // there were too many to name
	Ended     string     `json:"ended,omitempty"`     // expired or stopped
	WarnAt    time.Time  `json:"warn_at"`
	DeleteAt  time.Time  `json:"delete_at"`
	Warned    bool       `json:"warned,omitempty"`
	Note      string     `json:"note,omitempty"`
	// What was asked for while a run handed over to the next one.
	Stop   bool `json:"stop,omitempty"`
	Resend bool `json:"resend,omitempty"`
}

// ReviewStatus answers the status query and every update.
type ReviewStatus struct {
	Phase     string    `json:"phase"`
	Title     string    `json:"title"`
	ShareURL  string    `json:"share_url"`
	ExpiresAt time.Time `json:"expires_at"`
	DeleteAt  time.Time `json:"delete_at"`
	NextSync  time.Time `json:"next_sync"`
	ToIconik  int       `json:"to_iconik"`
	ToFrameio int       `json:"to_frameio"`
	Open      int       `json:"open"`
	Note      string    `json:"note,omitempty"`
}

// ExtendUpdate asks for another expiry.
type ExtendUpdate struct {
	ExpiresAt time.Time `json:"expires_at"`
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
)

type review struct {
	ref    ReviewRef
	state  ReviewState
	stop   bool
	now    bool // a sync is asked for
	syncs  int  // done by this run
	resend bool
	tagged bool
	halted bool // what is being sent is cancelled by a stop
	// While an extension is on its way the review neither ends nor loses its media: what it does to the link would come
	// after the end.
	extending bool
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

func (r *review) prepare(ctx workflow.Context) error {
	var err error
	r.state.Prepared, err = ActPrepareReview.Execute(forCalls(ctx, "assets, project, folder and job"), r.ref)
	if err != nil {
		return err
	}
	r.state.ExpiresAt, r.state.Phase = r.state.Prepared.ExpiresAt, phaseSending
	if len(r.state.Prepared.HandedOver) > 0 && r.state.Prepared.Assets == 0 {
		r.state.Phase = phaseHanded
	}
	for _, other := range r.state.Prepared.HandedOver {
		// A review that has just ended has them in its ledger and nobody to send them; the user is told by its status.
		_ = workflow.SignalExternalWorkflow(ctx, ReviewID(r.ref.Tenant, other), "", SignalResend, nil).Get(ctx, nil)
	}
	return nil
}

// send brings every asset that is not in Frame.io yet there, some at once.
func (r *review) send(ctx workflow.Context) error {
	work, err := ActReviewWork.Execute(forCalls(ctx, "what is left to send"), r.ref)
	if err != nil {
		return err
	}
	lanes, busy := max(r.state.Prepared.Parallel, 1), 0
	sending, cancel := workflow.WithCancel(ctx)
	defer cancel()
	var failed error
	for _, n := range work.Assets {
		if err := workflow.Await(ctx, func() bool { return busy < lanes || r.stop }); err != nil {
			return err
		}
		if r.stop || failed != nil {
			break
		}
		busy++
		workflow.Go(sending, func(ctx workflow.Context) {
			defer func() { busy-- }()
			if err := r.sendAsset(ctx, AssetInput{ReviewRef: r.ref, N: n}); err != nil {
				failed = err
			}
		})
	}
	if err := workflow.Await(ctx, func() bool { return busy == 0 || r.stop }); err != nil {
		return err
	}
	if busy > 0 && markerStopCancels.isSet(ctx) {
		r.halted = true
		cancel()
	}
	if err := workflow.Await(ctx, func() bool { return busy == 0 }); err != nil {
		return err
	}
	if failed != nil && !r.halted {
		return failed
	}
	switch {
	case r.stop && r.state.ShareURL != "":
		r.state.Phase = phaseOpen // which ends it in order
		return nil
	case r.stop:
		return temporal.NewNonRetryableApplicationError("stopped on request before it was shared", ErrorContent, nil)
	}
	if work, err = ActReviewWork.Execute(forCalls(ctx, "what was sent"), r.ref); err != nil {
		return err
	}
	if work.Ready == 0 {
		return temporal.NewNonRetryableApplicationError(work.Reason, ErrorContent, nil)
	}
	r.state.Phase = phaseSharing
	return nil
}

// sendAsset fails only where the review cannot go on; an asset at fault is left out and named.
func (r *review) sendAsset(ctx workflow.Context, in AssetInput) error {
	what := fmt.Sprintf("asset %d: ", in.N)
	// A stopped one has let go of its upload before that is taken back.
	waited := func(ctx workflow.Context) workflow.Context { return workflow.WithWaitForCancellation(ctx, true) }
	steps := func() error {
		if err := ActStageAsset.Execute(waited(forProxy(ctx, r.state.Prepared.ProxyWait, what+"choose the file")), in); err != nil {
			return err
		}
		for tries := 1; ; tries++ {
			err := ActSendAsset.Execute(waited(forTransfers(ctx, what+"send")), in)
			var app *temporal.ApplicationError
			if err != nil && (tries == uploadRestarts || !errors.As(err, &app) || app.Type() != ErrorUploadGone) {
				return err
			}
			if err == nil {
				break
			}
		}
		return ActSettleAsset.Execute(waited(forReady(ctx, what+"Frame.io makes it ready")), in)
	}
	err := steps()
	switch {
	case err == nil:
		return nil
	case r.halted && r.state.ShareURL != "": // what was shared before stays for its time, this does not
		var cancel workflow.CancelFunc
		ctx, cancel = workflow.NewDisconnectedContext(ctx)
		defer cancel()
		in.Reason, in.Fault = "the review was stopped meanwhile", "content"
	case r.halted || temporal.IsCanceledError(err):
		return err
	default:
		in.Reason, in.Fault = reasonOf(err), faultOf(err)
	}
	return ActFailAsset.Execute(forMending(ctx, what+"note why it failed"), in)
}

func (r *review) share(ctx workflow.Context) error {
	shared, err := ActShareReview.Execute(forMending(ctx, "watermark, link and invitations"), r.ref)
	if err != nil {
		return err
	}
	r.state.ShareURL = shared.URL
	if shared.Unwatermarked > 0 {
		r.state.Note = fmt.Sprintf("%d files carry no watermark", shared.Unwatermarked)
	}
	if err := ActPublishReview.Execute(forCalls(ctx, "tell iconik and the sender"), r.ref); err != nil {
		return err
	}
	r.resend = false
	r.state.Phase = phaseOpen
	return nil
}

// open keeps comments and decisions equal on both sides until the expiry.
func (r *review) open(ctx workflow.Context) error {
	for {
		now := workflow.Now(ctx)
		over := r.stop || !now.Before(r.state.ExpiresAt)
		switch {
		case over && !r.extending:
			r.state.Phase, r.state.Ended = phaseClosing, "expired"
			if r.stop {
				r.state.Ended = "stopped"
			}
			return nil
		case r.resend && !over:
			r.resend = false
			r.state.Phase = phaseSending
			return nil
		case r.now || r.awake() || !now.Before(r.state.NextSync):
			r.sync(ctx)
		default:
			next := r.state.NextSync
			if !over {
				next = earlier(next, r.state.ExpiresAt)
			}
			_, err := workflow.AwaitWithTimeout(ctx, next.Sub(now), func() bool {
				return r.awake() || r.now || (r.stop || over) && !r.extending || r.resend && !over
			})
			if err != nil {
				return err
			}
		}
		if r.syncs >= syncsPerRun || workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			if err := r.continueAsNew(ctx); err != nil {
				return err
			}
		}
	}
}

func (r *review) awake() bool { return len(r.state.Hints) > 0 || r.state.AllHints }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// sync makes both sides equal once. A failure is shown and made good by the next one.
func (r *review) sync(ctx workflow.Context) {
	now := workflow.Now(ctx)
	in := SyncInput{ReviewRef: r.ref, Hints: r.state.Hints, Full: r.now || r.state.AllHints || !now.Before(r.state.NextSync)}
	if in.Full {
		in.Hints = nil
	}
	r.state.Hints, r.state.AllHints, r.now = nil, false, false
	res, err := ActSyncReview.Execute(forSync(ctx, "comments and decisions"), in)
	r.state.LastSync = workflow.Now(ctx)
	switch {
	case err != nil:
		r.state.Note = "the last sync failed: " + reasonOf(err)
		r.state.NextSync = r.state.LastSync.Add(syncAfterFailure)
	default:
		r.state.Last, r.state.Note = res, res.Notice
		r.resend = r.resend || res.Pending
		if next := r.state.LastSync.Add(res.NextIn); in.Full || next.Before(r.state.NextSync) {
			r.state.NextSync = next
		}
	}
	r.syncs++
	r.show(ctx)
}

// close ends the sharing: what was said last comes over, then the link is revoked.
func (r *review) close(ctx workflow.Context) error {
	res, err := ActSyncReview.Execute(forSync(ctx, "last sync"), SyncInput{ReviewRef: r.ref, Full: true, Last: true})
	if err != nil {
		r.state.Note = "the last sync failed: " + reasonOf(err)
	} else {
		r.state.Last = res
	}
	ended, err := ActEndReview.Execute(forMending(ctx, "revoke the link, tell people"), EndReviewInput{ReviewRef: r.ref, Status: r.state.Ended})
	if err != nil {
		return err
	}
	r.syncs++
	r.state.WarnAt, r.state.DeleteAt, r.state.Phase = ended.WarnAt, ended.DeleteAt, phaseRetained
	return nil
}

// retain waits until the media may be deleted. An extension opens the review again.
func (r *review) retain(ctx workflow.Context) error {
	for r.state.Phase == phaseRetained {
		now := workflow.Now(ctx)
		next := r.state.DeleteAt
		if !r.state.Warned && r.state.WarnAt.Before(next) {
			next = r.state.WarnAt
		}
		switch {
		case now.Before(next):
			if _, err := workflow.AwaitWithTimeout(ctx, next.Sub(now), func() bool { return r.state.Phase != phaseRetained }); err != nil {
				return err
			}
			r.state.Hints, r.state.AllHints = nil, false
		case r.extending:
			if err := workflow.Await(ctx, func() bool { return !r.extending }); err != nil {
				return err
			}
		case next.Equal(r.state.WarnAt) && !r.state.Warned && r.state.WarnAt.Before(r.state.DeleteAt):
			if err := ActWarnReview.Execute(forCalls(ctx, "warn of the deletion"), r.ref); err != nil {
				r.state.Note = "the warning was not sent: " + reasonOf(err)
			}
			r.state.Warned = true
		default:
			r.deleting = markerOneExtension.isSet(ctx)
			if err := ActDeleteMedia.Execute(forMending(ctx, "delete what this review uploaded"), r.ref); err != nil {
				return err
			}
			r.state.Phase = phaseDeleted
			r.show(ctx)
		}
	}
	return nil
}

func (r *review) setup(ctx workflow.Context) error {
	_, r.tagged = workflow.GetTypedSearchAttributes(ctx).GetKeyword(AttributeTenant)
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

// hint remembers what a webhook was about, a bounded number of them.
func (r *review) hint(h Hint) {
	if h == (Hint{}) || len(r.state.Hints) >= mostHints {
		r.state.AllHints, r.state.Hints = true, nil
		return
	}
	for _, have := range r.state.Hints {
		if have == h {
			return
		}
	}
	if !r.state.AllHints {
		r.state.Hints = append(r.state.Hints, h)
	}
}

func refuse(format string, args ...any) error {
	return temporal.NewApplicationError(fmt.Sprintf(format, args...), "Refused")
}

func (r *review) handleExtend(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateExtend, func(ctx workflow.Context, in ExtendUpdate) (ReviewStatus, error) {
		// Whoever reads "expired" may extend at once: the end is written down before it is told to people.
		if err := workflow.Await(ctx, func() bool { return r.state.Phase != phaseClosing && !r.extending }); err != nil {
			return r.status(), err
		}
		if err := r.extensible(); err != nil {
			return r.status(), err
		}
		reopen := r.state.Phase == phaseRetained
		r.extending = markerOneExtension.isSet(ctx)
		err := ActExtendReview.Execute(forCalls(ctx, "extend until "+in.ExpiresAt.Format("2006-01-02 15:04 UTC")), ExtendInput{ReviewRef: r.ref, ExpiresAt: in.ExpiresAt, Reopen: reopen})
		r.extending = false
		if err != nil {
			return r.status(), err
		}
		r.state.ExpiresAt = in.ExpiresAt
		if reopen && r.state.Phase == phaseRetained {
			r.state.Phase, r.state.Ended, r.state.Warned = phaseOpen, "", false
			r.state.WarnAt, r.state.DeleteAt, r.state.NextSync = time.Time{}, time.Time{}, time.Time{}
		}
		r.now = true // the loop looks at its clock again
		return r.status(), nil
	}, workflow.UpdateHandlerOptions{
		Description: "Set another expiry. An expired review whose media is not deleted yet opens again.",
		Validator: func(ctx workflow.Context, in ExtendUpdate) error {
			now := workflow.Now(ctx)
			switch {
			case r.extensible() != nil:
				return r.extensible()
			case !in.ExpiresAt.After(now):
				return refuse("the expiry %s is in the past", in.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"))
			case r.state.Prepared.Longest > 0 && in.ExpiresAt.After(now.Add(r.state.Prepared.Longest)):
				return refuse("the expiry %s is too late: a review may last until %s", in.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"), now.Add(r.state.Prepared.Longest).UTC().Format("2006-01-02 15:04 UTC"))
			}
			return nil
		},
	})
}

// extensible refuses unless the review is open, or expired with its media still there.
func (r *review) extensible() error {
	ending := r.state.Phase == phaseClosing || r.state.Phase == phaseRetained
	switch {
	case r.deleting:
		return refuse("the review's media is being deleted: send the assets again")
	case r.state.Phase == phaseOpen || ending && r.state.Ended == "expired":
		return nil
	}
	return refuse("the review is %s: only an open or expired one can be extended", r.state.Phase)
}

func (r *review) handleStop(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateStop, func(workflow.Context) (ReviewStatus, error) {
		r.stop = true
		return r.status(), nil
	}, workflow.UpdateHandlerOptions{
		Description: "End the review now: a last sync, then the link is revoked. The media is deleted after the retention.",
		Validator: func(workflow.Context) error {
			switch r.state.Phase {
			case phasePreparing, phaseSending, phaseSharing, phaseOpen:
				if !r.stop {
					return nil
				}
			}
			return refuse("the review has ended or is ending")
		},
	})
}

func (r *review) handleSync(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateSync, func(ctx workflow.Context) (ReviewStatus, error) {
		r.now = true
		before := r.syncs
		err := workflow.Await(ctx, func() bool { return r.syncs > before || r.state.Phase != phaseOpen })
		return r.status(), err
	}, workflow.UpdateHandlerOptions{
		Description: "Compare both sides at once, instead of at the next poll.",
		Validator: func(workflow.Context) error {
			if r.state.Phase != phaseOpen {
				return refuse("the review is %s: only an open one is synced", r.state.Phase)
			}
			return nil
		},
	})
}

// failed undoes what was begun: nothing stays shared or stored that nobody was told of.
func (r *review) failed(ctx workflow.Context, cause error) (ReviewStatus, error) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	reason := reasonOf(cause)
	if temporal.IsCanceledError(cause) {
		reason = "cancelled in Temporal"
	}
	r.state.Phase, r.state.Note = "failed", reason
	if r.stop {
		r.state.Phase, cause = "stopped", nil
	}
	r.show(ctx)
	if err := workflow.Await(ctx, func() bool { return !r.extending }); err != nil { // which might switch the link on again
		return r.status(), err
	}
	in := FailReviewInput{ReviewRef: r.ref, Status: r.state.Phase, Reason: reason, Fault: faultOf(cause)}
	if err := ActFailReview.Execute(forMending(ctx, "take back, tell people"), in); err != nil {
		return r.status(), err
	}
	return r.status(), cause
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

func (r *review) status() ReviewStatus {
	return ReviewStatus{Phase: r.state.Phase, Title: r.state.Prepared.Title, ShareURL: r.state.ShareURL, ExpiresAt: r.state.ExpiresAt, DeleteAt: r.state.DeleteAt,
		NextSync: r.state.NextSync, ToIconik: r.state.Last.ToIconik, ToFrameio: r.state.Last.ToFrameio, Open: r.state.Last.Open, Note: r.state.Note}
}

// show writes what a person reads in Temporal's UI.
func (r *review) show(ctx workflow.Context) {
	if r.tagged {
		set := []temporal.SearchAttributeUpdate{AttributeStatus.ValueSet(r.state.Phase)}
		if first := r.state.Prepared.FirstAsset; first != "" {
			set = append(set, AttributeAsset.ValueSet(first))
		}
		if err := workflow.UpsertTypedSearchAttributes(ctx, set...); err != nil {
			workflow.GetLogger(ctx).Warn("search attributes not set", "error", err)
		}
	}
	var b strings.Builder
	b.WriteString(fmt.Sprintf("**%s** — %s\n\n| | |\n|---|---|\n", r.state.Phase, orElse(r.state.Prepared.Title, r.ref.Review)))
	row := func(name, value string) {
		if value != "" {
			b.WriteString(fmt.Sprintf("| %s | %s |\n", name, value))
		}
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	row("link", r.state.ShareURL)
	row("assets", strconv.Itoa(r.state.Prepared.Assets))
	row("comments to iconik", strconv.Itoa(r.state.Last.ToIconik))
	row("comments to Frame.io", strconv.Itoa(r.state.Last.ToFrameio))
	row("open comments", strconv.Itoa(r.state.Last.Open))
	row("expires", at(r.state.ExpiresAt))
	row("next poll", at(r.state.NextSync))
	row("media is deleted", at(r.state.DeleteAt))
	if r.state.Note != "" {
		b.WriteString(fmt.Sprintf("\n%s\n", r.state.Note))
	}
	workflow.SetCurrentDetails(ctx, b.String())
}
