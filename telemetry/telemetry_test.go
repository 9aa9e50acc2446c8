package telemetry

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	metricsv1 "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/framebridge/framebridge/config"
)

// collector receives what is sent to it over HTTP and gRPC.
type collector struct {
	metricsv1.UnimplementedMetricsServiceServer

	mu   sync.Mutex
	text strings.Builder
	keys []string
}

func (c *collector) take(m proto.Message, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.WriteString(prototext.Format(m))
	c.keys = append(c.keys, key)
}

func keyOf(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	return strings.Join(md.Get("authorization"), " ")
}

func (c *collector) Export(ctx context.Context, in *metricsv1.ExportMetricsServiceRequest) (*metricsv1.ExportMetricsServiceResponse, error) {
	c.take(in, keyOf(ctx))
	return &metricsv1.ExportMetricsServiceResponse{}, nil
}

// spans is the second service, because both have a method Export.
type spans struct {
	tracev1.UnimplementedTraceServiceServer
	c *collector
}

func (s spans) Export(ctx context.Context, in *tracev1.ExportTraceServiceRequest) (*tracev1.ExportTraceServiceResponse, error) {
	s.c.take(in, keyOf(ctx))
	return &tracev1.ExportTraceServiceResponse{}, nil
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := map[string]proto.Message{"/base/v1/metrics": &metricsv1.ExportMetricsServiceRequest{}, "/base/v1/traces": &tracev1.ExportTraceServiceRequest{}}[r.URL.Path]
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	raw, err := io.ReadAll(body)
	if in == nil || err != nil || proto.Unmarshal(raw, in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.take(in, r.Header.Get("Authorization"))
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *collector) serve(t *testing.T, protocol string) (endpoint string) {
	t.Helper()
	if protocol == config.OTLPOverHTTP {
		srv := httptest.NewServer(c)
		t.Cleanup(srv.Close)
		return srv.URL + "/base"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := grpc.NewServer()
	metricsv1.RegisterMetricsServiceServer(srv, c)
	tracev1.RegisterTraceServiceServer(srv, spans{c: c})
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(srv.Stop)
	return "http://" + l.Addr().String()
}

// The collector gets the scraped metrics under the same names, including the library's, and traces that name nobody.
func TestACollectorGetsMetricsAndDiscreetTraces(t *testing.T) {
	for _, protocol := range []string{config.OTLPOverHTTP, config.OTLPOverGRPC} {
		t.Run(protocol, func(t *testing.T) {
			c := &collector{}
			tell, err := Open(t.Context(), config.Telemetry{OTLP: config.OTLP{Endpoint: c.serve(t, protocol), Protocol: protocol,
				Headers: map[string]config.Secret{"Authorization": "Bearer of-the-collector"}, TracesPercent: 100, Interval: time.Hour}}, "worker", slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			own := prometheus.NewCounter(prometheus.CounterOpts{Name: "framebridge_own_total", Help: "x"})
			tell.Registry.MustRegister(own)
			own.Inc()
			library, err := tell.Meters.Meter("temporal-sdk-go").Float64Histogram("temporal_some_latency", metric.WithUnit("s"))
			require.NoError(t, err)
			library.Record(t.Context(), .02)

			failure := errors.New("could not copy Secret Film.mov")
			ctx, activity := tell.Tracers.Tracer("temporal-sdk-go").Start(t.Context(), "RunActivity:TransferFile", trace.WithAttributes(attribute.String("temporalWorkflowID", "archive/t/p"), attribute.String("path", "Secret Film.mov")))
			_, call := trace.SpanFromContext(ctx).TracerProvider().Tracer("github.com/framebridge/framebridge/x").Start(ctx, "iconik GET asset")
			call.SetStatus(codes.Error, "throttled")
			call.End()
			activity.RecordError(failure)
			activity.SetStatus(codes.Error, failure.Error())
			activity.End()
			require.NoError(t, tell.Close(t.Context()))

			got := c.text.String()
			for _, want := range []string{"framebridge_own_total", "temporal_some_latency_seconds", "go_goroutines", "framebridge-worker", "RunActivity:TransferFile", "archive/t/p", "iconik GET asset", "throttled"} {
				assert.Contains(t, got, want)
			}
			assert.NotContains(t, got, "Secret Film")
			assert.Equal(t, 1, strings.Count(got, `"temporal_some_latency_seconds"`), "once, although it is measured by OpenTelemetry")
			assert.Equal(t, []string{"Bearer of-the-collector", "Bearer of-the-collector"}, c.keys)
		})
	}
}

func TestWithoutACollectorThereAreMetricsOnly(t *testing.T) {
	tell, err := Open(t.Context(), config.Telemetry{}, "starter", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	assert.Nil(t, tell.Tracers)
	counter, err := tell.Meters.Meter("temporal-sdk-go").Int64Counter("temporal_request")
	require.NoError(t, err)
	counter.Add(t.Context(), 2)
	all, err := tell.Registry.Gather()
	require.NoError(t, err)
	var names []string
	for _, m := range all {
		names = append(names, m.GetName())
	}
	assert.Contains(t, names, "temporal_request_total")
	assert.Contains(t, names, "process_resident_memory_bytes")
	assert.NotContains(t, names, "target_info")
	require.NoError(t, tell.Close(t.Context()))
}

// An unreachable collector costs a few log lines, and they contain no secret.
func TestACollectorThatIsAwayIsToldOnce(t *testing.T) {
	var log strings.Builder
	f := &failures{log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 5 {
		f.Handle(errors.New("Post https://collector/v1/metrics?token=of-the-collector: connection refused"))
	}
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"))
	assert.NotContains(t, log.String(), "of-the-collector")
	now := time.Now()
	assert.False(t, f.said.due(now.Add(quietFor-time.Minute)))
	assert.True(t, f.said.due(now.Add(quietFor+time.Minute)))
}
