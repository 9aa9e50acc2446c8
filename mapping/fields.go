package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"sort"
	"strconv"
	"strings"
	"time"
)

// iconik's metadata views.
const (
	ArchiveView = "Frame.io archive"
	CommentView = "Frame.io comment"
)

// Field describes a metadata field. Type is iconik's field_type.
type Field struct{ Name, Label, Type string }

// ArchiveFields are the fields of the view on archived assets and collections.
var ArchiveFields = []Field{
	{"framebridge_source_id", "Frame.io id", "string"},
	{"framebridge_source_url", "Frame.io link", "url"},
	{"framebridge_source_path", "Frame.io path", "string"},
	{"framebridge_status", "Frame.io status", "string"},
	{"framebridge_description", "Frame.io description", "text"},
	{"framebridge_uploader", "Uploaded by", "string"},
	{"framebridge_uploaded_at", "Uploaded at", "datetime"},
	{"framebridge_created_at", "Created at", "datetime"},
	{"framebridge_rating", "Rating", "float"},
	{"framebridge_properties", "Properties (JSON)", "text"},
	{"framebridge_settings", "Settings (JSON)", "text"},
	{"framebridge_stack", "Version stack (JSON)", "text"},
	{"framebridge_owner", "Owner", "string"},
	{"framebridge_checksum", "Checksum", "string"},
	{"framebridge_rendition", "Rendition", "string"},
}

// CommentFields are the fields of the view on comments.
var CommentFields = []Field{
	{"framebridge_created_at", "Created at", "datetime"},
	{"framebridge_author", "Author", "string"},
	{"framebridge_author_email", "Author's e-mail", "string"},
	{"framebridge_guest", "Frame.io guest", "boolean"},
	{"framebridge_annotation", "Annotation (source JSON)", "text"},
	{"framebridge_page", "Page", "integer"},
	{"framebridge_anchor", "Pinned at (JSON)", "string"},
	{"framebridge_completed_by", "Completed by", "string"},
	{"framebridge_completed_at", "Completed at", "datetime"},
	{"framebridge_edited_at", "Edited at", "datetime"},
	{"framebridge_links", "Links (JSON)", "text"},
	{"framebridge_mentions", "Mentions (JSON)", "text"},
	{"framebridge_attachments", "Attachments in Frame.io (JSON)", "text"},
	{"framebridge_markup", "Text markup (JSON)", "text"},
}

// FieldsInput is what Frame.io says about a file.
type FieldsInput struct {
	SourceID, SourceURL, SourcePath string
	Label, Description              string
	UploaderName, UploaderEmail     string
	UploadedAt, CreatedAt           time.Time
	Rating                          *float64
	Properties                      map[string]any
	Stack                           string // JSON of the version stack, if it says more than its versions do
	OwnerName, OwnerEmail           string
}

// Fields returns the values of the archive's view, except those that copying adds (checksum, rendition).
func Fields(in FieldsInput) map[string]string {
	out := map[string]string{
		"framebridge_source_id":   in.SourceID,
		"framebridge_source_url":  in.SourceURL,
		"framebridge_source_path": in.SourcePath,
		"framebridge_status":      in.Label,
	}
	if in.Label == "" {
		out["framebridge_status"] = "none"
	}
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	set("framebridge_description", in.Description)
	set("framebridge_uploader", person(in.UploaderName, in.UploaderEmail))
	uploaded := in.UploadedAt
	if uploaded.IsZero() {
		uploaded = in.CreatedAt
	}
	set("framebridge_uploaded_at", date(uploaded))
	set("framebridge_created_at", date(in.CreatedAt))
	if in.Rating != nil {
		set("framebridge_rating", strconv.FormatFloat(*in.Rating, 'f', -1, 64))
	}
	set("framebridge_stack", in.Stack)
	set("framebridge_owner", person(in.OwnerName, in.OwnerEmail))
	if len(in.Properties) > 0 {
		if encoded, err := json.Marshal(in.Properties); err == nil {
			set("framebridge_properties", string(encoded))
		}
	}
	return out
}

