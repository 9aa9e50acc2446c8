package comments

import (
	"context"
	"fmt"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
)

// Counts are what Frame.io counts of the comments of one archive's files. They set the order in which comments are read, and prove nothing
// unless the configuration has it so.
type Counts struct {
	Rows    ledger.ArchiveLedger
	Archive config.Archive
}

// mostCountedNone is how many files are looked at again to learn whether Frame.io counts none where there are some.
const mostCountedNone = 100

// None are files that have comments, of which Frame.io counts none: what Judge takes after the next reading of the tree.
func (c Counts) None(ctx context.Context) ([]string, error) {
	return c.Rows.CountedNone(ctx, mostCountedNone)
}

// Judge notes whether the counts can show that a file has got its first comment since it was read: not where Frame.io counts nothing at
// all, or counted no comments of a file that has some, before this reading of the tree and still.
func (c Counts) Judge(ctx context.Context, none []string) error {
	counted, err := c.Rows.CountsComments(ctx)
	if err != nil {
		return err
	}
	fail := !counted
	for i := 0; i < len(none) && !fail; i++ {
		it, known, err := c.Rows.Item(ctx, none[i])
		if err != nil {
			return err
		}
		fail = known && it.CommentCount > 0 && (it.CommentHint == nil || *it.CommentHint == 0)
	}
	_, err = c.Rows.Update(ctx, func(r *ledger.Archive) {
		if r.CountsFail = fail; fail { // the comparison reads all
			r.CommentsKept, r.KeptFrom = 0, 0
		}
	})
	return err
}

// Known is what a run's first reading of the tree takes for known of comments: nothing, or that there are none where there were none and
// are none by Frame.io's count. It keeps these where the run is to bring over what has changed, the configuration has it so, and the counts
// are seen to be right and were not found wrong. A reading that goes on goes on as it began.
func (c Counts) Known(ctx context.Context, row ledger.Archive, scan int) (int, error) {
	keep := row.KeptFrom == scan
	if !keep && row.Delta && !row.CountsFail && c.Archive.CommentsAgain == config.CountedAgain && c.Archive.CommentCount != config.IgnoreComments {
		var err error
		if keep, err = c.Rows.CountsComments(ctx); err == nil && keep {
			keep, err = c.Rows.CountsRight(ctx)
		}
		if err != nil {
			return 0, err
		}
	}
	known, from := ledger.CommentsUnknown, 0
	if keep {
		known, from = ledger.CommentsIfAnyBefore, scan
	}
	if row.KeptFrom == from {
		return known, nil
	}
	_, err := c.Rows.Update(ctx, func(r *ledger.Archive) { r.KeptFrom = from })
	return known, err
}

// Listed gives files that were listed the part in the reading of comments that their counts have. known is what becomes of a file of which
// Frame.io does not say for certain how many it has.
func (c Counts) Listed(items []ledger.Item, known int) {
	for i := range items {
		items[i] = plan.CountComments(c.Archive, items[i])
		if items[i].CommentCount == ledger.CommentsUnknown {
			items[i].CommentCount = known
		}
	}
}

// Note writes down of how many files the comments are not read: since their count is trusted, or since they are kept.
func (c Counts) Note(ctx context.Context) error {
	row, _, err := c.Rows.Get(ctx)
	if err != nil {
		return err
	}
	var trusted, kept int64
	least := 0
	if c.Archive.CommentCount == config.TrustComments {
		if trusted, err = c.Rows.CountUnread(ctx); err != nil {
			return err
		}
		least = 1
	}
	if row.KeptFrom > 0 {
		if kept, err = c.Rows.CountKept(ctx, row.KeptFrom, least); err != nil {
			return err
		}
	}
	_, err = c.Rows.Update(ctx, func(r *ledger.Archive) { r.CommentsTrusted, r.CommentsKept = trusted, kept })
	return err
}

// Unread is what an archive's result says of files whose comments it has not read.
func Unread(row ledger.Archive, status ledger.ArchiveStatus, reason string) (ledger.ArchiveStatus, string) {
	if status != ledger.Verified && status != ledger.VerifiedWithExceptions {
		return status, reason
	}
	if n := row.CommentsTrusted; n > 0 {
		status = ledger.VerifiedWithExceptions
		reason += fmt.Sprintf("; the comments of %s were not read: Frame.io counts none (archive.comment_count is trust)", english.Count(n, "file"))
	}
	if n := row.CommentsKept; n > 0 {
		reason += fmt.Sprintf("; the comments of %s were not read again: there were none, and Frame.io counts none since (archive.comments_again is counted)", english.Count(n, "file"))
	}
	return status, reason
}

// AreNew says that Frame.io counts comments of a file that were not there when they were read.
func AreNew(it ledger.Item) bool {
	return it.CommentCount > it.CommentsSeen || it.CommentCount == ledger.CommentsUnknown && it.Pass() == ledger.PassCounted
}
