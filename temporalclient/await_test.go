package temporalclient

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/test/logtest"
)

// A worker that polled for a namespace that does not exist yet would end at once.
func TestAwaitWaitsForTheNamespaceToo(t *testing.T) {
	_, address := serveFrontend(t)
	await := func(ctx context.Context, namespace string, log *logtest.Text) error {
		cfg := config.Temporal{Address: address, Namespace: namespace}
		c, err := Lazy(cfg, slog.New(slog.DiscardHandler), Watch{})
		require.NoError(t, err)
		defer c.Close()
		return Await(ctx, c, cfg, slog.New(slog.NewTextHandler(log, nil)))
	}
	require.NoError(t, await(t.Context(), "default", &logtest.Text{}))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log logtest.Text
	ended := make(chan error, 1)
	go func() { ended <- await(ctx, "nowhere", &log) }()
	require.Eventually(t, func() bool { return strings.Contains(log.String(), ErrNoNamespace.Error()) }, 20*time.Second, time.Millisecond)
	assert.NotContains(t, log.String(), ErrUnreachable.Error())
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled)
}
