package plan

import (
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// Comment is what goes into a segment that is made in a user's name; an empty one is nobody's.
func Comment(it ledger.Item, c frameio.Comment, user string, frame mapping.DrawingFrame) mapping.CommentInput {
	return mapping.CommentInput{
		Text: c.Text, AuthorName: c.Author.Name, AuthorEmail: c.Author.Email, Guest: c.Author.Guest, AuthorUnknown: c.Author.Unknown,
		IconikUserID: user, Frame: c.Frame, Frames: c.Frames, Rate: mapping.Rate{Num: it.FrameNum, Den: it.FrameDen}, Page: c.Page,
		Completed: c.Completed, TeamOnly: c.TeamOnly, Annotation: c.Annotation, DrawingFrame: frame,
		Extras: extrasOf(c),
	}
}

// extrasOf is what a comment carries beside its text, place and drawing.
func extrasOf(c frameio.Comment) mapping.CommentExtras {
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
