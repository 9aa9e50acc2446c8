// Package frameio is the port to Frame.io: what can be read (Reader), what can be changed (Writer), and what comes in by
// webhook. Both generations of its API, legacy (V2) and V4, are adapters behind it, which the package open makes; nothing
// outside this folder knows which one a tenant is on, beyond what Capabilities and Migrated say.
package frameio

import (
	"time"

	"github.com/framebridge/framebridge/mapping"
)

// Generation names one of Frame.io's two APIs.
type Generation string

// Frame.io's two APIs.
const (
	Legacy Generation = "legacy"
	V4     Generation = "v4"
)

// IDCharacters are those that ids of Frame.io may have besides letters, digits, - and _: those of accounts on Adobe's storage
// are adobe:<id>, and adobe:<id>|<version> of files.
const IDCharacters = ":|.@/"

// Capabilities says what a generation can do, so that callers adapt without asking which it is.
type Capabilities struct {
	// Checksums: Frame.io publishes the xxHash64 of originals (it may still be absent on a file).
	Checksums bool
	// NativeArchive: a project's originals can be away in cold storage and come back.
	NativeArchive bool
	// CreateReplies: a comment can be posted as a reply to another.
	CreateReplies bool
	// TeamOnlyComments: a comment can be hidden from reviewers.
	TeamOnlyComments bool
	// WatermarkOnFiles: whether a file is watermarked shows on the file, before it is shared; otherwise it shows on the
	// share, after that was made.
	WatermarkOnFiles bool
	// SharesOnly: there is one kind of share, as which presentations and review links live on after a migration.
	SharesOnly bool
	// MayMigrate: Frame.io may move the account to the other API at any moment, and refuses its tokens from then on.
	MayMigrate bool
	// FolderMembers: who may see a folder can be listed.
	FolderMembers bool
	// InviteBatch is how many addresses Invite takes at once.
	InviteBatch int
	// ShareBatch is how many assets CreateShare takes at once.
	ShareBatch int
	// CommentPolls is how many comment listings a minute the API gives one token.
	CommentPolls int
	// ListLimit is the listing of children's rate in calls a minute, for estimates; 0 is unknown.
	ListLimit int
}

// Page is one page of a listing; Next is empty on the last one.
type Page[T any] struct {
	Items []T
	Next  string
}

// User is a person with an account. Email and Name are empty where Frame.io does not show them.
type User struct {
	ID, Name, Email string
}

// Team is what holds projects: a team of the legacy API, a workspace of V4.
type Team struct {
	ID, Name string
}

// Project is one project of the account.
type Project struct {
	ID, Name string
	RootID   string // the root folder
	Team     Team
	// Archived: the project is in Frame.io's cold storage (archived, or on its way there or back).
	Archived bool
	// Inactive is V4's word for a project that is put aside: its media is there in full.
	Inactive    bool
	Description string
	Owner       User
	Restricted  bool // only invited people see it
	CreatedAt   time.Time
	UpdatedAt   time.Time
	URL         string // where a person opens it
	// Settings are its other properties as Frame.io sent them.
	Settings map[string]any
}

// Stored is how many bytes Frame.io says that a project holds; false where it does not say.
func (p Project) Stored() (int64, bool) {
	switch n := p.Settings["storage"].(type) {
	case float64:
		return int64(n), true
	case int64:
		return n, true
	}
	return 0, false
}

// AssetKind is what a node of the project's tree is.
type AssetKind string

// Kinds of nodes.
const (
	KindFile   AssetKind = "file"
	KindFolder AssetKind = "folder"
	KindStack  AssetKind = "version_stack"
)

// MediaClass groups files by how Frame.io plays them.
type MediaClass string

// Classes of media.
const (
	ClassStream   MediaClass = "stream" // video and audio
	ClassImage    MediaClass = "image"
	ClassDocument MediaClass = "document"
	ClassOther    MediaClass = ""
)

// Original says whether a file's original bytes can be had.
type Original string

// What can be had of an original.
const (
	OriginalAvailable     Original = "available"
	OriginalArchived      Original = "archived"       // in cold storage: it can come back
	OriginalMissing       Original = "missing"        // there is no link, although the project is not in cold storage
	OriginalWatermarked   Original = "watermarked"    // only a session-watermarked stream is served
	OriginalNeverUploaded Original = "never uploaded" // the upload was not completed
	OriginalForbidden     Original = "forbidden"      // the token's user may not download it
)

// Asset is a node of a project's tree: a file, a folder, or a version stack.
type Asset struct {
	ID, ParentID, ProjectID string
	Kind                    AssetKind
	Name                    string
	URL                     string // where a person opens it

	Size      int64 // bytes, as Frame.io states it
	MediaType string
	Class     MediaClass
	Checksum  string // xxHash64 of the original in lower-case hex; empty when Frame.io has none
	Original  Original
	HasProxy  bool
	// Ready: Frame.io has the bytes and has made what its player needs.
	Ready bool
	// UploadFailed: Frame.io could not take the upload.
	UploadFailed bool
	Watermark    Watermark

	Duration      float64      // seconds
	FrameRate     mapping.Rate // the zero value: there is none
	Frames        int64
	StartTimecode string
	Width, Height int

	Label       string // "none", "approved", …
	Rating      *float64
	Description string
	Properties  map[string]any
	Uploader    User         // of folders and stacks: who made them
	Fields      []FieldValue // V4's metadata, in its order

	CreatedAt, UploadedAt, UpdatedAt time.Time

	TeamOnly     bool   // hidden from those who are not of the team
	CommentCount int    // -1: not counted by this API
	CommentHint  *int   // a count that may be wrong or of other comments than are listed: good for an order; nil: none
	ItemCount    int    // of folders and stacks
	CoverID      string // of stacks: the current version
}

