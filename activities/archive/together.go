package archive

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/workflows"
)

// failuresTogether is how many files in a row may fail before the rest is left: a vendor that is down fails them all, and the
// steps for single files wait for it.
const failuresTogether = 3

// goesTogether reports whether an item is copied together with others by one activity: it must be a whole asset, small enough
// for one request.
func (a *archive) goesTogether(it ledger.Item) bool {
	if it.State != ledger.Pending && it.State != ledger.Copying || it.Versions != 1 || it.Migrated {
		return false
	}
	d := a.decide(it)
	return d.Do == plan.Copy && d.Rendition == frameio.RenditionOriginal && it.Size >= 0 && it.Size <= int64(a.steps.Config.Now().Transfer.PartSize)
}

// CopyTogether copies the small files of a range, one after the other. Files that do not go smoothly are left and named in the
// result: the steps for single files retry them, and record why they fail. After a worker has died, the next attempt continues
// with what the ledger does not show as done.
func (a *Activities) CopyTogether(ctx context.Context, in workflows.RangeInput) (workflows.CopyTogetherResult, error) {
	var res workflows.CopyTogetherResult
	arc, err := a.archive(in.Ref)
	if err != nil {
		return res, err
	}
	items, err := arc.ledger.Items(ctx, in.From, in.To)
	if err != nil {
		return res, err
	}
	t := together{archive: arc}
	small := slices.DeleteFunc(items, func(it ledger.Item) bool { return !arc.goesTogether(it) })
	for _, it := range small {
		t.total += it.Size
	}
	for _, it := range small {
		if err := t.each(ctx, it, t.copy); err != nil {
			return res, err
		}
	}
	if err := t.close(ctx); err != nil {
		return res, err
	}
	return workflows.CopyTogetherResult{Left: t.left}, nil
}

// together copies several files in one activity.
type together struct {
	*archive
	total, moved int64 // bytes
	failed       int   // files in a row
	stored       []ledger.Item
	left         []string
}

// each does something with one file, and leaves the file if that fails. It returns only errors that end the activity.
func (t *together) each(ctx context.Context, it ledger.Item, do func(context.Context, ledger.Item) error) error {
	if err := attempt.Stopping(ctx); err != nil {
		return err
	}
	if t.failed >= failuresTogether {
		t.left = append(t.left, it.SourceID)
		return nil
	}
	refused, err := t.objects.Try(ctx, func() error { return do(ctx, it) })
	var own *fault.Error
	switch {
	case ctx.Err() != nil, errors.As(err, &own) && own.Benign: // canceled, or the worker is stopping
		return errors.Join(err, ctx.Err())
	case err == nil && refused == nil:
		t.failed = 0
		return nil
	case err != nil:
		t.failed++
	}
	why := fault.Scrubbed(err)
	if refused != nil {
		why = refused.Reason
	}
	t.log.InfoContext(ctx, "copying a small file by itself", "archive", t.ref.Archive, "file", it.SourceID, "reason", why)
	t.left = append(t.left, it.SourceID)
	return nil
}

// copy opens a file in iconik and moves its bytes.
func (t *together) copy(ctx context.Context, it ledger.Item) error {
	if err := t.stillThere(ctx, ""); err != nil {
		return err
	}
	opened, err := t.openVersion(ctx, it, workflows.OpenVersionInput{Ref: t.ref, SourceID: it.SourceID})
	if err != nil {
		return err
	}
	if it, _, err = t.ledger.Item(ctx, it.SourceID); err != nil {
		return err
	}
	switch opened.Do {
	case workflows.DoTransfer:
		if err := t.transferError(ctx, it, t.copyBytes(attempt.With(ctx, t.step(ctx)), it)); err != nil {
			return err
		}
		if it, _, err = t.ledger.Item(ctx, it.SourceID); err != nil {
			return err
		}
	case workflows.DoClose:
	default:
		return errors.New("it no longer needs to be copied")
	}
	t.moved += it.StoredSize
	t.stored = append(t.stored, it)
	return nil
}

// close closes all files in iconik whose bytes are stored.
func (t *together) close(ctx context.Context) error {
	t.failed = 0
	var closed []ledger.Item
	for _, it := range t.stored {
		err := t.each(ctx, it, func(ctx context.Context, it ledger.Item) error {
			err := t.closeFile(ctx, it)
			if err == nil {
				closed = append(closed, it)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := t.keyframesAtOnce(ctx, closed); err != nil {
		return err
	}
	for _, it := range closed {
		if err := t.each(ctx, it, t.finishVersion); err != nil {
			return err
		}
	}
	return nil
}

// keyframesAtOnce requests the keyframes and proxies of several files with one call, if iconik has it. The call takes all or
// none. If iconik refuses it, they are requested file by file, so that only the file at fault fails. So are those of a call
// whose answer was lost, after a look for its jobs.
func (t *together) keyframesAtOnce(ctx context.Context, items []ledger.Item) error {
	const call = "keyframes"
	if t.steps.lacks(t.tenant, call) {
		return nil
	}
	var of []ledger.Item
	var assets []string
	for _, it := range items {
		if it.StoredSize == 0 {
			continue
		}
		_, isNew, err := t.tenant.Ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkKeyframes, SourceID: it.FileID, Archive: t.ref.Archive, Parent: it.AssetID, IntendedAt: time.Now()})
		if err != nil {
			return err
		}
		if isNew { // otherwise it was requested before
			of, assets = append(of, it), append(assets, it.AssetID)
		}
	}
	var err error
	if len(of) >= fewestAtOnce {
		err = t.iconik.Files.CreateKeyframesOf(ctx, assets, tenant.FormatOriginal)
		t.steps.noteLack(t.tenant, call, err)
	}
	for _, it := range of {
		var noted error
		switch {
		case len(of) >= fewestAtOnce && err == nil:
			noted = t.tenant.Ledger.Complete(ctx, ledger.LinkKeyframes, it.FileID, "with others", "")
		case !rest.IsUncertain(err):
			noted = t.tenant.Ledger.Cancel(context.WithoutCancel(ctx), ledger.LinkKeyframes, it.FileID)
		}
		if noted != nil {
			return noted
		}
	}
	return ctx.Err()
}

// fewestAtOnce is the smallest number of files for which one call is worth trying.
const fewestAtOnce = 3

// lacks reports whether a tenant's iconik has refused a bulk call that it does not know.
func (a *Activities) lacks(t *tenant.Tenant, call string) bool {
	_, lacks := a.lacking.Load(t.ID + " " + call)
	return lacks
}

func (a *Activities) noteLack(t *tenant.Tenant, call string, err error) {
	if rest.IsUnknownCall(err) {
		a.lacking.Store(t.ID+" "+call, true)
	}
}

// step returns the attempt as one of several files sees it: no file continues where another one stopped.
func (t *together) step(ctx context.Context) attempt.Attempt {
	return oneOfSeveral{Attempt: attempt.Of(ctx), before: t.moved, total: t.total}
}

type oneOfSeveral struct {
	attempt.Attempt
	before, total int64
}

func (oneOfSeveral) Resume() attempt.Checkpoint { return attempt.Checkpoint{} }

func (o oneOfSeveral) Save(c attempt.Checkpoint) {
	o.Attempt.Save(attempt.Checkpoint{Bytes: o.before + c.Bytes, Total: o.total})
}

func (oneOfSeveral) OnBeat(func(context.Context, attempt.Checkpoint)) {}
