package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// troublesShown is how many times in a row the same reason must stop a send before people are told about it.
const troublesShown = 2

// troubled shows on the review, its job and its assets what repeatedly stops a send, and clears it once the send continues. n
// is the asset's number, or 0 for the review as a whole. The error is returned unchanged.
func (r *review) troubled(ctx context.Context, n int, err error) error {
	if err == nil {
		return r.trouble(ctx, n, "", false)
	}
	kind, final := fault.Lasting(err)
	said, pause := pauseOf(err)
	if final && kind != workflows.ErrorUploadGone || ctx.Err() != nil || attempt.WasStopped(ctx) || isWait(err) && pause < pauseShown {
		return err // reported elsewhere, or nothing has failed
	}
	if terr := r.trouble(ctx, n, cmp.Or(said, fault.Scrubbed(err)), pause > 0); terr != nil {
		r.log.WarnContext(ctx, "could not show why a send fails", "review", r.ref.Review, "error", terr)
	}
	return err
}

// trouble counts a reason, "" for none, and shows it once it has come up often enough, or at once.
func (r *review) trouble(ctx context.Context, n int, why string, atOnce bool) error {
	title, before, times := "", "", 0
	count := func(trouble *string, troubles *int) {
		before = *trouble
		if *troubles++; !sameReason(*trouble, why) {
			*troubles = 1
		}
		if atOnce {
			*troubles = max(*troubles, troublesShown)
		}
		if *trouble = why; why == "" {
			*troubles = 0
		}
		times = *troubles
	}
	if n == 0 && why == "" && r.row.Trouble == "" {
		return nil
	}
	var err error
	if n == 0 {
		err = r.update(ctx, func(row *ledger.Review) { count(&row.Trouble, &row.Troubles) })
	} else {
		var it ledger.ReviewAsset
		if it, err = r.updateAsset(ctx, n, func(row *ledger.ReviewAsset) { count(&row.Trouble, &row.Troubles) }); err == nil {
			title = fmt.Sprintf("%q: ", it.Title)
		}
	}
	if err != nil || times != troublesShown && (why != "" || before == "") {
		return err
	}
	reason := ""
	if why != "" {
		reason = title + why + " Framebridge keeps trying."
	}
	if err := r.update(ctx, func(row *ledger.Review) { row.Reason = reason }); err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, tenant.ShowPatience)
	defer cancel()
	if reason != "" && r.row.JobID != "" {
		if _, err := r.iconik.Jobs.Update(soon, r.row.JobID, iconik.JobPatch{Message: &reason}); err != nil {
			return err
		}
	}
	return r.publish(soon)
}

// notSynced is the prefix of the reason of a review that is not being synced.
const notSynced = "Comments have not been synced since "

// pauseShown is the shortest pause requested by a vendor that people are shown.
const pauseShown = time.Minute

const askedToWait = " asked Framebridge to wait until about "

// pauseOf returns what people read of a pause that a vendor has asked for, and how long it is, or "" and 0 if err is something else.
func pauseOf(err error) (said string, pause time.Duration) {
	var e *rest.Error
	switch {
	case !errors.As(err, &e) || e.Class != rest.Throttled:
		return "", 0
	case e.RetryAfter < pauseShown:
		return e.Vendor + " accepts no further calls at the moment.", max(e.RetryAfter, time.Second)
	}
	return e.Vendor + askedToWait + english.RecentMinute(time.Now().Add(e.RetryAfter)) + ".", e.RetryAfter
}

// unsynced tells people once that a review's sync has been failing for so long that they are missing comments, and shows at once
// that a vendor has asked for a long pause. It clears that once the sync works again. The error is returned unchanged.
func (r *review) unsynced(ctx context.Context, err error) error {
	last, before := r.row.LastSyncAt, strings.HasPrefix(r.row.Reason, notSynced)
	if last.Before(r.row.OpenedAt) {
		last = r.row.OpenedAt
	}
	late := !last.IsZero() && time.Since(last) > workflows.StuckAfter
	said, pause := pauseOf(err)
	switch {
	case err == nil && (before || strings.Contains(r.row.Reason, askedToWait)):
		return r.update(ctx, func(row *ledger.Review) { row.Reason = "" })
	case err == nil || ctx.Err() != nil || attempt.WasStopped(ctx) || isWait(err) && pause == 0 || !late && pause < pauseShown:
		return err
	case !late:
		if said += " Comments are synced then."; said != r.row.Reason {
			if uerr := r.update(ctx, func(row *ledger.Review) { row.Reason = said }); uerr != nil {
				return err
			}
		}
		return err
	}
	reason := notSynced + english.RecentMinute(last) + ": " + cmp.Or(said, fault.Scrubbed(err))
	if !before || pause > 0 && reason != r.row.Reason || !sameReason(r.row.Reason, reason) {
		if uerr := r.update(ctx, func(row *ledger.Review) { row.Reason = reason }); uerr != nil {
			return err
		}
	}
	soon, cancel := context.WithTimeout(ctx, tenant.ShowPatience)
	defer cancel()
	if terr := r.tell(soon, fmt.Sprintf("unsynced:%d", last.Unix()), fmt.Sprintf("Review not synced: %q", r.row.Title), reason+" Framebridge keeps trying.\n"); terr != nil {
		r.log.WarnContext(ctx, "could not report that a review is not syncing", "review", r.ref.Review, "error", terr)
	}
	return err
}

// tooLong gives up on an asset whose step has been failing for as long as Frame.io may take to process a file, so that the
// review's other assets do not wait for it forever. It does not give up while Frame.io rejects the token.
func tooLong(ctx context.Context, title string, err error) error {
	_, final := fault.Lasting(err)
	since := attempt.Of(ctx).Scheduled()
	if at := attempt.Of(ctx).Resume().At; at.After(since) { // a transfer made progress then
		since = at
	}
	if err == nil || final || isWait(err) || rest.ClassOf(err) == rest.Unauthorized || ctx.Err() != nil || attempt.WasStopped(ctx) ||
		time.Since(since) < workflows.ReadyPatience {
		return err
	}
	return fault.System("%q could not be sent for %d hours: %v", title, int(workflows.ReadyPatience.Hours()), err)
}

// isWait reports whether nothing has failed: something is not there yet, or the vendor has asked for a pause.
func isWait(err error) bool {
	var own *fault.Error
	return errors.As(err, &own) && own.Benign || rest.IsThrottled(err)
}

// sameReason compares two reasons without what differs each time: words with digits, such as times and IDs.
func sameReason(a, b string) bool {
	words := func(s string) string {
		return strings.Join(slices.DeleteFunc(strings.Fields(s), func(w string) bool { return strings.ContainsFunc(w, unicode.IsDigit) }), " ")
	}
	return a != "" && words(a) == words(b)
}
