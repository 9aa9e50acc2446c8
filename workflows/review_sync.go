package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// open keeps comments and decisions in sync on both sides until the expiry.
func (r *review) open(ctx workflow.Context) error {
	for {
		now := workflow.Now(ctx)
		over := r.stop || !now.Before(r.state.ExpiresAt)
		switch {
		case over && !r.extending:
			r.state.Phase, r.state.Ended = phaseClosing, endExpired
			if r.stop {
				r.state.Ended = endStopped
			}
			return nil
		case r.resend && !over:
			r.resend = false
			r.state.Phase = phaseSending
			return nil
		case r.syncRequested || r.awake() || !now.Before(r.state.NextSync):
			r.sync(ctx)
		default:
			next := r.state.NextSync
			if !over {
				next = earlier(next, r.state.ExpiresAt)
			}
			_, err := workflow.AwaitWithTimeout(ctx, next.Sub(now), func() bool {
				return r.awake() || r.syncRequested || (r.stop || over) && !r.extending || r.resend && !over
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

// ends reports whether what is being sent is given up.
func (r *review) ends() bool { return r.stop || r.lapsed }

// syncMeanwhile keeps a review that is open in sync while it sends or shares more, and notices its expiry. The caller must call end
// once that is over.
func (r *review) syncMeanwhile(ctx workflow.Context) (end func() error) { return r.watch(ctx, true) }

// watchExpiry only notices the expiry of a review that people are being told about.
func (r *review) watchExpiry(ctx workflow.Context) (end func() error) { return r.watch(ctx, false) }

func (r *review) watch(ctx workflow.Context, syncs bool) (end func() error) {
	r.lapsed = false
	if r.state.ShareURL == "" || !markerSyncsWhileSending.isSet(ctx) {
		return func() error { return nil }
	}
	over, done := false, false
	r.meanwhile = syncs
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { done = true }()
		for !over && !r.ends() {
			now := workflow.Now(ctx)
			expired := !now.Before(r.state.ExpiresAt)
			grown := workflow.GetInfo(ctx).GetContinueAsNewSuggested() || workflow.GetInfo(ctx).GetCurrentHistoryLength() > sendingEvents/2
			next := r.state.NextSync
			switch {
			case !syncs:
				next = r.state.ExpiresAt
			case grown: // then webhooks wait for the next poll, which is rare
				next = later(next, r.state.LastSync.Add(syncWhenGrown))
			}
			switch {
			case expired && !r.extending:
				r.lapsed = true
			case syncs && (r.syncRequested || r.awake() && !grown || !now.Before(next)):
				r.sync(ctx)
			default:
				switch {
				case !expired:
					next = earlier(next, r.state.ExpiresAt)
				case !syncs: // until the extension has ended
					next = now.Add(syncWhenGrown)
				}
				if _, err := workflow.AwaitWithTimeout(ctx, next.Sub(now), func() bool {
					return over || r.ends() || syncs && (r.syncRequested || r.awake() && !grown) || expired && !r.extending
				}); err != nil {
					return
				}
			}
		}
	})
	return func() error {
		over, r.meanwhile = true, false
		return workflow.Await(ctx, func() bool { return done })
	}
}

func (r *review) awake() bool { return len(r.state.Hints) > 0 || r.state.AllHints }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sync compares both sides once and makes them equal. A failure is shown, and the next sync makes up for it.
func (r *review) sync(ctx workflow.Context) {
	now := workflow.Now(ctx)
	in := SyncInput{ReviewRef: r.ref, Hints: r.state.Hints, Full: r.syncRequested || r.state.AllHints || !now.Before(r.state.NextSync)}
	if in.Full {
		in.Hints = nil
	}
	r.state.Hints, r.state.AllHints, r.syncRequested = nil, false, false
	until := r.state.ExpiresAt
	if !now.Before(until) {
		until = now.Add(syncPatience) // an extension is in progress
	}
	syncing, done := r.whileUnlessStopped(ctx, markerStopEndsSync)
	res, err := ActSyncReview.Execute(letGo(forSync(syncing, until, "comments and decisions")), in)
	done()
	r.state.LastSync = workflow.Now(ctx)
	switch {
	case r.stop && temporal.IsCanceledError(err): // the last sync follows
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

// whileUnlessStopped returns a context that a stop cancels, if the run has the marker, or the expiry of a review that sends or shares
// more. The caller must call done.
func (r *review) whileUnlessStopped(ctx workflow.Context, m marker) (_ workflow.Context, done func()) {
	over := r.ends() // the stop came earlier and waits for an extension
	work, cancel := workflow.WithCancel(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		if workflow.Await(ctx, func() bool { return r.ends() || over }) == nil && !over && (r.lapsed || m.isSet(ctx)) {
			cancel()
		}
	})
	return work, func() { over = true }
}

// hint remembers what a webhook was about, up to mostHints hints.
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
