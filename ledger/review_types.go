package ledger

import (
	"time"

	"github.com/framebridge/framebridge/mapping"
)

// ReviewStatus is the status of a review, as GET /reviews and the field framebridge_review_status show it.
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

// Running reports whether comments may still be synced.
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
	Passphrase  bool         `json:"Passphrase"` // stored encrypted, under PassphraseToken
	Reviewers   []string     `json:"Reviewers"`
	RequestedBy Person       `json:"RequestedBy"`
	Click       string       `json:"Click"` // the key by which two clicks are the same
	// The selection; the workflow expands collections.
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
	LastCommentAt time.Time `json:"LastCommentAt"` // when a comment last came or changed
	CreatedAt     time.Time `json:"CreatedAt"`
	OpenedAt      time.Time `json:"OpenedAt"`
	ClickedAt     time.Time `json:"ClickedAt"`  // by iconik's clock
	Generation    string    `json:"Generation"` // of the API that its Frame.io ids belong to
	Moves         int       `json:"Moves"`      // from one generation to another
	Relinks       int       `json:"Relinks"`    // new links for ones that somebody deleted
	OldShares     []string  `json:"OldShares"`  // the deleted links; if they come back, they are switched off with the new one
	Notes         []string  `json:"Notes"`
	// Forensic and DRM are protections that the form requested.
	Forensic bool `json:"Forensic"`
	DRM      bool `json:"DRM"`
	// Access is who may open the link: public or secure. Watermark is what is known about its watermark: on, none or unknown.
	Access    string `json:"Access"`
	Watermark string `json:"Watermark"`
	// Trouble is why sharing last failed, and Troubles how often it failed for that reason.
	Trouble  string `json:"Trouble"`
	Troubles int    `json:"Troubles"`
	// ExtendingTo is the expiry that an extension is giving the link, recorded before the link is changed.
	ExtendingTo time.Time `json:"ExtendingTo"`
	// LinkAbsentSince is when Frame.io first no longer showed the link. It may come back.
	LinkAbsentSince time.Time `json:"LinkAbsentSince"`
	// Failing is since when a sync has failed to do what it does beside the comments.
	Failing map[string]time.Time `json:"Failing"`
	// LinkOff is the ID of the link that Framebridge itself has switched off during the review, until somebody switches it on.
	LinkOff string `json:"LinkOff"`
}

// PassphraseToken returns the name of the token that holds a review's passphrase.
func PassphraseToken(review string) string { return "review/" + review + "/passphrase" }

// AssetState is the state of one asset of a review.
type AssetState string

// States of a review's asset.
const (
	AssetPending    AssetState = "pending"
	AssetUploading  AssetState = "uploading"
	AssetProcessing AssetState = "processing" // Frame.io is making its proxies for the player
	AssetReady      AssetState = "ready"
	AssetFailed     AssetState = "failed"
	AssetGone       AssetState = "gone" // deleted by hand on either side
	AssetDeleted    AssetState = "deleted"
)

// ReviewAsset is one file in Frame.io that a review created from one version of an iconik asset.
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
	BeganUpload   time.Time  `json:"BeganUpload"` // a file may have been created whose id is unknown
	ReadyAt       time.Time  `json:"ReadyAt"`     // when it was first seen ready, with its watermark still missing
	State         AssetState `json:"State"`
	From          []string   `json:"From"` // the reviews whose clicks were handed over to this one
	Reason        string     `json:"Reason"`
	Decision      string     `json:"Decision"` // approved, changes requested or none
	Label         string     `json:"Label"`
	FrameNum      int64      `json:"FrameNum"`
	FrameDen      int64      `json:"FrameDen"`
	Frames        int64      `json:"Frames"`
	StartTimecode string     `json:"StartTimecode"`
	Checksum      string     `json:"Checksum"`   // xxh64 of what was sent
	SeenIconik    bool       `json:"SeenIconik"` // comments older than the review have been recorded
	WrittenHash   string     `json:"WrittenHash"`
	// AbsentSince is when one side first no longer showed the file or asset, and AbsentFrom is that side. It may come back.
	AbsentSince time.Time `json:"AbsentSince"`
	AbsentFrom  string    `json:"AbsentFrom"`
	// BackAt is when it was seen again. What is still missing on it may come back a while later.
	BackAt time.Time `json:"BackAt"`
	// NoWatermark is why it is shared without a watermark, or empty.
	NoWatermark string `json:"NoWatermark"`
	// Trouble is why sending it last failed, and Troubles how often it failed for that reason.
	Trouble  string `json:"Trouble"`
	Troubles int    `json:"Troubles"`
	// ClickedAt is the time of the click that sent it, by iconik's clock; zero means the review's own click.
	ClickedAt time.Time `json:"ClickedAt"`
	// LabelAt is until when decisions in iconik are older than Label, if it is a reviewer's: at first by Frame.io's clock, and by iconik's
	// once Framebridge has looked there. LabelBefore is the last status that a reviewer gave the file.
	LabelAt     time.Time `json:"LabelAt"`
	LabelBefore string    `json:"LabelBefore"`
	// LabelSent is the status that the file has by a decision in iconik, or is about to get. LabelSentAt is when it was sent, and
	// LabelOver the one that it replaced. LabelRefused is when Frame.io last refused one.
	LabelSent    string    `json:"LabelSent"`
	LabelSentAt  time.Time `json:"LabelSentAt"`
	LabelOver    string    `json:"LabelOver"`
	LabelRefused time.Time `json:"LabelRefused"`
	// Approval is the last decision in iconik that was brought over or left alone: who, what and when, or "none". It is empty
	// until Framebridge has looked.
	Approval string `json:"Approval"`
	// WithdrawnAt is when iconik first no longer listed that decision.
	WithdrawnAt time.Time `json:"WithdrawnAt"`
}

// Rate returns the frame rate in which its comments' frames are counted.
func (a ReviewAsset) Rate() mapping.Rate { return mapping.Rate{Num: a.FrameNum, Den: a.FrameDen} }

// Origin is the side where a comment was made.
type Origin string

// Origins of comments.
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
	ParentID  string    `json:"ParentID"` // an ID in this table
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
	// The state in which each side was last seen or written.
	Frameio   mapping.State `json:"Frameio"`
	Iconik    mapping.State `json:"Iconik"`
	FrameioAt time.Time     `json:"FrameioAt"`
	IconikAt  time.Time     `json:"IconikAt"`
	// Before and After surround the text on the side where the comment was not made.
	Before string `json:"Before"`
	After  string `json:"After"`
	// Deleted keeps the row, so that a late listing brings nothing back.
	Deleted bool `json:"Deleted"`
	// Older marks a comment in iconik from before the review, which does not belong to it.
	Older bool `json:"Older"`
	// IntendedAt is when it was sent to the other side, if the answer is unknown.
	IntendedAt time.Time `json:"IntendedAt"`
	// Refused is why the other side does not accept a change.
	Refused string `json:"Refused"`
}
