//go:build integration

package e2e

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/test/temporaltest"
)

var attributeOfTest = temporal.NewSearchAttributeKeyKeyword("FramebridgeStatus")

// tagging sets a search attribute at each signal, and then continues in a new run, for a number of signals.
func tagging(ctx workflow.Context, left int) error {
	if err := workflow.SetQueryHandler(ctx, "left", func() (int, error) { return left, nil }); err != nil || left == 0 {
		return err
	}
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
	if err := workflow.UpsertTypedSearchAttributes(ctx, attributeOfTest.ValueSet(strconv.Itoa(left))); err != nil {
		return err
	}
	if err := workflow.Sleep(ctx, time.Millisecond); err != nil { // the attribute is sent before the run ends
		return err
	}
	return workflow.NewContinueAsNewError(ctx, "Tagging", left-1)
}

// TestARemovedSearchAttributeStopsNoWorkflow removes one from a real server while a workflow sets it, and nobody registers it
// again. The workflow still ends, through a new run, and replays.
func TestARemovedSearchAttributeStopsNoWorkflow(t *testing.T) {
	t.Parallel()
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{ExistingPath: filepath.Join(root, ".sandbox", "bin", "temporal"), ClientOptions: &client.Options{}, LogLevel: "never"})
	require.NoError(t, err)
	defer func() { _ = server.Stop() }()
	log := slog.New(slog.DiscardHandler)
	c, err := temporalclient.Lazy(config.Temporal{Address: server.FrontendHostPort(), Namespace: "default"}, log, temporalclient.Watch{Attributes: &temporalclient.Attributes{Log: log}})
	require.NoError(t, err)
	defer c.Close()
	require.Empty(t, temporalclient.RegisterSearchAttributes(t.Context(), c, "default", log))
	w := worker.New(c, "q", worker.Options{})
	w.RegisterWorkflowWithOptions(tagging, workflow.RegisterOptions{Name: "Tagging"})
	require.NoError(t, w.Start())
	defer w.Stop()
	start := func(id string) (client.WorkflowRun, error) {
		return c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: "q", TypedSearchAttributes: temporal.NewSearchAttributes(attributeOfTest.ValueSet("new"))}, "Tagging", 3)
	}
	var run client.WorkflowRun
	require.Eventually(t, func() bool {
		run, err = start("tagging")
		return err == nil // the server learns of new and removed attributes with a delay
	}, patience, 100*time.Millisecond)
	first := run.GetRunID()
	next := func(left int) {
		require.NoError(t, c.SignalWorkflow(t.Context(), "tagging", "", "go", nil))
		require.Eventually(t, func() bool {
			var now int
			v, err := c.QueryWorkflow(t.Context(), "tagging", "", "left")
			return err == nil && v.Get(&now) == nil && now == left
		}, patience, 100*time.Millisecond, "to %d: a task that is refused comes again after ten seconds", left)
	}
	next(2)
	_, err = c.OperatorService().RemoveSearchAttributes(t.Context(), &operatorservice.RemoveSearchAttributesRequest{Namespace: "default", SearchAttributes: []string{attributeOfTest.GetName()}})
	require.NoError(t, err)
	refused, n := &serviceerror.InvalidArgument{}, 0
	require.Eventually(t, func() bool {
		n++
		_, err := start("another-" + strconv.Itoa(n))
		return errors.As(err, &refused)
	}, patience, 100*time.Millisecond)
	next(1)
	next(0)

	replayer, err := temporaltest.Replayer(worker.WorkflowReplayerOptions{})
	require.NoError(t, err)
	replayer.RegisterWorkflowWithOptions(tagging, workflow.RegisterOptions{Name: "Tagging"})
	bad := 0
	for id := first; id != ""; {
		h := historyOf(t, c, "tagging", id)
		require.NoError(t, replayer.ReplayWorkflowHistory(temporaltest.Quiet, h))
		for _, e := range h.GetEvents() {
			if e.GetWorkflowTaskFailedEventAttributes().GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES {
				bad++
			}
		}
		id = h.GetEvents()[len(h.GetEvents())-1].GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	assert.Equal(t, 1, bad, "only until Temporal has said so")
}
