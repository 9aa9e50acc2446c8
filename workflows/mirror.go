package workflows

import (
	"encoding/json"
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// The activities of a mirror. Package activities/mirror implements them.
var (
	ActMirrorProjects = declare[MirrorProjectsInput, MirrorPage]("MirrorProjects")
	ActMirrorProject  = declare[MirrorProjectInput, MirrorProjectResult]("MirrorProject")
)

type (
	// MirrorInput starts or continues one run of a mirror. It is stored in the schedule.
	MirrorInput struct {
		Tenant    string          `json:"tenant"`
		Name      string          `json:"name"`
		Selection json.RawMessage `json:"selection"` // account.Selection
		// At, Days and Zone are when the schedule starts it, as a person wrote them.
		At   string `json:"at"`
		Days string `json:"days"`
		Zone string `json:"zone"`
		// State is where the previous run stopped. The zero value starts from the beginning.
		State MirrorState `json:"state"`
	}
	// MirrorState is what a run hands to the next one.
	MirrorState struct {
		After  string       `json:"after"` // the last project handed out; they come in the order of their IDs
		Result MirrorResult `json:"result"`
	}
	// MirrorResult counts the projects by how their archives ended.
	MirrorResult struct {
		Projects   int `json:"projects"`
		Verified   int `json:"verified"`
		Exceptions int `json:"verified_with_exceptions"`
		Waiting    int `json:"waiting"` // for originals, or still running: their archives continue on their own
		Failed     int `json:"failed"`  // incomplete, failed or cancelled
	}

	// MirrorProjectsInput asks for the next selected projects.
	MirrorProjectsInput struct {
		Tenant    string          `json:"tenant"`
		Selection json.RawMessage `json:"selection"`
		After     string          `json:"after"`
		Max       int             `json:"max"`
		// Name is the mirror's; Run is the workflow ID of its run, for its start to be announced. Older runs send neither.
		Name string `json:"name,omitempty"`
		Run  string `json:"run,omitempty"`
	}
	// MirrorPage is some projects, and how many of them are archived at once.
	MirrorPage struct {
		Projects []string `json:"projects"`
		Parallel int      `json:"parallel"`
		More     bool     `json:"more"`
	}
	// MirrorProjectInput asks for one project's archive.
	MirrorProjectInput struct {
		Ref
		Mirror string `json:"mirror,omitempty"` // its name; empty in older runs
	}
	// MirrorProjectResult is how a project's archive ended, or that it waits.
	MirrorProjectResult struct {
		Status string `json:"status"`
	}
)

// Mirror archives each selected project again, so that iconik has what Frame.io has. A Temporal Schedule starts it. An archive
// that finds no change writes nothing but its job.
func Mirror(ctx workflow.Context, in MirrorInput) (MirrorResult, error) {
	m := &mirror{in: in}
	for {
		page, err := ActMirrorProjects.Execute(forWalks(ctx, "list the projects"), MirrorProjectsInput{Tenant: in.Tenant, Selection: in.Selection, After: m.in.State.After, Max: mirrorBatch,
			Name: in.Name, Run: workflow.GetInfo(ctx).WorkflowExecution.ID})
		if err != nil {
			return m.in.State.Result, err
		}
		if err := m.archive(ctx, page); err != nil {
			return m.in.State.Result, err
		}
		if !page.More {
			return m.in.State.Result, nil
		}
		if m.started >= continueAfterRuns || workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			return MirrorResult{}, workflow.NewContinueAsNewError(ctx, MirrorName, m.in)
		}
	}
}

type mirror struct {
	in      MirrorInput
	started int // by this run
}

// archive runs a page's archives, a few at once. One that fails does not stop the others.
func (m *mirror) archive(ctx workflow.Context, page MirrorPage) error {
	lanes := workflow.NewSemaphore(ctx, int64(max(page.Parallel, 1)))
	wait := workflow.NewWaitGroup(ctx)
	for _, id := range page.Projects {
		if err := lanes.Acquire(ctx, 1); err != nil {
			return err
		}
		m.started++
		wait.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wait.Done()
			defer lanes.Release(1)
			res, err := ActMirrorProject.Execute(forMirroring(ctx, "archive "+id), MirrorProjectInput{Ref: Ref{Tenant: m.in.Tenant, Archive: id}, Mirror: m.in.Name})
			m.count(res, err)
		})
		m.in.State.After = id
	}
	wait.Wait(ctx)
	return ctx.Err()
}

func (m *mirror) count(res MirrorProjectResult, err error) {
	r := &m.in.State.Result
	r.Projects++
	var last *temporal.ApplicationError // of the attempts, when the patience is used up
	switch {
	case temporal.IsTimeoutError(err) || errors.As(err, &last) && last.Type() == ErrorRunning || err == nil && res.Status == StatusWaiting:
		r.Waiting++
	case err == nil && res.Status == StatusVerified:
		r.Verified++
	case err == nil && res.Status == StatusVerifiedWithExceptions:
		r.Exceptions++
	default:
		r.Failed++
	}
}
