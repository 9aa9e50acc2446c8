package workflows

import (
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ArchiveInput starts or continues an archive.
type ArchiveInput struct {
	Ref
	// State is where a former run of a long archive stopped; the zero value begins.
	State ArchiveState `json:"state"`
}

// ArchiveState is what a run hands to the next one. It does not grow with the project.
type ArchiveState struct {
	Step     int      `json:"step"`
	After    int64    `json:"after"` // the last item number handed out in this step
	Round    int      `json:"round"`
	Lost     int64    `json:"lost,omitempty"`   // in iconik, found by this verification so far
	Healed   int      `json:"healed,omitempty"` // rounds that made it again
	Waited   bool     `json:"waited,omitempty"` // for originals: what was read before may be old
	FirstRun string   `json:"first_run,omitempty"`
	HasTurn  bool     `json:"has_turn,omitempty"`
	Opened   Opened   `json:"opened"`
	Counts   Counts   `json:"counts"`
	Finished Finished `json:"finished"`
}

// ArchiveStatus answers the status query.
type ArchiveStatus struct {
	Step     string `json:"step"`
	Project  string `json:"project"`
	Round    int    `json:"round"`
	Counts   Counts `json:"counts"`
	Status   string `json:"status,omitempty"`
	Reason   string `json:"reason,omitempty"`
	InFlight int    `json:"in_flight"`
}

// archive is one run of the workflow.
type archive struct {
	ref      Ref
	state    ArchiveState
	step     string
	inFlight int
	started  int // children and walks started by this run
	stop     workflow.CancelFunc
	stopped  bool // by the cancel update
	lookNow  bool // by the retry update
	tagged   bool // search attributes are registered on this cluster
}

// step is one stage of the process.
type step struct {
	name string
	run  func(*archive, workflow.Context) error
}

// The steps of an archive, in order. Their numbers are part of the state that runs hand on: a new one goes to the end, or
// behind a marker.
const (
	stepTurn        = 0
	stepOpen        = 1
	stepPlan        = 2
	stepCollections = 3
	stepCopy        = 4
	stepOriginals   = 5
	stepComments    = 6
	stepShares      = 7
	stepCompare     = 8
	stepVerify      = 9
	stepReport      = 10
)

// Names of steps that others know.
const (
	stepNameTurn    = "waiting for its turn"
	stepNameWaiting = "waiting for originals"
)

// archiveSteps is the process.
func archiveSteps() []step {
	return []step{
		stepTurn:        {stepNameTurn, (*archive).takeTurn},
		stepOpen:        {"opening", (*archive).open},
		stepPlan:        {"planning", (*archive).plan},
		stepCollections: {"making collections", (*archive).collections},
		stepCopy:        {"copying", (*archive).copy},
		stepOriginals:   {stepNameWaiting, (*archive).awaitOriginals},
		stepComments:    {"copying comments", (*archive).comments},
		stepShares:      {"copying presentations", (*archive).shares},
		stepCompare:     {"comparing with Frame.io", (*archive).compare},
		stepVerify:      {"verifying", (*archive).verify},
		stepReport:      {"reporting", (*archive).report},
	}
}

// Archive brings one Frame.io project whole into iconik. It may be run again at any time and then does what is missing.
func Archive(ctx workflow.Context, in ArchiveInput) (Finished, error) {
	a := &archive{ref: in.Ref, state: in.State}
	ctx, a.stop = workflow.WithCancel(ctx)
	if err := a.setup(ctx); err != nil {
		return Finished{}, err
	}
	err := a.run(ctx)
	var again *workflow.ContinueAsNewError
	if errors.As(err, &again) {
		return Finished{}, err
	}
	return a.end(ctx, err)
}

func (a *archive) setup(ctx workflow.Context) error {
	info := workflow.GetInfo(ctx)
	if a.state.FirstRun == "" {
		a.state.FirstRun = info.FirstRunID
	}
	_, a.tagged = workflow.GetTypedSearchAttributes(ctx).GetKeyword(AttributeTenant)
	if err := workflow.SetQueryHandler(ctx, QueryStatus, func() (ArchiveStatus, error) { return a.status(), nil }); err != nil {
		return err
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateCancel, func(workflow.Context) (ArchiveStatus, error) {
		a.stopped = true
		a.stop()
		return a.status(), nil
	}, workflow.UpdateHandlerOptions{
		Description: "Stop the archive. What is in iconik stays, and a later run continues.",
		Validator: func() error {
			if a.stopped {
				return temporal.NewApplicationError("the archive is being cancelled already", "AlreadyCancelled")
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateRetry, func(workflow.Context) (ArchiveStatus, error) {
		a.lookNow = true
		return a.status(), nil
	}, workflow.UpdateHandlerOptions{
		Description: "Look at once whether the originals are back.",
		Validator: func() error {
			if a.step != stepNameWaiting {
				return temporal.NewApplicationError("the archive is running: there is nothing to retry yet", "Running")
			}
			return nil
		},
	})
}

func (a *archive) run(ctx workflow.Context) error {
	steps := archiveSteps()
	for a.state.Step < len(steps) {
		s := steps[a.state.Step]
		a.enter(ctx, s.name)
		before := a.state.Step
		if err := s.run(a, ctx); err != nil {
			return err
		}
		if a.state.Step == before { // a step may have set where to go on
			a.state.Step++
			a.state.After = 0
		}
	}
	return nil
}

// takeTurn waits until the tenant's archives before this one have ended.
func (a *archive) takeTurn(ctx workflow.Context) error {
	if a.state.HasTurn {
		return nil
	}
	if err := ActJoinQueue.Execute(forCalls(ctx, "join the queue"), JoinQueueInput{Ref: a.ref, Ticket: a.ticket(ctx)}); err != nil {
		return err
	}
	turn := workflow.GetSignalChannel(ctx, SignalTurn)
	if ok, _ := turn.ReceiveWithTimeout(ctx, turnGrace, nil); !ok {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.tell(forCalls(ctx, "say that it is queued"), NotifyQueued); err != nil {
			return err
		}
		if err := a.awaitTurn(ctx, turn); err != nil {
			return err
		}
	}
	a.state.HasTurn = true
	return nil
}

// awaitTurn joins the queue again from time to time, which changes nothing for one that stands in it: a queue that was
// terminated has forgotten who waits.
func (a *archive) awaitTurn(ctx workflow.Context, turn workflow.ReceiveChannel) error {
	if !markerJoinsAgain.isSet(ctx) {
		turn.Receive(ctx, nil)
		return ctx.Err()
	}
	for {
		ok, _ := turn.ReceiveWithTimeout(ctx, rejoinInterval, nil)
		if err := ctx.Err(); ok || err != nil {
			return err
		}
		if err := ActJoinQueue.Execute(forCalls(ctx, "join the queue again"), JoinQueueInput{Ref: a.ref, Ticket: a.ticket(ctx)}); err != nil {
			return err
		}
	}
}

// leaveTurn lets the tenant's next archive begin. A queue that is gone has nobody waiting in it.
func (a *archive) leaveTurn(ctx workflow.Context) {
	ticket := a.ticket(ctx)
	err := workflow.SignalExternalWorkflow(ctx, ArchiveQueueID(a.ref.Tenant), "", SignalRelease, ticket).Get(ctx, nil)
	if err != nil {
		workflow.GetLogger(ctx).Debug("no queue to leave", "error", err)
	}
	a.state.HasTurn = false
}

func (a *archive) open(ctx workflow.Context) error {
	info := workflow.GetInfo(ctx)
	var err error
	a.state.Opened, err = ActOpenArchive.Execute(forCalls(ctx, "read the project"), OpenArchiveInput{Ref: a.ref, WorkflowID: info.WorkflowExecution.ID, RunID: info.WorkflowExecution.RunID})
	if err != nil {
		return err
	}
	return ActPrepareIconik.Execute(forCalls(ctx, "collections, metadata views and job in iconik"), a.ref)
}

func (a *archive) plan(ctx workflow.Context) error {
	res, err := ActScanProject.Execute(forWalks(ctx, "read the project's tree"), ScanInput{Ref: a.ref})
	a.state.Counts = res.Counts
	return err
}

func (a *archive) collections(ctx workflow.Context) error {
	return ActMakeCollections.Execute(forWalks(ctx, "folders become collections"), a.ref)
}

// copy brings the files over: child workflows of some items each, as many at once as the tenant allows items in
// parallel. A child works on one item at a time, so a huge file holds up one lane only.
func (a *archive) copy(ctx workflow.Context) error {
	if err := a.setStatus(ctx, "running", PhaseCopy, ""); err != nil {
		return err
	}
	return a.lanes(ctx, PhaseCopy, a.batch(), func(ctx workflow.Context, r Range) error {
		ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            fmt.Sprintf("%s/copy/%d-%d", ArchiveID(a.ref.Tenant, a.ref.Archive), r.From, r.To),
			TypedSearchAttributes: a.childAttributes(),
			StaticSummary:         fmt.Sprintf("items %d to %d", r.From, r.To),
			ParentClosePolicy:     parentClosePolicy,
		})
		var counts Counts
		err := workflow.ExecuteChildWorkflow(ctx, ArchiveCopyName, RangeInput{Ref: a.ref, Range: r}).Get(ctx, &counts)
		a.state.Counts.Copied += counts.Copied
		a.state.Counts.Skipped += counts.Skipped
		a.state.Counts.Failed += counts.Failed
		a.state.Counts.BytesDone += counts.BytesDone
		a.state.Counts.CommentsDone += counts.CommentsDone
		return err
	})
}

// awaitOriginals waits durably while Frame.io has originals in cold storage, without holding up other archives, and
// goes back to copying when some have come back.
func (a *archive) awaitOriginals(ctx workflow.Context) error {
	every, err := time.ParseDuration(a.state.Opened.WaitInterval)
	if err != nil {
		return temporal.NewNonRetryableApplicationError("bad wait interval", ErrorSystem, err)
	}
	for told := false; ; {
		res, err := ActRecheckOriginals.Execute(forWalks(ctx, "look whether originals are back"), a.ref)
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
			if advice == "" { // of an older worker
				advice = "unarchive the project there"
			}
			reason := fmt.Sprintf("%d files have no original in Frame.io now: %s. It is looked at every %s", res.Waiting, advice, every)
			if err := a.setStatus(ctx, "waiting", PhaseCopy, reason); err != nil {
				return err
			}
			a.describe(ctx, reason)
			if err := a.tell(forCalls(ctx, "say that originals are missing"), NotifyWaiting); err != nil {
				return err
			}
			a.leaveTurn(ctx)
			told, a.state.Waited = true, true
		}
		a.lookNow = false
		if _, err := workflow.AwaitWithTimeout(ctx, every, func() bool { return a.lookNow }); err != nil {
			return err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return a.continueAsNew(ctx)
		}
	}
}

// batch is how many items one child copies, one after the other: few in a small project, so that all lanes have work.
func (a *archive) batch() int {
	share := a.state.Counts.Items / int64(4*max(a.state.Opened.Lanes, 1))
	return int(min(max(share, 1), batchSize))
}

// comments brings over what the copying has not: comments of items that had nothing to copy.
func (a *archive) comments(ctx workflow.Context) error {
	if err := a.setStatus(ctx, "running", PhaseComments, ""); err != nil {
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
	if err := a.setStatus(ctx, "verifying", PhaseVerify, ""); err != nil {
		return err
	}
	res, err := ActScanProject.Execute(forWalks(ctx, "read the project's tree again"), ScanInput{Ref: a.ref, Compare: true})
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

// verify reads iconik's side again, item by item, then the tree of collections. What people have deleted there is made
// again in another round.
func (a *archive) verify(ctx workflow.Context) error {
	if a.state.After == 0 {
		a.state.Counts.Verified, a.state.Lost = 0, 0
	}
	heal := a.state.Healed < maxHeals
	err := walks(ctx, a, PhaseVerify, ActVerifyItems, "verify",
		func(r RangeInput) VerifyInput { return VerifyInput{RangeInput: r, Heal: heal} },
		func(c Counts) {
			a.state.Counts.Verified += c.Verified
			a.state.Lost += c.Lost
		})
	if err != nil {
		return err
	}
	tree, err := ActVerifyTree.Execute(forWalks(ctx, "verify collections and look for duplicates"), a.ref)
	if err != nil || !heal || a.state.Lost == 0 && tree.Lost == 0 {
		return err
	}
	a.state.Healed++
	a.state.Step, a.state.After = stepCollections, 0
	if tree.Lost == 0 {
		return nil
	}
	return ActPrepareIconik.Execute(forCalls(ctx, "collections above the folders"), a.ref)
}

func (a *archive) report(ctx workflow.Context) error {
	return ActWriteReport.Execute(forWalks(ctx, "write the report"), a.ref)
}

// end writes down how it ended, whatever that was, and lets the next archive begin.
func (a *archive) end(ctx workflow.Context, cause error) (Finished, error) {
	out := FinishInput{Ref: a.ref}
	switch {
	case cause == nil:
	case temporal.IsCanceledError(cause) || a.stopped:
		out.Status, out.Reason = "cancelled", "cancelled on request; a retry goes on from here"
	default:
		out.Status, out.Fault, out.Reason = "failed", faultOf(cause), reasonOf(cause)
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	a.enter(ctx, "finishing")
	fin, err := ActFinishArchive.Execute(forFinish(ctx, "write down the end"), out)
	if err == nil {
		a.state.Finished, a.state.Counts = fin, fin.Counts
		err = a.tell(forFinish(ctx, "tell people"), NotifyEnded)
	}
	a.leaveTurn(ctx)
	a.enter(ctx, fin.Status)
	if err != nil {
		return fin, err
	}
	switch {
	case out.Status == "cancelled" && !a.stopped:
		return fin, temporal.NewCanceledError(out.Reason)
	case out.Status == "failed":
		return fin, cause
	}
	return fin, workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// tell has a mail sent by a workflow of its own: a mail server that is down holds up neither this archive nor those that
// wait for its turn.
func (a *archive) tell(ctx workflow.Context, kind string) error {
	in := NotifyInput{Ref: a.ref, Kind: kind, Run: a.state.Opened.Run}
	if !markerMailsByThemselves.isSet(ctx) {
		return ActNotify.Execute(ctx, in)
	}
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		TypedSearchAttributes: a.childAttributes(),
		StaticSummary:         "mail: " + kind,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
	})
	return workflow.ExecuteChildWorkflow(ctx, ArchiveMailName, in).GetChildWorkflowExecution().Get(ctx, nil)
}

// ArchiveMail sends one mail about an archive, for as long as the mail server is away.
func ArchiveMail(ctx workflow.Context, in NotifyInput) error {
	return ActNotify.Execute(forFinish(ctx, "mail: "+in.Kind), in)
}

// walks runs an activity over ranges of items.
func walks[In any](ctx workflow.Context, a *archive, phase string, act Activity[In, Counts], what string, input func(RangeInput) In, add func(Counts)) error {
	return a.lanes(ctx, phase, walkBatch, func(ctx workflow.Context, r Range) error {
		summary := fmt.Sprintf("%s of items %d to %d", what, r.From, r.To)
		counts, err := act.Execute(forWalks(ctx, summary), input(RangeInput{Ref: a.ref, Range: r}))
		add(counts)
		return err
	})
}

// lanes hands the ranges of a phase that have work to as many coroutines as the tenant allows, and continues as new
// between them before the history grows long.
func (a *archive) lanes(ctx workflow.Context, phase string, size int, work func(workflow.Context, Range) error) error {
	lanes := max(a.state.Opened.Lanes, 1)
	var failed error
	full := func() bool { return a.inFlight >= lanes }
	for failed == nil {
		ranges, err := ActNextRanges.Execute(forCalls(ctx, "what is left to "+phase), NextRangesInput{Ref: a.ref, Phase: phase, After: a.state.After, Size: size, Max: rangesPerAsk,
			Again: phase == PhaseComments && a.state.Waited})
		if err != nil {
			failed = err
			break
		}
		if len(ranges) == 0 {
			break
		}
		for _, r := range ranges {
			if err := workflow.Await(ctx, func() bool { return !full() || failed != nil }); err != nil {
				failed = err
			}
			if failed != nil || a.historyIsLong(ctx) {
				break
			}
			a.inFlight++
			a.started++
			a.state.After = r.To
			workflow.Go(ctx, func(ctx workflow.Context) {
				defer func() { a.inFlight-- }()
				if err := work(ctx, r); err != nil && failed == nil {
					failed = err
				}
				a.describe(ctx, "")
			})
		}
		if a.historyIsLong(ctx) {
			break
		}
	}
	quiet, cancel := workflow.NewDisconnectedContext(ctx) // lanes end by themselves when ctx is cancelled
	defer cancel()
	if err := workflow.Await(quiet, func() bool { return a.inFlight == 0 }); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	if a.historyIsLong(ctx) {
		return a.continueAsNew(ctx)
	}
	return nil
}

func (a *archive) historyIsLong(ctx workflow.Context) bool {
	return a.started >= continueAfterRuns || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

func (a *archive) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, ArchiveName, ArchiveInput{Ref: a.ref, State: a.state})
}

func (a *archive) ticket(ctx workflow.Context) Ticket {
	return Ticket{Archive: a.ref.Archive, WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, RunID: a.state.FirstRun}
}

func (a *archive) setStatus(ctx workflow.Context, status, phase, reason string) error {
	return ActSetStatus.Execute(forCalls(ctx, "status "+status), SetStatusInput{Ref: a.ref, Status: status, Phase: phase, Reason: reason})
}

func (a *archive) enter(ctx workflow.Context, name string) {
	a.step = name
	if a.tagged {
		if err := workflow.UpsertTypedSearchAttributes(ctx, AttributeStatus.ValueSet(name)); err != nil {
			workflow.GetLogger(ctx).Warn("search attribute not set", "error", err)
		}
	}
	a.describe(ctx, "")
}

func (a *archive) childAttributes() temporal.SearchAttributes {
	if !a.tagged {
		return temporal.SearchAttributes{}
	}
	return temporal.NewSearchAttributes(AttributeTenant.ValueSet(a.ref.Tenant), AttributeProject.ValueSet(a.ref.Archive))
}

func (a *archive) status() ArchiveStatus {
	return ArchiveStatus{Step: a.step, Project: a.state.Opened.Project, Round: a.state.Round, Counts: a.state.Counts,
		Status: a.state.Finished.Status, Reason: a.state.Finished.Reason, InFlight: a.inFlight}
}

// describe writes what a person reads in Temporal's UI.
func (a *archive) describe(ctx workflow.Context, note string) {
	c := a.state.Counts
	var b strings.Builder
	b.WriteString(fmt.Sprintf("**%s** — %s\n\n", a.step, orElse(a.state.Opened.Project, a.ref.Archive)))
	if c.Items > 0 {
		b.WriteString(fmt.Sprintf("| | |\n|---|---|\n| files | %d |\n| copied | %d |\n| verified | %d |\n| skipped | %d |\n| failed | %d |\n| bytes | %d of %d |\n| comments | %d of %d |\n",
			c.Items, c.Copied, c.Verified, c.Skipped, c.Failed, c.BytesDone, c.Bytes, c.CommentsDone, c.Comments))
	}
	if f := a.state.Finished; f.Reason != "" {
		b.WriteString(fmt.Sprintf("\n%s\n", f.Reason))
	}
	if note != "" {
		b.WriteString(fmt.Sprintf("\n%s\n", note))
	}
	workflow.SetCurrentDetails(ctx, b.String())
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// faultOf tells the user's errors from the operator's.
func faultOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == ErrorContent {
		return "content"
	}
	return "system"
}

// reasonOf is the innermost message, which is the one written for people.
func reasonOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		if last := timeout.Unwrap(); last != nil {
			return reasonOf(last)
		}
	}
	return err.Error()
}
