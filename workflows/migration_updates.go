package workflows

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ControlUpdate is a control of a migration; By is who asks for it, in words.
type ControlUpdate struct {
	By string `json:"by,omitempty"`
}

// OrderUpdate gives a queued project of a migration another place. Position counts from 1, the next one.
type OrderUpdate struct {
	Project  string `json:"project"`
	Position int    `json:"position"`
}

// MigrationStanding answers the status query, and the updates.
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
		for ended := workflow.GetSignalChannel(ctx, SignalEnded); ; {
			ended.Receive(ctx, nil)
			if ctx.Err() != nil {
				return
			}
			m.news = true
		}
	})
	return errors.Join(
		workflow.SetUpdateHandlerWithOptions(ctx, UpdatePause, m.pause, workflow.UpdateHandlerOptions{
			Description: "Start nothing more, and let the archives that run stand still.",
			Validator: func(ControlUpdate) error {
				switch {
				case m.stopped != "":
					return refuse("the migration is being canceled")
				case m.state.Paused != "":
					return refuse("the migration is paused already")
				}
				return nil
			},
		}),
		workflow.SetUpdateHandlerWithOptions(ctx, UpdateResume, m.resume, workflow.UpdateHandlerOptions{
			Description: "Go on, after a pause or after the canary.",
			Validator: func(ControlUpdate) error {
				switch {
				case m.stopped != "":
					return refuse("the migration is being canceled")
				case m.state.Paused == "" && m.state.Status != MigrationPaused:
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
			Validator: func(ControlUpdate) error {
				if m.stopped != "" {
					return refuse("the migration is already being canceled")
				}
				return nil
			},
		}),
		workflow.SetUpdateHandlerWithOptions(ctx, UpdateOrder, func(ctx workflow.Context, in OrderUpdate) (MigrationStanding, error) {
			return m.status(), ActOrderProject.Execute(forCalls(ctx, "another place for a project"), OrderProjectInput{MigrationRef: m.ref, OrderUpdate: in})
		}, workflow.UpdateHandlerOptions{
			Description: "Give a queued project another place.",
			Validator: func(in OrderUpdate) error {
				switch {
				case in.Position < 1:
					return refuse("a position counts from 1")
				case in.Project == "":
					return refuse("name a project")
				case !m.state.Listed:
					return refuse("the projects are still being listed: try again in a moment")
				}
				return nil
			},
		}),
	)
}

func by(in ControlUpdate) string {
	if in.By == "" {
		return "on request"
	}
	return "by " + in.By
}

func (m *migration) pause(ctx workflow.Context, in ControlUpdate) (MigrationStanding, error) {
	m.state.Paused = "Paused " + by(in) + ". Resume the migration to go on."
	m.news = true
	err := m.show(ctx, MigrationPaused, m.state.Paused) // whoever asks next sees it; the archives follow
	return m.status(), err
}

func (m *migration) resume(ctx workflow.Context, _ ControlUpdate) (MigrationStanding, error) {
	if m.state.Paused == "" { // it waits for a go after its canary
		m.state.Canary = 0
	}
	m.state.Paused = ""
	m.news = true
	status, reason := m.due()
	err := m.show(ctx, status, reason)
	return m.status(), err
}

// mail has the one mail about the migration's end sent by a workflow of its own.
func (m *migration) mail(ctx workflow.Context) error {
	o := workflow.ChildWorkflowOptions{WorkflowID: MigrationMailID(m.ref.Tenant, m.ref.Migration), StaticSummary: "mail: the migration has ended", ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON}
	err := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, o), MigrationMailName, m.ref).GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return err
}

// MigrationMail sends the mail about a migration's end, for as long as the mail server is away.
func MigrationMail(ctx workflow.Context, ref MigrationRef) error {
	return ActNotifyMigration.Execute(forFinish(ctx, "mail that the migration has ended"), ref)
}

// describe writes what a person reads in Temporal's UI.
func (m *migration) describe(ctx workflow.Context) {
	s := m.state.Standing
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s**\n\n%s\n\n| | |\n|---|---|\n| projects | %d |\n| queued | %d |\n| running | %d |\n| waiting | %d |\n| ended | %d |\n",
		cmp.Or(m.state.Status, MigrationPlanning), m.state.Reason, s.Total, s.Queued, s.Running, s.Waiting, s.Total-s.Open()))
}
