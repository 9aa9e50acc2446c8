package temporalclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
)

const (
	attributesEvery = time.Minute // how often search attributes are checked
	failingAttempts = 3           // of a workflow task before it is reported as failing repeatedly
)

// ErrNoNamespace means that the server is up but does not have the namespace.
var ErrNoNamespace = errors.New("Temporal has no such namespace")

// Ready returns nil if the server answers and has the namespace. The error wraps ErrNoNamespace if the namespace is missing.
func Ready(ctx context.Context, c client.Client, namespace string) error {
	if _, err := c.CheckHealth(ctx, nil); err != nil {
		return err
	}
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	return namespaceError(namespace, err)
}

func namespaceError(namespace string, err error) error {
	var missing *serviceerror.NamespaceNotFound
	var gone *serviceerror.NotFound
	var denied *serviceerror.PermissionDenied
	switch {
	case errors.As(err, &missing), errors.As(err, &gone):
		return fmt.Errorf("temporal.namespace: %w: %q", ErrNoNamespace, namespace)
	case errors.As(err, &denied): // a client that may not look may still work
		return nil
	}
	return err
}

// KeepSearchAttributes registers Framebridge's search attributes, and again whenever they are removed, until ctx ends. It calls
// missing each time with those that cannot be used.
func KeepSearchAttributes(ctx context.Context, c client.Client, namespace string, log *slog.Logger, missing func([]string)) {
	tick := time.NewTicker(attributesEvery)
	defer tick.Stop()
	was := true
	for {
		left := RegisterSearchAttributes(ctx, c, namespace, quietAfter(log, was))
		if ctx.Err() != nil {
			return
		}
		is := len(left) == 0
		if missing(left); is && !was {
			log.Info("search attributes are registered again")
		}
		was = is
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// quietAfter makes missing attributes be logged once, not every minute.
func quietAfter(log *slog.Logger, was bool) *slog.Logger {
	if was {
		return log
	}
	return slog.New(slog.DiscardHandler)
}

// FailingTask is a workflow task that fails repeatedly.
type FailingTask struct {
	WorkflowID, RunID, Type string
	Attempt                 int32
}

// watchTasks sees every workflow task that a worker receives, and counts and logs those that fail repeatedly, because Temporal
// retries them forever without telling anybody. If tell is not nil, it is called for each of them.
func watchTasks(metrics prometheus.Registerer, log *slog.Logger, tell func(FailingTask)) grpc.UnaryClientInterceptor {
	failing := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_workflow_task_retries_total",
		Help: "Workflow tasks that came again after they had failed or timed out at least twice: workflows that are stuck."}, []string{"workflow_type"})
	if metrics != nil {
		metrics.MustRegister(failing)
	}
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		err := invoke(ctx, method, req, reply, cc, opts...)
		if task, polled := reply.(*workflowservice.PollWorkflowTaskQueueResponse); polled && err == nil && task.GetAttempt() >= failingAttempts {
			failing.WithLabelValues(task.GetWorkflowType().GetName()).Inc()
			log.ErrorContext(ctx, "a workflow is stuck: its task keeps failing", "workflow_id", task.GetWorkflowExecution().GetWorkflowId(),
				"run_id", task.GetWorkflowExecution().GetRunId(), "workflow_type", task.GetWorkflowType().GetName(), "attempt", task.GetAttempt())
			if tell != nil {
				tell(FailingTask{WorkflowID: task.GetWorkflowExecution().GetWorkflowId(), RunID: task.GetWorkflowExecution().GetRunId(), Type: task.GetWorkflowType().GetName(), Attempt: task.GetAttempt()})
			}
		}
		return err
	}
}
