package v4

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

type comment struct {
	ID          string          `json:"id"`
	FileID      string          `json:"file_id"`
	Text        string          `json:"text"`
	Timestamp   json.RawMessage `json:"timestamp"`
	Duration    *int64          `json:"duration"`
	Annotation  *string         `json:"annotation"`
	Page        *int            `json:"page"`
	CompletedAt *time.Time      `json:"completed_at"`
	EditedAt    *time.Time      `json:"text_edited_at"`
	CreatedAt   *time.Time      `json:"created_at"`
	UpdatedAt   *time.Time      `json:"updated_at"`
	Owner       *user           `json:"owner"`
	Replies     []comment       `json:"replies"`
}

func (c comment) domain(fileID, parentID string) frameio.Comment {
	d := frameio.Comment{ID: c.ID, FileID: fileID, ParentID: parentID, Text: c.Text, Annotation: text(c.Annotation), Page: c.Page,
		Completed: c.CompletedAt != nil, CompletedAt: at(c.CompletedAt), CreatedAt: at(c.CreatedAt), UpdatedAt: at(c.UpdatedAt)}
	if c.FileID != "" {
		d.FileID = c.FileID
	}
	var frame int64
	if json.Unmarshal(c.Timestamp, &frame) == nil && len(c.Timestamp) > 0 && string(c.Timestamp) != "null" { // a timecode is only sent when asked for
		frame -= firstFrame
		d.Frame = &frame
		if c.Duration != nil {
			d.Frames = max(0, *c.Duration)
		}
	}
	switch o := c.Owner; {
	case o == nil: // replies come without their author
		d.Author = frameio.Person{Unknown: true}
	default:
		d.Author = frameio.Person{ID: text(o.ID), Name: text(o.Name), Email: text(o.Email), Guest: o.ID == nil}
	}
	return d
}

// Comments wraps GET ~/files/{id}/comments with owners and replies; replies come flat. One call for up to 100 threads.
func (c *Client) Comments(ctx context.Context, fileID, cursor string) (frameio.Page[frameio.Comment], error) {
	rows, next, err := list[comment](ctx, c, opComments, url.Values{"include": {"owner,replies"}, "sort": {"created_at_asc"}}, pageSize, cursor, "files", fileID, "comments")
	out := frameio.Page[frameio.Comment]{Next: next}
	for _, row := range rows {
		out.Items = append(out.Items, row.domain(fileID, ""))
		for _, reply := range row.Replies {
			out.Items = append(out.Items, reply.domain(fileID, row.ID))
		}
	}
	return out, err
}

// Comment wraps GET ~/comments/{id}.
func (c *Client) Comment(ctx context.Context, id string) (frameio.Comment, error) {
	row, err := one[comment](ctx, c, opComment, url.Values{"include": {"owner"}}, nil, "comments", id)
	return row.domain("", ""), err
}

// CreateComment wraps POST ~/files/{id}/comments. V4 makes no replies.
func (c *Client) CreateComment(ctx context.Context, fileID string, n frameio.NewComment) (frameio.Comment, error) {
	if n.ParentID != "" || n.TeamOnly {
		return frameio.Comment{}, &rest.Error{Vendor: "Frame.io", Operation: opCreateComment, Class: rest.Unsupported, Detail: "V4 makes neither replies nor team-only comments"}
	}
	body := map[string]any{"text": n.Text}
	if n.Frame != nil {
		body["timestamp"] = *n.Frame + firstFrame
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
	if n.Completed {
		body["completed"] = true
	}
	row, err := one[comment](ctx, c, opCreateComment, nil, body, "files", fileID, "comments")
	if err := made(row.ID, opCreateComment, err); err != nil {
		return frameio.Comment{}, err
	}
	return row.domain(fileID, ""), nil
}

// UpdateComment wraps PATCH ~/comments/{id}: all changes in one call, of which there are 10 a minute.
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
