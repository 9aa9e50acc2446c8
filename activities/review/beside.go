package review

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// part is what a sync does beside the comments. A vendor that fails at it does not keep the comments from counting as synced.
type part string

const (
	partDecisions part = "decisions"
	partLink      part = "link"
	partFields    part = "fields"
)

// partTexts are what people read of a part that has been failing for workflows.StuckAfter.
var partTexts = map[part]string{
	partDecisions: "For more than an hour, Framebridge has not been able to bring decisions over, and it keeps trying",
	partLink:      "For more than an hour, Framebridge has not been able to look at the review link in Frame.io, and it keeps trying",
	partFields:    "For more than an hour, Framebridge has not been able to update the review's fields in iconik, and it keeps trying",
}

// unlisted is what they read of an iconik that has no list of decisions.
const unlisted = "iconik does not list decisions, so those made in iconik stay there"

// undecidedLook is until decisions that could not be brought over are looked at again.
const undecidedLook = time.Minute

// beside records the result of a part. It returns what is not a passing failure of a vendor.
func (r *review) beside(ctx context.Context, p part, err error, did *synced) error {
	if did.beside == nil {
		did.beside = map[part]error{}
	}
	passing := isolate.Away(err) || rest.IsThrottled(err) || p == partDecisions && rest.IsUnknownCall(err)
	if !passing || ctx.Err() != nil || attempt.WasStopped(ctx) {
		if _, looked := did.beside[p]; !looked {
			did.beside[p] = nil
		}
		return err
	}
	r.log.InfoContext(ctx, "a part of a review's sync failed", "review", r.ref.Review, "part", p, "error", err)
	if did.beside[p] == nil {
		did.beside[p] = err
	}
	return nil
}

// undecided reports whether a vendor is failing at decisions.
func (d synced) undecided() bool { return isolate.Away(d.beside[partDecisions]) }

// showFailing records since when parts have been failing, and tells people after a while. Once a review has ended, it returns the failure
// for as long, so that the last sync is repeated.
func (r *review) showFailing(ctx context.Context, did synced) error {
	now, since := time.Now().UTC(), maps.Clone(r.row.Failing)
	if since == nil {
		since = map[string]time.Time{}
	}
	for p, err := range did.beside {
		switch at := since[string(p)]; {
		case err == nil:
			delete(since, string(p))
		case at.IsZero():
			since[string(p)] = now
		}
	}
	if !maps.Equal(since, r.row.Failing) {
		if err := r.update(ctx, func(row *ledger.Review) {
			row.Failing = since
			for p, err := range did.beside {
				if err == nil {
					row.Notes = slices.DeleteFunc(row.Notes, func(n string) bool { return strings.HasPrefix(n, partTexts[p]) })
				}
			}
		}); err != nil {
			return err
		}
	}
	var again error
	for p, err := range did.beside {
		if err == nil {
			continue
		}
		if !r.row.EndedAt.IsZero() && now.Sub(r.row.EndedAt) < workflows.StuckAfter && !rest.IsUnknownCall(err) {
			again = err
		}
		if at := since[string(p)]; now.Sub(at) > workflows.StuckAfter {
			if err := r.tellFailing(ctx, p, at, err); err != nil {
				return err
			}
		}
	}
	return again
}

// tellFailing notes that a part has been failing for long, and mails what people would miss.
func (r *review) tellFailing(ctx context.Context, p part, since time.Time, err error) error {
	if rest.IsUnknownCall(err) {
		return r.noteError(ctx, unlisted, err)
	}
	if nerr := r.noteError(ctx, partTexts[p], err); nerr != nil || p == partFields {
		return nerr
	}
	subject := map[part]string{partDecisions: "Decisions not synced", partLink: "Review link not seen"}[p]
	soon, cancel := context.WithTimeout(ctx, tenant.ShowPatience)
	defer cancel()
	if terr := r.tell(soon, fmt.Sprintf("failing:%s:%d", p, since.Unix()), fmt.Sprintf("%s: %q", subject, r.row.Title),
		fmt.Sprintf("%s: %s. Comments are synced.\n", partTexts[p], fault.Scrubbed(err))); terr != nil { // the next sync tries again
		r.log.WarnContext(ctx, "could not report what a review's sync fails at", "review", r.ref.Review, "part", p, "error", terr)
	}
	return nil
}
