package console

import (
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

// badge is a state in words, and how it is colored: go, wait, good, fair, bad or off.
type badge struct{ Text, Class string }

var archiveBadges = map[ledger.ArchiveStatus]badge{
	ledger.Queued: {"Queued", "wait"}, ledger.Planning: {"Reading the project", "go"}, ledger.Running: {"Copying", "go"}, ledger.Waiting: {"Waiting for originals", "wait"},
	ledger.Verifying: {"Verifying", "go"}, ledger.Verified: {"Verified", "good"}, ledger.VerifiedWithExceptions: {"Verified, with exceptions", "fair"},
	ledger.Incomplete: {"Incomplete", "bad"}, ledger.Failed: {"Failed", "bad"}, ledger.Cancelled: {"Canceled", "off"},
}

var itemBadges = map[ledger.ItemState]badge{
	ledger.Pending: {"Pending", "wait"}, ledger.Copying: {"Copying", "go"}, ledger.Copied: {"Copied", "go"}, ledger.ItemVerified: {"Verified", "good"},
	ledger.Skipped: {"Skipped", "fair"}, ledger.ItemFailed: {"Failed", "bad"},
}

var reviewBadges = map[ledger.ReviewStatus]badge{
	ledger.ReviewSending: {"Sending", "go"}, ledger.ReviewOpen: {"Open", "go"}, ledger.ReviewExpired: {"Expired", "off"}, ledger.ReviewStopped: {"Stopped", "off"},
	ledger.ReviewDeleted: {"Ended, media deleted", "off"}, ledger.ReviewFailed: {"Failed", "bad"},
}

var assetBadges = map[ledger.AssetState]badge{
	ledger.AssetPending: {"Pending", "wait"}, ledger.AssetUploading: {"Uploading", "go"}, ledger.AssetProcessing: {"Processing in Frame.io", "go"}, ledger.AssetReady: {"Ready", "good"},
	ledger.AssetFailed: {"Failed", "bad"}, ledger.AssetGone: {"Deleted by hand", "fair"}, ledger.AssetDeleted: {"Deleted", "off"},
}

var decisionBadges = map[string]badge{"approved": {"Approved", "good"}, "changes requested": {"Changes requested", "fair"}, "": {"No decision yet", "off"}, "none": {"No decision yet", "off"}}

// labeled finds a state's badge; one that a newer release knows stays as it is.
func labeled[K ~string](of map[K]badge, state K) badge {
	if b, ok := of[state]; ok {
		return b
	}
	return badge{string(state), "off"}
}

// faults say who can fix it.
var faults = map[string]string{"content": "You can fix this", "system": "An operator must look"}

// timeLeft is how long the rest takes.
func timeLeft(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return "about " + english.Duration(max(coarse(d), min(d, time.Minute))) + " left"
}
