package review

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/commentsync"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

const (
	quietAfter   = time.Hour        // after this long without a comment, a review is polled less often
	quietShare   = 30               // a quiet review is polled every 30th of the time it has been quiet,
	quietLongest = 15 * time.Minute // but at least this often
	pollShare    = 2                // polling may use half of what the API allows; the rest is for webhooks and people
	waitingReply = 5 * time.Second  // between looks for a reply's parent, or for what iconik's index does not show yet
	unsureLook   = time.Minute      // until the last sync is repeated because a comment is disappearing or coming back
	unsureFor    = time.Hour        // how long after the end to look again for what one side cannot find
	blindLooks   = 20               // the most files of a review that is looked at again after a webhook without a comment
)

// SyncReview syncs both sides of a review once: all of its files, or only those that a webhook was about.
func (a *Activities) SyncReview(ctx context.Context, in workflows.SyncInput) (workflows.SyncResult, error) {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return workflows.SyncResult{}, err
	}
	out, err := r.sync(ctx, in)
	if err = r.unsynced(ctx, err); err != nil && !in.Last && ctx.Err() == nil && rest.IsThrottled(err) {
		return r.afterPause(ctx, out, err)
	}
	return out, err
}

// afterPause returns when to sync next if a vendor has asked for a pause. The limit may be of one kind of call only, so others, and what
// webhooks tell, do not wait for its end.
func (r *review) afterPause(ctx context.Context, did workflows.SyncResult, err error) (workflows.SyncResult, error) {
	out, now := workflows.SyncResult{Changes: did.Changes, Pending: did.Pending, Away: did.Away, Notice: r.row.Reason}, time.Now().UTC()
	if err := r.count(ctx, &out); err != nil {
		return out, err
	}
	next, nerr := r.nextPoll(ctx, now)
	if nerr != nil {
		return out, nerr
	}
	_, pause := pauseOf(err)
	out.NextIn = min(next, max(pause, time.Minute))
	return out, r.update(ctx, func(row *ledger.Review) { row.NextSyncAt = now.Add(out.NextIn) })
}

func (r *review) sync(ctx context.Context, in workflows.SyncInput) (out workflows.SyncResult, err error) {
	if in.Last {
		if err := r.markEnding(ctx); err != nil {
			return out, err
		}
	}
	if err := r.migrate(ctx); err != nil {
		return out, err
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return out, err
	}
	var did synced
	var each isolate.Each
	for i, it := range assets {
		out.Pending = out.Pending || it.State == ledger.AssetPending
		segments, meant := meantBy(in, it)
		if it.State != ledger.AssetReady && (it.State != ledger.AssetGone || !in.Full) || !meant {
			continue
		}
		if err := attempt.Stopping(ctx); err != nil {
			return out, err
		}
		if !each.GoOn(ctx, r.syncAsset(ctx, in, assets, i, segments, &did)) {
			return out, each.Err()
		}
	}
	if in.Full && !in.Last {
		each.GoOn(ctx, r.notePermanent(ctx, r.beside(ctx, partLink, r.lookAtShare(ctx), &did), "review link"))
	}
	each.GoOn(ctx, r.beside(ctx, partFields, r.publish(ctx), &did))
	each.GoOn(ctx, r.showFailing(ctx, did))
	now := time.Now().UTC()
	if err := r.counted(ctx, &out, did, now, each.Err() == nil); err != nil {
		return out, err
	}
	if err := each.Err(); err != nil {
		return out, err
	}
	if out.NextIn, err = r.nextPoll(ctx, now); err != nil {
		return out, err
	}
	if did.waiting {
		out.NextIn = min(out.NextIn, waitingReply)
	}
	if did.absent != "" {
		out.NextIn = min(out.NextIn, absentLook)
	}
	if did.undecided() {
		out.NextIn = min(out.NextIn, undecidedLook)
	}
	if n := len(r.row.Notes); n > 0 {
		out.Notice = r.row.Notes[n-1]
	}
	if !in.Last && (in.Full || out.NextIn < r.row.NextSyncAt.Sub(now)) {
		err = r.update(ctx, func(row *ledger.Review) { row.NextSyncAt = now.Add(out.NextIn) })
	}
	if err == nil && in.Wait {
		err = did.notYet()
	}
	return out, err
}

// counted records what a sync brought over, and when it ran if all of it succeeded.
func (r *review) counted(ctx context.Context, out *workflows.SyncResult, did synced, now time.Time, all bool) error {
	if err := r.count(ctx, out); err != nil {
		return err
	}
	out.Changes, out.Away = did.changes, did.gone
	return r.update(ctx, func(row *ledger.Review) {
		row.ToIconik, row.ToFrameio, row.OpenComments = out.ToIconik, out.ToFrameio, out.Open
		if all {
			row.LastSyncAt = now
		}
		if did.changes > 0 {
			row.LastCommentAt = now
		}
	})
}

// synced sums up a sync of several files.
type synced struct {
	changes int
	waiting bool   // something is not there yet
	absent  string // the title of an asset that a side does not show but that may come back soon
	gone    bool   // an asset counts as deleted
	unsure  bool   // a comment is missing on an asset that has just come back, or disappeared during the sync
	beside  map[part]error
}