// Rendition is which bytes of a file are meant.
type Rendition string

// Renditions that are copied.
const (
	RenditionOriginal Rendition = "original"
	RenditionProxy    Rendition = "proxy"
)

// Media is where a file's bytes can be read. URL is a secret: it must not be logged, stored or put into a history.
type Media struct {
	URL       string
	Rendition Rendition
	Size      int64 // bytes, -1 when unknown (watermarked streams)
	Ranges    bool  // the host answers range requests
	Name      string
	MediaType string
	ExpiresAt time.Time // zero when unknown
}

// OriginalUnavailable is returned by Media when Frame.io does not give the bytes asked for.
type OriginalUnavailable struct {
	FileID  string
	Why     Original
	NoProxy bool
}

func (e *OriginalUnavailable) Error() string {
	if e.NoProxy {
		return "Frame.io has neither an original nor a proxy of file " + e.FileID + ": " + string(e.Why)
	}
	return "Frame.io has no original of file " + e.FileID + ": " + string(e.Why)
}

// Person is who wrote a comment. Guests have no account.
type Person struct {
	ID, Name, Email string
	Guest           bool
	Unknown         bool // the generation does not say who
}

// Comment is one comment or reply on a file.
type Comment struct {
	ID, FileID string
	ParentID   string // the comment this one replies to, or empty
	Text       string
	Author     Person
	// Frame counts from 0 in the file; nil for a comment on the whole file.
	Frame *int64
	// Frames is how many frames a range comment covers; 0 for a point.
	Frames      int64
	Page        *int // of documents, from 1 as Frame.io counts
	Completed   bool
	CompletedAt time.Time
	TeamOnly    bool
	// Annotation is the drawing's source JSON as Frame.io sent it, empty for none.
	Annotation           string
	CreatedAt, UpdatedAt time.Time

	Anchor      *Point // where in the picture it was pinned
	CompletedBy User   // ID only where Frame.io does not say who that is
	Likes       int    // whose they are is not said
	EditedAt    time.Time
	Links       []TextLink
	Mentions    []Mention
	Attachments []Attachment
	Markup      *TextMarkup
}

// ShareKind is which of Frame.io's ways of sharing a Share is.
type ShareKind string

// Ways of sharing: the first two are the legacy API's.
const (
	SharePresentation ShareKind = "presentation"
	ShareReviewLink   ShareKind = "review_link"
	ShareV4           ShareKind = "share"
)

// Share is a link that shows some of a project's assets to people outside it.
type Share struct {
	ID        string
	Kind      ShareKind
	Name      string
	URL       string
	Active    bool
	ExpiresAt time.Time // zero: never
	Watermark Watermark
	// HasPassphrase: whoever opens it is asked for one, which Frame.io may have made by itself.
	HasPassphrase bool
	Access        Access // AccessPublic or AccessSecure
	Downloads     bool   // whoever opens it may download
	// Refused is what CreateShare had to leave out.
	Refused      []Refused
	CreatedAt    time.Time
	Owner        User
	CollectionID string // of V4: the collection that it shows
	// Settings are the share's other settings as Frame.io sent them, without passphrases.
	Settings map[string]any
	// Items, when not nil, came with the listing; otherwise ask ShareItems.
	Items []ShareItem
}

// Refused is something that Frame.io did not take when a share was made, and its own words about it; Why is empty where the
// server does not know the field.
type Refused struct{ What, Why string }

// What may be refused.
const (
	RefusedWatermark = "watermark"
	RefusedDownload  = "download"
	RefusedPublic    = "public"
	RefusedOpen      = "no passphrase" // one was made up
	RefusedClosed    = "closed"        // the share is on, and empty
)

// Refusal returns what Frame.io said about something that it did not take.
func (s Share) Refusal(what string) (why string, refused bool) {
	for _, r := range s.Refused {
		if r.What == what {
			return r.Why, true
		}
	}
	return "", false
}

// ShareItem is one asset that a share shows.
type ShareItem struct {
	AssetID string // a file, folder or stack of the project
	Kind    AssetKind
}

// Reviewers are the people invited to a share.
type Reviewers struct {
	Emails []string
	People []User // the same, with their names where the generation tells
	Listed bool   // Emails are all of them
	Count  int    // -1 when unknown
}

// Watermark is what is known of the watermark on a file or share.
type Watermark string

// What an answer says of a watermark.
const (
	WatermarkOn      Watermark = "on"
	WatermarkOff     Watermark = "off"
	WatermarkUnknown Watermark = "unknown" // the answer does not say
)
