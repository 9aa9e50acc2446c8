package activities

import "github.com/framebridge/framebridge/workflows"

// Register registers every activity except the transfers with a worker.
func (a *Activities) Register(r workflows.ActivityRegistry) {
	b, opening := boundary{log: a.log, stuck: a.stuck, config: a.config}, boundary{log: a.log, failFastOnAuth: true, stuck: a.stuck}

	workflows.ActJoinQueue.Register(r, guardTask(b, a.queue.JoinQueue))
	workflows.ActQueuePositions.Register(r, guardTask(b, a.queue.QueuePositions))
	workflows.ActClosedArchives.Register(r, guard(b, a.queue.ClosedArchives))

	workflows.ActOpenArchive.Register(r, guard(b, a.Archive.OpenArchive)) // it decides itself what a rejected token means
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

	workflows.ActMirrorProjects.Register(r, guard(b, a.Mirror.MirrorProjects))
	workflows.ActMirrorProject.Register(r, guard(b, a.Mirror.MirrorProject))

	workflows.ActListProjects.Register(r, guardTask(opening, a.Migration.ListProjects))
	workflows.ActSurveyMigration.Register(r, guard(b, a.Migration.SurveyMigration))
	workflows.ActStartProjects.Register(r, guard(b, a.Migration.StartProjects))
	workflows.ActHoldProjects.Register(r, guardTask(b, a.Migration.HoldProjects))
	workflows.ActAddProjects.Register(r, guard(b, a.Migration.AddProjects))
	workflows.ActFindChanged.Register(r, guard(b, a.Migration.FindChanged))
	workflows.ActOrderProject.Register(r, guardTask(b, a.Migration.OrderProject))
	workflows.ActReleaseProjects.Register(r, guardTask(b, a.Migration.ReleaseProjects))
	workflows.ActCancelProjects.Register(r, guard(b, a.Migration.CancelProjects))
	workflows.ActSetMigrationStatus.Register(r, guardTask(b, a.Migration.SetMigrationStatus))
	workflows.ActWriteAccountReport.Register(r, guardTask(b, a.Migration.WriteAccountReport))
	workflows.ActFinishMigration.Register(r, guard(b, a.Migration.FinishMigration))
	workflows.ActNotifyMigration.Register(r, guardTask(b, a.Migration.NotifyMigration))

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

	a.registerReclaim(r, b)
}

// registerReclaim registers the activities of reclaims, of the delivery of notifications, and of the upkeep.
func (a *Activities) registerReclaim(r workflows.ActivityRegistry, b boundary) {
	workflows.ActExamineReclaim.Register(r, guard(b, a.Reclaim.ExamineReclaim))
	workflows.ActAwaitApproval.Register(r, guardTask(b, a.Reclaim.AwaitReclaimApproval))
	workflows.ActProveFiles.Register(r, guard(b, a.Reclaim.ProveReclaimFiles))
	workflows.ActDeleteProven.Register(r, guard(b, a.Reclaim.DeleteProvenFiles))
	workflows.ActCertifyReclaim.Register(r, guardTask(b, a.Reclaim.CertifyReclaim))
	workflows.ActPauseReclaim.Register(r, guardTask(b, a.Reclaim.PauseReclaim))
	workflows.ActFinishReclaim.Register(r, guard(b, a.Reclaim.FinishReclaim))
	workflows.ActDeliverEvent.Register(r, guard(b, a.Delivery.DeliverEvent))
	workflows.ActEndDelivery.Register(r, guard(b, a.Delivery.EndDelivery))

	workflows.ActSampleBytes.Register(r, guard(b, a.Upkeep.SampleBytes))
	workflows.ActForgetPeople.Register(r, guard(b, a.Upkeep.ForgetPeople))
}

// RegisterTransfers registers the activities that move bytes, with a worker that has its own queue and limits.
func (a *Activities) RegisterTransfers(r workflows.ActivityRegistry) {
	b := boundary{log: a.log, stuck: a.stuck, config: a.config}
	workflows.ActTransferFile.Register(r, guardTask(b, a.Archive.TransferFile))
	workflows.ActCopyTogether.Register(r, guard(b, a.Archive.CopyTogether))
	workflows.ActSendAsset.Register(r, guardTask(b, a.Review.SendAsset))
}