// notYet returns why a final sync must be repeated, or nil.
func (d synced) notYet() error {
	switch {
	case d.absent != "":
		return fault.Wait("Away", absentSeen, "%q cannot be found at the moment", d.absent)
	case d.unsure:
		return fault.Wait("Unseen", unsureLook, "some comments are going or coming back")
	case d.waiting && d.changes > 0:
		return fault.Wait("Unseen", waitingReply, "some comments are not synced yet")
	}
	return nil
}

// syncAsset syncs both sides of one file.
func (r *review) syncAsset(ctx context.Context, in workflows.SyncInput, assets []ledger.ReviewAsset, i int, segments []string, did *synced) error {
	it := assets[i]
	file := commentsync.File{Review: r.ref.Review, Asset: it, Tenant: r.tenant, Frameio: r.frameio, ClickedAt: r.clickedAt(it), Full: in.Full,
		Newest: newestOfVersion(assets, i), Hinted: segments, InFrameio: r.inFrameio, InIconik: r.inIconik, IsBack: r.isBack,
		Note: r.note, NoteError: r.noteError, Audit: r.audit}
	s, refused := file.Sync(ctx)
	failed := r.notePermanent(ctx, refused, "comments of "+it.Title)
	if s.Changes > 0 || in.Last {
		delete(r.files, it.FileID) // that took a while, or what is decided meanwhile would be missed
	}
	if ctx.Err() != nil {
		return failed
	}
	// A webhook that does not name a comment may be ahead of the index.
	blind := !in.Full && s.Changes == 0 && len(segments) == 0 && len(assets) <= blindLooks && fromIconik(in, it)
	did.changes, did.waiting = did.changes+s.Changes, did.waiting || s.Waiting || blind
	did.unsure = did.unsure || s.Held || (s.Vanished || rest.IsNotFound(refused)) && time.Since(r.row.EndedAt) < unsureFor
	switch {
	case s.There && in.Full:
		if err := r.notePermanent(ctx, r.beside(ctx, partDecisions, r.decide(ctx, s.Asset, newestOfAsset(assets, i), file.Newest), did), "decision on "+it.Title); failed == nil {
			return err
		}
	case s.There || refused != nil:
	case it.State == ledger.AssetReady:
		did.absent = it.Title
	default:
		did.gone = true
	}
	return failed
}

// meantBy reports whether a sync is about a file, and returns the segments that webhooks named.
func meantBy(in workflows.SyncInput, it ledger.ReviewAsset) (segments []string, meant bool) {
	if in.Full {
		return nil, true
	}
	for _, h := range in.Hints {
		if h.Asset == it.AssetID || h.Frameio == it.FileID {
			meant = true
			if h.Segment != "" {
				segments = append(segments, h.Segment)
			}
		}
	}
	return segments, meant
}

func fromIconik(in workflows.SyncInput, it ledger.ReviewAsset) bool {
	return slices.ContainsFunc(in.Hints, func(h workflows.Hint) bool { return h.Asset == it.AssetID })
}

