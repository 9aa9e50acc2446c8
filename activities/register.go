package activities

import "github.com/framebridge/framebridge/workflows"

// Register makes a worker run every activity but the transfers.
func (a *Activities) Register(r workflows.ActivityRegistry) {
	workflows.ActJoinQueue.Register(r, a.JoinQueue)
	workflows.ActQueuePositions.Register(r, a.QueuePositions)
	workflows.ActClosedArchives.Register(r, a.ClosedArchives)
	workflows.ActOpenArchive.Register(r, a.OpenArchive)
	workflows.ActPrepareIconik.Register(r, a.PrepareIconik)
	workflows.ActScanProject.Register(r, a.ScanProject)
	workflows.ActMakeCollections.Register(r, a.MakeCollections)
	workflows.ActNextRanges.Register(r, a.NextRanges)
	workflows.ActRangeItems.Register(r, a.RangeItems)
	workflows.ActOpenVersion.Register(r, a.OpenVersion)
	workflows.ActCloseVersion.Register(r, a.CloseVersion)
	workflows.ActFailItem.Register(r, a.FailItem)
	workflows.ActRecheckOriginals.Register(r, a.RecheckOriginals)
	workflows.ActCopyComments.Register(r, a.CopyComments)
	workflows.ActCopyShares.Register(r, a.CopyShares)
	workflows.ActVerifyItems.Register(r, a.VerifyItems)
	workflows.ActVerifyTree.Register(r, a.VerifyTree)
	workflows.ActWriteReport.Register(r, a.WriteReport)
	workflows.ActSetStatus.Register(r, a.SetStatus)
	workflows.ActFinishArchive.Register(r, a.FinishArchive)
	workflows.ActNotify.Register(r, a.Notify)
	workflows.ActPlanProject.Register(r, a.PlanProject)
	workflows.ActPrepareReview.Register(r, a.PrepareReview)
	workflows.ActReviewWork.Register(r, a.ReviewWork)
	workflows.ActStageAsset.Register(r, a.StageAsset)
	workflows.ActSettleAsset.Register(r, a.SettleAsset)
	workflows.ActFailAsset.Register(r, a.FailAsset)
	workflows.ActShareReview.Register(r, a.ShareReview)
	workflows.ActPublishReview.Register(r, a.PublishReview)
	workflows.ActSyncReview.Register(r, a.SyncReview)
	workflows.ActExtendReview.Register(r, a.ExtendReview)
	workflows.ActEndReview.Register(r, a.EndReview)
	workflows.ActWarnReview.Register(r, a.WarnReview)
	workflows.ActDeleteMedia.Register(r, a.DeleteMedia)
	workflows.ActFailReview.Register(r, a.FailReview)
}

// RegisterTransfers makes a worker move bytes; its queue and its limits are its own.
func (a *Activities) RegisterTransfers(r workflows.ActivityRegistry) {
	workflows.ActTransferFile.Register(r, a.TransferFile)
	workflows.ActSendAsset.Register(r, a.SendAsset)
}
