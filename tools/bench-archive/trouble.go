package main

import (
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/sandbox/stack"
)

// trouble kills workers and moves the account to V4 during the migration, each once a number of files is copied.
type trouble struct {
	size
	processes []*stack.Process
	meter     *meter
	killed    int
	moved     bool
}

// noticed is how long the workers use the refused token before an operator has changed the configuration.
const noticed = 15 * time.Second

func (s size) generation() string {
	if s.moves {
		return "legacy"
	}
	return "v4"
}

// make makes the trouble that is due.
func (t *trouble) make(ctx context.Context, st *stack.Stack, copied int64) error {
	if t.killed < t.kills && copied >= int64((t.killed+1)*t.files/(t.kills+1)) {
		p := t.processes[t.killed%len(t.processes)]
		t.meter.keep(p)
		p.Kill()
		t.killed++
		if err := p.Start(); err != nil {
			return err
		}
	}
	if t.moved || !t.moves || copied < int64(t.files/2) {
		return nil
	}
	t.moved = true
	st.Frameio.MigrateAnew(true)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(noticed):
	}
	for _, p := range t.processes {
		t.meter.keep(p)
	}
	if err := st.Reconfigure("v4"); err != nil {
		return err
	}
	for _, p := range t.processes[1:] {
		p.Stop()
		if err := p.Start(); err != nil {
			return err
		}
	}
	return nil
}

// made returns what was done, in words.
func (t *trouble) made() string {
	text := ""
	if t.killed > 0 {
		text += fmt.Sprintf(", %d workers killed on the way", t.killed)
	}
	if t.moved {
		text += ", the account moved to V4 under new IDs"
	}
	return text
}
