package archive

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/settle"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/proof"
	"github.com/framebridge/framebridge/workflows"
)

// CopyComments brings the comments of a range of items over, on the version that they were made on.
func (a *Activities) CopyComments(ctx context.Context, in workflows.CommentsInput) (workflows.Counts, error) {
	var counts workflows.Counts
	arc, err := a.archive(in.Ref)
	if err != nil {
		return counts, err
	}
	if err := arc.stillThere(ctx, ""); err != nil {
		return counts, err
	}
	items, err := arc.ledger.Items(ctx, in.From, in.To)
	if err != nil {
		return counts, err
	}
	for _, it := range items {
		// Where Frame.io does not count comments, none is what was read, and may be old like the rest.
		none := it.CommentCount == 0 && !(in.Again && it.CommentsScan > 0)
		if none || it.AssetID == "" || it.VersionID == "" || it.CommentsScan == it.Scan && !in.Again {
			continue
		}
		if err := attempt.Stopping(ctx); err != nil {
			return counts, err
		}
		done := 0
		refused, err := arc.objects.Try(ctx, func() (err error) {
			done, err = arc.copyComments(ctx, it)
			return err
		})
		if refused != nil {
			refused.Reason = "its comments: " + refused.Reason
			err = arc.failComments(ctx, it, *refused)
		}
		if err != nil {
			return counts, fmt.Errorf("comments of %q: %w", it.Path, err)
		}
		counts.CommentsDone += int64(done)
		arc.job().ShowProgress(ctx, false)
	}
	return counts, arc.access.LetIn(ctx, items)
}

// sourceComments reads all comments of a file, parents before their replies, in the order they were made.
func (a *archive) sourceComments(ctx context.Context, fileID string) ([]frameio.Comment, error) {
	all, err := a.tenant.FileComments(ctx, fileID)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y frameio.Comment) int { return x.CreatedAt.Compare(y.CreatedAt) })
	depth := plan.Depths(all)
	slices.SortStableFunc(all, func(x, y frameio.Comment) int { return cmp.Compare(depth[x.ID], depth[y.ID]) })
	return all, nil
}

