package archive

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/comments"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// CopyComments copies the comments of a range of items, each to the version it was made on.
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
	for _, it := range inReadingOrder(items, in) {
		if in.Beside && it.Pass() == ledger.PassRest && !arc.commentsIdle() {
			break // comments that certainly exist come first, across the project
		}
		if err := attempt.Stopping(ctx); err != nil {
			return counts, err
		}
		done := 0
		refused, err := arc.objects.Try(ctx, func() (err error) {
			done, err = arc.threads().Copy(ctx, it)
			return err
		})
		if refused != nil {
			refused.Reason = "its comments: " + refused.Reason
			err = arc.threads().Unread(ctx, it, *refused)
		}
		if err != nil {
			return counts, fmt.Errorf("comments of %q: %w", it.Path, err)
		}
		counts.CommentsDone += int64(done)
		arc.job().ShowProgress(ctx, false)
	}
	return counts, arc.access.LetIn(ctx, items)
}

// inReadingOrder returns the items of a range whose comments must be read: first those for which Frame.io counts comments, then
// those it does not count.
func inReadingOrder(items []ledger.Item, in workflows.CommentsInput) []ledger.Item {
	var out []ledger.Item
	for _, it := range items {
		// If Frame.io does not count comments, a count of 0 is from an earlier reading and may be out of date.
		none := it.CommentCount == 0 && !(in.Again && it.CommentsScan > 0)
		if none || it.AssetID == "" || it.VersionID == "" || it.CommentsScan == it.Scan && !in.Again {
			continue
		}
		if in.Pass == 0 || in.Pass == ledger.PassRest || in.Pass == it.Pass() {
			out = append(out, it)
		}
	}
	slices.SortStableFunc(out, func(x, y ledger.Item) int { return cmp.Compare(x.Pass(), y.Pass()) })
	return out
}

// commentsIdle reports whether comments can be read now without delaying those that certainly exist.
func (a *archive) commentsIdle() bool {
	idle, ok := a.frameio.(interface{ CommentsIdle() bool })
	return !ok || idle.CommentsIdle()
}

// threads returns the comments of the archive's files.
func (a *archive) threads() comments.Threads {
	return comments.Threads{Archive: a.ref.Archive, Tenant: a.tenant, Rows: a.ledger, Objects: a.objects, Access: a.access, Findings: a.findings, Changed: a.markChanged, Adopting: a.adopting, Update: a.updateItem}
}
