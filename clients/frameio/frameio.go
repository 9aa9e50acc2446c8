// Package frameio is the port to Frame.io: what can be read (Reader), what can be changed (Writer), and what arrives by
// webhook. Both generations of its API, legacy (V2) and V4, are adapters behind it, which package open creates. Nothing outside
// this folder knows which one a tenant uses, beyond what Capabilities and Migrated tell.
package frameio

import (
	"strings"
	"time"

	"github.com/framebridge/framebridge/mapping"
)

// Generation identifies one of Frame.io's two APIs.
type Generation string

// Frame.io's two APIs.
const (
	Legacy Generation = "legacy"
	V4     Generation = "v4"
)

// IDCharacters are the characters that Frame.io's IDs may contain besides letters, digits, - and _. In accounts on Adobe's
// storage, IDs are adobe:<id>, and adobe:<id>|<version> for files.
const IDCharacters = ":|.@/"

// Capabilities says what a generation can do, so that callers can adapt without asking which one it is.
type Capabilities struct {
	// Checksums: Frame.io publishes the xxHash64 of originals, although a file may still lack it.
	Checksums bool
	// NativeArchive: a project's originals can be moved to cold storage and come back.
	NativeArchive bool
	// CreateReplies: a comment can be posted as a reply to another.
	CreateReplies bool
	// TeamOnlyComments: a comment can be hidden from reviewers.
	TeamOnlyComments bool
	// WatermarkOnFiles: a file shows whether it is watermarked before it is shared. Otherwise the share shows it, after it was created.
	WatermarkOnFiles bool
	// SharesOnly: there is one kind of share, which presentations and review links become after a migration.
	SharesOnly bool
	// MayMigrate: Frame.io may move the account to the other API at any time, and rejects its tokens from then on.
	MayMigrate bool
	// FolderMembers: who may see a folder can be listed.
	FolderMembers bool
	// InviteBatch is how many addresses Invite takes at once.
	InviteBatch int
	// ShareBatch is how many assets CreateShare takes at once.
	ShareBatch int
	// CommentPolls is how many comment listings per minute the API allows one token.
	CommentPolls int
	// ListLimit is the rate limit for listing children, in calls per minute, for estimates. 0 means unknown.
	ListLimit int
}

// Page is one page of a listing; Next is empty on the last one.
type Page[T any] struct {
	Items []T
	Next  string
}

// User is a person with an account. Email and Name are empty if Frame.io does not show them.
type User struct {
	ID, Name, Email string
}

// Is reports whether somebody is this user. The ID that V4 gives for a writer or an uploader need not be that of the token's user.
func (u User) Is(id, email string) bool {
	return id != "" && id == u.ID || email != "" && strings.EqualFold(email, u.Email)
}

// Team holds projects: a team in the legacy API, a workspace in V4.
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
	// Inactive is V4's word for a project that has been put aside. All of its media is still there.
	Inactive    bool
	Description string
	Owner       User
	Restricted  bool // only invited people see it
	CreatedAt   time.Time
	UpdatedAt   time.Time
	URL         string // where a person opens it
	// Settings holds its other properties as Frame.io sent them.
	Settings map[string]any
}

// Stored returns how many bytes the project holds according to Frame.io, and false if Frame.io does not say.
func (p Project) Stored() (int64, bool) {
	switch n := p.Settings["storage"].(type) {
	case float64:
		return int64(n), true
	case int64:
		return n, true
	}
	return 0, false
}

// AssetKind is the kind of a node in a project's tree.
type AssetKind string

// Kinds of nodes.
const (
	KindFile   AssetKind = "file"
	KindFolder AssetKind = "folder"
	KindStack  AssetKind = "version_stack"
)

// MediaClass classifies files by how Frame.io plays them.
type MediaClass string

// Classes of media.
const (
	ClassStream   MediaClass = "stream" // video and audio
	ClassImage    MediaClass = "image"
	ClassDocument MediaClass = "document"
	ClassOther    MediaClass = ""
)

// Original says whether a file's original bytes are available.
type Original string

// Values of Original.
const (
	OriginalAvailable     Original = "available"
	OriginalArchived      Original = "archived"       // in cold storage: it can come back
	OriginalMissing       Original = "missing"        // there is no link, although the project is not in cold storage
	OriginalWatermarked   Original = "watermarked"    // only a session-watermarked stream is served
	OriginalNeverUploaded Original = "never uploaded" // the upload was not completed
	OriginalForbidden     Original = "forbidden"      // the token's user may not download it
)