func (a *archive) copyComments(ctx context.Context, it ledger.Item) (int, error) {
	comments, err := a.visibleComments(ctx, it)
	if rest.IsNotFound(err) { // deleted since the tree was read, or under another id by now: its next reading tells
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if err := a.matchMigratedComments(ctx, it, comments); err != nil {
		return 0, err
	}
	refused, left, err := a.eachComment(ctx, it, comments)
	if err != nil {
		return 0, err
	}
	if err := a.noteComments(ctx, it, comments); err != nil {
		return 0, err
	}
	note := plan.CommentsNote(it, comments, a.tenant.DrawingFrame())
	_, err = a.updateItem(ctx, it, func(i *ledger.Item) {
		i.Note = note
		if refused != nil {
			settle.FailItem(i, *refused)
		}
		i.CommentsSeen, i.CommentsScan = i.CommentCount, it.Scan
		i.CommentsDone, i.CommentCount = len(comments)-left, max(len(comments), i.CommentCount)
		if i.CommentsSeen < 0 {
			i.CommentsSeen = len(comments)
		}
	})
	return len(comments) - left, err
}

// eachComment brings a file's comments over, each by itself. It returns why some were refused, and how many are left out:
// the refused ones and the replies to them, which have nothing to stand under.
func (a *archive) eachComment(ctx context.Context, it ledger.Item, comments []frameio.Comment) (refused *settle.Refusal, left int, err error) {
	var reasons []string
	worst := "content"
	without := map[string]bool{}
	for _, c := range comments {
		if without[c.ParentID] {
			without[c.ID] = true
			continue
		}
		r, err := a.objects.Try(ctx, func() error { return a.copyComment(ctx, it, c) })
		if err != nil {
			return nil, 0, err
		}
		if r == nil {
			continue
		}
		without[c.ID] = true
		if r.Fault != "content" {
			worst = r.Fault
		}
		if len(reasons) < mostCommentReasons {
			reasons = append(reasons, fmt.Sprintf("comment %s (%s): %s", c.ID, sourceURL(it), r.Reason))
		}
	}
	if len(without) == 0 {
		return nil, 0, nil
	}
	return &settle.Refusal{Fault: worst, Reason: fmt.Sprintf("%d of %d comments were not brought over, replies to refused ones included: %s", len(without), len(comments), strings.Join(reasons, "; "))}, len(without), nil
}

// mostCommentReasons are named in an item's reason.
const mostCommentReasons = 5

// sourceURL is the item's page in Frame.io.
func sourceURL(it ledger.Item) string {
	var fields map[string]string
	_ = json.Unmarshal(it.Fields, &fields) // without its page, the comment's id tells
	return cmp.Or(fields["framebridge_source_url"], "of file "+it.SourceID)
}

// failComments fails an item whose comments cannot be read; they are tried again after the next reading of the tree.
func (a *archive) failComments(ctx context.Context, it ledger.Item, r settle.Refusal) error {
	_, err := a.updateItem(ctx, it, func(i *ledger.Item) {
		settle.FailItem(i, r)
		i.CommentsScan = it.Scan
	})
	return err
}

func (a *archive) copyComment(ctx context.Context, it ledger.Item, c frameio.Comment) error {
	user, err := a.tenant.UserFor(ctx, c.Author)
	if err != nil {
		return fmt.Errorf("iconik user of a comment's author: %w", err)
	}
	draftFor := a.draftFor(it, c)
	hash := draftFor(user).Hash()
	link, known, err := a.tenant.Ledger.Link(ctx, ledger.LinkComment, c.ID)
	if err != nil {
		return err
	}
	if known && link.TargetID != "" {
		if link.Hash == hash {
			return nil
		}
		there, err := a.editComment(ctx, it, c, link, user)
		if err != nil || there {
			return err
		}
		if err := a.tenant.Ledger.Delete(ctx, ledger.LinkComment, c.ID); err != nil { // deleted in iconik: made again
			return err
		}
	}
	parent, err := a.parentSegment(ctx, c)
	if err != nil {
		return err
	}
	requestFor := func(user string) iconik.SegmentRequest {
		req := tenant.SegmentRequest(draftFor(user))
		req.VersionID, req.UserID, req.ExternalID, req.ParentID = it.VersionID, user, mapping.ExternalID("comment", c.ID), parent
		return req
	}
	external := mapping.ExternalID("comment", c.ID)
	adopting, err := a.adopting(ctx)
	if err != nil {
		return err
	}
	var have *iconik.Segment // as iconik answers
	id, _, err := a.createOnce(ctx, tenant.Creation{
		Kind: ledger.LinkComment, SourceID: c.ID, Parent: it.AssetID, Hash: "", IndexLag: a.cfg.Iconik.SettleTime, FindFirst: adopting,
		Find: func(ctx context.Context) (string, error) {
			all, err := a.iconik.Segments.List(ctx, it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", AllVersions: true})
			return tenant.FirstID(all, err, func(s iconik.Segment) (string, bool) {
				ours := s.ExternalID == external && s.Status != "DELETED" && (s.VersionID == "" || s.VersionID == it.VersionID)
				if ours {
					have = &s
				}
				return s.ID, ours
			})
		},
		Make: func(ctx context.Context) (string, error) {
			s, as, err := a.tenant.CreateSegment(ctx, it.AssetID, user, requestFor)
			if err != nil {
				return "", err
			}
			user, have = as, s
			return s.ID, nil
		},
	})
	if err != nil {
		return err
	}
	draft := draftFor(user)
	return a.finishComment(ctx, it, c, id, have, draft, draft.Fields, hash, func(s *iconik.Segment) proof.Written {
		return proof.Write(comparing.WantedComment(draft, s, parent).Object(), comparing.FoundComment(s).Object())
	})
}

// finishComment marks a team-only comment, writes the comment's own metadata and then, with what iconik has of it, its hash, which
// says that nothing is left to do.
func (a *archive) finishComment(ctx context.Context, it ledger.Item, c frameio.Comment, id string, have *iconik.Segment, draft mapping.SegmentDraft, fields map[string]string, hash string, written func(*iconik.Segment) proof.Written) error {
	if draft.Internal {
		s, err := a.tenant.MarkTeamOnly(ctx, it.AssetID, id)
		if err != nil {
			return fmt.Errorf("a team-only comment: %w", err)
		}
		have = s
	}
	if len(fields) > 0 {
		view, err := a.tenant.View(ctx, mapping.CommentView)
		if err != nil {
			return err
		}
		if err := a.iconik.Metadata.PutSegmentValues(ctx, it.AssetID, id, view, tenant.Values(fields)); err != nil {
			return fmt.Errorf("metadata of a comment: %w", err)
		}
	}
	if have == nil { // made by an attempt that ended before it could say how
		return a.tenant.Ledger.Complete(ctx, ledger.LinkComment, c.ID, id, hash)
	}
	return a.tenant.Ledger.CompleteAs(ctx, ledger.LinkComment, c.ID, id, hash, written(have).String())
}

// editComment lets a comment that changed in Frame.io since the last run follow; false where iconik has it no more. Who
// wrote a segment, and that it is internal, cannot be changed any more: what iconik does not say stays in the text. What
// somebody has changed in iconik is left to the proof, unless it is to be restored.
func (a *archive) editComment(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, user string) (bool, error) {
	have, err := a.iconik.Segments.Get(ctx, it.AssetID, link.TargetID)
	if rest.IsNotFound(err) || err == nil && have.Status == "DELETED" {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	draftFor := a.draftFor(it, c)
	hash := draftFor(user).Hash()
	if have.UserID != user {
		user = ""
	}
	draft := draftFor(user)
	if link.Hash == draft.Hash() { // only the author has become an iconik user since
		return true, a.tenant.Ledger.CompleteAs(ctx, ledger.LinkComment, c.ID, link.TargetID, hash, link.Written)
	}
	return true, a.writeComment(ctx, it, c, link, have, draft, hash, true)
}

// writeComment gives a segment what differs of its comment. changed says that Frame.io has changed it since it was written.
func (a *archive) writeComment(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, have *iconik.Segment, draft mapping.SegmentDraft, hash string, changed bool) error {
	if err := a.markChanged(ctx); err != nil {
		return err
	}
	parent, err := a.parentSegment(ctx, c)
	if err != nil {
		return err
	}
	before, want := proof.ReadWritten(link.Written), comparing.WantedComment(draft, have, parent)
	patch, left, restored := comparing.CommentPatch(want, have, before, changed, a.findings.Restores)
	if patch != nil {
		if have, err = a.iconik.Segments.Update(ctx, it.AssetID, link.TargetID, *patch); err != nil {
			return err
		}
	}
	if err := a.finishComment(ctx, it, c, link.TargetID, have, draft, mapping.WithCleared(mapping.CommentFields, draft.Fields), hash, func(s *iconik.Segment) proof.Written {
		return proof.Write(want.Object(), comparing.FoundComment(s).Object()).Keeping(before, left)
	}); err != nil {
		return err
	}
	return a.findings.Restored(ctx, a.commentsOf(it), comparing.Differences(mapping.Excerpt(c.Text), restored))
}

// commentsOf is where the findings on an item's comments stand.
func (a *archive) commentsOf(it ledger.Item) comparing.Place {
	return comparing.Place{Object: it.SourceID, Part: "comments", Path: it.Path, URL: a.iconik.AssetURL(it.AssetID)}
}
