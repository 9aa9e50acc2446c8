package review

import (
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

const (
	approved         = "approved"
	changesRequested = "changes requested"
)

// approvals maps decisions to iconik's approval statuses.
var approvals = map[string]string{approved: "APPROVED", changesRequested: "NOT_APPROVED", "none": "N/A"}

// decision returns what an option of Frame.io's status field means, by the configuration or by the option's own name. An
// unknown option is shown as it is and decides nothing in iconik.
func (r *review) decision(label string) (approval, decision string, known bool) {
	if decision, ok := r.cfg.Review.Decision(label); ok {
		return approvals[decision], decision, true
	}
	if approval, decision, known = mapping.Decision(label); known {
		return approval, decision, true
	}
	return "", label, false
}

// decide brings a file's status over to the version that was reviewed. If iconik's current version is another one, its approval
// and decision field are left alone. Otherwise decide brings what was decided in iconik over to the file. newest means that no later
// file of the review shows the same asset, and shows that none shows the same version.
func (r *review) decide(ctx context.Context, it ledger.ReviewAsset, newest, shows bool) error {
	f, err := r.file(ctx, it)
	if rest.IsNotFound(err) {
		return r.absentFromFrameio(ctx, it)
	}
	if err == nil && newest {
		err = r.lookAtHead(ctx, it, f)
	}
	switch {
	case err != nil:
		return err
	case r.lags(it, f):
		return nil
	case shows && (f.Label == it.Label || f.Label == it.LabelSent):
		return r.decideInFrameio(ctx, it, f)
	case f.Label == it.Label:
		return nil
	}
	approval, decision, known := r.decision(f.Label)
	current, err := r.isCurrent(ctx, it)
	if err != nil {
		return err
	}
	switch {
	case !current || !newest:
		err = r.note(ctx, fmt.Sprintf("The status %q in Frame.io belongs to a version of %q that is no longer the current one: approval and decision in iconik are left alone.", f.Label, it.Title))
	case !known:
		err = r.note(ctx, fmt.Sprintf("The status %q of %q in Frame.io is the account's own, and the approval in iconik is left alone. review.status_options says what it decides.", f.Label, it.Title))
	default:
		if approval, err = r.standing(ctx, it, approval); err == nil {
			err = r.approve(ctx, it, approval)
		}
		if err == nil {
			err = r.tellDecision(ctx, it, fmt.Sprintf("%s:%d", f.Label, f.UpdatedAt.Unix()), decision, "")
		}
	}
	if err != nil {
		return err
	}
	if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		row.Label, row.LabelBefore, row.Decision, row.LabelAt, row.LabelSent = f.Label, f.Label, decision, f.UpdatedAt, ""
	}); err != nil {
		return err
	}
	return r.audit(ctx, ledger.ActorFrameio, "status of "+it.Title+", version "+it.VersionID, f.Label)
}

// lookAtHead tells people that somebody has put another version on top of a file in Frame.io, whose comments are not synced.
func (r *review) lookAtHead(ctx context.Context, it ledger.ReviewAsset, f frameio.Asset) error {
	if r.row.FolderID == "" || f.ParentID == "" || f.ParentID == r.row.FolderID {
		return nil
	}
	stack, err := r.frameio.Asset(ctx, f.ParentID)
	if rest.IsRefused(err) {
		return nil // it was moved to where Framebridge has no access
	}
	if err != nil || stack.Kind != frameio.KindStack || stack.CoverID == "" || stack.CoverID == it.FileID {
		return err
	}
	rows, err := r.assets(ctx)
	if err != nil || slices.ContainsFunc(rows, func(row ledger.ReviewAsset) bool { return row.FileID == stack.CoverID }) {
		return err
	}
	return r.notifyOnce(ctx, fmt.Sprintf("version:%d:%s", it.N, stack.CoverID), fmt.Sprintf("Someone put another version on top of %q in Frame.io. Framebridge syncs the version that it sent; comments on the other one stay in Frame.io. To review a new version, send the asset again.", it.Title))
}

// tellDecision tells the tenant's channels once what was decided, and by whom if that is known. Mail goes out when the review ends.
func (r *review) tellDecision(ctx context.Context, it ledger.ReviewAsset, key, decision, who string) error {
	data := r.eventData(fmt.Sprintf("%s: %q", english.Capitalized(decision), it.Title), "", []ledger.ReviewAsset{it})
	if decision == "none" {
		data.Title = fmt.Sprintf("The decision was withdrawn: %q", it.Title)
	}
	data.Facts = []events.Fact{{Name: "Review", Value: r.row.Title}, {Name: "Decision", Value: decision}}
	if who != "" {
		data.Facts = append(data.Facts, events.Fact{Name: "Decided by", Value: who + ", in iconik"})
	}
	return r.tenant.Publish(ctx, fmt.Sprintf("review:%s:decision:%d:%s", r.ref.Review, it.N, key), events.ReviewDecision, data)
}

// standing returns the approval that an asset gets in iconik, where it has one of all reviews together: if nothing is decided in
// this review, what another one decided about the same version stands.
func (r *review) standing(ctx context.Context, it ledger.ReviewAsset, approval string) (string, error) {
	if approval != approvals["none"] {
		return approval, nil
	}
	rows, err := r.tenant.Ledger.ReviewAssetsOf(ctx, it.AssetID)
	for _, row := range rows {
		if row.Review == r.ref.Review || row.VersionID != it.VersionID {
			continue
		}
		if other, _, known := r.decision(row.Label); known && other != approvals["none"] {
			return other, nil
		}
	}
	return approval, err
}

// approve sets iconik's approval, which belongs to the asset and so to its current version. If another version has become
// current in the meantime, approve withdraws the approval.
func (r *review) approve(ctx context.Context, it ledger.ReviewAsset, approval string) error {
	if err := r.iconik.Assets.SetApproval(ctx, it.AssetID, approval); err != nil {
		if c := rest.ClassOf(err); c == rest.Retryable || c == rest.Throttled || c == rest.Unauthorized {
			return err
		}
		return r.note(ctx, fmt.Sprintf("iconik rejected the approval status of %q: %v", it.Title, err))
	}
	current, err := r.isCurrent(ctx, it)
	if err != nil || current {
		return err
	}
	if err := r.iconik.Assets.SetApproval(ctx, it.AssetID, approvals["none"]); err != nil {
		return err
	}
	return r.note(ctx, fmt.Sprintf("A new version of %q appeared in iconik while the decision on the previous one was being brought over: the new one has no approval.", it.Title))
}

// isCurrent reports whether the version that was reviewed is iconik's current one.
func (r *review) isCurrent(ctx context.Context, it ledger.ReviewAsset) (bool, error) {
	asset, err := r.iconik.Assets.Get(ctx, it.AssetID, false)
	if rest.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v, ok := asset.CurrentVersion()
	return ok && v.ID == it.VersionID, nil
}
