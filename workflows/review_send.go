package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/english"
)

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
		// A review that has just ended has the assets in its ledger but nobody to send them. Its status tells the user.
		_ = workflow.SignalExternalWorkflow(ctx, ReviewID(r.ref.Tenant, other), "", SignalResend, nil).Get(ctx, nil)
	}
	return nil
}

// send sends every asset that is not in Frame.io yet, a few at once.
func (r *review) send(ctx workflow.Context) error {
	r.sendCancelled = false
	endSyncing := r.syncMeanwhile(ctx)
	work, err := ActReviewWork.Execute(forCalls(ctx, "what is left to send"), r.ref)
	if err != nil {
		return err
	}
	lanes, busy := max(r.state.Prepared.Parallel, 1), 0
	sending, cancel := workflow.WithCancel(ctx)
	defer cancel()
	handsOver := markerHandsOverSending.isSet(ctx)
	grown := func() bool { return handsOver && workflow.GetInfo(ctx).GetContinueAsNewSuggested() }
	tooLong := func() bool { return handsOver && workflow.GetInfo(ctx).GetCurrentHistoryLength() > sendingEvents }
	var failed error
	left := false // something is left for the next run
	for _, n := range work.Assets {
		if err := workflow.Await(ctx, func() bool { return busy < lanes || r.ends() || tooLong() }); err != nil {
			return err
		}
		if left = grown() || tooLong(); left || r.ends() || failed != nil {
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
	if err := workflow.Await(ctx, func() bool { return busy == 0 || r.ends() || tooLong() }); err != nil {
		return err
	}
	if busy > 0 && (!r.stop || markerStopCancels.isSet(ctx)) {
		r.sendCancelled, left = r.ends(), true
		cancel()
	}
	if err := workflow.Await(ctx, func() bool { return busy == 0 }); err != nil {
		return err
	}
	if err := endSyncing(); err != nil {
		return err
	}
	if failed != nil && !r.sendCancelled && !(left && temporal.IsCanceledError(failed)) {
		return failed
	}
	if left && !r.ends() {
		return r.handOverSending(ctx)
	}
	switch {
	case r.ends() && r.state.ShareURL != "":
		r.endInOrder()
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

// handOverSending has the next run send what is left. If somebody waits for an answer from this run, this run continues.
func (r *review) handOverSending(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	return r.continueAsNew(ctx)
}

// sendAsset fails only if the review cannot continue. An asset that is at fault is left out and named.
func (r *review) sendAsset(ctx workflow.Context, in AssetInput) error {
	what := fmt.Sprintf("asset %d: ", in.N)
	steps := func() error {
		if err := ActStageAsset.Execute(letGo(forProxy(ctx, r.state.Prepared.ProxyWait, what+"find the file to send")), in); err != nil {
			return err
		}
		for tries := 1; ; tries++ {
			err := ActSendAsset.Execute(letGo(forTransfers(ctx, what+"send")), in)
			var app *temporal.ApplicationError
			if err != nil && (tries == uploadRestarts || !errors.As(err, &app) || app.Type() != ErrorUploadGone) {
				return err
			}
			if err == nil {
				break
			}
		}
		return ActSettleAsset.Execute(letGo(forReady(ctx, what+"wait for Frame.io to process it")), in)
	}
	err := steps()
	switch {
	case err == nil:
		return nil
	case r.sendCancelled && r.state.ShareURL != "": // what was shared before stays for its time; this asset does not
		var cancel workflow.CancelFunc
		ctx, cancel = workflow.NewDisconnectedContext(ctx)
		defer cancel()
		in.Reason, in.Fault = "someone stopped the review", FaultContent
		if !r.stop {
			in.Reason = "the review expired before this was sent"
		}
	case r.sendCancelled || temporal.IsCanceledError(err):
		return err
	default:
		in.Reason, in.Fault = reasonOf(err), faultOf(err)
	}
	return ActFailAsset.Execute(forMending(ctx, what+"record why it failed"), in)
}

func (r *review) share(ctx workflow.Context) error {
	endSyncing := r.syncMeanwhile(ctx)
	sharing, done := r.whileUnlessStopped(ctx, markerStopEndsSharing)
	defer done()
	shared, err := ActShareReview.Execute(letGo(forMending(sharing, "watermark, link and invitations")), r.ref)
	if eerr := endSyncing(); eerr != nil {
		return eerr
	}
	if r.ends() && temporal.IsCanceledError(err) && ctx.Err() == nil {
		return r.stopSharing()
	}
	if err != nil {
		return err
	}
	r.state.ShareURL = shared.URL
	if shared.Unwatermarked > 0 {
		r.state.Note = english.Count(shared.Unwatermarked, "file") + " without a watermark"
	}
	endWatching := r.watchExpiry(ctx)
	err = ActPublishReview.Execute(letGo(forMending(sharing, "update iconik, mail the sender")), r.ref)
	if werr := endWatching(); werr != nil {
		return werr
	}
	if r.ends() && temporal.IsCanceledError(err) && ctx.Err() == nil {
		return r.stopSharing()
	}
	if err != nil {
		return err
	}
	r.resend = false
	r.state.Phase = phaseOpen
	return nil
}

// endInOrder leaves it to the phase of an open review to end it.
func (r *review) endInOrder() { r.state.Phase, r.lapsed = phaseOpen, false }

// stopSharing ends a review whose link may already be on and some of whose reviewers may already be invited.
func (r *review) stopSharing() error {
	if !r.stop {
		r.endInOrder()
		return nil
	}
	r.state.Phase, r.state.Ended = phaseClosing, endStopped
	return nil
}