// notePermanent notes an error that a retry cannot fix, so that it holds up nothing else. It returns all other errors.
func (r *review) notePermanent(ctx context.Context, err error, what string) error {
	if err == nil {
		return nil
	}
	switch rest.ClassOf(err) {
	case rest.Permanent, rest.Forbidden, rest.NotFound, rest.Unsupported:
		r.log.WarnContext(ctx, "skipped an asset in a sync", "review", r.ref.Review, "what", what, "error", err)
		return r.noteError(ctx, what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// newestOfVersion reports whether no later file shows the same version. New comments from iconik go to the newest file.
func newestOfVersion(assets []ledger.ReviewAsset, i int) bool {
	for _, later := range assets[i+1:] {
		if later.AssetID == assets[i].AssetID && later.VersionID == assets[i].VersionID && later.State == ledger.AssetReady {
			return false
		}
	}
	return true
}

// newestOfAsset reports whether no later file shows the same asset. The newest file's decision is the asset's.
func newestOfAsset(assets []ledger.ReviewAsset, i int) bool {
	for _, later := range assets[i+1:] {
		if later.AssetID == assets[i].AssetID && (later.State == ledger.AssetReady || later.State == ledger.AssetGone) {
			return false
		}
	}
	return true
}

func (r *review) count(ctx context.Context, out *workflows.SyncResult) error {
	rows, err := r.ledger.Comments(ctx, 0)
	for _, c := range rows {
		switch {
		case c.Older || c.FrameioID == "" || c.IconikID == "":
		case c.Origin == ledger.FromFrameio:
			out.ToIconik++
		default:
			out.ToFrameio++
		}
		if !c.Older && !c.Deleted && !c.Completed && c.ParentID == "" {
			out.Open++
		}
	}
	return err
}

// nextPoll returns the configured interval. It is longer if nobody has commented for a while, or if the tenant's reviews
// together would use more than their share of Frame.io's listing calls.
func (r *review) nextPoll(ctx context.Context, now time.Time) (time.Duration, error) {
	every := r.cfg.Review.PollInterval
	last := r.row.OpenedAt
	if r.row.LastCommentAt.After(last) {
		last = r.row.LastCommentAt
	}
	if quiet := now.Sub(last); quiet > quietAfter {
		every = max(every, min(quiet/quietShare, quietLongest))
	}
	files, err := r.tenant.Ledger.RunningReviewAssets(ctx)
	if err != nil {
		return 0, err
	}
	if polls := r.frameio.Capabilities().CommentPolls / pollShare; polls > 0 {
		every = max(every, time.Duration(files)*time.Minute/time.Duration(polls))
	}
	// Jitter keeps reviews that began together from polling together.
	return every - time.Duration(rand.Float64()*0.1*float64(every)), nil //nolint:gosec // no secret
}

// notifyOnce notes something that somebody did by hand, and sends mail about it once.
func (r *review) notifyOnce(ctx context.Context, kind, text string) error {
	if err := r.note(ctx, text); err != nil {
		return err
	}
	return r.tell(ctx, kind, fmt.Sprintf("Review changed outside Framebridge: %q", r.row.Title), text+"\n")
}

const lostWatermark = "Someone turned off the review link's watermark in Frame.io, so Framebridge switched the link off. Framebridge syncs comments until the expiry."

// lookAtShare detects what somebody has done to the link in Frame.io.
func (r *review) lookAtShare(ctx context.Context) error {
	if r.row.ShareID == "" || r.row.ShareID == noShare {
		return nil
	}
	if err := r.reread(ctx); err != nil {
		return err
	}
	before := r.row
	s, err := r.frameio.ShareByID(ctx, r.row.ShareID)
	switch {
	case rest.IsNotFound(err) && r.row.LinkAbsentSince.IsZero():
		return r.update(ctx, func(row *ledger.Review) { row.LinkAbsentSince = time.Now().UTC() })
	case rest.IsNotFound(err):
		if _, err := r.frameio.Project(ctx, r.row.ProjectID); err != nil && !rest.IsNotFound(err) {
			return err
		} else if away := time.Since(r.row.LinkAbsentSince); away < absentSeen || err != nil && away < absentUnseen {
			return nil
		}
		return r.notifyOnce(ctx, "link:deleted", "Someone deleted the review link in Frame.io. To get a new link, send the assets again. Framebridge syncs comments until the expiry.")
	case err != nil:
		return err
	case !r.row.LinkAbsentSince.IsZero() || s.Active && r.row.LinkOff != "":
		if err := r.update(ctx, func(row *ledger.Review) {
			if row.LinkAbsentSince = (time.Time{}); s.Active {
				row.LinkOff = ""
			}
		}); err != nil {
			return err
		}
	}
	if s.Active && r.cfg.Review.Watermark == "preferred" {
		if err := r.watermarkIs(ctx, s, ""); err != nil {
			return err
		}
	}
	if s.Active && r.row.Access == string(frameio.AccessSecure) && s.Access == frameio.AccessPublic {
		if err := r.notifyOnce(ctx, "link:access", "Someone made the review link public in Frame.io: whoever has it can open it, not only the reviewers."); err != nil {
			return err
		}
	}
	switch {
	case s.Active && s.Watermark == frameio.WatermarkOff && r.cfg.Review.Watermark == "required":
		if err := r.closeLink(ctx, r.row.ShareID); err != nil {
			return err
		}
		return r.notifyOnce(ctx, "link:watermark", lostWatermark)
	case !s.Active && r.row.LinkOff == s.ID: // by Framebridge
	case !s.Active:
		if err := r.reread(ctx); err != nil || !r.row.EndedAt.IsZero() { // a stop does not wait for a sync whose worker is lost
			return err
		}
		return r.notifyOnce(ctx, "link:off", "Someone switched off the review link in Frame.io. Reviewers cannot open it. Framebridge syncs comments until the expiry.")
	case !s.ExpiresAt.IsZero() && s.ExpiresAt.Sub(r.row.ExpiresAt).Abs() > time.Minute:
		return r.otherExpiry(ctx, s.ExpiresAt, before)
	}
	return nil
}

// otherExpiry tells of an expiry that somebody gave the link in Frame.io, unless an extension did, which may happen at any moment of a
// sync. before is the row from before the link was read. The sync after an extension looks again.
func (r *review) otherExpiry(ctx context.Context, expires time.Time, before ledger.Review) error {
	if err := r.reread(ctx); err != nil {
		return err
	}
	extended := !r.row.ExpiresAt.Equal(before.ExpiresAt) || !r.row.ExtendingTo.Equal(before.ExtendingTo)
	if extended || expires.Sub(r.row.ExtendingTo).Abs() <= time.Minute {
		return nil
	}
	return r.notifyOnce(ctx, fmt.Sprintf("link:expires:%d", expires.Unix()), fmt.Sprintf("Someone changed the review link's expiry in Frame.io to %s. Framebridge syncs comments until %s, the review's own expiry; to change it, extend the review.",
		english.Minute(expires), english.Minute(r.row.ExpiresAt)))
}
