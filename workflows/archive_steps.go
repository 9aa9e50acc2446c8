package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/english"
)

func (a *archive) open(ctx workflow.Context) error {
	info := workflow.GetInfo(ctx)
	var err error
	a.state.Opened, err = ActOpenArchive.Execute(forCalls(ctx, "read the project"), OpenArchiveInput{Ref: a.ref, WorkflowID: info.WorkflowExecution.ID, RunID: info.WorkflowExecution.RunID, Only: a.state.Only})
	if err != nil {
		return err
	}
	return ActPrepareIconik.Execute(forCalls(ctx, "collections, metadata views and job in iconik"), a.ref)
}

func (a *archive) plan(ctx workflow.Context) error {
	if a.state.Only != nil {
		a.state.Step = stepCopy
		return nil
	}
	res, err := ActScanProject.Execute(forWalks(ctx, "read the project's folders"), ScanInput{Ref: a.ref})
	a.state.Counts = res.Counts
	return err
}

func (a *archive) collections(ctx workflow.Context) error {
	return ActMakeCollections.Execute(forWalks(ctx, "folders become collections"), a.ref)
}

// copy brings the files over: child workflows with a few items each, as many at once as the tenant allows items in parallel. A
// child works on one item at a time, so a huge file holds up only one lane.
func (a *archive) copy(ctx workflow.Context) error {
	if err := a.setStatus(ctx, StatusRunning, PhaseCopy); err != nil {
		return err
	}
	if a.state.Only != nil {
		return a.copyOnly(ctx)
	}
	return a.lanes(ctx, PhaseCopy, a.batch(), a.copyRange)
}

// copyRange has a child workflow copy some items.
func (a *archive) copyRange(ctx workflow.Context, r Range) error {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            ArchiveCopyID(a.ref.Tenant, a.ref.Archive, r),
		TypedSearchAttributes: a.childAttributes(),
		StaticSummary:         fmt.Sprintf("items %d to %d", r.From, r.To),
		ParentClosePolicy:     parentClosePolicy,
		WaitForCancellation:   a.isOrderly(),
	})
	var counts Counts
	err := workflow.ExecuteChildWorkflow(ctx, ArchiveCopyName, RangeInput{Ref: a.ref, Range: r, Orderly: a.isOrderly()}).Get(ctx, &counts)
	a.state.Counts.Copied += counts.Copied
	a.state.Counts.Skipped += counts.Skipped
	a.state.Counts.Failed += counts.Failed
	a.state.Counts.BytesDone += counts.BytesDone
	a.state.Counts.CommentsDone += counts.CommentsDone
	return err
}

// copyOnly copies the asset that somebody wants to retry. If other items are left, the archive stays incomplete whatever a
// comparison says, so the comparison is skipped.
func (a *archive) copyOnly(ctx workflow.Context) error {
	if err := a.copyRange(ctx, *a.state.Only); err != nil {
		return err
	}
	left, err := ActNextRanges.Execute(forCalls(ctx, "what else is left to copy"), NextRangesInput{Ref: a.ref, Phase: PhaseCopy, Size: 1, Max: 1})
	switch {
	case err != nil:
		return err
	case len(left) == 0:
		a.state.Only = nil
	default:
		a.state.Step = stepVerify
	}
	return nil
}

// awaitOriginals waits durably while Frame.io has originals in cold storage, without holding up other archives. It goes back to
// copying when some have come back.
func (a *archive) awaitOriginals(ctx workflow.Context) error {
	every, err := time.ParseDuration(a.state.Opened.WaitInterval)
	if err != nil {
		return temporal.NewNonRetryableApplicationError("bad wait interval", ErrorSystem, err)
	}
	told := false
	for {
		res, err := ActRecheckOriginals.Execute(forWalks(ctx, "check whether originals are back"), a.ref)
		if err != nil {
			return err
		}
		if res.Back > 0 {
			a.state.Step, a.state.After = stepCopy, 0
			if !a.state.HasTurn {
				a.enter(ctx, stepNameTurn)
				return a.takeTurn(ctx)
			}
			return nil
		}
		if res.Waiting == 0 {
			if !a.state.HasTurn {
				return a.takeTurn(ctx)
			}
			return nil
		}
		if !told {
			a.state.Counts.Waiting = int64(res.Waiting)
			advice := res.Advice
			if advice == "" { // from an older worker
				advice = "unarchive the project in Frame.io"
			}
			reason := fmt.Sprintf("%s %s no original in Frame.io right now: %s. Framebridge checks %s", english.Count(res.Waiting, "file"), english.Has(res.Waiting), advice, english.Every(every))
			waiting := SetStatusInput{Ref: a.ref, Status: StatusWaiting, Phase: PhaseCopy, Reason: reason, Code: res.Code}
			if err := ActSetStatus.Execute(forCalls(ctx, "status "+StatusWaiting), waiting); err != nil {
				return err
			}
			a.describe(ctx, reason)
			if err := a.notify(forCalls(ctx, "mail that originals are missing"), NotifyWaiting); err != nil {
				return err
			}
			a.leaveTurn(ctx)
			told, a.state.Waited = true, true
		}
		a.recheckRequested = false
		if _, err := workflow.AwaitWithTimeout(ctx, every, func() bool { return a.recheckRequested }); err != nil {
			return err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return a.continueAsNew(ctx)
		}
	}
}

