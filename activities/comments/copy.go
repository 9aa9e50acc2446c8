package comments

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/proof"
)

// Copy copies the comments of a file, and returns how many are there now.
func (t Threads) Copy(ctx context.Context, it ledger.Item) (int, error) {
	comments, err := t.Visible(ctx, it)
	if rest.IsNotFound(err) { // deleted since the scan, or under another ID by now: the next scan tells
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if err := t.matchMigrated(ctx, it, comments); err != nil {
		return 0, err
	}
	refused, left, err := t.each(ctx, it, comments)
	if err != nil {
		return 0, err
	}
	if err := t.note(ctx, it, comments); err != nil {
		return 0, err
	}
	note := plan.CommentsNote(it, comments, t.Tenant.DrawingFrame())
	_, err = t.Update(ctx, it, func(i *ledger.Item) {
		i.Note = note
		if refused != nil {
			isolate.FailItem(i, *refused)
		}
		i.CommentsSeen, i.CommentsScan = i.CommentCount, it.Scan
		i.HadComments = i.HadComments || i.CommentsDone > 0 || len(comments) > left
		i.CommentsDone, i.CommentCount = len(comments)-left, max(len(comments), i.CommentCount)
		if i.CommentsSeen < 0 {
			i.CommentsSeen = len(comments)
		}
	})
	return len(comments) - left, err
}

// each copies a file's comments one by one. It returns why some were refused, and how many are left out: the refused ones and
// the replies to them, which have no parent.
func (t Threads) each(ctx context.Context, it ledger.Item, comments []frameio.Comment) (refused *isolate.Refusal, left int, err error) {
	var reasons []string
	worst := ledger.FaultContent
	without := map[string]bool{}
	for _, c := range comments {
		if without[c.ParentID] {
			without[c.ID] = true
			continue
		}
		r, err := t.Objects.Try(ctx, func() error { return t.one(ctx, it, c) })
		if err != nil {
			return nil, 0, err
		}
		if r == nil {
			continue
		}
		without[c.ID] = true
		if r.Fault != ledger.FaultContent {
			worst = r.Fault
		}
		if len(reasons) < mostReasons {
			reasons = append(reasons, fmt.Sprintf("comment %s (%s): %s", c.ID, sourceURL(it), r.Reason))
		}
	}
	if len(without) == 0 {
		return nil, 0, nil
	}
	return &isolate.Refusal{Fault: worst, Reason: fmt.Sprintf("%d of %d comments were not brought over, replies to refused ones included: %s", len(without), len(comments), strings.Join(reasons, "; "))}, len(without), nil
}

// sourceURL returns the item's page in Frame.io.
func sourceURL(it ledger.Item) string {
	var fields map[string]string
	_ = json.Unmarshal(it.Fields, &fields) // without the page, the comment's ID has to do
	return cmp.Or(fields["framebridge_source_url"], "of file "+it.SourceID)
}

// Unread fails an item whose comments cannot be read. They are retried after the next scan.
func (t Threads) Unread(ctx context.Context, it ledger.Item, r isolate.Refusal) error {
	_, err := t.Update(ctx, it, func(i *ledger.Item) {
		isolate.FailItem(i, r)
		i.CommentsScan = it.Scan
		if i.CommentCount == 0 { // there may be some by now
			i.CommentCount = ledger.CommentsUnknown
		}
	})
	return err
}

func (t Threads) one(ctx context.Context, it ledger.Item, c frameio.Comment) error {
	user, err := t.Tenant.UserFor(ctx, c.Author)
	if err != nil {
		return fmt.Errorf("iconik user of a comment's author: %w", err)
	}
	draftFor := t.draftFor(it, c)
	hash := draftFor(user).Hash()
	link, known, err := t.Tenant.Ledger.Link(ctx, ledger.LinkComment, c.ID)
	if err != nil {
		return err
	}
	if known && link.TargetID != "" {
		if link.Hash == hash {
			return nil
		}
		there, err := t.edit(ctx, it, c, link, user)
		if err != nil || there {
			return err
		}
		if err := t.Tenant.Ledger.Delete(ctx, ledger.LinkComment, c.ID); err != nil { // deleted in iconik: create it again
			return err
		}
	}
	parent, err := t.parentSegment(ctx, c)
	if err != nil {
		return err
	}
	requestFor := func(user string) iconik.SegmentRequest {
		req := tenant.SegmentRequest(draftFor(user))
		req.VersionID, req.UserID, req.ExternalID, req.ParentID = it.VersionID, user, mapping.ExternalID("comment", c.ID), parent
		return req
	}
	external := mapping.ExternalID("comment", c.ID)
	adopting, err := t.Adopting(ctx)
	if err != nil {
		return err
	}
	var have *iconik.Segment // as in iconik's response
	id, _, err := t.Tenant.CreateOnce(ctx, tenant.Creation{
		Owner: t.Archive, BeforeWrite: t.Changed,
		Kind: ledger.LinkComment, SourceID: c.ID, Parent: it.AssetID, Hash: "", IndexLag: t.Tenant.Config.Iconik.SettleTime, FindFirst: adopting,
		Find: func(ctx context.Context) (string, error) {
			all, err := t.Tenant.Iconik.Segments.List(ctx, it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", AllVersions: true})
			return tenant.FirstID(all, err, func(s iconik.Segment) (string, bool) {
				ours := s.ExternalID == external && !s.Deleted() && (s.VersionID == "" || s.VersionID == it.VersionID)
				if ours {
					have = &s
				}
				return s.ID, ours
			})
		},
		Make: func(ctx context.Context) (string, error) {
			s, as, err := t.Tenant.CreateSegment(ctx, it.AssetID, user, requestFor)
			if err != nil {
				return "", err
			}
			user, have = as, s
			return s.ID, nil
		},
	})
	if err == nil && have != nil {
		have, user, err = t.Tenant.Author(ctx, it.AssetID, have, user, requestFor)
	}
	if err != nil {
		return err
	}
	draft := draftFor(user)
	w := written{hash: hash, fields: comparing.CommentFields(draft)}
	w.fields = slices.DeleteFunc(w.fields, func(f comparing.Field) bool { return f.Values[0] == "" })
	w.row = func(s *iconik.Segment, answered map[string][]string) proof.Written {
		sent, has := comparing.WantedComment(draft, s, parent), comparing.FoundComment(s)
		sent.Fields, has.Fields = comparing.FieldsOf(w.fields, nil), comparing.Answered(w.fields, answered, nil)
		return proof.Write(sent.Object(), has.Object())
	}
	return t.finish(ctx, it, c, id, have, draft, w)
}

// written is what a segment was given of its comment.
type written struct {
	hash   string
	fields []comparing.Field
	// row returns what to record, given what iconik has now and what it answered about the fields.
	row func(s *iconik.Segment, answered map[string][]string) proof.Written
}

// finish marks a team-only comment, writes the comment's own metadata and then, with what iconik has of it, the hash that says
// that nothing is left to do.
func (t Threads) finish(ctx context.Context, it ledger.Item, c frameio.Comment, id string, have *iconik.Segment, draft mapping.SegmentDraft, w written) error {
	if draft.Internal {
		s, err := t.Tenant.MarkTeamOnly(ctx, it.AssetID, id)
		if err != nil {
			return fmt.Errorf("a team-only comment: %w", err)
		}
		have = s
	}
	var answered map[string][]string
	if len(w.fields) > 0 {
		view, err := t.Tenant.View(ctx, mapping.CommentView)
		if err != nil {
			return err
		}
		if answered, err = t.Tenant.Iconik.Metadata.PutSegmentValues(ctx, it.AssetID, id, view, comparing.Values(w.fields)); err != nil {
			return fmt.Errorf("metadata of a comment: %w", err)
		}
	}
	if have == nil { // created by an attempt that ended before it could record it
		return t.Tenant.Ledger.Complete(ctx, ledger.LinkComment, c.ID, id, w.hash)
	}
	return t.Tenant.Ledger.CompleteAs(ctx, ledger.LinkComment, c.ID, id, w.hash, w.row(have, answered).String())
}

// edit updates a comment that has changed in Frame.io since the last run. It returns false if iconik no longer has it. A
// segment's author can no longer be changed, so what iconik does not tell stays in the text. What somebody has changed in
// iconik is left to verification, unless it must be restored.
func (t Threads) edit(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, user string) (bool, error) {
	have, err := t.Tenant.Iconik.Segments.Get(ctx, it.AssetID, link.TargetID)
	if iconik.Gone(have, err) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	draftFor := t.draftFor(it, c)
	hash := draftFor(user).Hash()
	if have.UserID != user {
		user = ""
	}
	draft := draftFor(user)
	if link.Hash == draft.Hash() { // only the author has become an iconik user
		return true, t.Tenant.Ledger.CompleteAs(ctx, ledger.LinkComment, c.ID, link.TargetID, hash, link.Written)
	}
	return true, t.write(ctx, it, c, link, have, draft, hash, true)
}

// write gives a segment what differs in its comment. changed means that Frame.io has changed the comment since it was written.
func (t Threads) write(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, have *iconik.Segment, draft mapping.SegmentDraft, hash string, changed bool) error {
	if err := t.Changed(ctx); err != nil {
		return err
	}
	parent, err := t.parentSegment(ctx, c)
	if err != nil {
		return err
	}
	before, want, found := proof.ReadWritten(link.Written), comparing.WantedComment(draft, have, parent), comparing.FoundComment(have)
	fields, stored := comparing.CommentFields(draft), map[string][]string{}
	if comparing.HasFields(draft, before) {
		if stored, err = t.fields(ctx, it, link.TargetID); err != nil {
			return err
		}
		want.Fields, found.Fields = comparing.FieldsOf(fields, nil), comparing.FieldsOf(fields, comparing.In(stored))
	}
	work := comparing.WorkOn(want, found, have, before, changed, t.Findings.Restores)
	if work.Patch != nil {
		if have, err = t.patch(ctx, it, link.TargetID, have, *work.Patch); err != nil {
			return err
		}
	}
	w := written{hash: hash, fields: comparing.Only(fields, work.Fields)}
	w.row = func(s *iconik.Segment, answered map[string][]string) proof.Written {
		has := comparing.FoundComment(s)
		if want.Fields != nil {
			has.Fields = comparing.Answered(fields, answered, stored)
		}
		return proof.Write(want.Object(), has.Object()).Keeping(before, work.Left)
	}
	if err := t.finish(ctx, it, c, link.TargetID, have, draft, w); err != nil {
		return err
	}
	return t.Findings.Restored(ctx, t.placeOf(it), comparing.CommentDifferences(c.Text, work.Restored))
}

// patch changes a segment. What iconik refuses, a drawing or the team-only mark, is left as it was.
func (t Threads) patch(ctx context.Context, it ledger.Item, id string, have *iconik.Segment, p iconik.SegmentPatch) (*iconik.Segment, error) {
	s, err := t.Tenant.UpdateSegment(ctx, it.AssetID, id, p)
	if p.Drawing, p.Internal = nil, nil; p.IsEmpty() && err != nil && rest.ClassOf(err) == rest.Permanent {
		return have, nil
	}
	return s, err
}

// fields returns a segment's fields in iconik's store.
func (t Threads) fields(ctx context.Context, it ledger.Item, segment string) (map[string][]string, error) {
	view, err := t.Tenant.View(ctx, mapping.CommentView)
	if err != nil {
		return nil, err
	}
	return t.Tenant.Iconik.Metadata.SegmentValues(ctx, it.AssetID, segment, view)
}

// placeOf returns where findings on an item's comments are recorded.
func (t Threads) placeOf(it ledger.Item) comparing.Place {
	return comparing.Place{Object: it.SourceID, Part: "comments", Path: it.Path, URL: t.Tenant.Iconik.AssetURL(it.AssetID)}
}

// mostReasons is how many reasons an item's reason includes.
const mostReasons = 5
