package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/english"
)

// Error types that activities return and workflows act on. All other classes (retryable, throttled) are handled by the retry
// policies below and by the next retry delay that the activity sets.
const (
	// ErrorContent: the content or the setup is at fault and the user can fix it (FAILED).
	ErrorContent = "Content"
	// ErrorSystem: the system is at fault and an operator must look (ERROR).
	ErrorSystem = "System"
	// ErrorUploadGone: the object store has lost the upload session; a new one must be opened.
	ErrorUploadGone = "UploadGone"
	// ErrorRunning: an archive is still running; the activity that waits for its end is retried.
	ErrorRunning = "Running"
	// ErrorOriginalGone: Frame.io did not provide the original after all.
	ErrorOriginalGone = "OriginalUnavailable"
)

// Policy constants. They ride out vendor outages of several hours. A person can see, pause and reset every attempt in Temporal's UI.
const (
	callTimeout       = 10 * time.Minute // one activity that makes a few API calls, including waits for its rate budget and for iconik's index
	callPatience      = 12 * time.Hour   // how long such an activity is retried
	walkTimeout       = 24 * time.Hour   // an activity that walks pages; its progress is in the ledger
	transferTimeout   = 48 * time.Hour   // one file
	heartbeatTimeout  = 20 * time.Second // after which a dead worker's work goes to another; workers heartbeat every HeartbeatInterval
	finishPatience    = 24 * time.Hour   // recording how it ended
	mendPatience      = 672 * time.Hour  // until somebody has fixed a sign-in that Frame.io refuses: the end of a review waits four weeks
	livenessInterval  = time.Minute      // how often the queue looks for archives that ended without leaving it
	rejoinInterval    = time.Hour        // how often a waiting archive makes sure that it is in the queue
	turnGrace         = 3 * time.Second  // an archive that gets its turn sooner was not queued
	uploadRestarts    = 5                // upload sessions opened for one file in one run
	batchSize         = 40               // items of one ArchiveCopy child
	batchFloor        = 4                // its minimum, in a small project
	batchBytesFloor   = 64 << 20         // bytes that one child may always copy
	mirrorBatch       = 200              // projects that a mirror lists at once
	mirrorPatience    = 6 * time.Hour    // how long a mirror waits for one archive before it continues without it
	fewestTogether    = 2                // the fewest small files in a range for which CopyTogether is used
	walkBatch         = 100              // items of one comments or verify activity
	rangesPerAsk      = 50               // ranges requested from the ledger at once
	maxRounds         = 5                // plan-copy-compare rounds while Frame.io keeps changing
	maxRepairs        = 3                // rounds that restore what people delete in iconik
	continueAfterRuns = 400              // children started by one run before it continues as new
	deliveryTimeout   = time.Minute      // one attempt to deliver a notification
	deliveryPatience  = 72 * time.Hour   // how long a receiver may be down: over a weekend
	syncPatience      = 15 * time.Minute // one comparison of both sides, including retries; the next poll makes up for a failure
	syncAfterFailure  = time.Minute      // until the next one after a failure
	lastSyncAgain     = 15 * time.Minute // until the last sync of a review is retried
	awayAgain         = time.Hour        // until assets that count as deleted are looked for again after the last sync
	syncShortest      = 10 * time.Second // the least time that a sync gets, however near the expiry is
	syncsPerRun       = 250              // of a review, with about ten events each, before it continues as new
	sendingEvents     = 8000             // history length of a review from which even what it is sending goes to the next run; servers allow 10,000 signals
	surveyInterval    = 20 * time.Second // between surveys of a migration's projects; an archive that ends also signals the migration
	idleInterval      = time.Minute      // while none of them runs
	deltaRounds       = 1                // rounds in which a migration brings over what changed while it ran
	cancelInterval    = 5 * time.Second  // between checks whether the archives of a canceled migration have ended
	cancelLooks       = 60               // number of those checks
	syncWhenGrown     = 15 * time.Minute // the least time between syncs of a review that sends more and whose history has grown
	mostHints         = 50               // hints from webhooks that are kept; beyond that, everything is read
	upkeepDays        = 30               // days in one run of a tenant's upkeep before it continues as new
)

