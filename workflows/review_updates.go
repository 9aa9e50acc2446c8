package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/english"
)

// ExtendUpdate asks for a new expiry.
type ExtendUpdate struct {
	ExpiresAt time.Time `json:"expires_at"`
}

func (r *review) handleExtend(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateExtend, func(ctx workflow.Context, in ExtendUpdate) (ReviewStatus, error) {
		// Whoever reads "expired" may extend at once: the end is recorded before people are told.
		r.reopeners++
		err := workflow.Await(ctx, func() bool { return r.state.Phase != phaseClosing && !r.extending && !r.finishing })
		r.reopeners--
		if err != nil {
			return r.status(), err
		}
		if err := r.extensible(); err != nil {
			return r.status(), err
		}
		reopen := r.state.Phase == phaseRetained
		r.extending = markerOneExtension.isSet(ctx)
		err = ActExtendReview.Execute(forCalls(ctx, "extend until "+english.Minute(in.ExpiresAt)), ExtendInput{ReviewRef: r.ref, ExpiresAt: in.ExpiresAt, Reopen: reopen})
		r.extending = false
		if err != nil {
			return r.status(), err
		}
		r.state.ExpiresAt = in.ExpiresAt
		if reopen && r.state.Phase == phaseRetained {
			r.state.Phase, r.state.Ended, r.state.Warned = phaseOpen, "", false
			r.state.WarnAt, r.state.DeleteAt, r.state.NextSync = time.Time{}, time.Time{}, time.Time{}
			r.state.LastDue, r.state.Away = false, false
		}
		r.syncRequested = true // makes the loop look at its clock again
		return r.status(), nil
	}, workflow.UpdateHandlerOptions{
		Description: "Change the expiry. This reopens an expired review if its media is not deleted yet.",
		Validator: func(ctx workflow.Context, in ExtendUpdate) error {
			now := workflow.Now(ctx)
			switch {
			case r.extensible() != nil:
				return r.extensible()
			case !in.ExpiresAt.After(now):
				return refuse("the expiry %s is in the past", english.Minute(in.ExpiresAt))
			case r.state.Prepared.Longest > 0 && in.ExpiresAt.After(now.Add(r.state.Prepared.Longest)):
				return refuse("the expiry %s is too late: the latest possible is %s", english.Minute(in.ExpiresAt), english.Minute(now.Add(r.state.Prepared.Longest)))
			}
			return nil
		},
	})
}

// extensible returns an error unless the review is open, or expired with its media still there.
func (r *review) extensible() error {
	ending := r.state.Phase == phaseClosing || r.state.Phase == phaseRetained
	switch {
	case r.deleting:
		return refuse("the review's media is being deleted: send the assets again")
	case r.state.Phase == phaseOpen || r.meanwhile || ending && r.state.Ended == endExpired:
		return nil
	}
	return refuse("the review is %s: only an open or expired one can be extended", r.state.Phase)
}

func (r *review) handleStop(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateStop, func(workflow.Context) (ReviewStatus, error) {
		r.stop = true
		return r.status(), nil
	}, workflow.UpdateHandlerOptions{
		Description: "End the review now: switch the link off, then sync a last time. The media is deleted after the retention period.",
		Validator: func(workflow.Context) error {
			switch r.state.Phase {
			case phasePreparing, phaseSending, phaseSharing, phaseOpen:
				if !r.stop {
					return nil
				}
			}
			return refuse("the review has already ended or is ending")
		},
	})
}

func (r *review) handleSync(ctx workflow.Context) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateSync, func(ctx workflow.Context) (ReviewStatus, error) {
		r.syncRequested = true
		before := r.syncs
		err := workflow.Await(ctx, func() bool { return r.syncs > before || r.state.Phase != phaseOpen && !r.meanwhile })
		return r.status(), err
	}, workflow.UpdateHandlerOptions{
		Description: "Sync now instead of at the next poll.",
		Validator: func(workflow.Context) error {
			if r.state.Phase != phaseOpen && !r.meanwhile {
				return refuse("the review is %s: only an open one can be synced", r.state.Phase)
			}
			return nil
		},
	})
}
