package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/health"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/telemetry"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/untrusted"
	"github.com/framebridge/framebridge/version"
	"github.com/framebridge/framebridge/workflows"
)

const (
	stopTimeout   = 20 * time.Second // for activities to hand over, out of the 30 s that a stop may take
	maxActivities = 64
)

// heartbeatThrottle is the most progress that a killed worker loses. It is also how long the SDK waits for the response to a
// heartbeat. When a call times out, the server discards its cached state of the workflow and reloads all of it. With 2 s, a busy
// server spent so much time on reloads that no heartbeat got through, and every activity was retried over and over.
const heartbeatThrottle = 5 * time.Second

type options struct {
	config, logFormat, logLevel string
}

func run(ctx context.Context, o options) error {
	live, err := config.Open(o.config)
	if err != nil {
		return err
	}
	cfg := live.Now()
	log := redact.NewLogger(os.Stderr, o.logFormat, o.logLevel)
	slog.SetDefault(log)
	cfg.LogWarnings(log)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	go live.Watch(ctx, log)      // already now: SIGHUP would end a worker that waits for its ledger or for Temporal

	l, err := ledger.Open(ctx, cfg.Ledger.DSN.Reveal(), ledger.WithKey(cfg.Ledger.EncryptionKey.RevealAll()...))
	if err != nil {
		return fmt.Errorf("ledger.dsn: %w", err)
	}
	defer l.Close()
	l.LogIfNew(log)
	tell, err := telemetry.Open(ctx, cfg.Telemetry, "worker", log)
	if err != nil {
		return err
	}
	defer func() { _ = tell.Close(ctx) }()
	metrics := tell.Registry
	attributes := &temporalclient.Attributes{Log: log}
	var acts *activities.Activities
	tellFailing := func(f temporalclient.FailingTask) { acts.TellFailing(f) } //nolint:contextcheck // a report belongs to no call; tasks are polled for once acts is there
	tc, err := temporalclient.Lazy(cfg.Temporal, log, temporalclient.Watch{Metrics: metrics, Failing: tellFailing, Attributes: attributes, Meters: tell.Meters, Tracers: tell.Tracers})
	if err != nil {
		return err
	}
	defer tc.Close()
	store := transfer.NewHTTPClient(nil, guard(live))
	acts, err = activities.New(live, l, newEngine(cfg.Transfer, store, metrics), store, tc, log)
	if err != nil {
		return err
	}
	metrics.MustRegister(append(acts.Metrics(), l.Metrics())...)

	fatal := make(chan error, 2)
	main, moving := workers(tc, live, acts, fatal)
	var ready atomic.Bool
	server, err := serve(cfg.Worker.Listen, &ready, metrics, &health.Checks{Temporal: tc, Namespace: func() string { return cfg.Temporal.Namespace }, Ledger: l, Log: log})
	if err != nil {
		return fmt.Errorf("worker.listen: %w", err)
	}
	defer server.Close()
	if err := temporalclient.Await(ctx, tc, cfg.Temporal, log); err != nil {
		return nil
	}
	go temporalclient.KeepSearchAttributes(ctx, tc, cfg.Temporal.Namespace, log, attributes.Missing)
	for _, w := range []worker.Worker{main, moving} {
		if err := w.Start(); err != nil {
			return fmt.Errorf("starting the worker: %w", err)
		}
	}
	ready.Store(true)
	log.Info("worker is ready", "version", version.Get().String(), "task_queue", cfg.Temporal.TaskQueue, "temporal", cfg.Temporal.Address, "tenants", len(cfg.Tenants), "listen", cfg.Worker.Listen)

	go acts.Keep(ctx)
	select {
	case <-ctx.Done():
	case err = <-fatal:
	}
	ready.Store(false)
	log.Info("worker is stopping: it hands over what is under way, and a second signal ends it at once", "within", stopTimeout.String())
	stopped := make(chan struct{})
	go func() { moving.Stop(); close(stopped) }()
	main.Stop()
	<-stopped
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(closing))
}

// workers returns one worker for each task queue: moving for the bytes, main for everything else.
func workers(tc client.Client, live *config.Live, acts *activities.Activities, fatal chan<- error) (main, moving worker.Worker) {
	queue := live.Now().Temporal.TaskQueue
	main = worker.New(tc, queue, workerOptions(maxActivities, live, fatal))
	workflows.Register(main)
	acts.Register(main)
	movers := workerOptions(live.Now().Transfer.FilesInFlight, live, fatal) // together they stay within transfer.memory
	movers.DisableWorkflowWorker = true
	moving = worker.New(tc, workflows.TransferQueue(queue), movers)
	acts.RegisterTransfers(moving)
	return main, moving
}

func newEngine(cfg config.Transfer, store *http.Client, metrics prometheus.Registerer) *transfer.Engine {
	return transfer.NewEngine(transfer.Options{
		PartsInFlight: cfg.PartsInFlight, PartSize: int64(cfg.PartSize), Memory: int64(cfg.Memory), Bandwidth: int64(cfg.Bandwidth),
		Client: store, Metrics: transfer.NewMetrics(metrics), Holds: collectSooner,
	})
}

func workerOptions(most int, live *config.Live, fatal chan<- error) worker.Options {
	share := newShares(most)
	share.alone = func() bool { return len(live.Now().Tenants) < 2 }
	return worker.Options{
		Interceptors:                       []interceptor.WorkerInterceptor{share},
		MaxConcurrentActivityExecutionSize: most,
		MaxHeartbeatThrottleInterval:       heartbeatThrottle,
		WorkerStopTimeout:                  stopTimeout,
		WorkflowTaskPollerBehavior:         worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		ActivityTaskPollerBehavior:         worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{}),
		OnFatalError: func(err error) {
			select {
			case fatal <- err:
			default:
			}
		},
	}
}

// serve starts the server for health checks and metrics.
func serve(listen string, ready *atomic.Bool, metrics *prometheus.Registry, checks *health.Checks) (*http.Server, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "{\"status\":\"ok\",\"version\":%q}\n", version.Get())
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answer, status := checks.Ask(r.Context())
		if answer["status"] = "ready"; status != http.StatusOK || !ready.Load() {
			answer["status"], status = "not ready", http.StatusServiceUnavailable
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	listener, err := net.Listen("tcp", listen) //nolint:noctx // a local port answers at once
	if err != nil {
		return nil, err
	}
	server := &http.Server{Addr: listener.Addr().String(), Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() { _ = server.Serve(listener) }()
	return server, nil
}

// garbageBeside is how much garbage may accumulate next to the transfers' buffers before it is collected. Left alone, the
// collector would wait until there is as much garbage as buffers, although the buffers hold no pointers and cost it nothing.
const garbageBeside = 64 << 20

// collectSooner keeps the process small while transfers hold buffers. GOGC in the environment takes precedence.
func collectSooner(buffers int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(int(100 * garbageBeside / (garbageBeside + buffers)))
	}
}

// guard returns a guard that keeps addresses from vendors (signed URLs, redirects) from leading to this machine or the networks
// behind it.
func guard(live *config.Live) *untrusted.Guard {
	g := untrusted.NewGuard(live.Now().VendorURLs(), live.Now().Transfer.Allowed())
	live.OnChange(func(cfg *config.Config) { g.SetBases(cfg.VendorURLs()) })
	return g
}
