package temporalclient

import (
	"context"
	"errors"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// Start starts a workflow. If the server refuses its search attributes because it does not know them yet or no longer does, Start
// calls refused, which may be nil, and starts the workflow without them: they only help people filter.
func Start(ctx context.Context, c client.Client, o client.StartWorkflowOptions, name string, in any, refused func(error)) error {
	_, err := c.ExecuteWorkflow(ctx, o, name, in)
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &invalid) && o.TypedSearchAttributes.Size() > 0 {
		if refused != nil {
			refused(err)
		}
		o.TypedSearchAttributes = temporal.SearchAttributes{}
		_, err = c.ExecuteWorkflow(ctx, o, name, in)
	}
	return err
}
