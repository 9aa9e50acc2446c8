package workflows

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ControlUpdate is a control of a migration. By says in words who asks for it.
type ControlUpdate struct {
	By string `json:"by,omitempty"`
	// MigrationID is the migration that is meant, because another of the tenant's may be running by now. Older clients leave it empty.
	MigrationID string `json:"migration_id,omitempty"`
}

// OrderUpdate moves a queued project of a migration to another place. Position counts from 1, the next one.
type OrderUpdate struct {
	Project  string `json:"project"`
	Position int    `json:"position"`
	// MigrationID is as in ControlUpdate.
	MigrationID string `json:"migration_id,omitempty"`
}

// AddUpdate adds projects to a migration's list.
type AddUpdate struct {
	// Selection says which (account.Selection). If it is empty, the migration's own selection applies, for projects that are new
	// in Frame.io.
	Selection json.RawMessage `json:"selection,omitempty"`
	// MigrationID is as in ControlUpdate.
	MigrationID string `json:"migration_id,omitempty"`
}

// MigrationStanding answers the status query and the updates.
type MigrationStanding struct {
	Status   string   `json:"status"`
	Reason   string   `json:"reason,omitempty"`
	Round    int      `json:"round"`
	Standing Standing `json:"standing"`
}

func (m *migration) status() MigrationStanding {
	return MigrationStanding{Status: m.state.Status, Reason: m.state.Reason, Round: m.state.Round, Standing: m.state.Standing}
}

func (m *migration) setup(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryStatus, func() (MigrationStanding, error) { return m.status(), nil }); err != nil {
		return err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		ended := workflow.GetSignalChannel(ctx, SignalEnded)
		for {
			ended.Receive(ctx, nil)
			if ctx.Err() != nil {
				return
			}
			m.news = true
		}
	})
	return errors.Join(
		workflow.SetUpdateHandlerWithOptions(ctx, UpdatePause, m.pause, workflow.UpdateHandlerOptions{
			Description: "Start nothing more, and pause the archives that are running.",
			Validator: func(in ControlUpdate) error {
				switch err := m.controls(in.MigrationID); {
				case err != nil:
					return err
				case m.state.Paused != "":
					return refuse("the migration is paused already")
				}
				return nil
			},
		}),
		workflow.SetUpdateHandlerWithOptions(ctx, UpdateResume, m.resume, workflow.UpdateHandlerOptions{
			Description: "Continue after a pause or after the canary.",
			Validator: func(in ControlUpdate) error {
				switch err := m.controls(in.MigrationID); {
				case err != nil:
					return err
				case m.state.Paused == "" && !m.waitsForGo():
					return refuse("the migration is not paused")
				}
				return nil
			},
		}),
		workflow.SetUpdateHandlerWithOptions(ctx, UpdateCancel, func(_ workflow.Context, in ControlUpdate) (MigrationStanding, error) {
			m.stopped = strings.TrimSpace("Canceled "+by(in)) + ". What is in iconik stays; a new migration continues from there."
			m.stop()
			return m.status(), nil
		}, workflow.UpdateHandlerOptions{
			Description: "End the migration, and the archives that it has started. Everything already in iconik stays.",
			Validator: func(in ControlUpdate) error {
				switch {
				case m.isOther(in.MigrationID):
					return errOther
				case m.stopped != "":
					return refuse("the migration is already being canceled")
				case m.ended:
					return errClosing
				}
				return nil
			},
		}),
		m.setupList(ctx),
	)
}

// setupList sets the handlers of the updates that change the list.
func (m *migration) setupList(ctx workflow.Context) error {
	return errors.Join(
		workflow.SetUpdateHandlerWithOptions(ctx, UpdateOrder, func(ctx workflow.Context, in OrderUpdate) (MigrationStanding, error) {
			return m.status(), ActOrderProject.Execute(forCalls(ctx, "another place for a project"), OrderProjectInput{MigrationRef: m.ref, OrderUpdate: in})
		}, workflow.UpdateHandlerOptions{
			Description: "Give a queued project another place.",
			Validator: func(in OrderUpdate) error {
				switch err := m.controls(in.MigrationID); {
				case err != nil:
					return err
				case in.Position < 1:
					return refuse("position must be a number, 1 or higher")
				case in.Project == "":
					return refuse("name a project")
				case !m.state.Listed:
					return errListing
				}
				return nil
			},
		}),
		workflow.SetUpdateHandlerWithOptions(ctx, UpdateAdd, m.add, workflow.UpdateHandlerOptions{
			Description: "Add projects to the list.",
			Validator: func(in AddUpdate) error {
				if err := m.controls(in.MigrationID); err != nil || m.state.Listed {
					return err
				}
				return errListing
			},
		}),
	)
}

