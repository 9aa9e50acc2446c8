package review

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// States of the watermark on a review's link.
const (
	watermarkNone    = "none"
	watermarkUnknown = "unknown"
	watermarkOn      = "on"
)

// peopleLag is how long Frame.io may take to list the people of a secure link, and peopleLook the time between looks.
const (
	peopleLag  = time.Minute
	peopleLook = 15 * time.Second
)

// quoted returns the vendor's own words, or "" if there are none.
func quoted(why string) string {
	if why == "" {
		return ""
	}
	return fmt.Sprintf(" Frame.io says: %q.", strings.TrimRight(why, ". "))
}

// shareRefused says what to do if Frame.io refuses to create the link as required.
func (r *review) shareRefused(want frameio.NewShare, err error) error {
	var e *rest.Error
	if !errors.As(err, &e) || e.Class != rest.Permanent && e.Class != rest.Forbidden && e.Class != rest.Unsupported {
		return fmt.Errorf("review link: %w", err)
	}
	said := strings.ToLower(e.Detail)
	switch {
	case want.Forensic && strings.Contains(said, "forensic"), want.DRM && strings.Contains(said, "drm"):
		return fault.Content("Frame.io refused the protection that was asked for, so nothing was shared.%s Send again without it, or have it added to the account.", quoted(e.Detail))
	case want.MustWatermark && strings.Contains(said, "unexpected field"):
		return fault.Content("%s", unreportedWatermark)
	case want.MustWatermark && strings.Contains(said, "watermark"):
		return fault.Content("%s%s%s", noWatermark, quoted(e.Detail), mendWatermark)
	case want.Access == frameio.AccessPublic && (strings.Contains(said, "public") || strings.Contains(said, "secure") || strings.Contains(said, "access")):
		return fault.Content("Frame.io refused a public link, so nothing was shared.%s Set review.access to auto or secure.", quoted(e.Detail))
	case want.Access == frameio.AccessSecure:
		return fault.Content("Frame.io refused a secure link, so nothing was shared.%s Secure links need Frame.io's Enterprise plan: set review.access to auto or public if you may share without them.", quoted(e.Detail))
	}
	return fmt.Errorf("review link: %w", err)
}

const (
	unreportedWatermark = "Frame.io does not report whether the link has a watermark, so nothing was shared. If the account's own policy enforces one, set review.watermark_attested: true; otherwise set review.watermark to preferred or off."
	noWatermark         = "Frame.io did not turn on the link's watermark, so nothing was shared."
	mendWatermark       = " Turn on watermarks for the workspace, or set review.watermark to preferred or off."
)

// checkShare compares a link with what was requested. If a required protection is missing, it switches the link off; other
// differences are noted.
func (r *review) checkShare(ctx context.Context, want frameio.NewShare, is frameio.Share) error {
	why, _ := is.Refusal(frameio.RefusedWatermark)
	if problem := r.unprotected(want, is, why); problem != "" {
		if err := r.closeLink(ctx, is.ID); err != nil {
			return fmt.Errorf("switching off a link without its protection: %w", err)
		}
		return fault.Content("%s", problem)
	}
	if err := r.watermarkIs(ctx, is, why); err != nil {
		return err
	}
	var notes []string
	if is.HasPassphrase && !r.row.Passphrase {
		notes = append(notes, "The account's policy requires a passphrase, so Frame.io added one to the link. Find it in the share's settings in Frame.io and give it to the reviewers.")
	}
	if why, refused := is.Refusal(frameio.RefusedDownload); refused || want.Download && !is.Downloads {
		notes = append(notes, "Reviewers cannot download: the account's policy forbids it."+quoted(why))
	}
	if why, refused := is.Refusal(frameio.RefusedPublic); refused || is.Access == frameio.AccessSecure && want.Access != frameio.AccessSecure {
		notes = append(notes, "The account allows no public links, so this one is secure: only its reviewers can open it, signed in to Frame.io."+quoted(why))
	}
	for _, n := range notes {
		if err := r.note(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// unprotected returns which required protection a link lacks, or "".
func (r *review) unprotected(want frameio.NewShare, is frameio.Share, why string) string {
	onShare := !r.frameio.Capabilities().WatermarkOnFiles
	switch {
	case want.Access == frameio.AccessSecure && is.Access != frameio.AccessSecure:
		return "Frame.io made the link public although a secure one was asked for, so it is off and nothing was shared. Set review.access to auto or public if you may share without it."
	case r.cfg.Review.Watermark != "required" || !onShare || is.Watermark == frameio.WatermarkOn:
		return ""
	case is.Watermark == frameio.WatermarkUnknown && r.cfg.Review.Attested:
		return ""
	case is.Watermark == frameio.WatermarkUnknown:
		return unreportedWatermark
	}
	return noWatermark + quoted(why) + mendWatermark
}

// watermarkIs records the state of the watermark on a link, for generations that watermark links. If a watermark is preferred
// and there is none, the review, its mail and its assets say so.
func (r *review) watermarkIs(ctx context.Context, is frameio.Share, why string) error {
	if r.frameio.Capabilities().WatermarkOnFiles || r.cfg.Review.Watermark == "off" {
		return nil
	}
	state, text := watermarkOn, ""
	switch {
	case is.Watermark == frameio.WatermarkOff:
		state, text = watermarkNone, "No watermark: Frame.io did not turn on the link's watermark."+quoted(why)
	case is.Watermark == frameio.WatermarkUnknown && !r.cfg.Review.Attested:
		state, text = watermarkUnknown, "No watermark that Frame.io would report: the link may have none."+quoted(why)
	}
	if state == r.row.Watermark {
		return nil
	}
	if err := r.update(ctx, func(row *ledger.Review) { row.Watermark = state }); err != nil {
		return err
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return err
	}
	for _, it := range assets {
		if it.State != ledger.AssetReady {
			continue
		}
		if err := r.noteNoWatermark(ctx, it.N, text); err != nil {
			return err
		}
	}
	return nil
}

// noteNoWatermark shows on an asset and on the review why there is no watermark. An empty text clears it from the asset.
func (r *review) noteNoWatermark(ctx context.Context, n int, text string) error {
	if _, err := r.updateAsset(ctx, n, func(row *ledger.ReviewAsset) { row.NoWatermark = text }); err != nil || text == "" {
		return err
	}
	return r.note(ctx, text)
}

// checkPeople checks that Frame.io lists every reviewer of a secure link: only listed people can open it.
func (r *review) checkPeople(ctx context.Context) error {
	if r.row.Access != string(frameio.AccessSecure) {
		return nil
	}
	have, err := r.frameio.Reviewers(ctx, r.row.ShareID)
	if err != nil {
		return fmt.Errorf("people of the secure link: %w", err)
	}
	if !have.Listed { // the generation only counts them, or the list is empty
		if have.Count >= len(r.row.Reviewers) {
			return nil
		}
	}
	var missing []string
	for _, m := range r.row.Reviewers {
		if !slices.ContainsFunc(have.Emails, func(e string) bool { return strings.EqualFold(e, m) }) {
			missing = append(missing, m)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if time.Since(attempt.Of(ctx).Scheduled()) < peopleLag {
		return fault.Wait("People", peopleLook, "Frame.io does not list all people of the secure link yet")
	}
	return r.note(ctx, fmt.Sprintf("Frame.io does not list %s among the people of the secure link, so they may be unable to open it: add them in the share's settings in Frame.io.", strings.Join(missing, ", ")))
}
