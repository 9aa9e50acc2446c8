package process

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/golang/mock/gomock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/api/workflowservicemock/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/grpc"

	"github.com/framebridge/framebridge/health"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

// TestTheWorkerSaysWhetherItIsReady: it is alive from the start, and ready only with Temporal, the ledger and its pollers.
func TestTheWorkerSaysWhetherItIsReady(t *testing.T) {
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	tc := &mocks.Client{}
	down := tc.On("CheckHealth", mock.Anything, mock.Anything).Return(nil, serviceerror.NewUnavailable("down"))
	var ready atomic.Bool
	server, err := serve("127.0.0.1:0", &ready, prometheus.NewRegistry(), &health.Checks{Temporal: tc, Namespace: func() string { return "default" }, Ledger: book, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	assert.Positive(t, server.ReadHeaderTimeout)
	assert.Positive(t, server.IdleTimeout)

	want := func(path string, status int) {
		t.Helper()
		resp, err := http.Get("http://" + server.Addr + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, status, resp.StatusCode, "%s: %s", path, raw)
		if path != "/metrics" {
			assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		}
	}
	ready.Store(true)
	want("/healthz", http.StatusOK)
	want("/readyz", http.StatusServiceUnavailable)
	want("/metrics", http.StatusOK)
	down.Unset()
	tc.On("CheckHealth", mock.Anything, mock.Anything).Return(&client.CheckHealthResponse{}, nil)
	var none error = serviceerror.NewNamespaceNotFound("default")
	temporal := workflowservicemock.NewMockWorkflowServiceClient(gomock.NewController(t))
	temporal.EXPECT().DescribeNamespace(gomock.Any(), gomock.Any()).DoAndReturn(func(context.Context, *workflowservice.DescribeNamespaceRequest, ...grpc.CallOption) (*workflowservice.DescribeNamespaceResponse, error) {
		return nil, none
	}).AnyTimes()
	tc.On("WorkflowService").Return(temporal)
	want("/readyz", http.StatusServiceUnavailable)
	none = nil
	want("/readyz", http.StatusOK)
	ready.Store(false)
	want("/readyz", http.StatusServiceUnavailable)
	ready.Store(true)
	book.Close()
	want("/readyz", http.StatusServiceUnavailable)
}
