package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/commentsync"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// statusLag is how long after Framebridge has set a status Frame.io may still show the one before.
const statusLag = time.Minute

// decideInFrameio brings what people in iconik decide about a version over to the status of the file that shows it. It is for a
// file that has the last status that was brought over, or the one that an attempt was about to set. If both sides decide, the
// later decision counts.
func (r *review) decideInFrameio(ctx context.Context, it ledger.ReviewAsset, f frameio.Asset) error {
	if r.cfg.Review.Decisions == config.DecisionsToIconik || time.Since(it.LabelRefused) < commentsync.RefusedLook {
		return nil
	}
	made, err := r.approvals(ctx, it)
	switch {
	case rest.IsRefused(err) && !rest.IsUnknownCall(err):
		return r.noteError(ctx, "iconik does not let Framebridge read decisions, so those made in iconik stay there", err)
	case err != nil:
		return err
	}
	seen := seenAs(made.latest)
	unfinished := it.LabelSent != "" && it.LabelSent != it.Label
	if seen == it.Approval && !unfinished {
		return r.sameApproval(ctx, it, made)
	}
	if made.latest.Status == "" && it.LabelSent != "" && !unfinished {
		if gone, err := r.withdrawn(ctx, it); err != nil || !gone {
			return err
		}
	}
	label, err := r.labelFor(ctx, it, f, made.latest)
	if err == nil {
		err = r.setLabel(ctx, it, f, label)
	}
	switch {
	case rest.IsRefused(err) || rest.IsConflict(err):
		return r.labelRefused(ctx, it, err)
	case err != nil:
		return err
	}
	approval, decision, _ := r.decision(label)
	if label != it.Label {
		if err := r.showInIconik(ctx, it, made, approval, decision); err != nil {
			return err
		}
	}
	_, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		row.Approval, row.LabelRefused, row.WithdrawnAt, row.LabelAt = seen, time.Time{}, time.Time{}, made.overruled
		if row.LabelSent = label; made.latest.Status == "" || label == it.Label && it.LabelSent == "" {
			row.LabelSent = "" // it is a reviewer's
		}
		if label != it.Label {
			row.Label, row.Decision = label, decision
		}
	})
	return err
}

// sameApproval records that nobody in iconik has decided anything since the last look. If the file's status is a reviewer's, all
// that is decided in iconik is older.
func (r *review) sameApproval(ctx context.Context, it ledger.ReviewAsset, made approvalsMade) error {
	if it.LabelSent == "" && made.latest.Status != "" {
		made.overruled = made.latest.Changed.Time
	}
	if it.WithdrawnAt.IsZero() && it.LabelAt.Equal(made.overruled) {
		return nil
	}
	_, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.WithdrawnAt, row.LabelAt = time.Time{}, made.overruled })
	return err
}

// withdrawn reports whether a decision that iconik no longer lists counts as withdrawn: it may come back.
func (r *review) withdrawn(ctx context.Context, it ledger.ReviewAsset) (bool, error) {
	if !it.WithdrawnAt.IsZero() {
		return time.Since(it.WithdrawnAt) >= absentSeen, nil
	}
	_, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.WithdrawnAt = time.Now().UTC() })
	return false, err
}

// showInIconik shows a decision that was brought over to Frame.io: in Framebridge's own approval, on the tenant's channels and in the audit.
func (r *review) showInIconik(ctx context.Context, it ledger.ReviewAsset, made approvalsMade, approval, decision string) error {
	if err := r.followApproval(ctx, it, made.mine, approval); err != nil {
		return err
	}
	if err := r.tellDecision(ctx, it, "iconik:"+it.Approval+">"+seenAs(made.latest), decision, r.decider(ctx, made.latest)); err != nil {
		return err
	}
	return r.audit(ctx, ledger.ActorIconik, "decision on "+it.Title+", version "+it.VersionID, decision)
}

// setLabel gives a file a status. It first records that it will, so that an attempt that dies does not take the status for a reviewer's.
func (r *review) setLabel(ctx context.Context, it ledger.ReviewAsset, f frameio.Asset, label string) error {
	if label == f.Label {
		return nil
	}
	if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		row.LabelSent, row.LabelSentAt, row.LabelOver, row.LabelBefore = label, time.Now().UTC(), f.Label, cmp.Or(row.LabelBefore, row.Label)
	}); err != nil {
		return err
	}
	return r.frameio.SetLabel(ctx, r.row.ProjectID, it.FileID, label)
}

// lags reports whether Frame.io may not show yet what Framebridge has set. Once the review has ended, its status is as it is shown.
func (r *review) lags(it ledger.ReviewAsset, f frameio.Asset) bool {
	return f.Label == it.LabelOver && f.Label != it.Label && time.Since(it.LabelSentAt) < statusLag && r.row.EndedAt.IsZero()
}

