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

// Writer changes one Frame.io account scope, for reviews. Its methods are safe for concurrent use. Every error is a classified *rest.Error.
type Writer interface {
	CreateProject(ctx context.Context, workspaceID, name string) (Project, error)

	CreateFolder(ctx context.Context, parentID, name string) (Asset, error)
	// BeginUpload creates a file without bytes and returns where to send them. The URLs are secrets.
	BeginUpload(ctx context.Context, folderID string, f NewFile) (Upload, error)
	// AddVersion puts a file that was uploaded to target's folder on top of target, which is a file or the stack that holds it.
	// It returns the stack.
	AddVersion(ctx context.Context, folderID string, target Asset, fileID string) (Asset, error)
	// Delete moves a file or folder to the trash. It is not an error if it is already gone.
	Delete(ctx context.Context, a Asset) error

	// Labels returns the statuses that a file can have, as Asset.Label names them.
	Labels(ctx context.Context, fileID string) ([]string, error)
	// SetLabel sets a file's status to one of Labels, or takes it away with "none".
	SetLabel(ctx context.Context, projectID, fileID, label string) error

	// CreateComment posts a comment, or a reply if ParentID is set and Capabilities.CreateReplies allows it.
	CreateComment(ctx context.Context, fileID string, c NewComment) (Comment, error)
	UpdateComment(ctx context.Context, commentID string, c CommentChange) error
	DeleteComment(ctx context.Context, commentID string) error

	// CreateShare creates a link to assets of one project. If Frame.io refuses something that the link can do without, it is
	// left out and listed in Share.Refused.
	CreateShare(ctx context.Context, projectID string, s NewShare) (Share, error)
	UpdateShare(ctx context.Context, shareID string, c ShareChange) error
	// AddToShare adds assets to a share. Assets that are already in it are not an error.
	AddToShare(ctx context.Context, shareID string, assetIDs []string) error
	// Invite mails the message and the link to at most Capabilities.InviteBatch people. It calls sending right before the
	// request goes out, after all waiting. If sending returns an error, Invite returns it unchanged and sends nothing.
	Invite(ctx context.Context, shareID string, emails []string, message string, sending func(context.Context) error) error
}

// NewFile is a file to upload.
type NewFile struct {
	Name      string
	MediaType string // if empty, Frame.io goes by the name
	Size      int64  // bytes, more than 0
}

// Upload says where a new file's bytes go, in order.
type Upload struct {
	FileID    string
	MediaType string // signed by the parts' URLs
	Parts     []UploadPart
}

// UploadPart is one URL, which is a secret, and the number of bytes that go there.
type UploadPart struct {
	URL  string
	Size int64
}

// NewComment is a comment to post as the token's user.
type NewComment struct {
	Text     string
	ParentID string
	// Frame counts from 0; nil for a comment on the whole file.
	Frame  *int64
	Frames int64 // more than 1 for a range
	Page   *int
	// Annotation is Frame.io's drawing JSON, or empty for none.
	Annotation string
	TeamOnly   bool
	// Completed is set on creation if the generation supports it. The response tells.
	Completed bool
}

// Body returns the part of a request that both APIs share. first is the number of an API's first frame.
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

// CommentChange changes the fields that are not nil.
type CommentChange struct {
	Text       *string
	Annotation *string // empty removes the drawing
	// Time moves the comment. Its Frame may be nil.
	Time      *CommentTime
	Completed *bool
}

// CommentTime is a point, a range of Frames, or no time at all.
type CommentTime struct {
	Frame  *int64
	Frames int64
}

// Access says who may open a share.
type Access string

// Kinds of access.
const (
	AccessPublic Access = "public" // anyone who has the link
	AccessSecure Access = "secure" // only people who were invited, signed in
	// AccessAuto asks for a public share, or a secure one if the account allows no public ones.
	AccessAuto Access = "auto"
)

// NewShare is a link for reviewers.
type NewShare struct {
	Name       string
	AssetIDs   []string
	ExpiresAt  time.Time
	Passphrase string
	Download   bool
	Access     Access // empty means public
	// Watermark asks for the watermark if the generation sets it on shares. If Frame.io refuses it, MustWatermark prevents the
	// share, and otherwise Share.Refused says so.
	Watermark     bool
	MustWatermark bool
	// Forensic and DRM ask for these protections. If Frame.io refuses one, no share is created.
	Forensic, DRM bool
	// Closed creates a share that shows nothing until UpdateShare switches it on: it is off or, if the server cannot do that, empty.
	Closed bool
}

// ShareChange changes the fields that are not nil. Name is the share's own: the legacy API requires it with every change.
type ShareChange struct {
	Name       string
	ExpiresAt  *time.Time
	Active     *bool
	Passphrase *string
	Download   *bool
}
