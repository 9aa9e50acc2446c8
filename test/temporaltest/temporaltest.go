// Package temporaltest opens Temporal's test environments, and replays histories, on a machine that may stand still for a while.
// By default the SDK takes a workflow that was not heard of for a second for a deadlock, and an environment with nothing to do for
// three for one that hangs; on a machine with other work both happen to tests that are right.
package temporaltest

import (
	"log/slog"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

// patience is how long a test waits, in real time, for what is not going to come.
const patience = 5 * time.Minute

// Quiet says nothing: thousands of lines about each timer hide the test that failed.
var Quiet log.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

// Workflows is where workflows run, with time skipped.
func Workflows(interceptors ...interceptor.WorkerInterceptor) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(Quiet)
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(patience)
	env.SetWorkerOptions(Options(interceptors...))
	return env
}

// Options are for a worker whose machine is busy.
func Options(interceptors ...interceptor.WorkerInterceptor) worker.Options {
	return worker.Options{DeadlockDetectionTimeout: patience, Interceptors: interceptors}
}

// Activities is where single activities run.
func Activities() *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(Quiet)
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(patience) // also the activity's time from schedule to close
	return env
}

// Replayer replays histories; give ReplayWorkflowHistory the Quiet log.
func Replayer(options worker.WorkflowReplayerOptions) (worker.WorkflowReplayer, error) {
	options.DisableDeadlockDetection = true
	return worker.NewWorkflowReplayerWithOptions(options)
}
