package console

import (
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/ledger"
)

var archiveBadges = map[ledger.ArchiveStatus]page.Badge{
	ledger.Queued: page.Wait("Queued"), ledger.Planning: page.Go("Reading the project"), ledger.Running: page.Go("Copying"), ledger.Waiting: page.Wait("Waiting for originals"),
	ledger.Verifying: page.Go("Verifying"), ledger.Verified: page.Good("Verified"), ledger.VerifiedWithExceptions: page.Fair("Verified, with exceptions"),
	ledger.Incomplete: page.Bad("Incomplete"), ledger.Failed: page.Bad("Failed"), ledger.Cancelled: page.Off("Canceled"),
}

var itemBadges = map[ledger.ItemState]page.Badge{
	ledger.Pending: page.Wait("Pending"), ledger.Copying: page.Go("Copying"), ledger.Copied: page.Go("Copied"), ledger.ItemVerified: page.Good("Verified"),
	ledger.Skipped: page.Fair("Skipped"), ledger.ItemFailed: page.Bad("Failed"),
}

var reviewBadges = map[ledger.ReviewStatus]page.Badge{
	ledger.ReviewSending: page.Go("Sending"), ledger.ReviewOpen: page.Go("Open"), ledger.ReviewExpired: page.Off("Expired"), ledger.ReviewStopped: page.Off("Stopped"),
	ledger.ReviewDeleted: page.Off("Ended, media deleted"), ledger.ReviewFailed: page.Bad("Failed"),
}

var assetBadges = map[ledger.AssetState]page.Badge{
	ledger.AssetPending: page.Wait("Pending"), ledger.AssetUploading: page.Go("Uploading"), ledger.AssetProcessing: page.Go("Processing in Frame.io"),
	ledger.AssetReady:  page.Good("Ready"),
	ledger.AssetFailed: page.Bad("Failed"), ledger.AssetGone: page.Fair("Deleted by hand"), ledger.AssetDeleted: page.Off("Deleted"),
}

var decisionBadges = map[string]page.Badge{"approved": page.Good("Approved"), "changes requested": page.Fair("Changes requested"), "": page.Off("No decision yet"),
	"none": page.Off("No decision yet")}

// faults say who can fix a problem.
var faults = map[string]string{ledger.FaultContent: "You can fix this", ledger.FaultSystem: "An operator must look"}
