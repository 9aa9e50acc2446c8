package workflows

import "time"

// The activities of a review. Package activities implements them.
var (
	ActPrepareReview = declare[ReviewRef, PrepareReviewResult]("PrepareReview")
	ActReviewWork    = declare[ReviewRef, ReviewWorkResult]("ReviewWork")
	ActStageAsset    = task[AssetInput]("StageAsset")
	ActSendAsset     = task[AssetInput]("SendAsset")
	ActSettleAsset   = task[AssetInput]("SettleAsset")
	ActFailAsset     = task[AssetInput]("FailAsset")
	ActShareReview   = declare[ReviewRef, ShareReviewResult]("ShareReview")
	ActPublishReview = task[ReviewRef]("PublishReview")
	ActSyncReview    = declare[SyncInput, SyncResult]("SyncReview")
	ActExtendReview  = task[ExtendInput]("ExtendReview")
	ActRevokeLink    = declare[EndReviewInput, EndReviewResult]("RevokeLink")
	ActEndReview     = declare[EndReviewInput, EndReviewResult]("EndReview")
	ActWarnReview    = task[ReviewRef]("WarnReview")
	ActDeleteMedia   = task[ReviewRef]("DeleteMedia")
	ActFailReview    = task[FailReviewInput]("FailReview")
)

type (
	// ReviewRef names one review in every activity's input.
	ReviewRef struct {
		Tenant string `json:"tenant"`
		Review string `json:"review"`
	}
	// PrepareReviewResult is what the workflow must know about its review.
	PrepareReviewResult struct {
		Title      string        `json:"title"`
		Assets     int           `json:"assets"`
		FirstAsset string        `json:"first_asset"`
		ExpiresAt  time.Time     `json:"expires_at"`
		Longest    time.Duration `json:"longest"`
		Parallel   int           `json:"parallel"`
		ProxyWait  time.Duration `json:"proxy_wait"`
		// HandedOver lists the running reviews that got assets of this one as new versions.
		HandedOver []string `json:"handed_over,omitempty"`
	}
	// ReviewWorkResult lists the assets, by their numbers, that are not in Frame.io yet.
	ReviewWorkResult struct {
		Assets []int `json:"assets,omitempty"`
		Ready  int   `json:"ready"`
		Failed int   `json:"failed"`
		// Reason is that of one failed asset.
		Reason string `json:"reason,omitempty"`
	}
	// AssetInput is one asset of a review, counted from 0, and why it failed if it did.
	AssetInput struct {
		ReviewRef
		N      int    `json:"n"`
		Reason string `json:"reason,omitempty"`
		// Fault is FaultContent or FaultSystem.
		Fault string `json:"fault,omitempty"`
	}
	// ShareReviewResult is the link that was created.
	ShareReviewResult struct {
		URL string `json:"url"`
		// Unwatermarked counts files that were shared without a watermark because the tenant only prefers one.
		Unwatermarked int `json:"unwatermarked,omitempty"`
	}
	// Hint says what a webhook was about. An empty Hint asks for everything.
	Hint struct {
		Frameio string `json:"frameio,omitempty"` // a file
		Asset   string `json:"asset,omitempty"`   // an iconik asset
		Segment string `json:"segment,omitempty"` // of that asset
	}
	// SyncInput asks for a sync of both sides.
	SyncInput struct {
		ReviewRef
		Hints []Hint `json:"hints,omitempty"`
		// Full reads everything: comments, decisions, and whether the link and the files still exist.
		Full bool `json:"full"`
		// Last marks the sync before the review closes.
		Last bool `json:"last,omitempty"`
		// Wait makes the activity retry if a later sync would find more, because no later one follows.
		Wait bool `json:"wait,omitempty"`
	}
	// SyncResult counts the comments brought over so far and says when to sync next.
	SyncResult struct {
		ToIconik  int           `json:"to_iconik"`
		ToFrameio int           `json:"to_frameio"`
		Open      int           `json:"open"`
		Changes   int           `json:"changes"` // made by this sync on either side
		NextIn    time.Duration `json:"next_in"`
		// Pending says that assets were added to the review.
		Pending bool `json:"pending,omitempty"`
		// Away says that some assets count as deleted but may come back.
		Away   bool   `json:"away,omitempty"`
		Notice string `json:"notice,omitempty"`
	}
	// ExtendInput moves the expiry. Reopen switches an expired link on again.
	ExtendInput struct {
		ReviewRef
		ExpiresAt time.Time `json:"expires_at"`
		Reopen    bool      `json:"reopen,omitempty"`
	}
	// EndReviewInput closes a review.
	EndReviewInput struct {
		ReviewRef
		Status string `json:"status"` // expired or stopped
		// Unsynced is why the last sync did not succeed for as long as the media was kept.
		Unsynced string `json:"unsynced,omitempty"`
	}
	// EndReviewResult is when the deletion of the review's media is announced and when it happens.
	EndReviewResult struct {
		WarnAt   time.Time `json:"warn_at"`
		DeleteAt time.Time `json:"delete_at"`
	}
	// FailReviewInput closes a review that was never open.
	FailReviewInput struct {
		ReviewRef
		Status string `json:"status"` // failed or stopped
		Reason string `json:"reason"`
		Fault  string `json:"fault"`
	}
)
