package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

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
