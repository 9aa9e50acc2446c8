package telemetry

import (
	"context"
	"crypto/tls"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/credentials"

	"github.com/framebridge/framebridge/config"
)

func producer(r *prometheus.Registry) sdkmetric.Producer {
	return bridge.NewMetricProducer(bridge.WithGatherer(r))
}

// target is where a signal goes: its own path below the endpoint or, over gRPC, the endpoint's host.
type target struct {
	url     string
	secure  *tls.Config // nil: without TLS
	headers map[string]string
}

func targetOf(cfg config.OTLP, path string) (target, error) {
	u, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return target{}, err
	}
	t := target{headers: map[string]string{}}
	if u.Scheme == "https" {
		pool, err := cfg.CA.Pool()
		if err != nil {
			return target{}, err
		}
		t.secure = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	if cfg.Protocol != config.OTLPOverGRPC {
		u = u.JoinPath("v1", path)
	}
	t.url = u.String()
	for name, value := range cfg.Headers {
		t.headers[name] = value.Reveal()
	}
	return t, nil
}

func metricExporter(ctx context.Context, cfg config.OTLP) (sdkmetric.Exporter, error) {
	t, err := targetOf(cfg, "metrics")
	if err != nil {
		return nil, err
	}
	if cfg.Protocol == config.OTLPOverGRPC {
		o := []otlpmetricgrpc.Option{otlpmetricgrpc.WithEndpointURL(t.url), otlpmetricgrpc.WithHeaders(t.headers)}
		if t.secure != nil {
			o = append(o, otlpmetricgrpc.WithTLSCredentials(credentials.NewTLS(t.secure)))
		}
		return otlpmetricgrpc.New(ctx, o...)
	}
	o := []otlpmetrichttp.Option{otlpmetrichttp.WithEndpointURL(t.url), otlpmetrichttp.WithHeaders(t.headers)}
	if t.secure != nil {
		o = append(o, otlpmetrichttp.WithTLSClientConfig(t.secure))
	}
	return otlpmetrichttp.New(ctx, o...)
}

func spanExporter(ctx context.Context, cfg config.OTLP) (sdktrace.SpanExporter, error) {
	t, err := targetOf(cfg, "traces")
	if err != nil {
		return nil, err
	}
	if cfg.Protocol == config.OTLPOverGRPC {
		o := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(t.url), otlptracegrpc.WithHeaders(t.headers)}
		if t.secure != nil {
			o = append(o, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(t.secure)))
		}
		return otlptracegrpc.New(ctx, o...)
	}
	o := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(t.url), otlptracehttp.WithHeaders(t.headers)}
	if t.secure != nil {
		o = append(o, otlptracehttp.WithTLSClientConfig(t.secure))
	}
	return otlptracehttp.New(ctx, o...)
}

// seldom is due at first, and then not again for quietFor.
type seldom struct {
	mu   sync.Mutex
	last time.Time
}

func (s *seldom) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && now.Sub(s.last) < quietFor {
		return false
	}
	s.last = now
	return true
}
