package workflows

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"
)

// Activity is an activity with a result. It is declared once, under the name recorded in histories. Workflows execute it, workers
// register its implementation, and the compiler holds both to the same types.
type Activity[In, Out any] struct{ name string }

// Task is an activity without a result.
type Task[In any] struct{ name string }

// ActivityRegistry is a worker, or a test environment.
type ActivityRegistry interface {
	RegisterActivityWithOptions(fn any, options activity.RegisterOptions)
}

// Name returns the activity's name in histories.
func (a Activity[In, Out]) Name() string { return a.name }

// Name returns the activity's name in histories.
func (t Task[In]) Name() string { return t.name }

// Execute runs the activity under the options of ctx (policies.go) and waits for its result.
func (a Activity[In, Out]) Execute(ctx workflow.Context, in In) (Out, error) {
	var out Out
	err := workflow.ExecuteActivity(ctx, a.name, in).Get(ctx, &out)
	return out, err
}

// Execute runs the activity under the options of ctx (policies.go) and waits until it is done.
func (t Task[In]) Execute(ctx workflow.Context, in In) error {
	return workflow.ExecuteActivity(ctx, t.name, in).Get(ctx, nil)
}

// Register registers f with r as the activity's implementation.
func (a Activity[In, Out]) Register(r ActivityRegistry, f func(context.Context, In) (Out, error)) {
	r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: a.name})
}

// Register registers f with r as the activity's implementation.
func (t Task[In]) Register(r ActivityRegistry, f func(context.Context, In) error) {
	r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: t.name})
}

func declare[In, Out any](name string) Activity[In, Out] { return Activity[In, Out]{name} }

func task[In any](name string) Task[In] { return Task[In]{name} }