// WithCleared returns values with every field of the view: iconik leaves fields alone that are not named, and an empty value
// clears a field.
func WithCleared(view []Field, values map[string]string) map[string]string {
	out := make(map[string]string, len(view))
	for _, f := range view {
		out[f.Name] = ""
	}
	maps.Copy(out, values)
	return out
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// person returns "Name <email>", or whichever of the two is set.
func person(name, email string) string {
	switch {
	case email == "":
		return name
	case name == "":
		return email
	}
	return name + " <" + email + ">"
}

// FieldsHash returns a hash that tells one set of values from another.
func FieldsHash(fields map[string]string) string {
	names := make([]string, 0, len(fields))
	for n := range fields {
		names = append(names, n)
	}
	sort.Strings(names)
	h := sha256.New()
	for _, n := range names {
		h.Write([]byte(n + "\x00" + fields[n] + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// CommentInput is what Frame.io says about a comment.
type CommentInput struct {
	Text                    string
	AuthorName, AuthorEmail string
	Guest, AuthorUnknown    bool
	CreatedAt               time.Time // in Frame.io; zero if iconik's own creation time tells it
	IconikUserID            string    // "" if no iconik user has the author's address
	Frame                   *int64
	Frames                  int64
	Rate                    Rate
	Page                    *int
	Completed, TeamOnly     bool
	Annotation              string
	DrawingFrame            DrawingFrame
	Extras                  CommentExtras
}

// SegmentDraft is a comment as iconik should have it. Fields are those of the comment view, and only those with something to keep.
type SegmentDraft struct {
	Text              string
	StartMS, EndMS    *int64
	Checked, Internal bool
	Shapes            []Shape
	Fields            map[string]string
	UnknownTools      int
	RateAssumed       bool
}

// TeamOnlyPrefix marks a team-only comment if iconik has no field for that.
const TeamOnlyPrefix = "[team only] "

// Segment maps a comment to a segment.
func Segment(in CommentInput) SegmentDraft {
	in.Text = in.Extras.Readable(in.Text)
	d := SegmentDraft{Text: in.Text, Checked: in.Completed, Internal: in.TeamOnly, Fields: map[string]string{}}
	d.StartMS, d.EndMS = CommentTimes(in.Frame, in.Frames, in.Rate)
	_, d.RateAssumed = in.Rate.OrDefault()
	d.RateAssumed = d.RateAssumed && in.Frame != nil
	d.Shapes, d.UnknownTools = Drawing(in.Annotation, in.DrawingFrame)
	if in.IconikUserID == "" {
		who := person(strings.TrimSpace(in.AuthorName), strings.TrimSpace(in.AuthorEmail))
		switch {
		case who == "" && in.Guest:
			d.Text = "Frame.io guest: " + in.Text
		case who == "":
			d.Text = "Frame.io user: " + in.Text
		case in.Guest:
			d.Text = who + " (Frame.io guest): " + in.Text
		default:
			d.Text = who + ": " + in.Text
		}
		if in.AuthorName != "" {
			d.Fields["framebridge_author"] = in.AuthorName
		}
		if in.AuthorEmail != "" {
			d.Fields["framebridge_author_email"] = in.AuthorEmail
		}
		if in.Guest {
			d.Fields["framebridge_guest"] = "true"
		}
	}
	if !in.CreatedAt.IsZero() {
		d.Fields["framebridge_created_at"] = date(in.CreatedAt)
	}
	if in.Annotation != "" {
		d.Fields["framebridge_annotation"] = in.Annotation
	}
	if in.Page != nil {
		d.Fields["framebridge_page"] = strconv.Itoa(*in.Page)
	}
	in.Extras.add(&d, in.DrawingFrame)
	return d
}

// Hash returns a hash that tells one state of a comment from another, or "" if it cannot be encoded.
func (d SegmentDraft) Hash() string {
	encoded, err := json.Marshal(d)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:8])
}
