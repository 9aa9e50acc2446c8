package v4

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/untrusted"
)

type comment struct {
	ID          string          `json:"id"`
	FileID      string          `json:"file_id"`
	Text        string          `json:"text"`
	Timestamp   json.RawMessage `json:"timestamp"`
	Duration    json.RawMessage `json:"duration"`
	Annotation  json.RawMessage `json:"annotation"`
	Page        *int            `json:"page"`
	CompletedAt instant         `json:"completed_at"`
	CreatedAt   instant         `json:"created_at"`
	UpdatedAt   instant         `json:"updated_at"`
	Owner       *user           `json:"owner"`
	Replies     []comment       `json:"replies"`

	Anchor      *frameio.Point  `json:"anchor"`
	CompleterID *string         `json:"completer_id"`
	EditedAt    instant         `json:"text_edited_at"`
	Links       []textLink      `json:"links"`
	Mentions    []mention       `json:"mentions"`
	Attachments []attachment    `json:"attachments"`
	Markup      json.RawMessage `json:"text_review_annotation"`
}

func (c comment) domain(fileID, parentID string, with reading) frameio.Comment {
	d := frameio.Comment{ID: c.ID, FileID: fileID, ParentID: parentID, Text: c.Text, Annotation: c.annotation(), Page: c.Page,
		Completed: c.CompletedAt.said, CompletedAt: c.CompletedAt.Time, CreatedAt: c.CreatedAt.Time, UpdatedAt: c.UpdatedAt.Time}
	if c.FileID != "" {
		d.FileID = c.FileID
	}
	if frame, ok := frames(c.Timestamp, with.rate); ok {
		frame -= firstFrame
		d.Frame = &frame
		if n, ok := frames(c.Duration, with.rate); ok {
			d.Frames = max(0, n)
		}
	}
	c.extras(&d, with.who)
	d.Author = c.author()
	return d
}

// author returns who wrote a comment, if it says so: listings return replies without their author.
func (c comment) author() frameio.Person {
	o := c.Owner
	if o == nil {
		return frameio.Person{Unknown: true}
	}
	return frameio.Person{ID: text(o.ID), Name: text(o.Name), Email: text(o.Email), Guest: o.ID == nil}
}

// annotation returns the drawing's JSON, which Frame.io sends as a string.
func (c comment) annotation() string {
	var s string
	switch raw := string(c.Annotation); {
	case raw == "" || raw == "null":
		return ""
	case json.Unmarshal(c.Annotation, &s) == nil:
		return s
	default:
		return raw
	}
}

const mostFrames = 1 << 40 // more than a century of film at 240 fps

// frames parses a place or length in frames: a number, or a timecode at the file's rate.
func frames(raw json.RawMessage, rate mapping.Rate) (int64, bool) {
	var n float64
	var s string
	switch {
	case len(raw) == 0 || string(raw) == "null":
	case json.Unmarshal(raw, &n) == nil:
		return untrusted.Whole("a comment's frame", n, mostFrames), true
	case json.Unmarshal(raw, &s) == nil && isTimecode(s):
		if !rate.Valid() {
			return 0, false
		}
		n, _, err := mapping.ParseTimecode(s, rate)
		return n, err == nil
	case s != "":
		n, ok := untrusted.Count("a comment's frame", s, mostFrames)
		return n, ok
	}
	return 0, false
}

func isTimecode(s string) bool { return strings.Count(strings.ReplaceAll(s, ";", ":"), ":") == 3 }

// needsRate reports whether the place of a comment or one of its replies can only be read with the file's frame rate.
func (c comment) needsRate() bool {
	var s string
	return json.Unmarshal(c.Timestamp, &s) == nil && isTimecode(s) || slices.ContainsFunc(c.Replies, comment.needsRate)
}

// CommentsIdle reports whether comments can be listed now without making others wait for the rate limit.
func (c *Client) CommentsIdle() bool { return c.pool.Idle(opComments) }

