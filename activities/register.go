package activities

import "github.com/framebridge/framebridge/workflows"

// Register makes a worker run every activity but the transfers.
func (a *Activities) Register(r workflows.ActivityRegistry) {
	b, opening := boundary{log: a.log, stuck: a.stuck}, boundary{log: a.log, failFastOnAuth: true, stuck: a.stuck}

	workflows.ActJoinQueue.Register(r, guardTask(b, a.queue.JoinQueue))
	workflows.ActQueuePositions.Register(r, guardTask(b, a.queue.QueuePositions))
	workflows.ActClosedArchives.Register(r, guard(b, a.queue.ClosedArchives))

	workflows.ActOpenArchive.Register(r, guard(b, a.Archive.OpenArchive)) // it decides itself what a refused token means
	workflows.ActPrepareIconik.Register(r, guardTask(b, a.Archive.PrepareIconik))
	workflows.ActScanProject.Register(r, guard(b, a.Archive.ScanProject))
	workflows.ActMakeCollections.Register(r, guardTask(b, a.Archive.MakeCollections))
	workflows.ActNextRanges.Register(r, guard(b, a.Archive.NextRanges))
	workflows.ActRangeItems.Register(r, guard(b, a.Archive.RangeItems))
	workflows.ActOpenVersion.Register(r, guard(b, a.Archive.OpenVersion))
	workflows.ActCloseVersion.Register(r, guardTask(b, a.Archive.CloseVersion))
	workflows.ActFailItem.Register(r, guardTask(b, a.Archive.FailItem))
	workflows.ActRecheckOriginals.Register(r, guard(b, a.Archive.RecheckOriginals))
	workflows.ActCopyComments.Register(r, guard(b, a.Archive.CopyComments))
	workflows.ActCopyShares.Register(r, guardTask(b, a.Archive.CopyShares))
	workflows.ActVerifyItems.Register(r, guard(b, a.Archive.VerifyItems))
	workflows.ActVerifyTree.Register(r, guard(b, a.Archive.VerifyTree))
	workflows.ActWriteReport.Register(r, guardTask(b, a.Archive.WriteReport))
	workflows.ActSetStatus.Register(r, guardTask(b, a.Archive.SetStatus))
	workflows.ActFinishArchive.Register(r, guard(b, a.Archive.FinishArchive))
	workflows.ActNotify.Register(r, guardTask(b, a.Archive.Notify))
	workflows.ActPlanProject.Register(r, guard(opening, a.Archive.PlanProject))

	workflows.ActPrepareReview.Register(r, guard(opening, a.Review.PrepareReview))
	workflows.ActReviewWork.Register(r, guard(b, a.Review.ReviewWork))
	workflows.ActStageAsset.Register(r, guardTask(b, a.Review.StageAsset))
	workflows.ActSettleAsset.Register(r, guardTask(b, a.Review.SettleAsset))
	workflows.ActFailAsset.Register(r, guardTask(b, a.Review.FailAsset))
	workflows.ActShareReview.Register(r, guard(b, a.Review.ShareReview))
	workflows.ActPublishReview.Register(r, guardTask(b, a.Review.PublishReview))
	workflows.ActSyncReview.Register(r, guard(b, a.Review.SyncReview))
	workflows.ActExtendReview.Register(r, guardTask(b, a.Review.ExtendReview))
	workflows.ActRevokeLink.Register(r, guard(b, a.Review.RevokeLink))
	workflows.ActEndReview.Register(r, guard(b, a.Review.EndReview))
	workflows.ActWarnReview.Register(r, guardTask(b, a.Review.WarnReview))
	workflows.ActDeleteMedia.Register(r, guardTask(b, a.Review.DeleteMedia))
	workflows.ActFailReview.Register(r, guardTask(b, a.Review.FailReview))
}

// RegisterTransfers makes a worker move bytes; its queue and its limits are its own.
func (a *Activities) RegisterTransfers(r workflows.ActivityRegistry) {
	b := boundary{log: a.log, stuck: a.stuck}
	workflows.ActTransferFile.Register(r, guardTask(b, a.Archive.TransferFile))
	workflows.ActSendAsset.Register(r, guardTask(b, a.Review.SendAsset))
}