var (
	errOther   = refuse("this migration has ended, and another one runs: look at that one")
	errClosing = refuse("the migration is about to end")
	errListing = refuse("the projects are still being listed: try again in a moment")
)

// isOther reports whether a control is meant for an earlier migration.
func (m *migration) isOther(id string) bool { return id != "" && id != m.ref.Migration }

// controls returns why the migration accepts no control, or nil if it does.
func (m *migration) controls(id string) error {
	switch {
	case m.isOther(id):
		return errOther
	case m.stopped != "":
		return refuse("the migration is being canceled")
	case m.closing || m.ended:
		return errClosing
	}
	return nil
}

func by(in ControlUpdate) string {
	if in.By == "" {
		return "on request"
	}
	return "by " + in.By
}

func (m *migration) pause(ctx workflow.Context, in ControlUpdate) (MigrationStanding, error) {
	m.state.Paused = "Paused " + by(in) + ". Resume the migration to continue."
	m.news = true
	err := m.show(ctx, MigrationPaused, m.state.Paused) // whoever asks next sees it; the archives follow
	return m.status(), err
}

func (m *migration) resume(ctx workflow.Context, _ ControlUpdate) (MigrationStanding, error) {
	if m.state.Paused == "" && (m.waitsForGo() || !m.state.Orderly) { // a go after its canary
		m.state.Canary = 0
	}
	m.state.Paused = ""
	m.news = true
	status, reason := m.due()
	err := m.show(ctx, status, reason)
	return m.status(), err
}

// add lists more projects. The migration continues meanwhile, but does not end before the listing does.
func (m *migration) add(ctx workflow.Context, in AddUpdate) (AddProjectsResult, error) {
	ctx, stop := workflow.WithCancel(ctx) // an update's context does not end with the migration's
	m.adding, m.stopAdds = m.adding+1, append(m.stopAdds, stop)
	out, err := ActAddProjects.Execute(forAsked(ctx, "add projects to the list"), AddProjectsInput{MigrationRef: m.ref, AddUpdate: in})
	m.adding--
	m.news, m.grown = true, true
	if over := m.controls(""); temporal.IsCanceledError(err) && over != nil {
		return out, over
	}
	return out, err
}

// stopAdding ends the updates that are listing more projects, and waits for them: the list must not grow once the migration has ended.
func (m *migration) stopAdding(ctx workflow.Context) error {
	for _, stop := range m.stopAdds {
		stop()
	}
	return workflow.Await(ctx, func() bool { return m.adding == 0 })
}

// mail has a workflow of its own send the one mail about the migration's end.
func (m *migration) mail(ctx workflow.Context) error {
	o := workflow.ChildWorkflowOptions{WorkflowID: MigrationMailID(m.ref.Tenant, m.ref.Migration), StaticSummary: "mail: the migration has ended", ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON}
	err := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, o), MigrationMailName, m.ref).GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return err
}

// MigrationMail sends the mail about a migration's end, retrying while the mail server is down.
func MigrationMail(ctx workflow.Context, ref MigrationRef) error {
	return ActNotifyMigration.Execute(forFinish(ctx, "mail that the migration has ended"), ref)
}

// describe writes what a person reads in Temporal's UI.
func (m *migration) describe(ctx workflow.Context) {
	s := m.state.Standing
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s**\n\n%s\n\n| | |\n|---|---|\n| projects | %d |\n| queued | %d |\n| running | %d |\n| waiting | %d |\n| ended | %d |\n",
		cmp.Or(m.state.Status, MigrationPlanning), m.state.Reason, s.Total, s.Queued, s.Running, s.Waiting, s.Total-s.Open()))
}
