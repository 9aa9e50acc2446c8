// Package telemetry is what a running program reports about itself: metrics for Prometheus to scrape and, if a collector is
// configured, metrics and traces over OTLP.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/version"
)

const (
	closeTimeout = 2 * time.Second  // to send what is left, out of the time that a stop may take
	quietFor     = 10 * time.Minute // after logging a collector's failure
)

// seconds are the buckets of Temporal's timers, whose defaults are meant for milliseconds.
var seconds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800}

// Telemetry holds a program's metrics and, if they are on, its traces.
type Telemetry struct {
	// Registry is what Prometheus scrapes. A collector gets the same metrics under the same names.
	Registry *prometheus.Registry
	// Meters is for libraries that measure with OpenTelemetry. Their metrics are in the Registry, too.
	Meters metric.MeterProvider
	// Tracers is nil if traces are off.
	Tracers trace.TracerProvider

	closing []func(context.Context) error
}

// Open starts measuring. An unreachable collector is logged now and then but stops nothing.
func Open(ctx context.Context, cfg config.Telemetry, program string, log *slog.Logger) (*Telemetry, error) {
	t := &Telemetry{Registry: prometheus.NewRegistry()}
	t.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprom.New(otelprom.WithRegisterer(t.Registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithView(sdkmetric.NewView(
		sdkmetric.Instrument{Kind: sdkmetric.InstrumentKindHistogram, Unit: "s"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: seconds}})))
	t.Meters, t.closing = meters, append(t.closing, meters.Shutdown)
	if cfg.OTLP.Endpoint == "" {
		return t, nil
	}
	otel.SetErrorHandler(&failures{log: log})
	return t, t.send(ctx, cfg.OTLP, about(program))
}

// send exports the registry's metrics and the traces to a collector.
func (t *Telemetry) send(ctx context.Context, cfg config.OTLP, who *resource.Resource) error {
	metrics, err := metricExporter(ctx, cfg)
	if err != nil {
		return fmt.Errorf("telemetry.otlp: %w", err)
	}
	sender := sdkmetric.NewMeterProvider(sdkmetric.WithResource(who), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics,
		sdkmetric.WithInterval(cfg.Interval), sdkmetric.WithProducer(producer(t.Registry)))))
	t.closing = append(t.closing, sender.Shutdown)
	if cfg.TracesPercent == 0 {
		return nil
	}
	spans, err := spanExporter(ctx, cfg)
	if err != nil {
		return fmt.Errorf("telemetry.otlp: %w", err)
	}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithResource(who), sdktrace.WithBatcher(discreet{spans}),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(cfg.TracesPercent)/100))))
	t.Tracers, t.closing = tracers, append(t.closing, tracers.Shutdown)
	return nil
}

// Close sends what is left and stops. It waits at most closeTimeout.
func (t *Telemetry) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	var errs []error
	for i := len(t.closing) - 1; i >= 0; i-- { // senders before the meters they read
		errs = append(errs, t.closing[i](ctx))
	}
	return errors.Join(errs...)
}

// about describes this process.
func about(program string) *resource.Resource {
	host, _ := os.Hostname()
	return resource.NewSchemaless(attribute.String("service.name", "framebridge-"+program), attribute.String("service.version", version.Get().String()),
		attribute.String("service.instance.id", fmt.Sprintf("%s-%d", host, os.Getpid())), attribute.String("host.name", host))
}

// failures logs a collector's failures, but not every time.
type failures struct {
	log  *slog.Logger
	said seldom
}

func (f *failures) Handle(err error) {
	if err != nil && f.said.due(time.Now()) {
		f.log.Warn("could not send metrics or traces", "key", "telemetry.otlp.endpoint", "error", redact.Scrub(err.Error()), "quiet_for", quietFor.String())
	}
}
