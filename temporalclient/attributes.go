package temporalclient

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// Attributes removes search attributes that the server does not know from what a worker sends. A server rejects a workflow task
// that contains one, and the workflow would not progress until somebody registers it again. Workflows are unaware of this.
type Attributes struct {
	Log *slog.Logger

	mu      sync.Mutex
	missing map[string]bool
}

// Missing sets which of Framebridge's search attributes cannot be used at the moment.
func (a *Attributes) Missing(names []string) {
	missing := map[string]bool{}
	for _, n := range names {
		missing[n] = true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.missing = missing
}

// intercept filters what workers send, and learns from what the server refuses.
func (a *Attributes) intercept(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	done, ok := req.(*workflowservice.RespondWorkflowTaskCompletedRequest)
	if !ok {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	a.leaveOut(done)
	err := invoke(ctx, method, req, reply, cc, opts...)
	if refusesAttributes(err) { // Temporal dispatches the task again
		a.Log.WarnContext(ctx, "Temporal refused a search attribute: continuing without search attributes until they are registered again", "error", err)
		a.Missing(attributeNames())
	}
	return err
}

func refusesAttributes(err error) bool {
	if err == nil {
		return false
	}
	var invalid *serviceerror.InvalidArgument
	return errors.As(serviceerror.FromStatus(status.Convert(err)), &invalid) && strings.Contains(invalid.Error(), "search attribute") && strings.Contains(invalid.Error(), "defined")
}

func (a *Attributes) leaveOut(done *workflowservice.RespondWorkflowTaskCompletedRequest) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range done.GetCommands() {
		if in := c.GetUpsertWorkflowSearchAttributesCommandAttributes(); in != nil {
			if in.SearchAttributes = a.without(in.GetSearchAttributes()); in.SearchAttributes == nil {
				in.SearchAttributes = &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{unusedAttribute: noKeywords()}}
			}
		}
		if in := c.GetContinueAsNewWorkflowExecutionCommandAttributes(); in != nil && in.GetSearchAttributes() != nil {
			in.SearchAttributes = a.without(in.GetSearchAttributes())
		}
		if in := c.GetStartChildWorkflowExecutionCommandAttributes(); in != nil && in.GetSearchAttributes() != nil {
			in.SearchAttributes = a.without(in.GetSearchAttributes())
		}
	}
}

// unusedAttribute is an attribute that every server knows and nothing uses today, because a command to change search attributes
// must name at least one.
const unusedAttribute = "BinaryChecksums"

func noKeywords() *commonpb.Payload {
	p, err := converter.GetDefaultDataConverter().ToPayload([]string{})
	if err != nil { // an empty list always has a JSON form
		panic(err)
	}
	p.Metadata["type"] = []byte("KeywordList")
	return p
}

// column matches what a server calls an attribute in histories after its name was removed. The server does not accept such a
// name, but the SDK hands all of them on to the next run.
var column = regexp.MustCompile(`^(Bool|Datetime|Double|Int|Keyword|KeywordList|Text)\d\d$`)

// without returns a copy without the missing attributes, or nil if none is left. It does not change all, which the SDK keeps.
func (a *Attributes) without(all *commonpb.SearchAttributes) *commonpb.SearchAttributes {
	left := map[string]*commonpb.Payload{}
	for name, value := range all.GetIndexedFields() {
		if !a.missing[name] && !column.MatchString(name) {
			left[name] = value
		}
	}
	if len(left) == 0 {
		return nil
	}
	return &commonpb.SearchAttributes{IndexedFields: left}
}

func attributeNames() []string {
	names := make([]string, 0, len(searchAttributes))
	for _, a := range searchAttributes {
		names = append(names, a.GetName())
	}
	return names
}
