package archive

import (
	"context"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/workflows"
)

// noOriginal corrects what the listing said after Frame.io has refused the bytes themselves.
func (a *archive) noOriginal(ctx context.Context, it ledger.Item) (ledger.Item, error) {
	project, err := a.project(ctx)
	if err != nil {
		return it, err
	}
	now, err := a.frameio.Asset(ctx, it.SourceID)
	if err != nil {
		return it, err
	}
	why, listed := now.Original, ""
	switch {
	case project.Archived:
		why = frameio.OriginalArchived
	case why == frameio.OriginalAvailable && now.Watermark == frameio.WatermarkOn:
		why, listed = frameio.OriginalWatermarked, string(why) // its stream is served as the original
	case why == frameio.OriginalAvailable:
		return it, fault.Content("Frame.io lists an original of %d bytes but refuses the download", it.Size)
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) { i.Original, i.HasProxy, i.Listed = string(why), now.HasProxy, listed })
}

// RecheckOriginals asks Frame.io again about the items that wait for their original.
func (a *Activities) RecheckOriginals(ctx context.Context, ref workflows.Ref) (workflows.RecheckResult, error) {
	var res workflows.RecheckResult
	arc, err := a.archive(ref)
	if err != nil {
		return res, err
	}
	cold := false // at least one of those that wait is known to be
	var project *frameio.Project
	for it, err := range arc.ledger.ItemsOf(ctx, ledger.PhaseCopy) {
		if err != nil {
			return res, err
		}
		if o := frameio.Original(it.Original); it.State != ledger.Pending || o != frameio.OriginalArchived && o != frameio.OriginalMissing {
			continue
		}
		if project == nil { // while the project is still archived, one call answers for all
			p, err := arc.project(ctx)
			if err != nil {
				return res, err
			}
			project = &p
		}
		if project.Archived {
			cold = true
			res.Waiting++
			continue
		}
		var waits, gone bool
		var original frameio.Original
		refused, err := arc.objects.Try(ctx, func() (err error) {
			waits, original, err = arc.recheckOriginal(ctx, it)
			if gone = rest.IsNotFound(err); gone { // deleted in the meantime, or under another ID by now: the next scan tells
				return nil
			}
			return err
		})
		if refused != nil {
			refused.Reason = "asking for its original: " + refused.Reason
			_, err = arc.updateItem(ctx, it, func(i *ledger.Item) { isolate.FailItem(i, *refused) })
		}
		if err != nil {
			return res, err
		}
		if gone || refused != nil {
			continue
		}
		if waits {
			res.Waiting++
			cold = cold || original == frameio.OriginalArchived
		} else {
			res.Back++
		}
	}
	switch {
	case !cold:
		res.Advice, res.Code = plan.AllowOrWait, workflows.WaitsForLink
	case arc.frameio.Capabilities().NativeArchive:
		res.Advice, res.Code = plan.Unarchive, workflows.WaitsForRestore
	default:
		res.Advice, res.Code = plan.UnarchiveOrAllow, workflows.WaitsForLink
	}
	return res, nil
}

// recheckOriginal records what Frame.io says about an item's original now, and reports whether the item still waits for it.
func (a *archive) recheckOriginal(ctx context.Context, it ledger.Item) (waits bool, original frameio.Original, err error) {
	file, err := a.frameio.Asset(ctx, it.SourceID)
	if err != nil {
		return false, "", err
	}
	was, since := it.Original, it.MissingSince
	plan.NoteOriginal(&it, file.Original)
	waits = plan.MayComeBack(it)
	if waits && it.Original == was && it.MissingSince.Equal(since) {
		return waits, file.Original, nil
	}
	_, err = a.ledger.UpdateItem(ctx, it.SourceID, func(i *ledger.Item) {
		i.Original, i.MissingSince = it.Original, it.MissingSince
		if !waits {
			i.Reason, i.Size, i.SourceChecksum, i.HasProxy = "", file.Size, file.Checksum, file.HasProxy
		}
	})
	return waits, file.Original, err
}

func (a *archive) decide(it ledger.Item) plan.Decision {
	return plan.Decide(a.cfg.Archive, a.frameio, it)
}

// planSource returns what a plan is made from.
func (a *archive) planSource() plan.Source {
	return plan.Source{Frameio: a.frameio, Ledger: a.tenant.Ledger, Policy: a.cfg.Archive, Access: a.access, Stopping: attempt.Stopping,
		Storage: func(ctx context.Context) error {
			_, err := a.files().Storage(ctx)
			return err
		}}
}

// PlanProject reads the project's tree and adds up what an archive would do. It writes nothing, not even to the ledger.
func (a *Activities) PlanProject(ctx context.Context, ref workflows.Ref) (workflows.Plan, error) {
	arc, err := a.archive(ref)
	if err != nil {
		return workflows.Plan{}, err
	}
	project, err := arc.frameio.Project(ctx, ref.Archive)
	if rest.IsNotFound(err) {
		return workflows.Plan{}, fault.Content("Frame.io has no project %s, or the token's user has no access to it", ref.Archive)
	}
	if err != nil {
		return workflows.Plan{}, err
	}
	return plan.Make(ctx, arc.planSource(), project)
}
