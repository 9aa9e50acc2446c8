//go:build integration

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// histories reads every workflow that the server has.
func (s *harness) histories() map[string]*historypb.History {
	s.t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress})
	require.NoError(s.t, err)
	defer c.Close()
	list, err := c.ListWorkflow(s.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	require.NoError(s.t, err)
	out := map[string]*historypb.History{}
	for i, e := range list.GetExecutions() {
		h := historyOf(s.t, c, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId())
		out[fmt.Sprintf("%s-%02d", e.GetType().GetName(), i)] = h
	}
	return out
}

func historyOf(t *testing.T, c client.Client, id, run string) *historypb.History {
	t.Helper()
	var h historypb.History
	iter := c.GetWorkflowHistory(t.Context(), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iter.HasNext() {
		event, err := iter.Next()
		require.NoError(t, err)
		h.Events = append(h.Events, event)
	}
	return &h
}

// TestHistoriesReplay replays what a real server recorded of archives that waited, were canceled and continued.
func TestHistoriesReplay(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, options(t))
	s.Frameio.Archive(s.project.ID, "archived")
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, func(a archiveJSON) bool { return a.Status == "waiting" })
	s.Frameio.Archive(s.project.ID, "standard")
	s.until(s.project.ID, ended)
	small, err := samples.Small(s.Frameio, s.team, "Small", 40, 1)
	require.NoError(t, err)
	s.request(small.ID)
	s.until(small.ID, func(a archiveJSON) bool { return a.Status == "running" })
	s.call("POST", "/archives/"+small.ID+"/cancel", nil, nil)
	s.until(small.ID, ended)
	s.call("POST", "/archives/"+small.ID+"/retry", nil, nil)
	s.until(small.ID, func(a archiveJSON) bool { return strings.HasPrefix(a.Status, "verified") })

	assert.Greater(t, s.replay(), 10)
}

// replay replays every history on the server with today's code, and returns how many there were. It keeps none, because a
// history recorded from the code under test proves nothing (tools/record).
func (s *harness) replay() int {
	s.t.Helper()
	replayer, err := temporaltest.Replayer(worker.WorkflowReplayerOptions{})
	require.NoError(s.t, err)
	workflows.Register(replayer)
	all := s.histories()
	for name, h := range all {
		assert.NoError(s.t, replayer.ReplayWorkflowHistory(temporaltest.Quiet, h), name)
	}
	return len(all)
}
