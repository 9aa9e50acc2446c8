package console

import (
	"context"
	"strconv"
	"sync"
	"time"
)

const (
	taskLimit = 15 * time.Minute
	taskKept  = 15 * time.Minute
	mostTasks = 200 // remembered at once
	taskSlots = 4   // that run at once; others wait
)

// task is work that takes longer than a page may: its page shows how far it is.
type task struct {
	Began, Ended time.Time
	Result       any
	Err          error
}

func (t task) running() bool { return t.Ended.IsZero() }

// tasks run in this process, one for each topic. What another process has read is read again here.
type tasks struct {
	stop context.Context //nolint:containedctx // of the process
	now  func() time.Time
	slot chan struct{}

	mu sync.Mutex
	of map[topic]task
}

func newTasks(stop context.Context, now func() time.Time) *tasks {
	return &tasks{stop: stop, now: now, slot: make(chan struct{}, taskSlots), of: map[topic]task{}}
}

// get returns a topic's task; false where there is none, or it is too old.
func (ts *tasks) get(t topic) (task, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	have, ok := ts.of[t]
	return have, ok && (have.running() || ts.now().Sub(have.Ended) < taskKept)
}

// begin runs a task unless it runs already, and returns it as it is then.
func (ts *tasks) begin(t topic, run func(context.Context) (any, error)) task {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if have, ok := ts.of[t]; ok && have.running() {
		return have
	}
	ts.makeRoom()
	began := task{Began: ts.now()}
	ts.of[t] = began
	go func() {
		ctx, cancel := context.WithTimeout(ts.stop, taskLimit)
		defer cancel()
		ts.slot <- struct{}{}
		result, err := run(ctx)
		<-ts.slot
		ts.mu.Lock()
		defer ts.mu.Unlock()
		ts.of[t] = task{Began: began.Began, Ended: ts.now(), Result: result, Err: err}
	}()
	return began
}

func (ts *tasks) makeRoom() {
	for t, have := range ts.of {
		if !have.running() && (len(ts.of) >= mostTasks || ts.now().Sub(have.Ended) >= taskKept) {
			delete(ts.of, t)
		}
	}
}

// version changes when a task begins and when it ends.
func (ts *tasks) version(t topic) string {
	have, ok := ts.get(t)
	if !ok {
		return "none"
	}
	return strconv.FormatInt(have.Began.UnixMilli(), 36) + "-" + strconv.FormatBool(have.running())
}
