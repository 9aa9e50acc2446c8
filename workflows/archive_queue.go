package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"
)

// QueueState is a tenant's queue of archives: the one whose turn it is, and the waiting ones in order.
type QueueState struct {
	Tenant  string   `json:"tenant"`
	Holder  *Ticket  `json:"holder,omitempty"`
	Waiting []Ticket `json:"waiting,omitempty"`
}

// ArchiveQueue lets one archive of a tenant run at a time, in order of arrival. It ends when nobody is left; the next archive
// that joins starts it again.
func ArchiveQueue(ctx workflow.Context, state QueueState) error {
	if err := workflow.SetQueryHandler(ctx, QueryStatus, func() (QueueState, error) { return state, nil }); err != nil {
		return err
	}
	enqueue, release := workflow.GetSignalChannel(ctx, SignalEnqueue), workflow.GetSignalChannel(ctx, SignalRelease)
	moved := workflow.NewBufferedChannel(ctx, 1)
	if err := acceptMoves(ctx, &state, moved); err != nil {
		return err
	}
	for {
		drain(enqueue, release, &state)
		if err := grant(ctx, &state); err != nil {
			return err
		}
		if state.Holder == nil {
			if enqueue.Len() == 0 && release.Len() == 0 {
				return nil
			}
			continue
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			drain(enqueue, release, &state) // signals that arrived meanwhile would be lost
			return workflow.NewContinueAsNewError(ctx, ArchiveQueueName, state)
		}
		if err := waitForNews(ctx, enqueue, release, moved, &state); err != nil {
			return err
		}
	}
}

func drain(enqueue, release workflow.ReceiveChannel, state *QueueState) {
	var t Ticket
	for enqueue.ReceiveAsync(&t) {
		state.join(t)
		t = Ticket{}
	}
	for release.ReceiveAsync(&t) {
		state.leave(t)
		t = Ticket{}
	}
}

func (s *QueueState) join(t Ticket) {
	if s.Holder != nil && *s.Holder == t || slices.Contains(s.Waiting, t) {
		return
	}
	s.Waiting = append(s.Waiting, t)
}

func (s *QueueState) leave(t Ticket) {
	if s.Holder != nil && *s.Holder == t {
		s.Holder = nil
	}
	s.Waiting = slices.DeleteFunc(s.Waiting, func(w Ticket) bool { return w == t })
}

// grant gives the turn to the first archive that is still alive and records the positions of the others.
func grant(ctx workflow.Context, state *QueueState) error {
	for state.Holder == nil && len(state.Waiting) > 0 {
		next := state.Waiting[0]
		state.Waiting = state.Waiting[1:]
		err := workflow.SignalExternalWorkflow(ctx, next.WorkflowID, "", SignalTurn, nil).Get(ctx, nil)
		if err != nil {
			workflow.GetLogger(ctx).Info("an archive disappeared from the queue", "workflow", next.WorkflowID)
			continue
		}
		state.Holder = &next
	}
	in := QueuePositionsInput{Tenant: state.Tenant}
	for _, w := range state.Waiting {
		in.Archives = append(in.Archives, w.Archive)
	}
	return ActQueuePositions.Execute(forCalls(ctx, "positions in the queue"), in)
}

// MoveUpdate moves a waiting archive to another place in the queue. Position counts from 1, the next one.
type MoveUpdate struct {
	Archive  string `json:"archive"`
	Position int    `json:"position"`
}

// acceptMoves lets people reorder the queue. It needs no marker: a history contains a move only if a worker accepted one, and is
// otherwise the same as before.
func acceptMoves(ctx workflow.Context, state *QueueState, moved workflow.SendChannel) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateMove, func(_ workflow.Context, in MoveUpdate) (QueueState, error) {
		state.move(in)
		moved.SendAsync(true)
		return *state, nil
	}, workflow.UpdateHandlerOptions{
		Description: "Give an archive that waits another place in the queue.",
		Validator: func(in MoveUpdate) error {
			switch {
			case in.Position < 1:
				return refuse("position must be a number, 1 or higher")
			case state.place(in.Archive) < 0:
				return refuse("the archive does not wait in the queue")
			}
			return nil
		},
	})
}

// place returns the index of a waiting archive, or -1.
func (s *QueueState) place(archive string) int {
	return slices.IndexFunc(s.Waiting, func(w Ticket) bool { return w.Archive == archive })
}

func (s *QueueState) move(in MoveUpdate) {
	from := s.place(in.Archive)
	if from < 0 {
		return
	}
	ticket := s.Waiting[from]
	rest := slices.Delete(slices.Clone(s.Waiting), from, from+1)
	s.Waiting = slices.Insert(rest, min(in.Position-1, len(rest)), ticket)
}

// waitForNews returns when somebody joined, left or was moved. Archives that were terminated send no signal, so while others wait
// the queue checks from time to time which ones are still alive.
func waitForNews(ctx workflow.Context, enqueue, release, moved workflow.ReceiveChannel, state *QueueState) error {
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	var failed error
	s := workflow.NewSelector(ctx)
	s.AddReceive(enqueue, func(c workflow.ReceiveChannel, _ bool) {
		var t Ticket
		c.Receive(ctx, &t)
		state.join(t)
	})
	s.AddReceive(release, func(c workflow.ReceiveChannel, _ bool) {
		var t Ticket
		c.Receive(ctx, &t)
		state.leave(t)
	})
	s.AddReceive(moved, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	s.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) { failed = ctx.Err() })
	if len(state.Waiting) > 0 {
		s.AddFuture(workflow.NewTimer(timerCtx, livenessInterval), func(f workflow.Future) {
			if f.Get(ctx, nil) != nil {
				return
			}
			closed, err := ActClosedArchives.Execute(forCalls(ctx, "which archives have ended"), ClosedArchivesInput{Tickets: append([]Ticket{*state.Holder}, state.Waiting...)})
			if err != nil {
				failed = err
			}
			for _, t := range closed {
				state.leave(t)
			}
		})
	}
	s.Select(ctx)
	return failed
}