// Comments wraps GET ~/files/{id}/comments with owners and replies, and returns replies flat. It makes one call for up to 100
// threads, and one for each reply if that tells who wrote it.
func (c *Client) Comments(ctx context.Context, fileID, cursor string) (frameio.Page[frameio.Comment], error) {
	rows, next, err := list[comment](ctx, c, opComments, url.Values{"include": {"owner,replies"}, "sort": {"created_at_asc"}}, pageSize, cursor, "files", fileID, "comments")
	if err != nil {
		return frameio.Page[frameio.Comment]{}, err
	}
	with, err := c.readingFor(ctx, fileID, rows)
	if err != nil {
		return frameio.Page[frameio.Comment]{}, err
	}
	out := frameio.Page[frameio.Comment]{Next: next}
	var add func(rows []comment, parentID string)
	add = func(rows []comment, parentID string) {
		for _, row := range rows {
			out.Items = append(out.Items, row.domain(fileID, parentID, with))
			add(row.Replies, row.ID)
		}
	}
	add(rows, "")
	return out, c.withWriters(ctx, out.Items)
}

// Comment wraps GET ~/comments/{id}.
func (c *Client) Comment(ctx context.Context, id string) (frameio.Comment, error) {
	row, err := one[comment](ctx, c, opComment, url.Values{"include": {"owner"}}, nil, "comments", id)
	if err != nil {
		return frameio.Comment{}, err
	}
	with, err := c.readingFor(ctx, row.FileID, []comment{row})
	return row.domain("", "", with), err
}

// CreateComment wraps POST ~/files/{id}/comments. V4 cannot create replies.
func (c *Client) CreateComment(ctx context.Context, fileID string, n frameio.NewComment) (frameio.Comment, error) {
	if n.ParentID != "" || n.TeamOnly {
		return frameio.Comment{}, &rest.Error{Vendor: "Frame.io", Operation: opCreateComment, Class: rest.Unsupported, Detail: "V4's API cannot create replies or team-only comments"}
	}
	body := n.Body(firstFrame)
	if n.Completed {
		body["completed"] = true
	}
	row, err := one[comment](ctx, c, opCreateComment, nil, body, "files", fileID, "comments")
	if err := frameio.Made(row.ID, opCreateComment, err); err != nil {
		return frameio.Comment{}, err
	}
	if row.Text == "" { // the response has no more than the ID
		if full, err := one[comment](ctx, c, opComment, url.Values{"include": {"owner"}}, nil, "comments", row.ID); err == nil && full.ID == row.ID {
			row = full
		}
	}
	if row.Text == "" { // it cannot be read back either: as far as anybody knows, it is as it was sent
		return frameio.Comment{ID: row.ID, FileID: fileID, Text: n.Text, Frame: n.Frame, Frames: n.Frames, Page: n.Page, Annotation: n.Annotation}, nil
	}
	with, _ := c.readingFor(ctx, fileID, []comment{row}) // it was created; only its place is not read back
	return row.domain(fileID, "", with), nil
}

// UpdateComment wraps PATCH ~/comments/{id}. It makes all changes in one call, because only 10 are allowed per minute.
func (c *Client) UpdateComment(ctx context.Context, id string, ch frameio.CommentChange) error {
	body := map[string]any{}
	if ch.Text != nil {
		body["text"] = *ch.Text
	}
	if ch.Annotation != nil {
		body["annotation"] = *ch.Annotation
		if *ch.Annotation == "" {
			body["annotation"] = nil
		}
	}
	if t := ch.Time; t != nil {
		body["timestamp"], body["duration"] = nil, nil
		if t.Frame != nil {
			body["timestamp"] = *t.Frame + firstFrame
			if t.Frames > 1 {
				body["duration"] = t.Frames
			}
		}
	}
	if ch.Completed != nil {
		body["completed"] = *ch.Completed
	}
	_, err := one[comment](ctx, c, opUpdateComment, nil, body, "comments", id)
	return err
}

// DeleteComment wraps DELETE ~/comments/{id}.
func (c *Client) DeleteComment(ctx context.Context, id string) error {
	path, err := c.in(ctx, "comments", id)
	if err == nil {
		err = c.do(ctx, opDeleteComment, path, nil, nil, nil)
	}
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}
