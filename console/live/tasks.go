package live

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

// Task is work that takes longer than a page may: its page shows how far it is.
type Task struct {
	Began, Ended time.Time
	Said         string // how far it is, in words
	Result       any
	Err          error
}

// Running says that it has not ended.
func (t Task) Running() bool { return t.Ended.IsZero() }

// Tasks run in this process, one for each topic. What another process has read is read again here.
type Tasks struct {
	stop context.Context //nolint:containedctx // of the process
	now  func() time.Time
	slot chan struct{}

	mu sync.Mutex
	of map[Topic]Task
}

// NewTasks makes room for tasks, which end with stop.
func NewTasks(stop context.Context, now func() time.Time) *Tasks {
	return &Tasks{stop: stop, now: now, slot: make(chan struct{}, taskSlots), of: map[Topic]Task{}}
}

// Get returns a topic's task; false where there is none, or it is too old.
func (ts *Tasks) Get(t Topic) (Task, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	have, ok := ts.of[t]
	return have, ok && (have.Running() || ts.now().Sub(have.Ended) < taskKept)
}

// Begin runs a task unless it runs already, and returns it as it is then.
func (ts *Tasks) Begin(t Topic, run func(context.Context) (any, error)) Task {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if have, ok := ts.of[t]; ok && have.Running() {
		return have
	}
	ts.makeRoom()
	began := Task{Began: ts.now()}
	ts.of[t] = began
	go func() {
		ctx, cancel := context.WithTimeout(ts.stop, taskLimit)
		defer cancel()
		ts.slot <- struct{}{}
		result, err := run(ctx)
		<-ts.slot
		ts.mu.Lock()
		defer ts.mu.Unlock()
		ts.of[t] = Task{Began: began.Began, Ended: ts.now(), Result: result, Err: err}
	}()
	return began
}

func (ts *Tasks) makeRoom() {
	for t, have := range ts.of {
		if !have.Running() && (len(ts.of) >= mostTasks || ts.now().Sub(have.Ended) >= taskKept) {
			delete(ts.of, t)
		}
	}
}

// Say tells how far a topic's task is.
func (ts *Tasks) Say(t Topic, text string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if have := ts.of[t]; have.Running() {
		have.Said = text
		ts.of[t] = have
	}
}

// State is what pages of a task's Topic show.
func (ts *Tasks) State(t Topic) State {
	have, ok := ts.Get(t)
	if !ok {
		have = Task{}
	}
	out := State{Version: have.Version()}
	if have.Said != "" {
		out.Values = map[string]string{"task.said": have.Said}
	}
	return out
}

// Version changes when a task begins and when it ends. A page has that of the task that it shows: the topic's may have ended since,
// and the page would never hear of it.
func (t Task) Version() string {
	if t.Began.IsZero() {
		return "none"
	}
	return strconv.FormatInt(t.Began.UnixMilli(), 36) + "-" + strconv.FormatBool(t.Running())
}
