package comments

import (
	"context"
	"fmt"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
)

// Counts handles Frame.io's counts of the comments on one archive's files. They set the order in which comments are read, and
// prove nothing unless the configuration says so.
type Counts struct {
	Rows    ledger.ArchiveLedger
	Archive config.Archive
}

// mostCountedNone is how many files to check again to learn whether Frame.io counts none where there are some.
const mostCountedNone = 100

// None returns files that have comments although Frame.io counts none, to pass to Judge after the next scan.
func (c Counts) None(ctx context.Context) ([]string, error) {
	return c.Rows.CountedNone(ctx, mostCountedNone)
}

// Judge records whether the counts can show that a file has got its first comment since it was read. They cannot if Frame.io
// counts nothing at all, or if it counted no comments on a file that has some, both before this scan and now.
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
		if r.CountsFail = fail; fail { // the comparison reads all of them
			r.CommentsKept, r.KeptFrom = 0, 0
		}
	})
	return err
}

// Known returns what a run's first scan takes as known about comments: nothing, or that files without comments still have none
// if Frame.io counts none. The latter applies if the run only copies changes, the configuration says so, and the counts have
// been seen to be right and were never found wrong. A scan that is resumed continues as it began.
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

// Listed sets the comment counts of files that were listed. known is used for files for which Frame.io's count is not certain.
func (c Counts) Listed(items []ledger.Item, known int) {
	for i := range items {
		items[i] = plan.CountComments(c.Archive, items[i])
		if items[i].CommentCount == ledger.CommentsUnknown {
			items[i].CommentCount = known
		}
	}
}

// Note records on how many files the comments are not read, because their count is trusted or because they are kept.
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

// Unread adds to an archive's result the files whose comments it has not read.
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

// AreNew reports whether Frame.io counts comments on a file that were not there when they were read.
func AreNew(it ledger.Item) bool {
	return it.CommentCount > it.CommentsSeen || it.CommentCount == ledger.CommentsUnknown && it.Pass() == ledger.PassCounted
}
