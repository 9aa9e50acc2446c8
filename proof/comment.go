package proof

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/framebridge/framebridge/mapping"
)

// Properties of a comment.
const (
	Text       = "text"
	Time       = "time"
	Completion = "completion"
	Drawing    = "drawing"
	Parent     = "parent"
	TeamOnly   = "team only"
)

// Segment is a comment as it is, or should be, in iconik.
type Segment struct {
	Text           string
	StartMS, EndMS *int64
	Checked        bool
	Shapes         []mapping.Shape
	Parent         string // the segment that it replies to
	TeamOnly       bool   // by iconik's own flag, or by its text
	Fields         Object // if they are compared
}

// Object returns the comment's properties in words.
func (s Segment) Object() Object {
	done := "open"
	if s.Checked {
		done = "completed"
	}
	team := "no"
	if s.TeamOnly {
		team = "yes"
	}
	return append(Object{
		{Text, strings.TrimSpace(strings.ReplaceAll(s.Text, "\r\n", "\n"))},
		{Time, times(s.StartMS, s.EndMS)},
		{Completion, done},
		{Drawing, drawing(s.Shapes)},
		{Parent, s.Parent},
		{TeamOnly, team},
	}, s.Fields...)
}

func times(start, end *int64) string {
	switch {
	case start == nil:
		return "none"
	case end == nil || *end == *start:
		return fmt.Sprintf("%d ms", *start)
	}
	return fmt.Sprintf("%d to %d ms", *start, *end)
}

// drawing describes shapes to the precision of a screen's pixels, because a vendor may keep fewer digits than were sent.
func drawing(shapes []mapping.Shape) string {
	if len(shapes) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, s := range shapes {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s %s px", s.Type, strings.ToLower(s.Color), number(s.Width))
		if s.Text != "" {
			fmt.Fprintf(&b, " %q", s.Text)
		}
		for _, p := range s.Points {
			fmt.Fprintf(&b, " (%s %s)", number(p[0]), number(p[1]))
		}
	}
	return b.String()
}

func number(v float64) string {
	text := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 4, 64), "0"), ".")
	if text == "-0" {
		return "0"
	}
	return text
}
