package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/mocks"

	"github.com/framebridge/framebridge/activities/mirror"
)

// A mirror that is stopped while it runs has its run canceled. That is not a failure.
func TestHowAMirrorsRunEnds(t *testing.T) {
	for status, want := range map[enumspb.WorkflowExecutionStatus]*mirror.Outcome{
		enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:    nil,
		enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:   {Stopped: true},
		enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED: {Failed: "It was ended in Temporal: Terminated"},
	} {
		temporal := &mocks.Client{}
		temporal.On("DescribeWorkflowExecution", mock.Anything, "run", "").Return(&workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: status}}, nil)
		out, err := mirrorOutcome(temporal)(t.Context(), "run")
		require.NoError(t, err)
		assert.Equal(t, want, out, status)
	}
}
