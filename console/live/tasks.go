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
	mostTasks = 200 // most tasks remembered
	taskSlots = 4   // most that run at once; others wait
)

// Task is work that takes longer than a page may wait. Its page shows the progress.
type Task struct {
	Began, Ended time.Time
	Said         string // progress, in words
	Result       any
	Err          error
}

// Running reports whether the task has not ended.
func (t Task) Running() bool { return t.Ended.IsZero() }

// Tasks run in this process, one per topic. Their results are not shared with other processes.
type Tasks struct {
	stop context.Context //nolint:containedctx // of the process
	now  func() time.Time
	slot chan struct{}

	mu sync.Mutex
	of map[Topic]Task
}

// NewTasks returns an empty set of tasks. stop ends all of them.
func NewTasks(stop context.Context, now func() time.Time) *Tasks {
	return &Tasks{stop: stop, now: now, slot: make(chan struct{}, taskSlots), of: map[Topic]Task{}}
}

// Get returns a topic's task, or false if there is none or it is too old.
func (ts *Tasks) Get(t Topic) (Task, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	have, ok := ts.of[t]
	return have, ok && (have.Running() || ts.now().Sub(have.Ended) < taskKept)
}

// Begin starts a task unless it is already running, and returns its state.
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

// Say sets the progress of a topic's running task.
func (ts *Tasks) Say(t Topic, text string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if have := ts.of[t]; have.Running() {
		have.Said = text
		ts.of[t] = have
	}
}

// State returns what the pages of a task's topic show.
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

// Version changes when a task begins and when it ends. A page must carry the version of the task that it shows: with that of the
// topic's current task, it would miss that the task has ended in the meantime.
func (t Task) Version() string {
	if t.Began.IsZero() {
		return "none"
	}
	return strconv.FormatInt(t.Began.UnixMilli(), 36) + "-" + strconv.FormatBool(t.Running())
}
