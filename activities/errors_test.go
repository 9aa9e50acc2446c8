package activities

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/clients/rest"
)

// A vendor that asks for time after a failure gets it, within bounds. Without such a request, the retry policy applies.
func TestWhenAFailedCallIsTriedAgain(t *testing.T) {
	for _, tt := range []struct {
		class       rest.Class
		asked, want time.Duration
	}{
		{rest.Retryable, 0, 0},
		{rest.Retryable, 30 * time.Second, 30 * time.Second},
		{rest.Retryable, 24 * time.Hour, maxRetryAfter},
		{rest.Throttled, 0, time.Second},
		{rest.Throttled, 5 * time.Minute, 5 * time.Minute},
	} {
		err := toTemporal(fmt.Errorf("what was tried: %w", &rest.Error{Vendor: "Frame.io", Class: tt.class, RetryAfter: tt.asked}))
		var app *temporal.ApplicationError
		require.True(t, errors.As(err, &app))
		require.False(t, app.NonRetryable())
		require.Equal(t, tt.want, app.NextRetryDelay(), "%v, asked for %v", tt.class, tt.asked)
	}
}