// Asset is a node in a project's tree: a file, a folder, or a version stack.
type Asset struct {
	ID, ParentID, ProjectID string
	Kind                    AssetKind
	Name                    string
	URL                     string // where a person opens it
	// Unreadable is the member of a listed file that is of another type than documented, or "". What else is known of the file may be missing.
	Unreadable string

	Size      int64 // bytes, as Frame.io states it
	MediaType string
	Class     MediaClass
	Checksum  string // xxHash64 of the original in lower-case hex; empty when Frame.io has none
	Original  Original
	HasProxy  bool
	// Ready: Frame.io has the bytes and has created what its player needs.
	Ready bool
	// UploadFailed: Frame.io could not process the upload.
	UploadFailed bool
	Watermark    Watermark

	Duration      float64      // seconds
	FrameRate     mapping.Rate // zero if there is none
	Frames        int64
	StartTimecode string
	Width, Height int

	Label       string // "none", "approved", …
	Rating      *float64
	Description string
	Properties  map[string]any
	Uploader    User         // of folders and stacks: who created them
	Fields      []FieldValue // V4's metadata, in its order

	CreatedAt, UploadedAt, UpdatedAt time.Time

	TeamOnly     bool   // hidden from people outside the team
	CommentCount int    // -1 if this API does not count them
	CommentHint  *int   // a count that may be wrong or may count other comments than those listed, good enough for sorting; nil for none
	ItemCount    int    // of folders and stacks
	CoverID      string // of stacks: the current version
}

// Rendition says which bytes of a file are meant.
type Rendition string

// Renditions that are copied.
const (
	RenditionOriginal Rendition = "original"
	RenditionProxy    Rendition = "proxy"
)

// Media says where a file's bytes can be read. URL is a secret: it must not be logged, stored or put into a history.
type Media struct {
	URL       string
	Rendition Rendition
	Size      int64 // bytes, -1 when unknown (watermarked streams)
	Ranges    bool  // the host answers range requests
	Name      string
	MediaType string
	ExpiresAt time.Time // zero when unknown
}

// OriginalUnavailable is the error that Media returns if Frame.io does not provide the requested bytes.
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
	Unknown         bool // the generation does not say who it is
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

	Anchor      *Point // where in the picture it is pinned
	CompletedBy User   // only ID is set if Frame.io does not say who that is
	Likes       int    // Frame.io does not say whose they are
	EditedAt    time.Time
	Links       []TextLink
	Mentions    []Mention
	Attachments []Attachment
	Markup      *TextMarkup
}

// ShareKind is one of Frame.io's ways of sharing.
type ShareKind string

// Ways of sharing. The first two are the legacy API's.
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
	ExpiresAt time.Time // zero means never
	Watermark Watermark
	// HasPassphrase: whoever opens it must enter one, which Frame.io may have generated.
	HasPassphrase bool
	Access        Access // AccessPublic or AccessSecure
	Downloads     bool   // whoever opens it may download
	// Refused lists what CreateShare had to leave out.
	Refused      []Refused
	CreatedAt    time.Time
	Owner        User
	CollectionID string // V4: the collection that it shows
	// Settings holds the share's other settings as Frame.io sent them, without passphrases.
	Settings map[string]any
	// Items came with the listing if it is not nil. Otherwise call ShareItems.
	Items []ShareItem
}

// Refused is something that Frame.io did not accept when a share was created, with Frame.io's explanation. Why is empty if the
// server does not know the field.
type Refused struct{ What, Why string }

// Values of Refused.What.
const (
	RefusedWatermark = "watermark"
	RefusedDownload  = "download"
	RefusedPublic    = "public"
	RefusedOpen      = "no passphrase" // one was generated
	RefusedClosed    = "closed"        // the share is on, and empty
)

// Refusal returns what Frame.io said about something that it refused, and whether it did.
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
	People []User // the same, with their names if the generation tells
	Listed bool   // Emails is complete
	Count  int    // -1 when unknown
}

// Watermark is what is known about the watermark on a file or share.
type Watermark string

// Values of Watermark.
const (
	WatermarkOn      Watermark = "on"
	WatermarkOff     Watermark = "off"
	WatermarkUnknown Watermark = "unknown" // the response does not say
)
