package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// An activity's own verdicts keep their meaning however they are wrapped, and no secret gets through.
func TestWhatAnActivityEndsWith(t *testing.T) {
	refused := &rest.Error{Vendor: "Frame.io", Operation: "read a project", Status: 401, Class: rest.Unauthorized}
	for name, tt := range map[string]struct {
		err     error
		opening bool
		kind    string
		final   bool
		retryIn time.Duration
	}{
		"content, wrapped":        {err: fmt.Errorf("collection of %q: %w", "A", fault.Content("no storage")), kind: workflows.ErrorContent, final: true},
		"system":                  {err: fault.System("the ledger was replaced"), kind: workflows.ErrorSystem, final: true},
		"upload gone":             {err: fault.UploadGone("lost"), kind: workflows.ErrorUploadGone, final: true},
		"original gone":           {err: fault.OriginalGone("refused"), kind: workflows.ErrorOriginalGone, final: true},
		"not yet":                 {err: fault.Wait("NotReady", time.Second, "still prepares it"), kind: "NotReady", retryIn: time.Second},
		"superseded":              {err: fault.Superseded("another attempt"), kind: "Superseded"},
		"a stopping worker":       {err: attempt.Stopped(), kind: "WorkerStopping", retryIn: time.Second},
		"a refused token":         {err: refused, kind: "Frame.io read a project", retryIn: tokenPatience},
		"a refused token, opened": {err: fmt.Errorf("project: %w", refused), opening: true, kind: workflows.ErrorContent, final: true},
		"not found":               {err: &rest.Error{Vendor: "iconik", Class: rest.NotFound}, kind: workflows.ErrorContent, final: true},
		"anything else":           {err: errors.New("disk full: https://store.example/f?X-Amz-Signature=abc"), kind: "Internal"},
	} {
		t.Run(name, func(t *testing.T) {
			err := execute(t, boundary{log: slog.New(slog.DiscardHandler), failFastOnAuth: tt.opening}, func(context.Context) error { return tt.err })
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			require.Equal(t, tt.kind, app.Type())
			require.Equal(t, tt.final, app.NonRetryable())
			require.Equal(t, tt.retryIn, app.NextRetryDelay())
			require.NotContains(t, app.Message(), "Signature=abc")
		})
	}
}

// A panic fails its activity with an error for operators. It does not end the worker.
func TestAPanicIsASystemError(t *testing.T) {
	err := execute(t, boundary{log: slog.New(slog.DiscardHandler)}, func(context.Context) error {
		var none map[string]int
		none["x"]++ //nolint:staticcheck // panics, as it shall
		return nil
	})
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, workflows.ErrorSystem, app.Type())
	require.True(t, app.NonRetryable())
	require.Contains(t, app.Message(), "nil map")
}

// The next attempt finds what an attempt saved, and every heartbeat carries it.
func TestAnAttemptGoesOnFromTheCheckpointBefore(t *testing.T) {
	env := temporaltest.Activities()
	before := attempt.Checkpoint{Bytes: 5, Total: 9, Engine: []byte("parts")}
	env.SetHeartbeatDetails(before)
	b := boundary{log: slog.New(slog.DiscardHandler)}
	act := guardTask(b, func(ctx context.Context, _ string) error {
		own := attempt.Of(ctx)
		require.Equal(t, before, own.Resume())
		own.Save(attempt.Checkpoint{Bytes: 9, Total: 9})
		require.Equal(t, attempt.Checkpoint{Bytes: 9, Total: 9}, own.Resume())
		require.NoError(t, attempt.Stopping(ctx))
		return nil
	})
	env.RegisterActivityWithOptions(act, activity.RegisterOptions{Name: "act"})
	_, err := env.ExecuteActivity("act", "")
	require.NoError(t, err)
}

func execute(t *testing.T, b boundary, f func(context.Context) error) error {
	t.Helper()
	env := temporaltest.Activities()
	env.RegisterActivityWithOptions(guardTask(b, func(ctx context.Context, _ string) error { return f(ctx) }), activity.RegisterOptions{Name: "act"})
	_, err := env.ExecuteActivity("act", "")
	return err
}
