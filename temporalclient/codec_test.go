package temporalclient

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

func keys(k ...config.Secret) config.Codec { return config.Codec{Keys: k} }

func TestAKeyRingDecryptsWhatAnyOfItsKeysEncrypted(t *testing.T) {
	make := func(k ...config.Secret) converter.PayloadCodec {
		c, err := NewCodec(keys(k...))
		require.NoError(t, err)
		return c
	}
	former, rotated, other := make("the former secret"), make("the newest secret", "the former secret"), make("quite another secret")
	plain := []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"kim@client.example"`)}, {}}
	first, err := former.Encode(plain)
	require.NoError(t, err)
	again, err := former.Encode(plain)
	require.NoError(t, err)
	assert.NotEqual(t, first[0].GetData(), again[0].GetData(), "each has a nonce of its own")
	got, err := rotated.Decode(append(first, plain[0]))
	require.NoError(t, err)
	for i, want := range []*commonpb.Payload{plain[0], plain[1], plain[0]} {
		assert.True(t, proto.Equal(want, got[i]), i)
	}
	newest, err := rotated.Encode(plain)
	require.NoError(t, err)
	assert.NotEqual(t, first[0].GetMetadata()[metadataKeyID], newest[0].GetMetadata()[metadataKeyID])
	for _, c := range []converter.PayloadCodec{former, other} {
		_, err = c.Decode(newest)
		assert.ErrorContains(t, err, "temporal.codec.keys")
	}
	for i := range newest[0].GetData() {
		newest[0].Data[i] ^= 1
		_, err = rotated.Decode(newest)
		require.Error(t, err, "byte %d", i)
		newest[0].Data[i] ^= 1
	}
	newest[0].Data = newest[0].GetData()[:5]
	_, err = rotated.Decode(newest)
	require.ErrorContains(t, err, "cut short")
	off, err := NewCodec(config.Codec{})
	require.NoError(t, err)
	assert.Nil(t, off)
}

// telling returns texts from recorded histories that nobody should be able to read, apart from failure messages.
func telling(t *testing.T, h *historypb.History) []string {
	t.Helper()
	var out []string
	require.NoError(t, proxy.VisitPayloads(t.Context(), h, proxy.VisitPayloadsOptions{SkipSearchAttributes: true, Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
		for _, p := range all {
			if len(p.GetData()) > 20 { // not null, true and numbers
				out = append(out, string(p.GetData()))
			}
		}
		return all, nil
	}}))
	require.NoError(t, proxy.VisitFailures(t.Context(), h, proxy.VisitFailuresOptions{Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
		out = append(out, f.GetMessage())
		return nil
	}}))
	return out
}

// encrypted rewrites a history as if it had been recorded with keys.
func encrypted(t *testing.T, h *historypb.History, codec converter.PayloadCodec, failures converter.FailureConverter) {
	t.Helper()
	plain := temporal.GetDefaultFailureConverter()
	require.NoError(t, proxy.VisitFailures(t.Context(), h, proxy.VisitFailuresOptions{Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
		proto.Merge(f, failures.ErrorToFailure(plain.FailureToError(proto.Clone(f).(*failurepb.Failure))))
		for ; f != nil; f = f.GetCause() {
			if f.GetEncodedAttributes() == nil {
				require.NoError(t, converter.EncodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f))
			}
			f.Message, f.StackTrace = "Encoded failure", ""
		}
		return nil
	}}))
	require.NoError(t, proxy.VisitPayloads(t.Context(), h, proxy.VisitPayloadsOptions{SkipSearchAttributes: true, Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
		var open []*commonpb.Payload
		for _, p := range all {
			if string(p.GetMetadata()["encoding"]) == encodingEncrypted {
				return all, nil
			}
			open = append(open, p)
		}
		return codec.Encode(open)
	}}))
}

// TestEncryptedHistoriesReplay: a workflow recorded without keys continues with keys, and with keys nothing is readable.
func TestEncryptedHistoriesReplay(t *testing.T) {
	cfg := keys("a secret of some length")
	codec, err := NewCodec(cfg)
	require.NoError(t, err)
	data, failures, err := Converters(cfg)
	require.NoError(t, err)
	files, err := filepath.Glob("../workflows/testdata/histories/*.json")
	require.NoError(t, err)
	more, err := filepath.Glob("../workflows/testdata/histories/*/*.json")
	require.NoError(t, err)
	files = append(files, more...)
	require.NotEmpty(t, files)
	seen := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		replay := func(h *historypb.History) error {
			r, err := temporaltest.Replayer(worker.WorkflowReplayerOptions{DataConverter: data, FailureConverter: failures})
			require.NoError(t, err)
			workflows.Register(r)
			return r.ReplayWorkflowHistory(temporaltest.Quiet, h)
		}
		var h historypb.History
		require.NoError(t, protojson.Unmarshal(raw, &h))
		require.NoError(t, replay(proto.Clone(&h).(*historypb.History)), "%s, from before the keys", file)
		texts := telling(t, &h)
		encrypted(t, &h, codec, failures)
		out, err := proto.Marshal(&h)
		require.NoError(t, err)
		for _, text := range texts {
			if strings.TrimSpace(text) != "" && len(text) > 20 {
				seen++
				require.NotContains(t, string(out), text, file)
			}
		}
		require.NoError(t, replay(&h), "%s, encrypted", file)
	}
	assert.Greater(t, seen, 500)
}

// frontend is a Temporal frontend that keeps everything it receives, byte for byte.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	mu   sync.Mutex
	sent bytes.Buffer
	task *workflowservice.PollWorkflowTaskQueueResponse

	knows     map[string]bool // search attributes
	completed []*workflowservice.RespondWorkflowTaskCompletedRequest
}

func (f *frontend) keep(m proto.Message) {
	raw, _ := proto.Marshal(m)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent.Write(raw)
}

func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{EncodedFailureAttributes: true, SdkMetadata: true}}, nil
}

func (f *frontend) StartWorkflowExecution(_ context.Context, in *workflowservice.StartWorkflowExecutionRequest) (*workflowservice.StartWorkflowExecutionResponse, error) {
	f.keep(in)
	return &workflowservice.StartWorkflowExecutionResponse{RunId: "r"}, nil
}

func (f *frontend) SignalWorkflowExecution(_ context.Context, in *workflowservice.SignalWorkflowExecutionRequest) (*workflowservice.SignalWorkflowExecutionResponse, error) {
	f.keep(in)
	return &workflowservice.SignalWorkflowExecutionResponse{}, nil
}

func (f *frontend) RespondActivityTaskFailedById(_ context.Context, in *workflowservice.RespondActivityTaskFailedByIdRequest) (*workflowservice.RespondActivityTaskFailedByIdResponse, error) {
	f.keep(in)
	return &workflowservice.RespondActivityTaskFailedByIdResponse{}, nil
}

func (f *frontend) PollWorkflowTaskQueue(context.Context, *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	return f.task, nil
}

func (f *frontend) DescribeNamespace(_ context.Context, in *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	if in.GetNamespace() != "default" {
		return nil, serviceerror.ToStatus(serviceerror.NewNamespaceNotFound(in.GetNamespace())).Err()
	}
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func serveFrontend(t *testing.T) (*frontend, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f, server := &frontend{}, grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, f)
	known := health.NewServer()
	known.SetServingStatus("temporal.api.workflowservice.v1.WorkflowService", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, known)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return f, l.Addr().String()
}

// TestNothingReadableLeavesTheClient sends what the programs send through the real client.
func TestNothingReadableLeavesTheClient(t *testing.T) {
	secrets := []string{"kim@client.example", "Harbour cut 3", "https://f.io/abc", "title-in-summary", "memo-text"}
	for name, cfg := range map[string]config.Codec{"off": {}, "on": keys("a secret of some length")} {
		t.Run(name, func(t *testing.T) {
			f, address := serveFrontend(t)
			c, err := Lazy(config.Temporal{Address: address, Namespace: "default", Codec: cfg}, slog.New(slog.DiscardHandler), Watch{})
			require.NoError(t, err)
			defer c.Close()
			_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "review/x", TaskQueue: "q", StaticSummary: "title-in-summary", StaticDetails: "Harbour cut 3",
				Memo: map[string]any{"m": "memo-text"}}, "Review", map[string]string{"to": "kim@client.example"})
			require.NoError(t, err)
			require.NoError(t, c.SignalWorkflow(t.Context(), "review/x", "", "wake", map[string]string{"link": "https://f.io/abc"}))
			require.NoError(t, c.CompleteActivityByID(t.Context(), "default", "review/x", "", "1", nil,
				temporal.NewApplicationError("no mail to kim@client.example", "content", "Harbour cut 3")))
			for _, s := range secrets {
				assert.Equal(t, name == "off", strings.Contains(f.sent.String(), s), s)
			}
		})
	}
}

func TestReadyKnowsAMissingNamespace(t *testing.T) {
	_, address := serveFrontend(t)
	for namespace, want := range map[string]error{"default": nil, "nowhere": ErrNoNamespace} {
		c, err := Lazy(config.Temporal{Address: address, Namespace: namespace}, slog.New(slog.DiscardHandler), Watch{})
		require.NoError(t, err)
		defer c.Close()
		_, err = c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		assert.ErrorIs(t, namespaceError(namespace, err), want, namespace)
	}
}

func TestAWorkflowTaskThatFailsAgainAndAgainIsToldOf(t *testing.T) {
	f, address := serveFrontend(t)
	var logged bytes.Buffer
	metrics := prometheus.NewRegistry()
	var told []FailingTask
	c, err := Lazy(config.Temporal{Address: address, Namespace: "default"}, slog.New(slog.NewTextHandler(&logged, nil)), Watch{Metrics: metrics, Failing: func(f FailingTask) { told = append(told, f) }})
	require.NoError(t, err)
	defer c.Close()
	for attempt := range int32(5) {
		f.task = &workflowservice.PollWorkflowTaskQueueResponse{Attempt: attempt + 1, WorkflowType: &commonpb.WorkflowType{Name: "Review"}, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "review/x"}}
		_, err := c.WorkflowService().PollWorkflowTaskQueue(t.Context(), &workflowservice.PollWorkflowTaskQueueRequest{})
		require.NoError(t, err)
	}
	assert.Equal(t, 3, strings.Count(logged.String(), "review/x"), logged.String())
	assert.Len(t, told, 3)
	assert.Equal(t, FailingTask{WorkflowID: "review/x", Type: "Review", Attempt: 5}, told[2])
	require.NoError(t, testutil.GatherAndCompare(metrics, strings.NewReader(`# HELP framebridge_workflow_task_retries_total Workflow tasks that came again after they had failed or timed out at least twice: workflows that are stuck.
# TYPE framebridge_workflow_task_retries_total counter
framebridge_workflow_task_retries_total{workflow_type="Review"} 3
`)))
}
