package workflows

import (
	"errors"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// parentClosePolicy lets copying end in order when somebody terminates its archive.
const parentClosePolicy = enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL

// ArchiveCopy copies a range of items: its small files with one activity, the others one after the other. The versions of an
// asset are adjacent, oldest first. An item that fails is recorded and does not hold up the others. The range's comments follow.
func ArchiveCopy(ctx workflow.Context, in RangeInput) (Counts, error) {
	var counts Counts
	if in.Orderly {
		ctx = workflow.WithValue(ctx, orderly{}, true)
	}
	items, err := ActRangeItems.Execute(forCalls(ctx, "items of this range"), in)
	if err != nil {
		return counts, err
	}
	if markerSmallTogether.isSet(ctx) {
		if items, err = copyTogether(ctx, in, items, &counts); err != nil {
			return counts, err
		}
	}
	var held string // an asset whose older version waits; newer ones wait too, to keep their order
	for _, item := range items {
		if item.Asset == held {
			counts.Waiting++
			continue
		}
		did, err := copyVersion(ctx, in.Ref, item)
		switch {
		case temporal.IsCanceledError(err), ctx.Err() != nil:
			return counts, err
		case err != nil:
			counts.Failed++
			fail := FailItemInput{Ref: in.Ref, SourceID: item.SourceID, Fault: faultOf(err), Reason: reasonOf(err)}
			if err := ActFailItem.Execute(forFinish(ctx, "record why "+item.Name+" failed"), fail); err != nil {
				return counts, err
			}
		case did == DoWait:
			held = item.Asset
			counts.Waiting++
		case did == DoNothing:
			counts.Skipped++
		default:
			counts.Copied++
			counts.BytesDone += item.Size
		}
	}
	if !markerCommentsWithCopy.isSet(ctx) {
		return counts, nil
	}
	said, err := ActCopyComments.Execute(forWalks(ctx, "comments of this range"), CommentsInput{RangeInput: in, Beside: true})
	counts.CommentsDone = said.CommentsDone
	return counts, err
}

// copyTogether has one activity copy the range's small files, and returns the items that are left to copy one by one.
func copyTogether(ctx workflow.Context, in RangeInput, items []CopyItem, counts *Counts) ([]CopyItem, error) {
	small := 0
	for _, item := range items {
		if item.Together {
			small++
		}
	}
	if small < fewestTogether {
		return items, nil
	}
	res, err := ActCopyTogether.Execute(forTransfers(ctx, fmt.Sprintf("copy %d small files of items %d to %d", small, in.From, in.To)), in)
	switch {
	case temporal.IsCanceledError(err), ctx.Err() != nil:
		return nil, err
	case err != nil: // what was copied is not copied again; the rest fails on its own
		return items, nil //nolint:nilerr // each of them says why
	}
	var left []CopyItem
	for _, item := range items {
		if !item.Together || slices.Contains(res.Left, item.SourceID) {
			left = append(left, item)
			continue
		}
		counts.Copied++
		counts.BytesDone += item.Size
	}
	return left, nil
}

// copyVersion creates the asset or version in iconik, moves the bytes and closes the file. It returns what came of it.
func copyVersion(ctx workflow.Context, ref Ref, item CopyItem) (string, error) {
	open := OpenVersionInput{Ref: ref, SourceID: item.SourceID}
	for try := 0; ; try++ {
		opened, err := ActOpenVersion.Execute(forCalls(ctx, "open "+item.Name), open)
		if err != nil || opened.Do == DoNothing || opened.Do == DoWait {
			return opened.Do, err
		}
		if opened.Do == DoTransfer {
			err = ActTransferFile.Execute(forTransfers(ctx, "move "+item.Name), ItemInput{Ref: ref, SourceID: item.SourceID})
		}
		var app *temporal.ApplicationError
		switch {
		case err == nil:
			return DoClose, ActCloseVersion.Execute(forCalls(ctx, "close "+item.Name), ItemInput{Ref: ref, SourceID: item.SourceID})
		case try < uploadRestarts && errors.As(err, &app) && app.Type() == ErrorUploadGone:
			open.NewUpload = true
		case try < uploadRestarts && errors.As(err, &app) && app.Type() == ErrorOriginalGone:
			open.NewUpload, open.NoOriginal = true, true
		default:
			return "", err
		}
	}
}
