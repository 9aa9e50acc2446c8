// Package export writes a review's comments for the programs that editors use. It is pure: it calls no vendor and reads no clock.
package export

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/mapping"
)

// Clip is a reviewed file with its comments.
type Clip struct {
	Name          string
	AssetID       string
	Rate          mapping.Rate
	StartTimecode string // of the first frame; empty means 00:00:00:00
	Frames        int64  // 0 if unknown
	Audio         bool   // there is no picture
	Comments      []Comment
}

// Comment is a comment or, with Parent, a reply.
type Comment struct {
	ID, Parent string
	Author     string
	Email      string
	Text       string
	Frame      *int64 // from 0; nil for a comment on the whole clip
	Frames     int64  // more than 1 for a range
	Page       *int
	Completed  bool
	Drawn      bool
	CreatedAt  time.Time
}

// Format is a file format for exporting comments.
type Format struct {
	Extension string // also the end of the route
	MediaType string
	For       string // programs that read it
	Write     func(w io.Writer, title string, clips []Clip) error
}

// Formats are all the formats.
var Formats = []Format{
	{"csv", "text/csv; charset=utf-8", "spreadsheets", func(w io.Writer, _ string, clips []Clip) error { return CSV(w, clips) }},
	{"json", "application/json", "programs", func(w io.Writer, _ string, clips []Clip) error { return JSON(w, clips) }},
	{"edl", "text/plain; charset=utf-8", "DaVinci Resolve", EDL},
	{"fcpxml", "application/xml; charset=utf-8", "Final Cut Pro", FCPXML},
	{"xml", "application/xml; charset=utf-8", "Premiere Pro", Premiere},
	{"txt", "text/plain; charset=utf-8", "Avid Media Composer", Avid},
	{"otio", "application/json", "any OpenTimelineIO program", OTIO},
}

// Find returns the format with an extension, or false if there is none.
func Find(extension string) (Format, bool) {
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Extension == extension })
	if i < 0 {
		return Format{}, false
	}
	return Formats[i], true
}

// ErrTooLong is returned if the clips together exceed the 24 hours that timecode can count.
var ErrTooLong = errors.New("the clips together are longer than the 24 hours that timecode counts: export one at a time")

// start returns the number of the clip's first frame, and whether its timecode is drop-frame.
func (c Clip) start() (frame int64, drop bool) {
	frame, drop, err := mapping.ParseTimecode(c.StartTimecode, c.Rate)
	if err != nil {
		return 0, false
	}
	return frame, drop
}

func (c Clip) timecode(frame int64) string {
	first, drop := c.start()
	return mapping.Timecode(first+frame, c.Rate, drop)
}

// length returns the clip's length in frames. If that is unknown, it is the end of its last comment.
func (c Clip) length() int64 {
	n := max(c.Frames, 1)
	for _, p := range c.placed() {
		n = max(n, p.at+p.length)
	}
	return n
}

// placedComment is a comment with its position. top is the comment that started its thread.
type placedComment struct {
	Comment
	top        Comment
	at, length int64
	general    bool // about the whole clip, and placed at its first frame
}

// placed returns the comments in the order of the picture. Each reply follows its parent and, if it has no
// frame, is placed at its thread's.
func (c Clip) placed() []placedComment {
	byID := map[string]Comment{}
	for _, m := range c.Comments {
		byID[m.ID] = m
	}
	_, drop := c.start()
	day := c.Rate.FramesOfDay(drop)
	var out []placedComment
	for _, m := range c.Comments {
		top, depth := m, 0
		for above, ok := byID[top.Parent]; ok && depth < len(c.Comments); above, ok = byID[top.Parent] {
			top, depth = above, depth+1
		}
		p := placedComment{Comment: m, top: top, length: max(m.Frames, 1)}
		frame := m.Frame
		if frame == nil && depth > 0 {
			frame, p.length = top.Frame, max(top.Frames, 1)
		}
		if frame == nil {
			p.general, p.length = true, 1
		} else {
			p.at = min(max(*frame, 0), day-1)
			p.length = min(p.length, day-p.at)
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b placedComment) int {
		fa, fb := frameOf(a.top), frameOf(b.top)
		switch {
		case fa != fb:
			return order(fa < fb)
		case a.top.ID != b.top.ID:
			if byTime := a.top.CreatedAt.Compare(b.top.CreatedAt); byTime != 0 {
				return byTime
			}
			return strings.Compare(a.top.ID, b.top.ID)
		case (a.Parent == "") != (b.Parent == ""):
			return order(a.Parent == "")
		}
		return a.CreatedAt.Compare(b.CreatedAt)
	})
	return out
}

func order(first bool) int {
	if first {
		return -1
	}
	return 1
}

func frameOf(m Comment) int64 {
	if m.Frame == nil {
		return -1
	}
	return *m.Frame
}

// label returns the comment on one line.
func (p placedComment) label() string {
	text := Line(p.Text)
	switch {
	case text == "" && p.Drawn:
		text = "(drawing)"
	case text == "":
		text = "(no text)"
	}
	if p.general {
		text = "[whole clip] " + text
	}
	if p.Page != nil {
		text = fmt.Sprintf("[page %d] %s", *p.Page, text)
	}
	return text
}

func (p placedComment) by() string {
	if name := Line(p.Author); name != "" {
		return name
	}
	return "Frame.io user"
}

// marker is everything said at one frame. Editing programs allow only one marker per frame, so further comments there join the first.
type marker struct {
	at, length int64
	author     string
	done       bool // everything said there is completed
	said       []placedComment
}

// markers returns the clip's markers, by frame.
func (c Clip) markers() []marker {
	at := map[int64]*marker{}
	var out []*marker
	for _, p := range c.placed() {
		m := at[p.at]
		if m == nil {
			m = &marker{at: p.at, author: p.by(), done: true}
			at[p.at] = m
			out = append(out, m)
		}
		m.add(p)
	}
	return sorted(out)
}

func sorted(list []*marker) []marker {
	slices.SortStableFunc(list, func(a, b *marker) int { return order(a.at < b.at) })
	out := make([]marker, len(list))
	for i, m := range list {
		out[i] = *m
	}
	return out
}

func (m *marker) add(p placedComment) {
	m.length = max(m.length, p.length)
	m.done = m.done && (p.Parent != "" || p.Completed)
	m.said = append(m.said, p)
}

// line returns everything said at the frame, on one line.
func (m marker) line() string {
	var b strings.Builder
	for i, p := range m.said {
		switch {
		case i > 0 && p.Parent != "":
			b.WriteString(" / ↳ " + p.by() + ": ")
		case i > 0 && p.by() != m.author:
			b.WriteString(" / " + p.by() + ": ")
		case i > 0:
			b.WriteString(" / ")
		case p.Parent != "":
			b.WriteString("↳ ")
		}
		b.WriteString(p.label())
	}
	return b.String()
}

// thread returns everything said at the frame with its authors, one line each.
func (m marker) thread() string {
	var lines []string
	for _, p := range m.said {
		line := p.by() + ": " + p.label()
		if p.Parent != "" {
			line = "↳ " + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
