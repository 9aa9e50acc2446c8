package ledger

import (
	"time"

	"github.com/framebridge/framebridge/mapping"
)

// ReviewStatus is where a review stands, as GET /reviews and the field framebridge_review_status say it.
type ReviewStatus string

// Statuses of a review.
const (
	ReviewSending ReviewStatus = "sending"
	ReviewOpen    ReviewStatus = "open"
	ReviewExpired ReviewStatus = "expired"
	ReviewStopped ReviewStatus = "stopped"
	ReviewDeleted ReviewStatus = "deleted"
	ReviewFailed  ReviewStatus = "failed"
)

// Running says that comments may still come and go.
func (s ReviewStatus) Running() bool { return s == ReviewSending || s == ReviewOpen }

// Person is an iconik user.
type Person struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// Review is one share of iconik assets, from the click to the deletion of the media in Frame.io.
type Review struct {
	newer

	Tenant      string       `json:"Tenant"`
	ID          string       `json:"ID"`
	Status      ReviewStatus `json:"Status"`
	Reason      string       `json:"Reason"`
	Title       string       `json:"Title"`
	Message     string       `json:"Message"`
	Quality     string       `json:"Quality"` // proxy or original
	Download    bool         `json:"Download"`
	Passphrase  bool         `json:"Passphrase"` // kept encrypted, under PassphraseToken
	Reviewers   []string     `json:"Reviewers"`
	RequestedBy Person       `json:"RequestedBy"`
	Click       string       `json:"Click"` // what makes two clicks the same
	// What was clicked; collections are opened by the workflow.
	ClickedAssets      []string `json:"ClickedAssets"`
	ClickedCollections []string `json:"ClickedCollections"`

	WorkflowID    string    `json:"WorkflowID"`
	JobID         string    `json:"JobID"`
	ProjectID     string    `json:"ProjectID"` // in Frame.io
	FolderID      string    `json:"FolderID"`
	ShareID       string    `json:"ShareID"`
	ShareURL      string    `json:"ShareURL"`
	ExpiresAt     time.Time `json:"ExpiresAt"`
	EndedAt       time.Time `json:"EndedAt"`  // expired, stopped or failed
	DeleteAt      time.Time `json:"DeleteAt"` // zero before the end
	ToIconik      int       `json:"ToIconik"`
	ToFrameio     int       `json:"ToFrameio"`
	OpenComments  int       `json:"OpenComments"`
	LastSyncAt    time.Time `json:"LastSyncAt"`
	NextSyncAt    time.Time `json:"NextSyncAt"`
	LastCommentAt time.Time `json:"LastCommentAt"` // a comment came or changed
	CreatedAt     time.Time `json:"CreatedAt"`
	OpenedAt      time.Time `json:"OpenedAt"`
	ClickedAt     time.Time `json:"ClickedAt"`  // by iconik's clock
	Generation    string    `json:"Generation"` // of the API that its Frame.io ids belong to
	Moves         int       `json:"Moves"`      // from one generation to another
	Relinks       int       `json:"Relinks"`    // new links for ones that somebody had deleted
	OldShares     []string  `json:"OldShares"`  // those links, to be switched off with the new one should they come back
	Notes         []string  `json:"Notes"`
	// Forensic and DRM are protections that the form asked for.
	Forensic bool `json:"Forensic"`
	DRM      bool `json:"DRM"`
	// Access is who may open the link, public or secure, and Watermark what is known of its watermark: on, none or unknown.
	Access    string `json:"Access"`
	Watermark string `json:"Watermark"`
	// Trouble is why sharing failed last, and Troubles how often that was the reason.
	Trouble  string `json:"Trouble"`
	Troubles int    `json:"Troubles"`
	// LinkAbsentSince is when Frame.io first did not show the link; it may come back.
	LinkAbsentSince time.Time `json:"LinkAbsentSince"`
}

// PassphraseToken names the encrypted passphrase of a review.
func PassphraseToken(review string) string { return "review/" + review + "/passphrase" }

// AssetState is how far one asset of a review is.
type AssetState string

// States of a review's asset.
const (
	AssetPending    AssetState = "pending"
	AssetUploading  AssetState = "uploading"
	AssetProcessing AssetState = "processing" // Frame.io makes its player files
	AssetReady      AssetState = "ready"
	AssetFailed     AssetState = "failed"
	AssetGone       AssetState = "gone" // deleted by hand on either side
	AssetDeleted    AssetState = "deleted"
)

