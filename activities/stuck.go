package activities

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

const (
	stuckAttempts = 10               // failed attempts, in addition to workflows.StuckAfter
	stuckPause    = 10 * time.Minute // a requested pause this long counts like stuckAttempts failures
	stuckProgress = 10 * time.Minute // an attempt that ran for this long has made progress
	tellPatience  = 20 * time.Second // for the ledger, iconik and Temporal
)

// stuck reports activities of archives that have been failing and retried for long: in the ledger, where the API and the
// command line read it, in the job, as a metric, and to the workflow, which sends mail and gives its turn to others.
type stuck struct {
	ledger  *ledger.Ledger
	signal  func(ctx context.Context, workflowID string) error
	show    func(ctx context.Context, ref workflows.Ref, s ledger.Stuck)
	ended   func(ctx context.Context, ref workflows.Ref)
	now     func() time.Time
	counter *prometheus.CounterVec
	log     *slog.Logger
}

func newStuckCounter() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_stuck_attempts_total",
		Help: "Attempts that failed after their activity had failed for an hour already."}, []string{"tenant", "activity"})
}

// note evaluates the end of an attempt.
func (s *stuck) note(ctx context.Context, in any, info activity.Info, began time.Time, err error) {
	of, ok := in.(interface{ ArchiveRef() workflows.Ref })
	if s == nil || !ok || s.now().Sub(info.ScheduledTime) < workflows.StuckAfter {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellPatience)
	defer cancel()
	ref, key := of.ArchiveRef(), info.WorkflowExecution.ID+" "+info.ActivityID
	l := s.ledger.Tenant(ref.Tenant).Archive(ref.Archive)
	var told error
	switch {
	case isStuck(info.Attempt, time.Since(began), err):
		entry := ledger.Stuck{Key: key, Since: info.ScheduledTime.UTC(), What: whatOf(info.ActivityType.Name), Reason: err.Error()}
		_, told = l.Update(ctx, func(r *ledger.Archive) { r.SetStuck(entry) })
		s.counter.WithLabelValues(ref.Tenant, info.ActivityType.Name).Inc()
		s.show(ctx, ref, entry)
		told = errors.Join(told, s.signal(ctx, workflows.ArchiveID(ref.Tenant, ref.Archive)))
	case info.Attempt > 1:
		was := false
		_, told = l.Update(ctx, func(r *ledger.Archive) { was = r.Unstick(key) })
		if was {
			s.ended(ctx, ref)
		}
	}
	if told != nil && !errors.Is(told, ledger.ErrUnknown) {
		s.log.WarnContext(ctx, "could not report that an archive is stuck", "archive", ref.Archive, "error", told)
	}
}

// isStuck reports whether an attempt has failed, will be retried, and has made no progress.
func isStuck(tries int32, ran time.Duration, err error) bool {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.NonRetryable() || tries < stuckAttempts && app.NextRetryDelay() < stuckPause || ran > stuckProgress {
		return false
	}
	return app.Type() != attempt.StoppingType && app.Type() != workflows.ErrorRunning
}

// whatOf returns what an activity does, in plain words.
func whatOf(name string) string {
	switch name {
	case workflows.ActScanProject.Name():
		return "reading the project's folders in Frame.io"
	case workflows.ActPrepareIconik.Name(), workflows.ActMakeCollections.Name():
		return "creating collections in iconik"
	case workflows.ActOpenVersion.Name():
		return "creating an asset in iconik"
	case workflows.ActTransferFile.Name(), workflows.ActCopyTogether.Name():
		return "copying a file"
	case workflows.ActCloseVersion.Name():
		return "closing a file in iconik"
	case workflows.ActCopyComments.Name():
		return "copying comments"
	case workflows.ActCopyShares.Name():
		return "copying shares and collections"
	case workflows.ActVerifyItems.Name(), workflows.ActVerifyTree.Name():
		return "comparing Frame.io and iconik"
	case workflows.ActWriteReport.Name():
		return "storing the report"
	}
	return name
}
