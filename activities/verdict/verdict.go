// Package verdict decides what an archive has proven.
package verdict

import (
	"fmt"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

// Of returns what an archive has proven over all items, folders and shares, and the reason in words.
func Of(t ledger.Totals, proxies int64, foldersMissing, sharesMissing int) (ledger.ArchiveStatus, string) {
	open := t.Pending + t.Copying + t.Copied
	switch {
	case t.Failed > 0 || open > 0:
		return ledger.Incomplete, fmt.Sprintf("%d of %s failed, %d not verified: the report lists each one; retry the archive to continue with them", t.Failed, english.Count(t.Items, "file"), open)
	case t.FailedOthers > 0:
		return ledger.Incomplete, fmt.Sprintf("%d of %s verified; %s also failed: the report lists each one; retry the archive to continue with them", t.Verified, english.Count(t.Items, "file"), english.Count(t.FailedOthers, "other object"))
	case foldersMissing > 0:
		return ledger.Incomplete, fmt.Sprintf("missing: %s deleted in iconik; a retry restores what is missing", english.Count(foldersMissing, "collection"))
	case sharesMissing > 0:
		return ledger.Incomplete, fmt.Sprintf("missing: references removed from %s in iconik; a retry restores them", english.Count(sharesMissing, "share"))
	case t.Skipped > 0 || proxies > 0:
		return ledger.VerifiedWithExceptions, fmt.Sprintf("%d of %s verified%s%s: see the report for the reasons", t.Verified, english.Count(t.Items, "file"), some(t.Skipped, "skipped"), some(proxies, "archived as proxy"))
	}
	return ledger.Verified, english.Count(t.Items, "file") + " verified"
}

// some returns a clause of a sentence, or "" if n is zero.
func some(n int64, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d %s", n, what)
}

// ProvenSince returns since when an archive whose run has just ended has been proven without a break. A run that changed or found
// something and did not end verified is a break. A run that could not look, for example while a vendor was down, is not.
func ProvenSince(r ledger.Archive) time.Time {
	verified := r.Status == ledger.Verified || r.Status == ledger.VerifiedWithExceptions
	switch {
	case verified && (r.Changed || r.ProvenSince.IsZero()):
		return r.FinishedAt
	case !verified && (r.Changed || r.Status == ledger.Incomplete):
		return time.Time{}
	}
	return r.ProvenSince
}
