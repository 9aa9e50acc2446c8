package archive

import (
	"context"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// NextRanges returns the next ranges of items that a phase has work for.
func (a *Activities) NextRanges(ctx context.Context, in workflows.NextRangesInput) ([]workflows.Range, error) {
	phase := ledger.Phase(in.Phase)
	if in.Again && phase == ledger.PhaseComments {
		phase = ledger.PhaseCommentsAgain
	}
	limits := ledger.RangeLimits{Items: in.Size, Bytes: in.Bytes, Most: in.Max}
	pass := 0
	var ranges []ledger.Range
	var err error
	if in.Pass > 0 && phase == ledger.PhaseComments {
		ranges, pass, err = a.rows(in.Ref).NextPass(ctx, in.Pass, in.Passed, in.After, limits)
	} else {
		ranges, err = a.rows(in.Ref).NextRanges(ctx, phase, in.After, limits)
	}
	out := make([]workflows.Range, len(ranges))
	for i, r := range ranges {
		out[i] = workflows.Range{From: r.From, To: r.To, Pass: pass}
	}
	return out, err
}

// RangeItems returns the items of a range for which OpenVersion has something to do.
func (a *Activities) RangeItems(ctx context.Context, in workflows.RangeInput) ([]workflows.CopyItem, error) {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return nil, err
	}
	items, err := arc.ledger.Items(ctx, in.From, in.To)
	var out []workflows.CopyItem
	for _, it := range items {
		if it.NeedsCopying() {
			out = append(out, workflows.CopyItem{SourceID: it.SourceID, Asset: it.AssetKey, Name: it.Name, Size: it.Size, Together: arc.goesTogether(it)})
		}
	}
	return out, err
}

// FailItem records why an item could not be copied.
func (a *Activities) FailItem(ctx context.Context, in workflows.FailItemInput) error {
	var from ledger.ItemState
	row, err := a.rows(in.Ref).UpdateItem(ctx, in.SourceID, func(i *ledger.Item) {
		from = i.State
		i.State, i.Fault, i.Reason = ledger.ItemFailed, in.Fault, in.Reason
	})
	if err == nil && from != ledger.ItemFailed {
		a.noteResult(ctx, in.Ref, row)
	}
	return err
}