// ApprovalPatience is how long a reclaim waits for a second person.
const ApprovalPatience = 14 * 24 * time.Hour

// FreshFor is how old an archive's comparison, and the proof of a file's bytes, may be when the archive's files are deleted in Frame.io.
const FreshFor = 24 * time.Hour

// upkeepInterval is the time between runs of a tenant's upkeep.
const upkeepInterval = 24 * time.Hour

// StuckAfter is how long an activity fails and is retried before people are told.
const StuckAfter = time.Hour

// ReadyPatience is how long Frame.io may take to make a file ready.
const ReadyPatience = 12 * time.Hour

// HeartbeatInterval is how often a worker reports that an activity is alive. Without it, a killed worker's work would not resume
// until its whole timeout had passed.
const HeartbeatInterval = 5 * time.Second

func retries(max time.Duration) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: max}
}

// withPolicy adds the options that all activities share. With the fairness key, a server configured for it gives tenants equal
// turns.
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

// forWalks is for activities that go through many pages or items and keep their position in the ledger.
func forWalks(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: walkTimeout,
		RetryPolicy:         retries(20 * time.Second),
	}, summary)
}

// forAsked is for a walk that a person requested while the workflow runs, and can request again. The workflow neither ends nor
// continues as new before the walk ends, so it is given up after callPatience.
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

// forMirroring is for an activity that fails until an archive has ended. Its attempts add no events to the history.
func forMirroring(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: mirrorPatience,
		RetryPolicy:            retries(time.Minute),
	}, summary)
}

// forProxy is for choosing a file that iconik may still be creating.
func forProxy(ctx workflow.Context, wait time.Duration, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: callPatience + wait,
		RetryPolicy:            retries(30 * time.Second),
	}, summary)
}

// forReady is for an activity that fails until Frame.io has made a file ready. Its attempts add no events to the history. The
// activity enforces ReadyPatience itself.
func forReady(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: mendPatience,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 1.5, MaximumInterval: 30 * time.Second},
	}, summary)
}

// forSync is for comparing both sides of a review, until the given time but for at most syncPatience.
func forSync(ctx workflow.Context, until time.Time, summary string) workflow.Context {
	patience := max(min(syncPatience, until.Sub(workflow.Now(ctx))), syncShortest)
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    min(callTimeout, patience),
		ScheduleToCloseTimeout: patience,
		RetryPolicy:            retries(time.Minute),
	}, summary)
}

// forFinish is for recording an end, which must happen however the workflow ended.
func forFinish(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: finishPatience,
		RetryPolicy:            retries(time.Minute),
	}, summary)
}

// forMending is for what must be done for a review that was shared, however long a vendor is down or refuses the sign-in.
func forMending(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    callTimeout,
		ScheduleToCloseTimeout: mendPatience,
		RetryPolicy:            retries(2 * time.Minute),
	}, summary)
}

// forDelivery is for sending an event to a receiver, which may ask for a delay.
func forDelivery(ctx workflow.Context, summary string) workflow.Context {
	return withPolicy(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    deliveryTimeout,
		ScheduleToCloseTimeout: deliveryPatience,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Minute},
	}, summary)
}

// letGo makes the workflow wait for a canceled activity, because what comes next must not overlap with it. Apply it last.
func letGo(ctx workflow.Context) workflow.Context { return workflow.WithWaitForCancellation(ctx, true) }

// Clip keeps a summary within Temporal's 200 bytes, cutting at a rune boundary.
func Clip(s string) string {
	if short := english.CutBytes(s, 190); short != s {
		return short + "…"
	}
	return s
}
