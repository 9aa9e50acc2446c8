// Package attempt is what the code of an activity may ask of the machinery that runs it, without importing Temporal. Package
// activities puts it into the context.
package attempt

import (
	"context"
	"errors"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
)

// ErrStopping is the cancellation cause of a context from StopWithWorker when its worker shuts down.
var ErrStopping = errors.New("this worker is shutting down; another one continues from here")

// Checkpoint is what survives a worker that dies while it moves bytes or writes a list.
type Checkpoint struct {
	Bytes  int64  `json:"bytes"` // for people, like Total
	Total  int64  `json:"total"`
	Engine []byte `json:"checkpoint,omitempty"` // where the transfer engine continues
	Rows   int64  `json:"rows,omitempty"`       // of a list that have been written
	// At is when the work last got further than ever before, if that matters.
	At time.Time `json:"at,omitzero"`
}

// Attempt is one attempt of an activity.
type Attempt interface {
	// Scheduled returns when the activity was scheduled, before its first attempt.
	Scheduled() time.Time
	// WorkerStop returns a channel that is closed when the worker is asked to stop.
	WorkerStop() <-chan struct{}
	// Resume returns the newest checkpoint of this attempt or an earlier one, or an empty one if there is none.
	Resume() Checkpoint
	// Save hands a checkpoint to the next attempt.
	Save(Checkpoint)
	// OnBeat has f called with the newest checkpoint on each heartbeat.
	OnBeat(f func(context.Context, Checkpoint))
}

type key struct{}

// With returns a context that carries an activity's attempt.
func With(ctx context.Context, a Attempt) context.Context { return context.WithValue(ctx, key{}, a) }

// Of returns the attempt that ctx belongs to. Outside an activity, nothing stops it and nothing is saved.
func Of(ctx context.Context) Attempt {
	if a, ok := ctx.Value(key{}).(Attempt); ok {
		return a
	}
	return none{time.Now()}
}

// Stopping returns an error if the attempt should end between two steps, because its worker is stopping or it was canceled.
func Stopping(ctx context.Context) error {
	select {
	case <-Of(ctx).WorkerStop():
		return Stopped()
	default:
		return ctx.Err()
	}
}

// StoppingType is the type that Stopped's error has in Temporal.
const StoppingType = "WorkerStopping"

// Stopped returns the error for an attempt that its worker's shutdown has interrupted. Another worker continues right away.
func Stopped() error { return fault.Wait(StoppingType, time.Second, "%v", ErrStopping) }

// StopWithWorker returns a context that is canceled, with ErrStopping as its cause, when the worker is asked to stop.
func StopWithWorker(ctx context.Context) (context.Context, context.CancelFunc) {
	stop := Of(ctx).WorkerStop()
	ctx, cancel := context.WithCancelCause(ctx)
	done := ctx.Done()
	go func() {
		select {
		case <-stop:
			cancel(ErrStopping)
		case <-done:
		}
	}()
	return ctx, func() { cancel(nil) }
}

// WasStopped reports whether ctx, from StopWithWorker, was ended by its worker.
func WasStopped(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrStopping) }

type none struct{ at time.Time }

func (n none) Scheduled() time.Time                   { return n.at }
func (none) WorkerStop() <-chan struct{}              { return nil }
func (none) Resume() Checkpoint                       { return Checkpoint{} }
func (none) Save(Checkpoint)                          {}
func (none) OnBeat(func(context.Context, Checkpoint)) {}
