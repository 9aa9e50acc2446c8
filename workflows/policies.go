package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/english"
)

// Error types that activities raise and workflows act on. All other classes (retryable, throttled) are settled by the
// retry policies below and by the next retry delay that the activity sets.
const (
	// ErrorContent: the content or the set-up is at fault and the user can mend it (FAILED).
	ErrorContent = "Content"
	// ErrorSystem: the system is at fault and an operator must look (ERROR).
	ErrorSystem = "System"
	// ErrorUploadGone: the store has lost the upload session; a new one must be opened.
	ErrorUploadGone = "UploadGone"
	// ErrorRunning: an archive still runs; the attempt that looks for its end is made again.
	ErrorRunning = "Running"
	// ErrorOriginalGone: Frame.io did not give the original after all.
	ErrorOriginalGone = "OriginalUnavailable"
)

// Policy constants. Vendors' outages of hours are waited out; a person can see, pause and reset every attempt in
// Temporal's UI.
const (
	callTimeout       = 10 * time.Minute // one activity that makes a few API calls, waits for its rate budget and for iconik's index included
	callPatience      = 12 * time.Hour   // how long such an activity is tried again
	walkTimeout       = 24 * time.Hour   // an activity that walks pages, its progress is in the ledger
	transferTimeout   = 48 * time.Hour   // one file
	heartbeatTimeout  = 20 * time.Second // after which a dead worker's work goes to another; workers beat every HeartbeatInterval
	finishPatience    = 24 * time.Hour   // writing down how it ended
	mendPatience      = 672 * time.Hour  // until somebody has mended a sign-in that Frame.io refuses: the end of a review waits four weeks
	livenessInterval  = time.Minute      // how often the queue looks for archives that ended without a word
	rejoinInterval    = time.Hour        // how often a queued archive makes sure that it is in the queue
	turnGrace         = 3 * time.Second  // an archive that gets its turn sooner was not queued
	uploadRestarts    = 5                // upload sessions opened for one file in one run
	batchSize         = 40               // items of one copying child workflow
	batchFloor        = 4                // items of one in a small project
	batchBytesFloor   = 64 << 20         // bytes of one, which it may always have
	mirrorBatch       = 200              // projects that a mirror asks for at once
	mirrorPatience    = 6 * time.Hour    // how long a mirror waits for one archive before it goes on without it
	fewestTogether    = 2                // small files of one range that one activity copies
	walkBatch         = 100              // items of one comments or verify activity
	rangesPerAsk      = 50               // ranges asked of the ledger at once
	maxRounds         = 5                // plan-copy-compare rounds while Frame.io keeps changing
	maxRepairs        = 3                // rounds that make again what people delete in iconik
	continueAfterRuns = 400              // children started by one run before it continues as new
	deliveryTimeout   = time.Minute      // one attempt to deliver a notification
	deliveryPatience  = 72 * time.Hour   // how long a receiver may be away: over a weekend
	syncPatience      = 15 * time.Minute // one comparison of both sides, its retries included; the next poll makes good
	syncAfterFailure  = time.Minute      // until the next one then
	lastSyncAgain     = 15 * time.Minute // until the last one of a review is tried again
	awayAgain         = time.Hour        // until what counts as deleted is looked for again after the last one
	syncShortest      = 10 * time.Second // a sync may take, however near the expiry is
	syncsPerRun       = 250              // of a review, some ten events each, before it continues as new
	sendingEvents     = 8000             // in the history of a review, from when on even what it is sending goes to the next run; 10,000 signals are a server's most
	surveyInterval    = 20 * time.Second // between looks at how a migration's projects stand; each that ends says so besides
	idleInterval      = time.Minute      // while nothing of it runs
	deltaRounds       = 1                // in which a migration brings over what has changed while it ran
	cancelInterval    = 5 * time.Second  // between looks whether the archives of a canceled migration have ended
	cancelLooks       = 60               // of those
	mostHints         = 50               // that webhooks leave before everything is read instead
	upkeepDays        = 30               // of one run of a tenant's upkeep, before it continues as new
)

// ApprovalPatience is how long a reclaim waits for a second person.
const ApprovalPatience = 14 * 24 * time.Hour

// FreshFor is how old an archive's comparison may be when its files are deleted in Frame.io, and the proof of a file's bytes.
const FreshFor = 24 * time.Hour

