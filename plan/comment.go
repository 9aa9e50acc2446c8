package plan

import (
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// Comment returns the input for a segment created in a user's name. If user is empty, it is created in nobody's name.
func Comment(it ledger.Item, c frameio.Comment, user string, frame mapping.DrawingFrame) mapping.CommentInput {
	return mapping.CommentInput{
		Text: c.Text, AuthorName: c.Author.Name, AuthorEmail: c.Author.Email, Guest: c.Author.Guest, AuthorUnknown: c.Author.Unknown, CreatedAt: c.CreatedAt,
		IconikUserID: user, Frame: c.Frame, Frames: c.Frames, Rate: mapping.Rate{Num: it.FrameNum, Den: it.FrameDen}, Page: c.Page,
		Completed: c.Completed, TeamOnly: c.TeamOnly, Annotation: c.Annotation, DrawingFrame: frame,
		Extras: Extras(c),
	}
}

// Extras returns what a comment carries besides its text, position and drawing.
func Extras(c frameio.Comment) mapping.CommentExtras {
	x := mapping.CommentExtras{CompletedByName: c.CompletedBy.Name, CompletedByMail: c.CompletedBy.Email, CompletedByID: c.CompletedBy.ID, EditedAt: c.EditedAt}
	if c.Completed {
		x.CompletedAt = c.CompletedAt
	}
	if c.Anchor != nil {
		x.Anchor = &[2]float64{c.Anchor.X, c.Anchor.Y}
	}
	for _, l := range c.Links {
		x.Links = append(x.Links, mapping.Span{Start: l.Start, End: l.End, Text: l.Text, URL: l.URL})
	}
	for _, m := range c.Mentions {
		x.Mentions = append(x.Mentions, mapping.Span{Start: m.Start, End: m.End, Text: m.Text, UserID: m.User.ID, Name: m.User.Name, Email: m.User.Email})
	}
	for _, f := range c.Attachments {
		x.Attachments = append(x.Attachments, mapping.AttachmentName{ID: f.ID, Name: f.Name, MediaType: f.MediaType, Size: f.Size})
	}
	if m := c.Markup; m != nil {
		x.Markup = &mapping.Markup{Kind: m.Kind, Selection: m.Selection, Suggested: m.Suggested, Source: string(m.Source)}
	}
	return x
}

// Depths returns the number of ancestors of each comment. A reply to a deleted comment counts as top level.
func Depths(all []frameio.Comment) map[string]int {
	parent := map[string]string{}
	for _, c := range all {
		parent[c.ID] = c.ParentID
	}
	depth := map[string]int{}
	for _, c := range all {
		n := 0
		for p := c.ParentID; p != "" && n <= len(all); n++ {
			above, ok := parent[p]
			if !ok {
				break
			}
			p = above
		}
		depth[c.ID] = n
	}
	return depth
}

// RateAssumed is the note on an item whose comment times had to be converted without a frame rate.
var RateAssumed = fmt.Sprintf("Frame.io reports no frame rate: comment times assume %d fps", mapping.DefaultRate.Num)

// CommentsNote returns what people should know about how an item's comments were brought over, or "".
func CommentsNote(it ledger.Item, comments []frameio.Comment, frame mapping.DrawingFrame) string {
	assumed, unknown := false, 0
	for _, c := range comments {
		draft := mapping.Segment(Comment(it, c, "", frame))
		assumed = assumed || draft.RateAssumed
		unknown += draft.UnknownTools
	}
	var notes []string
	if assumed {
		notes = append(notes, RateAssumed)
	}
	if unknown > 0 {
		notes = append(notes, fmt.Sprintf("drawings with tools that iconik lacks, kept only as Frame.io's source: %d", unknown))
	}
	return strings.Join(notes, "; ")
}

// NotCarried lists what the comments have that is not brought over.
func NotCarried(comments []frameio.Comment, frame mapping.DrawingFrame) []ledger.NotCarried {
	var notCarried []ledger.NotCarried
	for _, c := range comments {
		for _, f := range c.Attachments {
			notCarried = append(notCarried, ledger.NotCarried{Kind: "attachment", Name: f.Name, Size: &f.Size, Reason: "Frame.io's API gives no address to download it from: save it by hand"})
		}
		if c.Likes > 0 {
			notCarried = append(notCarried, ledger.NotCarried{Kind: "like", Name: mapping.Excerpt(c.Text), Reason: "liked " + english.Count(c.Likes, "time") + ": comments in iconik have no likes"})
		}
		if c.CreatedAt.IsZero() {
			notCarried = append(notCarried, ledger.NotCarried{Kind: "date", Name: mapping.Excerpt(c.Text), Reason: "Frame.io does not say when it was made, or not in a form that Framebridge can read"})
		}
		if c.Author.Unknown {
			notCarried = append(notCarried, ledger.NotCarried{Kind: "author", Name: mapping.Excerpt(c.Text), Reason: "Frame.io's API does not say who wrote it"})
		}
		if _, unknown := mapping.Drawing(c.Annotation, frame); unknown > 0 {
			notCarried = append(notCarried, ledger.NotCarried{Kind: "markup", Name: mapping.Excerpt(c.Text), Reason: fmt.Sprintf("shapes drawn with tools that iconik does not have: %d; Frame.io's source is kept", unknown)})
		}
	}
	return notCarried
}
