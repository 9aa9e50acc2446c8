package workflows

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/test/temporaltest"
)

// mirrored runs a mirror over n projects. do decides the outcome of each.
func mirrored(t *testing.T, n, parallel int, in MirrorInput, do func(context.Context, string) (MirrorProjectResult, error)) (*testsuite.TestWorkflowEnvironment, *[]string) {
	t.Helper()
	env := temporaltest.Workflows()
	env.RegisterWorkflowWithOptions(Mirror, workflow.RegisterOptions{Name: MirrorName})
	env.RegisterActivityWithOptions(func(_ context.Context, in MirrorProjectsInput) (MirrorPage, error) {
		out := MirrorPage{Parallel: parallel}
		for i := range n {
			if id := fmt.Sprintf("%04d", i); id > in.After {
				if len(out.Projects) == in.Max {
					out.More = true
					break
				}
				out.Projects = append(out.Projects, id)
			}
		}
		return out, nil
	}, activity.RegisterOptions{Name: ActMirrorProjects.Name()})
	var mu sync.Mutex
	began := []string{}
	env.RegisterActivityWithOptions(func(ctx context.Context, ref MirrorProjectInput) (MirrorProjectResult, error) {
		mu.Lock()
		began = append(began, ref.Archive)
		mu.Unlock()
		return do(ctx, ref.Archive)
	}, activity.RegisterOptions{Name: ActMirrorProject.Name()})
	in.Tenant, in.Selection = "T", json.RawMessage(`{}`)
	env.ExecuteWorkflow(MirrorName, in)
	require.True(t, env.IsWorkflowCompleted())
	return env, &began
}

func TestAMirrorArchivesEachProjectOnceWhateverFails(t *testing.T) {
	env, began := mirrored(t, mirrorBatch+5, 3, MirrorInput{}, func(_ context.Context, id string) (MirrorProjectResult, error) {
		switch id {
		case "0001":
			return MirrorProjectResult{}, temporal.NewNonRetryableApplicationError("the project is gone", ErrorContent, nil)
		case "0002":
			return MirrorProjectResult{Status: StatusWaiting}, nil
		case "0003":
			return MirrorProjectResult{Status: "verified_with_exceptions"}, nil
		case "0004":
			return MirrorProjectResult{Status: "incomplete"}, nil
		}
		return MirrorProjectResult{Status: "verified"}, nil
	})
	require.NoError(t, env.GetWorkflowError())
	var res MirrorResult
	require.NoError(t, env.GetWorkflowResult(&res))
	assert.Equal(t, MirrorResult{Projects: mirrorBatch + 5, Verified: mirrorBatch + 1, Exceptions: 1, Waiting: 1, Failed: 2}, res)
	once := map[string]bool{}
	for _, id := range *began {
		assert.False(t, once[id], id)
		once[id] = true
	}
}

func TestAMirrorGoesOnWithoutAnArchiveThatTakesTooLong(t *testing.T) {
	env, began := mirrored(t, 2, 1, MirrorInput{}, func(_ context.Context, id string) (MirrorProjectResult, error) {
		if id == "0000" { // as fault.Wait does
			return MirrorProjectResult{}, temporal.NewApplicationErrorWithOptions("still running", "Running", temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
		}
		return MirrorProjectResult{Status: "verified"}, nil
	})
	require.NoError(t, env.GetWorkflowError())
	var res MirrorResult
	require.NoError(t, env.GetWorkflowResult(&res))
	assert.Equal(t, MirrorResult{Projects: 2, Verified: 1, Waiting: 1}, res)
	assert.Equal(t, "0001", (*began)[len(*began)-1], "one at a time")
}

func TestAMirrorOfManyProjectsContinuesAsNew(t *testing.T) {
	n := continueAfterRuns + mirrorBatch
	ok := func(context.Context, string) (MirrorProjectResult, error) {
		return MirrorProjectResult{Status: "verified"}, nil
	}
	env, _ := mirrored(t, n, 64, MirrorInput{Name: "nightly"}, ok)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	var next MirrorInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	assert.Equal(t, []any{"nightly", continueAfterRuns}, []any{next.Name, next.State.Result.Projects})
	env, began := mirrored(t, n, 64, next, ok)
	require.NoError(t, env.GetWorkflowError())
	var res MirrorResult
	require.NoError(t, env.GetWorkflowResult(&res))
	assert.Equal(t, []int{n, mirrorBatch}, []int{res.Verified, len(*began)})
}
