// Package temporaltest opens Temporal's test environments, and replays histories, on a machine that may pause for a while. By
// default the SDK reports a deadlock if a workflow does not yield for a second, and a hang if an environment has nothing to do
// for three seconds. On a busy machine, both happen to correct tests.
package temporaltest

import (
	"log/slog"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

// patience is how long a test waits, in real time, for something that will not happen.
const patience = 5 * time.Minute

// Quiet discards all messages: thousands of lines about timers hide the test that failed.
var Quiet log.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

// Workflows returns an environment for workflows, with time skipping.
func Workflows(interceptors ...interceptor.WorkerInterceptor) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(Quiet)
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(patience)
	env.SetWorkerOptions(Options(interceptors...))
	return env
}

// Options returns options for a worker on a busy machine.
func Options(interceptors ...interceptor.WorkerInterceptor) worker.Options {
	return worker.Options{DeadlockDetectionTimeout: patience, Interceptors: interceptors}
}

// Activities returns an environment for single activities.
func Activities() *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(Quiet)
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(patience) // also limits the activity's schedule-to-close time
	return env
}

// Replayer returns a replayer of histories. Pass Quiet to ReplayWorkflowHistory.
func Replayer(options worker.WorkflowReplayerOptions) (worker.WorkflowReplayer, error) {
	options.DisableDeadlockDetection = true
	return worker.NewWorkflowReplayerWithOptions(options)
}
