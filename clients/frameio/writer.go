package frameio

import (
	"context"
	"time"
)

// Platform reads and writes one Frame.io account scope.
type Platform interface {
	Reader
	Writer
}

// Writer changes one Frame.io account scope, for reviews. Its methods are safe for concurrent use. Every error is a
// *rest.Error, classified once.
type Writer interface {
	CreateProject(ctx context.Context, workspaceID, name string) (Project, error)

	CreateFolder(ctx context.Context, parentID, name string) (Asset, error)
	// BeginUpload makes a file without bytes and says where they go. The URLs are secrets.
	BeginUpload(ctx context.Context, folderID string, f NewFile) (Upload, error)
	// AddVersion puts a file, uploaded to the folder of target, on top of target: a file or the stack that holds it. It
	// returns the stack.
	AddVersion(ctx context.Context, folderID string, target Asset, fileID string) (Asset, error)
	// Delete moves a file or folder to the trash; what is gone already is no error.
	Delete(ctx context.Context, a Asset) error

	// CreateComment posts a comment, or a reply where ParentID is set and Capabilities.CreateReplies says so.
	CreateComment(ctx context.Context, fileID string, c NewComment) (Comment, error)
	UpdateComment(ctx context.Context, commentID string, c CommentChange) error
	DeleteComment(ctx context.Context, commentID string) error

	// CreateShare makes a link to assets of one project. What Frame.io does not take, and the link can do without, is left
	// out and named in Share.Refused.
	CreateShare(ctx context.Context, projectID string, s NewShare) (Share, error)
	UpdateShare(ctx context.Context, shareID string, c ShareChange) error
	// AddToShare adds assets to a share; those in it already are no error.
	AddToShare(ctx context.Context, shareID string, assetIDs []string) error
	// Invite mails the message and the link to people. At most Capabilities.InviteBatch addresses are taken at once. sending
	// is told right before the request goes out, after all waiting; its error, returned as it is, stops that.
	Invite(ctx context.Context, shareID string, emails []string, message string, sending func(context.Context) error) error
}

// NewFile is a file to be uploaded.
type NewFile struct {
	Name      string
	MediaType string // may be empty: Frame.io goes by the name then
	Size      int64  // bytes, more than 0
}

// Upload is where a new file's bytes go, in order.
type Upload struct {
	FileID    string
	MediaType string // that the parts' URLs sign
	Parts     []UploadPart
}

// UploadPart is one URL, a secret, and the bytes it takes.
type UploadPart struct {
	URL  string
	Size int64
}

// NewComment is a comment to be posted by the token's user.
type NewComment struct {
	Text     string
	ParentID string
	// Frame counts from 0; nil for a comment on the whole file.
	Frame  *int64
	Frames int64 // more than 1 for a range
	Page   *int
	// Annotation is Frame.io's drawing JSON, empty for none.
	Annotation string
	TeamOnly   bool
	// Completed is done at once where the generation can; the answer tells.
	Completed bool
}

// Body is what both APIs take of a comment, for one that counts frames from first.
func (n NewComment) Body(first int64) map[string]any {
	body := map[string]any{"text": n.Text}
	if n.Frame != nil {
		body["timestamp"] = *n.Frame + first
		if n.Frames > 1 {
			body["duration"] = n.Frames
		}
	}
	if n.Page != nil {
		body["page"] = *n.Page
	}
	if n.Annotation != "" {
		body["annotation"] = n.Annotation
	}
	return body
}

// CommentChange changes what is not nil.
type CommentChange struct {
	Text       *string
	Annotation *string // empty takes the drawing away
	// Time moves the comment; its Frame may be nil.
	Time      *CommentTime
	Completed *bool
}

// CommentTime is a point, a range of Frames, or nothing.
type CommentTime struct {
	Frame  *int64
	Frames int64
}

// Access is who may open a share.
type Access string

// Kinds of access.
const (
	AccessPublic Access = "public" // whoever has the link
	AccessSecure Access = "secure" // only people who were invited, signed in
	// AccessAuto asks for a public share, and for a secure one where the account allows no public ones.
	AccessAuto Access = "auto"
)

// NewShare is a link for reviewers.
type NewShare struct {
	Name       string
	AssetIDs   []string
	ExpiresAt  time.Time
	Passphrase string
	Download   bool
	Access     Access // empty: public
	// Watermark asks for the watermark where the generation sets it on the share. With MustWatermark no share is made where
	// Frame.io refuses that; otherwise Share.Refused says so.
	Watermark     bool
	MustWatermark bool
	// Forensic and DRM ask for these protections; where Frame.io refuses one, no share is made.
	Forensic, DRM bool
	// Closed makes a share that shows nothing to anybody before UpdateShare switches it on: it is off, or, where the server
	// cannot do that, empty.
	Closed bool
}

// ShareChange changes what is not nil. Name is the share's own: the legacy API wants it with every change.
type ShareChange struct {
	Name       string
	ExpiresAt  *time.Time
	Active     *bool
	Passphrase *string
	Download   *bool
}
