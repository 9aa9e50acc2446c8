package activities

import (
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"github.com/framebridge/framebridge/workflows"
)

// Register makes a worker run every activity but the transfers.
func (a *Activities) Register(r worker.ActivityRegistry) {
	for name, fn := range map[string]any{
		workflows.ActJoinQueue:        a.JoinQueue,
		workflows.ActQueuePositions:   a.QueuePositions,
		workflows.ActClosedArchives:   a.ClosedArchives,
		workflows.ActOpenArchive:      a.OpenArchive,
		workflows.ActPrepareIconik:    a.PrepareIconik,
		workflows.ActScanProject:      a.ScanProject,
		workflows.ActMakeCollections:  a.MakeCollections,
		workflows.ActNextRanges:       a.NextRanges,
		workflows.ActRangeItems:       a.RangeItems,
		workflows.ActOpenVersion:      a.OpenVersion,
		workflows.ActCloseVersion:     a.CloseVersion,
		workflows.ActFailItem:         a.FailItem,
		workflows.ActRecheckOriginals: a.RecheckOriginals,
		workflows.ActCopyComments:     a.CopyComments,
		workflows.ActCopyShares:       a.CopyShares,
		workflows.ActVerifyItems:      a.VerifyItems,
		workflows.ActVerifyTree:       a.VerifyTree,
		workflows.ActWriteReport:      a.WriteReport,
		workflows.ActSetStatus:        a.SetStatus,
		workflows.ActFinishArchive:    a.FinishArchive,
		workflows.ActNotify:           a.Notify,
		workflows.ActPlanProject:      a.PlanProject,
		workflows.ActPrepareReview:    a.PrepareReview,
		workflows.ActReviewWork:       a.ReviewWork,
		workflows.ActStageAsset:       a.StageAsset,
		workflows.ActSettleAsset:      a.SettleAsset,
		workflows.ActFailAsset:        a.FailAsset,
		workflows.ActShareReview:      a.ShareReview,
		workflows.ActPublishReview:    a.PublishReview,
		workflows.ActSyncReview:       a.SyncReview,
		workflows.ActExtendReview:     a.ExtendReview,
		workflows.ActEndReview:        a.EndReview,
		workflows.ActWarnReview:       a.WarnReview,
		workflows.ActDeleteMedia:      a.DeleteMedia,
		workflows.ActFailReview:       a.FailReview,
	} {
		r.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
}

// RegisterTransfers makes a worker move bytes; its queue and its limits are its own.
func (a *Activities) RegisterTransfers(r worker.ActivityRegistry) {
	r.RegisterActivityWithOptions(a.TransferFile, activity.RegisterOptions{Name: workflows.ActTransferFile})
	r.RegisterActivityWithOptions(a.SendAsset, activity.RegisterOptions{Name: workflows.ActSendAsset})
}