// approvalsMade is what iconik shows of a version's approvals.
type approvalsMade struct {
	mine      iconik.Approval // Framebridge's own, if there is one
	latest    iconik.Approval // the latest decision that a person has made during the review and that counts, if there is one
	overruled time.Time       // when the latest one was made that a later status in Frame.io overruled
}

// approvals reads what was decided about a version in iconik.
func (r *review) approvals(ctx context.Context, it ledger.ReviewAsset) (made approvalsMade, err error) {
	me, err := r.tenant.CurrentUser(ctx)
	if err != nil {
		return made, err
	}
	if me.ID == "" {
		return made, &rest.Error{Vendor: "iconik", Operation: "current user", Class: rest.Unsupported, Detail: "the user has no ID"}
	}
	all, err := r.iconik.Assets.Approvals(ctx, it.AssetID, it.VersionID)
	for _, a := range all {
		switch at := a.Changed.Time; {
		case a.VersionID != "" && a.VersionID != it.VersionID:
		case string(a.User) == me.ID:
			made.mine = a
		case a.By() == "" || a.Status != approvals[approved] && a.Status != approvals[changesRequested]:
		case !at.IsZero() && !at.After(r.clickedAt(it)): // before the review
		case !at.IsZero() && !at.After(it.LabelAt):
			if at.After(made.overruled) {
				made.overruled = at
			}
		case later(a, made.latest) > 0:
			made.latest = a
		}
	}
	return made, err
}

// later orders decisions by their time. Of two without one, or at the same time, the one that requests changes counts.
func later(a, b iconik.Approval) int {
	return cmp.Or(a.Changed.Compare(b.Changed.Time), cmp.Compare(a.Status, b.Status), cmp.Compare(a.By(), b.By()))
}

// seenAs returns what identifies a decision in iconik, for the asset's row.
func seenAs(a iconik.Approval) string {
	if a.Status == "" {
		return "none"
	}
	return fmt.Sprintf("%s %s %d", a.By(), a.Status, a.Changed.UnixMicro())
}

// labelFor returns the status that a file gets by the latest decision in iconik. It may be the one that it has.
func (r *review) labelFor(ctx context.Context, it ledger.ReviewAsset, f frameio.Asset, latest iconik.Approval) (string, error) {
	switch {
	case it.LabelSent == "" && latest.Status == "":
		return f.Label, nil
	case latest.Status == "": // withdrawn
		return cmp.Or(it.LabelBefore, it.Label), nil
	case it.Approval == "" && it.LabelSent == "" && (latest.Changed.IsZero() || f.Label != "none" && it.LabelAt.IsZero()):
		return f.Label, nil // perhaps made before the review, or before the file got its status
	}
	wanted := approved
	if latest.Status == approvals[changesRequested] {
		wanted = changesRequested
	}
	means := func(label string) bool { _, decision, known := r.decision(label); return known && decision == wanted }
	if means(f.Label) {
		return f.Label, nil
	}
	labels, err := r.frameio.Labels(ctx, it.FileID)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(labels, means); i >= 0 {
		return labels[i], nil
	}
	return f.Label, r.note(ctx, fmt.Sprintf("The decision on %q in iconik is %q, but no status in Frame.io means that. An administrator can map a status to it in review.status_options.", it.Title, wanted))
}

// labelRefused notes that Frame.io does not accept a status, which is tried again later. Whose status the file has is as before.
func (r *review) labelRefused(ctx context.Context, it ledger.ReviewAsset, err error) error {
	if nerr := r.noteError(ctx, fmt.Sprintf("Frame.io rejected the status of %q, so the decision made in iconik is not shown there", it.Title), err); nerr != nil {
		return nerr
	}
	_, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.LabelSent, row.LabelRefused = it.LabelSent, time.Now().UTC() })
	return err
}

// followApproval brings the approval that Framebridge has set for an earlier decision in Frame.io up to date, so that iconik does
// not show both. approval is empty if the file's status decides nothing in iconik.
func (r *review) followApproval(ctx context.Context, it ledger.ReviewAsset, mine iconik.Approval, approval string) error {
	if mine.Status == "" || mine.Status == approvals["none"] || approval == "" {
		return nil
	}
	approval, err := r.standing(ctx, it, approval)
	if err != nil || mine.Status == approval {
		return err
	}
	if current, err := r.isCurrent(ctx, it); err != nil || !current {
		return err
	}
	return r.approve(ctx, it, approval)
}

// decider returns who made a decision in iconik, or "" if iconik does not say.
func (r *review) decider(ctx context.Context, a iconik.Approval) string {
	if a.User == "" {
		return a.External
	}
	u, err := r.iconik.Users.Get(ctx, string(a.User))
	if err != nil {
		return ""
	}
	return u.FullName()
}
