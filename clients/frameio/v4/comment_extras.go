package v4

import (
	"context"
	"encoding/json"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/mapping"
)

type textLink struct {
	Start int    `json:"start_index"`
	End   int    `json:"end_index"`
	Text  string `json:"text"`
	URL   string `json:"url"`
}

type mention struct {
	Start  int    `json:"start_index"`
	End    int    `json:"end_index"`
	Text   string `json:"text"`
	UserID string `json:"user_id"`
}

// attachment omits upload_urls, which are only good for writing.
type attachment struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	MediaType *string     `json:"media_type"`
	Size      sizeInBytes `json:"file_size"`
	CreatedAt instant     `json:"created_at"`
}

type markup struct {
	Kind      string  `json:"text_review_annotation_type"`
	Selection *string `json:"selection_text"`
	Suggested *string `json:"suggested_text"`
}

// reading is what is needed to understand comments.
type reading struct {
	rate mapping.Rate // of the file, if places are timecodes
	who  *directory   // if IDs name people
}

// extras adds what a comment has besides its text, place and drawing.
func (c comment) extras(d *frameio.Comment, who *directory) {
	d.Anchor, d.EditedAt = c.Anchor, c.EditedAt.Time
	if id := text(c.CompleterID); id != "" {
		d.CompletedBy = who.user(id)
	}
	for _, l := range c.Links {
		d.Links = append(d.Links, frameio.TextLink(l))
	}
	for _, m := range c.Mentions {
		d.Mentions = append(d.Mentions, frameio.Mention{Start: m.Start, End: m.End, Text: m.Text, User: who.user(m.UserID)})
	}
	for _, a := range c.Attachments {
		d.Attachments = append(d.Attachments, frameio.Attachment{ID: a.ID, Name: a.Name, MediaType: text(a.MediaType), Size: int64(a.Size), CreatedAt: a.CreatedAt.Time})
	}
	var m markup
	if len(c.Markup) > 0 && string(c.Markup) != "null" && json.Unmarshal(c.Markup, &m) == nil {
		d.Markup = &frameio.TextMarkup{Kind: m.Kind, Selection: text(m.Selection), Suggested: text(m.Suggested), Source: c.Markup}
	}
}

// namesPeople reports whether a comment or one of its replies refers to people by ID.
func (c comment) namesPeople() bool {
	if text(c.CompleterID) != "" || len(c.Mentions) > 0 {
		return true
	}
	for _, r := range c.Replies {
		if r.namesPeople() {
			return true
		}
	}
	return false
}

// readingFor fetches what the comments of a file need: its frame rate if they have timecodes, and the account's people if they name any.
func (c *Client) readingFor(ctx context.Context, fileID string, rows []comment) (reading, error) {
	var out reading
	rated, named := false, false
	for _, row := range rows {
		rated, named = rated || row.needsRate(), named || row.namesPeople()
	}
	if rated {
		f, err := c.asset(ctx, fileID, frameio.KindFile)
		if err != nil {
			return out, err
		}
		out.rate = f.FrameRate
	}
	if named {
		who, err := c.directory(ctx)
		if err != nil {
			return out, err
		}
		out.who = who
	}
	return out, nil
}