// upkeepInterval is how often a tenant's upkeep looks.
const upkeepInterval = 24 * time.Hour

// StuckAfter is how long an activity fails, and is tried again, before people are told.
const StuckAfter = time.Hour

// ReadyPatience is how long Frame.io may take to make a file ready.
const ReadyPatience = 12 * time.Hour

// HeartbeatInterval is how often a worker says that an activity is alive. Without it, the work of a killed worker would
// stand still until its whole timeout is over.
const HeartbeatInterval = 5 * time.Second

func retries(max time.Duration) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: max}
}

// withPolicy adds what all activities have. The key lets a server that has been told so give tenants their turns alike.
func withPolicy(ctx workflow.Context, o workflow.ActivityOptions, summary string) workflow.Context {
	o.HeartbeatTimeout = heartbeatTimeout
	o.WaitForCancellation = o.WaitForCancellation || ctx.Value(orderly{}) != nil
	o.Summary = Clip(summary)
	o.Priority = temporal.Priority{FairnessKey: TenantOf(workflow.GetInfo(ctx).WorkflowExecution.ID)}
	return workflow.WithActivityOptions(ctx, o)
}

// forCalls is for activities that make a handful of API calls or ledger writes.
func forCalls(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: callPatience,
		RetryPolicy:            retries(2 * time.Minute),
	}, summary)
}

// forWalks is for activities that go through many pages or items and keep their place in the ledger.
func forWalks(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: walkTimeout,
		RetryPolicy:         retries(20 * time.Second),
	}, summary)
}

// forAsked is for a walk that a person has asked for beside the workflow, and can ask for again. The workflow neither ends nor continues
// as new before it, so it is given up some time.
func forAsked(ctx workflow.Context, summary string) workflow.Context {
	return letGo(workflow.WithScheduleToCloseTimeout(forWalks(ctx, summary), callPatience))
}

// forTransfers is for the one activity that moves a file's bytes, on the transfer workers.
func forTransfers(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		TaskQueue:           TransferQueue(workflow.GetInfo(ctx).TaskQueueName),
		StartToCloseTimeout: transferTimeout,
		RetryPolicy:         retries(2 * time.Minute),
	}, summary)
}

// forMirroring is for an activity that fails until an archive has ended: its attempts are no events.
func forMirroring(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: mirrorPatience,
		RetryPolicy:            retries(time.Minute),
	}, summary)
}

// forProxy is for choosing a file that iconik may still be making.
func forProxy(ctx workflow.Context, wait time.Duration, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: callPatience + wait,
		RetryPolicy:            retries(30 * time.Second),
	}, summary)
}

// forReady is for an activity that fails until Frame.io has made a file ready: its attempts are no events. It counts
// ReadyPatience itself.
func forReady(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: mendPatience,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 1.5, MaximumInterval: 30 * time.Second},
	}, summary)
}

// forSync is for comparing both sides of a review, until the time given or for syncPatience.
func forSync(ctx workflow.Context, until time.Time, summary string) workflow.Context {
	patience := max(min(syncPatience, until.Sub(workflow.Now(ctx))), syncShortest)
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    min(callTimeout, patience),
		ScheduleToCloseTimeout: patience,
		RetryPolicy:            retries(time.Minute),
	}, summary)
}

// forFinish is for writing down an end, which must happen however the workflow ended.
func forFinish(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: finishPatience,
		RetryPolicy:            retries(time.Minute),
	}, summary)
}

// forMending is for what a review that was shared must have done, however long a vendor is away or refuses the sign-in.
func forMending(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: mendPatience,
		RetryPolicy:            retries(2 * time.Minute),
	}, summary)
}

// forDelivery is for sending an event to a receiver, who may ask for time.
func forDelivery(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    deliveryTimeout,
		ScheduleToCloseTimeout: deliveryPatience,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Minute},
	}, summary)
}

// letGo has a canceled activity waited for: what comes after it must not happen beside it. It is applied last.
func letGo(ctx workflow.Context) workflow.Context { return workflow.WithWaitForCancellation(ctx, true) }

// Clip keeps a summary within Temporal's 200 bytes, on a rune border.
func Clip(s string) string {
	if short := english.CutBytes(s, 190); short != s {
		return short + "…"
	}
	return s
}