// ReviewAsset is one file in Frame.io that a review has made of one version of an iconik asset.
type ReviewAsset struct {
	newer

	Review        string     `json:"Review"`
	N             int        `json:"N"` // counts from 1
	AssetID       string     `json:"AssetID"`
	VersionID     string     `json:"VersionID"`
	Title         string     `json:"Title"`
	Name          string     `json:"Name"`
	MediaType     string     `json:"MediaType"`
	Quality       string     `json:"Quality"`
	Size          int64      `json:"Size"`
	BytesDone     int64      `json:"BytesDone"`
	FileID        string     `json:"FileID"`
	StackID       string     `json:"StackID"`
	BeganUpload   time.Time  `json:"BeganUpload"` // a file may have been made whose id is not known
	ReadyAt       time.Time  `json:"ReadyAt"`     // when it was first seen ready, its watermark still missing
	State         AssetState `json:"State"`
	From          []string   `json:"From"` // the reviews whose clicks handed it over to this one
	Reason        string     `json:"Reason"`
	Decision      string     `json:"Decision"` // approved, changes requested or none
	Label         string     `json:"Label"`
	FrameNum      int64      `json:"FrameNum"`
	FrameDen      int64      `json:"FrameDen"`
	Frames        int64      `json:"Frames"`
	StartTimecode string     `json:"StartTimecode"`
	Checksum      string     `json:"Checksum"`   // xxh64 of what was sent
	SeenIconik    bool       `json:"SeenIconik"` // comments older than the review are noted
	WrittenHash   string     `json:"WrittenHash"`
	// AbsentSince is when one side first did not show the file or asset, and AbsentFrom which; it may come back.
	AbsentSince time.Time `json:"AbsentSince"`
	AbsentFrom  string    `json:"AbsentFrom"`
	// BackAt is when it was seen again. What is missing on it may come back a while later.
	BackAt time.Time `json:"BackAt"`
	// NoWatermark says that it is shared without one, and why.
	NoWatermark string `json:"NoWatermark"`
	// Trouble is why sending it failed last, and Troubles how often that was the reason.
	Trouble  string `json:"Trouble"`
	Troubles int    `json:"Troubles"`
	// ClickedAt is the click that it was sent by, by iconik's clock; zero is that of the review.
	ClickedAt time.Time `json:"ClickedAt"`
}

// Rate is the frame rate by which its comments are counted.
func (a ReviewAsset) Rate() mapping.Rate { return mapping.Rate{Num: a.FrameNum, Den: a.FrameDen} }

// Origin is the side where a comment was made.
type Origin string

// Where comments are made.
const (
	FromFrameio Origin = "frameio"
	FromIconik  Origin = "iconik"
)

// ReviewComment is one comment on both sides.
type ReviewComment struct {
	newer

	Review    string    `json:"Review"`
	ID        string    `json:"ID"`
	N         int       `json:"N"` // the asset of the review
	FrameioID string    `json:"FrameioID"`
	IconikID  string    `json:"IconikID"`
	ParentID  string    `json:"ParentID"` // of this table
	Origin    Origin    `json:"Origin"`
	Author    string    `json:"Author"`
	Email     string    `json:"Email"`
	Guest     bool      `json:"Guest"`
	Text      string    `json:"Text"`
	Frame     *int64    `json:"Frame"`
	Frames    int64     `json:"Frames"`
	Page      *int      `json:"Page"`
	Completed bool      `json:"Completed"`
	Drawn     bool      `json:"Drawn"`
	Internal  bool      `json:"Internal"`
	CreatedAt time.Time `json:"CreatedAt"`
	UpdatedAt time.Time `json:"UpdatedAt"`
	// What each side was last seen with, or given.
	Frameio   mapping.State `json:"Frameio"`
	Iconik    mapping.State `json:"Iconik"`
	FrameioAt time.Time     `json:"FrameioAt"`
	IconikAt  time.Time     `json:"IconikAt"`
	// Before and After stand around the text on the side where it was not made.
	Before string `json:"Before"`
	After  string `json:"After"`
	// Deleted is kept, so that a late listing brings nothing back.
	Deleted bool `json:"Deleted"`
	// Older comments of iconik are none of the review's business.
	Older bool `json:"Older"`
	// IntendedAt is when it was sent to the other side, whose answer is not known.
	IntendedAt time.Time `json:"IntendedAt"`
	// Refused is why the other side does not take a change.
	Refused string `json:"Refused"`
}
