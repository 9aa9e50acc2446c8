package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/workflows"
)

// heartbeat reports that an attempt is alive, so that a killed worker's work is taken over quickly and a cancellation arrives.
// It carries the checkpoint from which the next attempt continues.
type heartbeat struct {
	ctx  context.Context // the activity's
	info activity.Info

	mu     sync.Mutex
	saved  attempt.Checkpoint
	holds  bool // saved is a checkpoint to continue from
	onBeat func(context.Context, attempt.Checkpoint)
}

// beat starts a heartbeat every workflows.HeartbeatInterval. stop ends it.
func beat(ctx context.Context) (h *heartbeat, stop func()) {
	h = &heartbeat{ctx: ctx, info: activity.GetInfo(ctx)}
	if activity.HasHeartbeatDetails(ctx) {
		// Details that cannot be decoded are from another version: the attempt starts over.
		h.holds = activity.GetHeartbeatDetails(ctx, &h.saved) == nil
		if !h.holds {
			h.saved = attempt.Checkpoint{}
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { h.run(ctx, &running) })
	return h, func() {
		cancel()
		running.Wait()
	}
}

func (h *heartbeat) run(ctx context.Context, running *sync.WaitGroup) {
	tick := time.NewTicker(workflows.HeartbeatInterval)
	defer tick.Stop()
	var busy sync.Mutex // one call of onBeat at a time: it may be slow, and the heartbeat continues meanwhile
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		saved, onBeat := h.record()
		if onBeat == nil || !busy.TryLock() {
			continue
		}
		running.Go(func() {
			defer busy.Unlock()
			onBeat(ctx, saved)
		})
	}
}

// record sends a heartbeat with the newest checkpoint, if there is one.
func (h *heartbeat) record() (attempt.Checkpoint, func(context.Context, attempt.Checkpoint)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holds {
		activity.RecordHeartbeat(h.ctx, h.saved)
	} else {
		activity.RecordHeartbeat(h.ctx)
	}
	return h.saved, h.onBeat
}

func (h *heartbeat) Scheduled() time.Time { return h.info.ScheduledTime }

func (h *heartbeat) WorkerStop() <-chan struct{} { return activity.GetWorkerStopChannel(h.ctx) }

func (h *heartbeat) Resume() attempt.Checkpoint {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.saved
}

func (h *heartbeat) Save(c attempt.Checkpoint) {
	h.mu.Lock()
	h.saved, h.holds = c, true
	h.mu.Unlock()
	h.record()
}

func (h *heartbeat) OnBeat(f func(context.Context, attempt.Checkpoint)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.onBeat = f
}
