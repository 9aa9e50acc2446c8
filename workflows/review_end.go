package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// close ends the sharing by switching the link off. The latest comments are still synced while the media is kept.
func (r *review) close(ctx workflow.Context) error {
	if !markerLinkOffFirst.isSet(ctx) {
		return r.closeAfterSync(ctx)
	}
	ended, err := ActRevokeLink.Execute(forMending(ctx, "switch the link off"), EndReviewInput{ReviewRef: r.ref, Status: r.state.Ended})
	if err != nil {
		return err
	}
	r.state.WarnAt, r.state.DeleteAt, r.state.Phase = ended.WarnAt, ended.DeleteAt, phaseRetained
	r.state.LastDue, r.state.NextSync = true, earlier(workflow.Now(ctx), ended.DeleteAt) // at least once
	return nil
}

// syncsOn reports whether something may still be synced after the end.
func (r *review) syncsOn() bool { return r.state.LastDue || r.state.Away }

// lastSync brings over the latest comments and tells people how the review ended. It is retried until the media is deleted, and
// repeated while something is absent that may come back. An extension ends it.
func (r *review) lastSync(ctx workflow.Context) error {
	err := r.unlessExtended(ctx, func(ctx workflow.Context) error {
		in := SyncInput{ReviewRef: r.ref, Full: true, Last: true, Wait: true}
		res, err := ActSyncReview.Execute(letGo(forSync(ctx, workflow.Now(ctx).Add(syncPatience), "last sync")), in)
		if err == nil {
			r.state.Last, r.state.Note = res, res.Notice
			if r.state.LastDue {
				err = r.tellEnd(ctx, "")
			}
		}
		return err
	})
	r.syncs++
	r.state.LastSync = workflow.Now(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		r.state.LastDue, r.state.NextSync = false, time.Time{}
		if r.state.Away = markerLooksForAway.isSet(ctx) && r.state.Last.Away; r.state.Away {
			r.state.NextSync = r.state.LastSync.Add(awayAgain)
		}
	case r.reopeners == 0:
		r.state.Note, r.state.NextSync = "the last sync failed, will retry: "+reasonOf(err), r.state.LastSync.Add(lastSyncAgain)
	}
	r.show(ctx)
	return nil
}

// tellEnd writes the end to iconik and mails it.
func (r *review) tellEnd(ctx workflow.Context, unsynced string) error {
	policy := forSync(ctx, workflow.Now(ctx).Add(syncPatience), "mail the result")
	_, err := ActEndReview.Execute(letGo(policy), EndReviewInput{ReviewRef: r.ref, Status: r.state.Ended, Unsynced: unsynced})
	return err
}

// unlessExtended runs a part of the end that gives way to an extension.
func (r *review) unlessExtended(ctx workflow.Context, do func(workflow.Context) error) error {
	work, cancel := workflow.WithCancel(ctx)
	r.finishing = true
	workflow.Go(ctx, func(ctx workflow.Context) {
		if workflow.Await(ctx, func() bool { return r.reopeners > 0 || !r.finishing }) == nil && r.finishing {
			cancel()
		}
	})
	err := do(work)
	r.finishing = false
	return err
}

// closeAfterSync is how runs without markerLinkOffFirst end.
func (r *review) closeAfterSync(ctx workflow.Context) error {
	res, err := ActSyncReview.Execute(forSync(ctx, workflow.Now(ctx).Add(syncPatience), "last sync"), SyncInput{ReviewRef: r.ref, Full: true, Last: true})
	if err != nil {
		r.state.Note = "the last sync failed: " + reasonOf(err)
	} else {
		r.state.Last = res
	}
	ended, err := ActEndReview.Execute(forMending(ctx, "revoke the link, mail the result"), EndReviewInput{ReviewRef: r.ref, Status: r.state.Ended})
	if err != nil {
		return err
	}
	r.syncs++
	r.state.WarnAt, r.state.DeleteAt, r.state.Phase = ended.WarnAt, ended.DeleteAt, phaseRetained
	return nil
}

// retain waits until the media may be deleted. An extension reopens the review.
func (r *review) retain(ctx workflow.Context) error {
	for r.state.Phase == phaseRetained {
		now := workflow.Now(ctx)
		next := r.state.DeleteAt
		if !r.state.Warned && r.state.WarnAt.Before(next) {
			next = r.state.WarnAt
		}
		if r.syncsOn() {
			next = earlier(next, r.state.NextSync)
		}
		switch {
		case r.syncsOn() && (r.reopeners > 0 || r.extending): // the extension reopens it or fails
			if err := workflow.Await(ctx, func() bool { return r.reopeners == 0 && !r.extending }); err != nil {
				return err
			}
		case r.syncsOn() && !now.Before(r.state.NextSync) && !r.state.NextSync.After(r.state.DeleteAt):
			if err := r.lastSync(ctx); err != nil {
				return err
			}
			if r.syncs >= syncsPerRun || workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
				if err := r.continueAsNew(ctx); err != nil {
					return err
				}
			}
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
			if err := ActWarnReview.Execute(forCalls(ctx, "mail a warning before the deletion"), r.ref); err != nil {
				r.state.Note = "could not mail the warning: " + reasonOf(err)
			}
			r.state.Warned = true
		default:
			r.deleting = markerOneExtension.isSet(ctx)
			if r.state.LastDue {
				if err := r.tellEnd(ctx, r.state.Note); err != nil {
					r.state.Note = "could not mail the result: " + reasonOf(err)
				}
				r.state.LastDue = false
			}
			if err := ActDeleteMedia.Execute(forMending(ctx, "delete what this review uploaded"), r.ref); err != nil {
				return err
			}
			r.state.Phase = phaseDeleted
			r.show(ctx)
		}
	}
	return nil
}

// failed undoes what was begun, so that nothing stays shared or stored without anybody knowing.
func (r *review) failed(ctx workflow.Context, cause error) (ReviewStatus, error) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	reason := reasonOf(cause)
	if temporal.IsCanceledError(cause) {
		reason = "canceled in Temporal"
	}
	r.state.Phase, r.state.Note = phaseFailed, reason
	if r.stop {
		r.state.Phase, cause = endStopped, nil
	}
	r.show(ctx)
	if err := workflow.Await(ctx, func() bool { return !r.extending }); err != nil { // an extension might switch the link on again
		return r.status(), err
	}
	in := FailReviewInput{ReviewRef: r.ref, Status: r.state.Phase, Reason: reason, Fault: faultOf(cause)}
	if err := ActFailReview.Execute(forMending(ctx, "roll back, mail the failure"), in); err != nil {
		return r.status(), err
	}
	return r.status(), cause
}
