// Package attempt is what the code of an activity may ask of the machinery that runs it, without Temporal: package
// activities puts it into the context.
package attempt

import (
	"context"
	"errors"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
)

// ErrStopping is the cause that ends what StopWithWorker watches.
var ErrStopping = errors.New("this worker is shutting down; another one continues from here")

// Checkpoint is what survives a worker that dies while it moves bytes, or writes a list.
type Checkpoint struct {
	Bytes  int64  `json:"bytes"` // for people, as Total
	Total  int64  `json:"total"`
	Engine []byte `json:"checkpoint,omitempty"` // where the transfer engine goes on
	Rows   int64  `json:"rows,omitempty"`       // of a list that were written
	// At is when it got further than ever before, where that is of interest.
	At time.Time `json:"at,omitzero"`
}

// Attempt is one attempt of an activity.
type Attempt interface {
	// Scheduled is when the activity was scheduled, before its first attempt.
	Scheduled() time.Time
	// WorkerStop is closed when the worker is asked to end.
	WorkerStop() <-chan struct{}
	// Resume is the newest checkpoint, of this attempt or one before; empty where there is none.
	Resume() Checkpoint
	// Save hands a checkpoint to the next attempt.
	Save(Checkpoint)
	// OnBeat has f called with the newest checkpoint, with each sign of life that the attempt gives.
	OnBeat(f func(context.Context, Checkpoint))
}

type key struct{}

// With puts an attempt into the context of its activity.
func With(ctx context.Context, a Attempt) context.Context { return context.WithValue(ctx, key{}, a) }

// Of returns the attempt that ctx belongs to. Outside an activity nothing stops it and nothing is saved.
func Of(ctx context.Context) Attempt {
	if a, ok := ctx.Value(key{}).(Attempt); ok {
		return a
	}
	return none{time.Now()}
}

// Stopping returns an error when the attempt should end between two steps: its worker is asked to, or it is canceled.
func Stopping(ctx context.Context) error {
	select {
	case <-Of(ctx).WorkerStop():
		return Stopped()
	default:
		return ctx.Err()
	}
}

// StoppingType is the type of Stopped's error in Temporal.
const StoppingType = "WorkerStopping"

// Stopped is what an attempt returns that its worker's end has interrupted: another worker goes on at once.
func Stopped() error { return fault.Wait(StoppingType, time.Second, "%v", ErrStopping) }

// StopWithWorker returns a context that is canceled, with ErrStopping as its cause, when the worker is asked to end.
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

// WasStopped says that ctx, from StopWithWorker, was ended by the worker.
func WasStopped(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrStopping) }

type none struct{ at time.Time }

func (n none) Scheduled() time.Time                   { return n.at }
func (none) WorkerStop() <-chan struct{}              { return nil }
func (none) Resume() Checkpoint                       { return Checkpoint{} }
func (none) Save(Checkpoint)                          {}
func (none) OnBeat(func(context.Context, Checkpoint)) {}
