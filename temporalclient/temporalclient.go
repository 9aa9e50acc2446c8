// Package temporalclient connects to Temporal: it dials, waits until the server is up, and registers what workflows are
// searched by.
package temporalclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
	tlog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/workflows"
)

const (
	dialPatience  = 4 * time.Second  // a person waits
	sayEvery      = 30 * time.Second // that a server is waited for
	healthTimeout = 5 * time.Second

	scope = "temporal-sdk-go" // of what the SDK measures and traces, as all its users name it
)

// Dial connects to the configured server; one that is just starting is waited for.
func Dial(ctx context.Context, cfg config.Temporal, log *slog.Logger) (client.Client, error) {
	o, err := options(cfg, log, Watch{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	said := false
	for {
		c, err := client.DialContext(ctx, o)
		if err == nil {
			return c, nil
		}
		if !said {
			log.Warn("waiting for Temporal", "address", cfg.Address, "for", dialPatience.String())
			said = true
		}
		if ctx.Err() != nil {
			return nil, unreachable(cfg, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// Watch is what a client tells of what it sees; each may be missing.
type Watch struct {
	Metrics    prometheus.Registerer // counts it
	Failing    func(FailingTask)     // must not block
	Attributes *Attributes           // of what a worker sends
	Meters     metric.MeterProvider  // measures what the SDK does
	Tracers    trace.TracerProvider  // traces workflows and activities
}

// Lazy makes a client that connects when it is used: servers come up, and say that they are not ready, while
// Temporal is down.
func Lazy(cfg config.Temporal, log *slog.Logger, watch Watch) (client.Client, error) {
	o, err := options(cfg, log, watch)
	if err != nil {
		return nil, err
	}
	return client.NewLazyClient(o)
}

// Await waits until the server answers, and says now and then that it does not.
func Await(ctx context.Context, c client.Client, cfg config.Temporal, log *slog.Logger) error {
	var said time.Time
	for {
		try, cancel := context.WithTimeout(ctx, healthTimeout)
		_, err := c.CheckHealth(try, nil)
		cancel()
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(said) > sayEvery {
			log.Warn("waiting for Temporal", "error", unreachable(cfg, err))
			said = time.Now()
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// ErrUnreachable says that Temporal does not answer.
var ErrUnreachable = errors.New("no Temporal server")

func unreachable(cfg config.Temporal, err error) error {
	return fmt.Errorf("temporal.address: %w at %s (namespace %q): %w", ErrUnreachable, cfg.Address, cfg.Namespace, err)
}

func options(cfg config.Temporal, log *slog.Logger, watch Watch) (client.Options, error) {
	o := client.Options{HostPort: cfg.Address, Namespace: cfg.Namespace, Logger: tlog.NewStructuredLogger(log)}
	if cfg.APIKey != "" {
		o.Credentials = client.NewAPIKeyStaticCredentials(cfg.APIKey.Reveal())
		cfg.TLS.Enabled = true
	}
	var err error
	if o.ConnectionOptions.TLS, err = cfg.TLS.ClientConfig(); err != nil {
		return o, fmt.Errorf("temporal.tls: %w", err)
	}
	chain := []grpc.UnaryClientInterceptor{watchTasks(watch.Metrics, log, watch.Failing)}
	if watch.Attributes != nil {
		chain = append(chain, watch.Attributes.intercept)
	}
	o.ConnectionOptions.DialOptions = []grpc.DialOption{grpc.WithChainUnaryInterceptor(chain...)}
	if watch.Meters != nil {
		o.MetricsHandler = opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{Meter: watch.Meters.Meter(scope), UseMonotonicCounters: true,
			OnError: func(err error) { log.Warn("one of the Temporal SDK's metrics is missing", "error", err) }})
	}
	if watch.Tracers != nil { // spans travel in headers, as ids: what is called baggage could hold anything
		tracing, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{Tracer: watch.Tracers.Tracer(scope), TextMapPropagator: propagation.TraceContext{},
			DisableBaggage: true, AllowInvalidParentSpans: true})
		if err != nil {
			return o, fmt.Errorf("traces: %w", err)
		}
		o.Interceptors = append(o.Interceptors, tracing)
	}
	o.DataConverter, o.FailureConverter, err = Converters(cfg.Codec)
	return o, err
}

var searchAttributes = workflows.SearchAttributes()

// MissingSearchAttributes names those of ours that the namespace does not know; starting a workflow with unknown ones is refused.
func MissingSearchAttributes(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	var missing []string
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, err
	}
	for _, a := range searchAttributes {
		if t, ok := have.GetCustomAttributes()[a.GetName()]; !ok || t != a.GetValueType() {
			missing = append(missing, a.GetName())
		}
	}
	return missing, nil
}

// RegisterSearchAttributes registers ours where that is allowed, and says what to do where it is not. It returns those that
// cannot be used.
func RegisterSearchAttributes(ctx context.Context, c client.Client, namespace string, log *slog.Logger) (missing []string) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	missing, err := MissingSearchAttributes(ctx, c, namespace)
	if err != nil { // whoever may not look does not know
		missing = attributeNames()
	}
	if err == nil && len(missing) > 0 {
		add := map[string]enumspb.IndexedValueType{}
		for _, a := range searchAttributes {
			if slices.Contains(missing, a.GetName()) {
				add[a.GetName()] = a.GetValueType()
			}
		}
		_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: add})
		var exists *serviceerror.AlreadyExists
		if errors.As(err, &exists) {
			err = nil
		}
	}
	if err != nil {
		log.Warn("working without some search attributes: register them by hand to filter in Temporal's UI", "missing", strings.Join(missing, ", "),
			"command", "temporal operator search-attribute create --name "+missing[0]+" --type Keyword (FramebridgeExpires: --type Datetime)", "error", err)
		return missing
	}
	return nil
}

// WorkflowURL is where a person sees a workflow; empty without a configured UI.
func WorkflowURL(cfg config.Temporal, workflowID string) string {
	if cfg.UIURL == "" {
		return ""
	}
	return cfg.UIURL + "/namespaces/" + url.PathEscape(cfg.Namespace) + "/workflows/" + url.PathEscape(workflowID)
}
