package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/workflows"
)

// temporalPatience is how long Temporal may take to respond.
const temporalPatience = 5 * time.Second

var searchAttributes = workflows.SearchAttributes()

func temporalChecks() []Definition {
	return []Definition{
		{ID: "temporal.reachable", Meaning: "Nothing runs, and webhooks get status 503.", Do: "Check temporal.address, temporal.tls and temporal.api_key, and whether the server is running.",
			needs: []string{"config.valid"}, run: func(ctx context.Context, x *exam) finding {
				ctx, cancel := context.WithTimeout(ctx, temporalPatience)
				defer cancel()
				if x.Temporal == nil {
					return fail("no client for %s", x.Config.Temporal.Address)
				}
				_, err := x.Temporal.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
				if err != nil && !answered(err) {
					return fail("no Temporal server at %s: %s", x.Config.Temporal.Address, redact.Scrub(err.Error()))
				}
				return ok("it responds at %s", x.Config.Temporal.Address)
			}},
		{ID: "temporal.namespace", Meaning: "Framebridge cannot start workflows.", Do: "Create the namespace (`temporal operator namespace create`), or correct temporal.namespace; in Temporal Cloud, check whether the API key may use it.",
			needs: []string{"temporal.reachable"}, run: func(ctx context.Context, x *exam) finding {
				if _, err := retention(ctx, x); err != nil {
					return fail("%q: %s", x.Config.Temporal.Namespace, redact.Scrub(err.Error()))
				}
				return ok("%s", x.Config.Temporal.Namespace)
			}},
		{ID: "temporal.retention", Meaning: "Temporal deletes histories before the longest review ends, so you cannot look up its first days in Temporal's UI. Nothing else is lost.", Do: "Raise the namespace's retention (`temporal operator namespace update --retention`), or lower review.longest.",
			needs: []string{"temporal.namespace"}, run: func(ctx context.Context, x *exam) finding {
				kept, err := retention(ctx, x)
				if err != nil {
					return warn("%s", redact.Scrub(err.Error()))
				}
				var longest time.Duration
				for _, t := range x.Tenants {
					longest = max(longest, t.Review.Longest)
				}
				if kept > 0 && kept < longest {
					return warn("%s, but a review can last %s", english.Duration(kept), english.Duration(longest))
				}
				return ok("%s", english.Duration(kept))
			}},
		{ID: "temporal.search_attributes", Meaning: "You cannot filter workflows by tenant, project and status in Temporal's UI. Everything else works.", Do: "Register them: `temporal operator search-attribute create --name FramebridgeTenant --type Keyword`, and the others listed; FramebridgeExpires has the type Datetime.",
			needs: []string{"temporal.namespace"}, run: func(ctx context.Context, x *exam) finding {
				have, err := x.Temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: x.Config.Temporal.Namespace})
				if err != nil {
					return warn("cannot list them: %s", redact.Scrub(err.Error()))
				}
				var missing []string
				for _, a := range searchAttributes {
					if have.GetCustomAttributes()[a.GetName()] != a.GetValueType() {
						missing = append(missing, a.GetName())
					}
				}
				if len(missing) > 0 {
					return warn("missing, or of another type: %s", strings.Join(missing, ", "))
				}
				return ok("all %d are registered", len(searchAttributes))
			}},
	}
}

func workerChecks() []Definition {
	return []Definition{
		{ID: "temporal.worker", Meaning: "Nothing runs: no worker is polling for workflows and activities.", Do: "Start a worker with this configuration, and check that temporal.task_queue is the same.",
			needs: []string{"temporal.namespace"}, run: func(ctx context.Context, x *exam) finding {
				q := x.Config.Temporal.TaskQueue
				for _, kind := range []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY} {
					if who, err := pollers(ctx, x, q, kind); err != nil {
						return fail("%s", redact.Scrub(err.Error()))
					} else if len(who) == 0 {
						return fail("no worker polls the task queue %s for %s tasks", q, strings.ToLower(kind.String()))
					}
				}
				return ok("workers poll the task queue %s", q)
			}},
		{ID: "temporal.worker.transfers", Meaning: "No files are copied: no worker is polling for transfers.", Do: "Start a worker with this configuration; if one is running, its log says why it takes no transfers.",
			needs: []string{"temporal.worker"}, run: func(ctx context.Context, x *exam) finding {
				q := workflows.TransferQueue(x.Config.Temporal.TaskQueue)
				who, err := pollers(ctx, x, q, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
				switch {
				case err != nil:
					return fail("%s", redact.Scrub(err.Error()))
				case len(who) == 0:
					return fail("no worker polls the task queue %s", q)
				}
				return ok("workers poll the task queue %s", q)
			}},
		{ID: "temporal.worker.version", Meaning: "The worker and the starter run different releases. That is fine during an upgrade, but not for long.", Do: "Finish the upgrade: run the same release everywhere.",
			needs: []string{"config.valid"}, run: workerVersion},
	}
}

// answered reports whether a server responded and denied the request.
func answered(err error) bool {
	var denied *serviceerror.PermissionDenied
	return errors.As(err, &denied)
}

func retention(ctx context.Context, x *exam) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, temporalPatience)
	defer cancel()
	d, err := x.Temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: x.Config.Temporal.Namespace})
	if err != nil {
		return 0, err
	}
	return d.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), nil
}

// pollers returns the identities of a queue's pollers, in the form "process@host@…".
func pollers(ctx context.Context, x *exam, queue string, kind enumspb.TaskQueueType) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, temporalPatience)
	defer cancel()
	d, err := x.Temporal.DescribeTaskQueue(ctx, queue, kind)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range d.GetPollers() {
		out = append(out, p.GetIdentity())
	}
	return out, nil
}

// workerHosts returns the machines whose workers are polling, judging by their identities.
func workerHosts(ctx context.Context, x *exam) []string {
	if x.Temporal == nil {
		return nil
	}
	who, err := pollers(ctx, x, workflows.TransferQueue(x.Config.Temporal.TaskQueue), enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	if err != nil {
		return nil
	}
	var hosts []string
	for _, identity := range who {
		parts := strings.Split(identity, "@")
		if len(parts) > 1 && !slices.Contains(hosts, parts[1]) {
			hosts = append(hosts, parts[1])
		}
	}
	return hosts
}

// workerVersion compares the version of the worker on this machine with this program's.
func workerVersion(ctx context.Context, x *exam) finding {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+x.Config.Worker.Listen+"/healthz", nil)
	if err != nil {
		return skip("worker.listen is not an address")
	}
	resp, err := x.http.Do(req)
	if err != nil {
		return skip("no worker responds on this machine (worker.listen)")
	}
	defer resp.Body.Close()
	var v struct {
		Version string `json:"version"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&v)
	switch {
	case v.Version == "" || x.Version == "":
		return skip("a release is unknown")
	case v.Version != x.Version:
		return warn("the worker runs %s, this program is %s", v.Version, x.Version)
	}
	return ok("%s", v.Version)
}
