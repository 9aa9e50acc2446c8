// Package temporalclient connects to Temporal: it dials, waits until the server is up, and registers the search attributes of workflows.
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
	dialPatience  = 4 * time.Second  // a person is waiting
	sayEvery      = 30 * time.Second // how often a wait for the server is logged
	healthTimeout = 5 * time.Second

	scope = "temporal-sdk-go" // name of the SDK's meter and tracer, as all its users call it
)

// Dial connects to the configured server. It waits a few seconds for a server that is starting, and then fails with ErrUnreachable.
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

// Watch is what a client reports about what it sees. Every field may be nil.
type Watch struct {
	Metrics    prometheus.Registerer // counts failing workflow tasks
	Failing    func(FailingTask)     // must not block
	Attributes *Attributes           // filters what a worker sends
	Meters     metric.MeterProvider  // measures what the SDK does
	Tracers    trace.TracerProvider  // traces workflows and activities
}

// Lazy returns a client that connects when it is first used, so that servers can start, and report that they are not ready, while
// Temporal is down.
func Lazy(cfg config.Temporal, log *slog.Logger, watch Watch) (client.Client, error) {
	o, err := options(cfg, log, watch)
	if err != nil {
		return nil, err
	}
	return client.NewLazyClient(o)
}

// Await waits until the server answers and has the namespace, logging now and then what is missing. It returns only the error of ctx.
func Await(ctx context.Context, c client.Client, cfg config.Temporal, log *slog.Logger) error {
	var said time.Time
	for {
		try, cancel := context.WithTimeout(ctx, healthTimeout)
		err := Ready(try, c, cfg.Namespace)
		cancel()
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(said) > sayEvery {
			if !errors.Is(err, ErrNoNamespace) {
				err = unreachable(cfg, err)
			}
			log.Warn("waiting for Temporal", "error", err)
			said = time.Now()
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// ErrUnreachable means that Temporal does not answer.
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
	if watch.Tracers != nil { // spans travel in headers as IDs only: baggage could contain anything
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

// MissingSearchAttributes returns the names of Framebridge's search attributes that the namespace does not know. The server
// refuses to start a workflow with unknown ones.
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

// RegisterSearchAttributes registers Framebridge's search attributes if it may, and otherwise logs what to do. It returns those
// that cannot be used.
func RegisterSearchAttributes(ctx context.Context, c client.Client, namespace string, log *slog.Logger) (missing []string) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	missing, err := MissingSearchAttributes(ctx, c, namespace)
	if err != nil { // without permission to look, assume that none is registered
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

// WorkflowURL returns the address where a person sees a workflow, or "" if no UI is configured.
func WorkflowURL(cfg config.Temporal, workflowID string) string {
	if cfg.UIURL == "" {
		return ""
	}
	return cfg.UIURL + "/namespaces/" + url.PathEscape(cfg.Namespace) + "/workflows/" + url.PathEscape(workflowID)
}