// batch returns how many items one child copies, one after the other: few in a small project, so that every lane has work, but
// not so few that Temporal has more to do than the vendors. batchBytes keeps large files apart.
func (a *archive) batch() int {
	share := a.state.Counts.Items / int64(max(a.state.Opened.Lanes, 1))
	return int(min(max(share, batchFloor), batchSize))
}

// batchBytes returns how many bytes one child copies: a quarter of a lane's share, so that no lane is left alone with large
// files, but at least what takes only a moment.
func (a *archive) batchBytes() int64 {
	return max(a.state.Counts.Bytes/int64(4*max(a.state.Opened.Lanes, 1)), batchBytesFloor)
}

// comments brings over what copying did not: the comments of items that had nothing to copy.
func (a *archive) comments(ctx workflow.Context) error {
	if err := a.setStatus(ctx, StatusRunning, PhaseComments); err != nil {
		return err
	}
	return walks(ctx, a, PhaseComments, ActCopyComments, "comments",
		func(r RangeInput) CommentsInput { return CommentsInput{RangeInput: r, Again: a.state.Waited} },
		func(c Counts) { a.state.Counts.CommentsDone += c.CommentsDone })
}

func (a *archive) shares(ctx workflow.Context) error {
	return ActCopyShares.Execute(forWalks(ctx, "presentations and review links"), a.ref)
}

// compare reads Frame.io's side again. What has changed since the plan is brought over in another round.
func (a *archive) compare(ctx workflow.Context) error {
	if err := a.setStatus(ctx, StatusVerifying, PhaseVerify); err != nil {
		return err
	}
	res, err := ActScanProject.Execute(forWalks(ctx, "read the project's folders again"), ScanInput{Ref: a.ref, Compare: true})
	if err != nil {
		return err
	}
	a.state.Counts = res.Counts
	if res.Changed && a.state.Round < maxRounds {
		a.state.Round++
		a.state.Step, a.state.After = stepCollections, 0
	}
	return nil
}

// verify reads iconik's side again, item by item, then the tree of collections. What people deleted there is restored in another
// round.
func (a *archive) verify(ctx workflow.Context) error {
	if a.state.Only != nil {
		_, err := ActVerifyItems.Execute(forWalks(ctx, "verify what was copied again"), VerifyInput{RangeInput: RangeInput{Ref: a.ref, Range: *a.state.Only}})
		return err
	}
	if a.state.After == 0 {
		a.state.Counts.Verified, a.state.Missing = 0, 0
	}
	repair := a.state.Repairs < maxRepairs
	err := walks(ctx, a, PhaseVerify, ActVerifyItems, "verify",
		func(r RangeInput) VerifyInput { return VerifyInput{RangeInput: r, Repair: repair} },
		func(c Counts) {
			a.state.Counts.Verified += c.Verified
			a.state.Missing += c.Missing
		})
	if err != nil {
		return err
	}
	tree, err := ActVerifyTree.Execute(forWalks(ctx, "verify collections and look for duplicates"), a.ref)
	if err != nil || !repair || a.state.Missing == 0 && tree.Missing == 0 {
		return err
	}
	a.state.Repairs++
	a.state.Step, a.state.After = stepCollections, 0
	if tree.Missing == 0 {
		return nil
	}
	return ActPrepareIconik.Execute(forCalls(ctx, "collections above the folders"), a.ref)
}

func (a *archive) report(ctx workflow.Context) error {
	return ActWriteReport.Execute(forWalks(ctx, "write the report"), a.ref)
}
