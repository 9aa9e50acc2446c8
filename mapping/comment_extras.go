package mapping

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Span is a stretch of a comment's text that is a link or mentions a person. Start and End count characters as Frame.io does, and
// may lie outside the text.
type Span struct {
	Start  int    `json:"start_index"`
	End    int    `json:"end_index"`
	Text   string `json:"text"`
	URL    string `json:"url,omitempty"`
	UserID string `json:"user_id,omitempty"`
	Name   string `json:"name,omitempty"` // of the person, if known
	Email  string `json:"email,omitempty"`
}

// AttachmentName is what is known about a file attached to a comment.
type AttachmentName struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	MediaType string `json:"media_type,omitempty"`
	Size      int64  `json:"file_size"`
}

// Markup is a change that a comment proposes to a document's text.
type Markup struct {
	Kind, Selection, Suggested string
	Source                     string // JSON
}

// CommentExtras is what a comment carries apart from its text, position and drawing.
type CommentExtras struct {
	Anchor                           *[2]float64
	CompletedByName, CompletedByMail string
	CompletedByID                    string
	CompletedAt, EditedAt            time.Time
	Links, Mentions                  []Span
	Attachments                      []AttachmentName
	Markup                           *Markup
}

// pointWidth is the stroke width of a point in pixels, wide enough to be visible.
const pointWidth = 8

// pointOf draws an anchor as a dot: a very short stroke that starts at the anchor.
func pointOf(at [2]float64, frame DrawingFrame) Shape {
	sx, sy := frame.scale()
	x, y := clamp(at[0])*sx, clamp(at[1])*sy
	return Shape{Type: "PENCIL", Color: plainColor, Width: pointWidth, Points: [][2]float64{{x, y}, {x + sx/1000, y}}}
}

// add adds the extras to a draft's shapes and fields. Readable puts them into the text.
func (x CommentExtras) add(d *SegmentDraft, frame DrawingFrame) {
	if x.Anchor != nil {
		if len(d.Shapes) == 0 {
			d.Shapes = []Shape{pointOf(*x.Anchor, frame)}
		}
		d.keep("framebridge_anchor", map[string]float64{"x": x.Anchor[0], "y": x.Anchor[1]})
	}
	if who := person(x.CompletedByName, x.CompletedByMail); who != "" {
		d.Fields["framebridge_completed_by"] = who
	} else if x.CompletedByID != "" {
		d.Fields["framebridge_completed_by"] = x.CompletedByID
	}
	if !x.CompletedAt.IsZero() {
		d.Fields["framebridge_completed_at"] = date(x.CompletedAt)
	}
	if !x.EditedAt.IsZero() {
		d.Fields["framebridge_edited_at"] = date(x.EditedAt)
	}
	if len(x.Links) > 0 {
		d.keep("framebridge_links", x.Links)
	}
	if len(x.Mentions) > 0 {
		d.keep("framebridge_mentions", x.Mentions)
	}
	if len(x.Attachments) > 0 {
		d.keep("framebridge_attachments", x.Attachments)
	}
	if x.Markup != nil && x.Markup.Source != "" {
		d.Fields["framebridge_markup"] = x.Markup.Source
	}
}

func (d *SegmentDraft) keep(name string, v any) {
	if encoded, err := json.Marshal(v); err == nil {
		d.Fields[name] = string(encoded)
	}
}

// Readable returns a comment's text with the targets of its links, the people it mentions, and everything that iconik could not
// show otherwise.
func (x CommentExtras) Readable(text string) string {
	runes, tail := []rune(text), []string{}
	spans := append(slices.Clone(x.Links), x.Mentions...)
	slices.SortStableFunc(spans, func(a, b Span) int { return b.Start - a.Start }) // from the end, so that earlier positions stay valid
	for _, s := range spans {
		note := s.note()
		switch {
		case note == "" || strings.Contains(text, note):
		case s.Start >= 0 && s.Start < s.End && s.End <= len(runes) && (s.Text == "" || strings.Contains(string(runes[s.Start:s.End]), s.Text) || strings.Contains(s.Text, string(runes[s.Start:s.End]))):
			runes = slices.Insert(runes, s.End, []rune(" ("+note+")")...)
		case s.Text != "":
			tail = append(tail, s.Text+": "+note)
		default:
			tail = append(tail, note)
		}
	}
	slices.Reverse(tail)
	out := string(runes)
	if m := x.Markup; m != nil {
		tail = append(tail, m.words())
	}
	for _, a := range x.Attachments {
		tail = append(tail, fmt.Sprintf("Attachment in Frame.io, not brought over: %s (%d bytes)", a.Name, a.Size))
	}
	if len(tail) == 0 {
		return out
	}
	return strings.TrimLeft(out+"\n\n["+strings.Join(tail, "]\n[")+"]", "\n")
}

// Aside returns what to append to a text that is edited on both sides and must stay as it is: the targets of its links, its
// attachments, and the change it proposes.
func (x CommentExtras) Aside(text string) string {
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, " ["+format+"]", args...) }
	for _, l := range x.Links {
		if l.URL != "" && !strings.Contains(text, l.URL) {
			add("link in Frame.io: %s", l.URL)
		}
	}
	if x.Markup != nil {
		add("%s", x.Markup.words())
	}
	for _, a := range x.Attachments {
		add("attached in Frame.io: %s", a.Name)
	}
	return b.String()
}

// note returns what the text itself does not say.
func (s Span) note() string {
	if s.URL != "" {
		return s.URL
	}
	return s.Email
}

func (m Markup) words() string {
	switch m.Kind {
	case "replace":
		return fmt.Sprintf("Replace “%s” with “%s”", m.Selection, m.Suggested)
	case "insert":
		if m.Selection == "" {
			return fmt.Sprintf("Insert “%s”", m.Suggested)
		}
		return fmt.Sprintf("Insert “%s” at “%s”", m.Suggested, m.Selection)
	case "remove":
		return fmt.Sprintf("Remove “%s”", m.Selection)
	case "highlight":
		return fmt.Sprintf("About “%s”", m.Selection)
	}
	return fmt.Sprintf("%s “%s” “%s”", m.Kind, m.Selection, m.Suggested)
}
