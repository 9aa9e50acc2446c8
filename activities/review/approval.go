package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// labelLook is how long after Frame.io refuses a status it is set again: an account may be locked for a while.
const labelLook = 10 * time.Minute

// decideInFrameio brings what people in iconik decide about a version over to the status of the file that shows it. It is for a
// file whose status is still the last one that was brought over, in either direction. If both sides decide, the later decision counts.
func (r *review) decideInFrameio(ctx context.Context, it ledger.ReviewAsset, f frameio.Asset) error {
	if r.cfg.Review.Decisions == config.DecisionsToIconik || time.Since(it.LabelRefused) < labelLook {
		return nil
	}
	mine, latest, err := r.approvals(ctx, it)
	switch {
	case rest.IsUnknownCall(err): // an iconik that does not list them
		return nil
	case rest.IsRefused(err):
		return r.noteError(ctx, "iconik does not let Framebridge read decisions, so those made in iconik stay there", err)
	case err != nil || seenAs(latest) == it.Approval:
		return err
	}
	label, decision, err := r.labelFor(ctx, it, f, latest)
	if err == nil && label != "" {
		err = r.setLabel(ctx, it, f, label, latest.Status != "")
	}
	switch {
	case rest.IsRefused(err):
		return r.labelRefused(ctx, it, err)
	case err != nil:
		return err
	}
	if label != "" {
		if err := r.followApproval(ctx, it, mine, approvals[decision]); err != nil {
			return err
		}
		if err := r.tellDecision(ctx, it, "iconik:"+seenAs(latest), decision, r.decider(ctx, latest)); err != nil {
			return err
		}
		if err := r.audit(ctx, ledger.ActorIconik, "decision on "+it.Title+", version "+it.VersionID, decision); err != nil {
			return err
		}
	}
	_, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		row.Approval, row.LabelRefused = seenAs(latest), time.Time{}
		if label == "" {
			return
		}
		row.Label, row.LabelSent, row.Decision = label, label, decision
	})
	return err
}

// setLabel gives a file a status. For a decision, rather than for one that was withdrawn, it first records that it will, so that
// an attempt that dies does not take the status for a reviewer's.
func (r *review) setLabel(ctx context.Context, it ledger.ReviewAsset, f frameio.Asset, label string, decided bool) error {
	if decided {
		if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
			if row.Label != row.LabelSent && row.Label == f.Label {
				row.LabelBefore = row.Label
			}
			row.LabelSent = label
		}); err != nil {
			return err
		}
	}
	if label == f.Label {
		return nil
	}
	return r.frameio.SetLabel(ctx, r.row.ProjectID, it.FileID, label)
}

// approvals returns Framebridge's own approval of a version, and the latest decision that a person has made about it. Both are
// empty if there is none.
func (r *review) approvals(ctx context.Context, it ledger.ReviewAsset) (mine, latest iconik.Approval, err error) {
	me, err := r.tenant.CurrentUser(ctx)
	if err != nil {
		return mine, latest, err
	}
	all, err := r.iconik.Assets.Approvals(ctx, it.AssetID, it.VersionID)
	for _, a := range all {
		switch decided := a.Status == approvals[approved] || a.Status == approvals[changesRequested]; {
		case a.User == me.ID && me.ID != "":
			mine = a
		case decided && a.User+a.External != "" && (latest.Status == "" || a.Changed.After(latest.Changed.Time)):
			latest = a
		}
	}
	return mine, latest, err
}

// seenAs returns what identifies a decision in iconik, for the asset's row.
func seenAs(a iconik.Approval) string {
	if a.Status == "" {
		return "none"
	}
	return fmt.Sprintf("%s %s %d", cmp.Or(a.User, a.External), a.Status, a.Changed.Unix())
}

// labelFor returns the status that a decision in iconik gives a file, and the decision as people read it. The status is empty if
// the file keeps the one that it has.
func (r *review) labelFor(ctx context.Context, it ledger.ReviewAsset, f frameio.Asset, latest iconik.Approval) (label, decision string, err error) {
	for name, status := range approvals {
		if status == latest.Status {
			decision = name
		}
	}
	_, has, known := r.decision(f.Label)
	switch {
	case latest.Status == "" && it.LabelSent != "" && it.LabelSent == f.Label: // withdrawn
		label = cmp.Or(it.LabelBefore, "none")
		_, decision, _ = r.decision(label)
		return label, decision, nil
	case latest.Status != "" && known && has == decision && f.Label != it.Label: // set by an attempt that died
		return f.Label, decision, nil
	case latest.Status == "", known && has == decision:
		return "", decision, nil
	case it.Approval == "" && (!latest.Changed.After(r.clickedAt(it)) || f.Label != "none" && it.LabelAt.IsZero()): // made before the review, or before Framebridge looked
		return "", decision, nil
	case !it.LabelAt.IsZero() && !latest.Changed.IsZero() && !latest.Changed.After(it.LabelAt):
		return "", decision, r.audit(ctx, ledger.ActorIconik, "decision on "+it.Title+" overruled by a later one in Frame.io", decision)
	}
	labels, err := r.frameio.Labels(ctx, it.FileID)
	if err != nil {
		return "", decision, err
	}
	i := slices.IndexFunc(labels, func(l string) bool { _, means, known := r.decision(l); return known && means == decision })
	if i < 0 {
		return "", decision, r.note(ctx, fmt.Sprintf("%q was decided in iconik (%s), and Frame.io has no status that means it: review.status_options says what an account's own options mean.", it.Title, decision))
	}
	return labels[i], decision, nil
}

// labelRefused notes that Frame.io does not accept a status, which is tried again later.
func (r *review) labelRefused(ctx context.Context, it ledger.ReviewAsset, err error) error {
	if nerr := r.noteError(ctx, fmt.Sprintf("Frame.io rejected the status of %q, so the decision made in iconik is not shown there", it.Title), err); nerr != nil {
		return nerr
	}
	_, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.LabelSent, row.LabelRefused = "", time.Now().UTC() })
	return err
}

// followApproval brings the approval that Framebridge has set for an earlier decision in Frame.io up to date, so that iconik does
// not show both. status is empty if it is not known what was decided.
func (r *review) followApproval(ctx context.Context, it ledger.ReviewAsset, mine iconik.Approval, status string) error {
	if mine.Status == "" || mine.Status == approvals["none"] || mine.Status == status || status == "" {
		return nil
	}
	if current, err := r.isCurrent(ctx, it); err != nil || !current {
		return err
	}
	return r.approve(ctx, it, status)
}

// decider returns who made a decision in iconik, or "" if iconik does not say.
func (r *review) decider(ctx context.Context, a iconik.Approval) string {
	if a.User == "" {
		return a.External
	}
	u, err := r.iconik.Users.Get(ctx, a.User)
	if err != nil {
		return ""
	}
	return cmp.Or(u.FullName(), u.Email)
}
