package workflows

import (
	"cmp"
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// ArchiveStatus answers the status query.
type ArchiveStatus struct {
	Step     string `json:"step"`
	Project  string `json:"project"`
	Round    int    `json:"round"`
	Counts   Counts `json:"counts"`
	Status   string `json:"status,omitempty"`
	Reason   string `json:"reason,omitempty"`
	InFlight int    `json:"in_flight"`
}

func (a *archive) setStatus(ctx workflow.Context, status, phase string) error {
	return ActSetStatus.Execute(forCalls(ctx, "status "+status), SetStatusInput{Ref: a.ref, Status: status, Phase: phase})
}

func (a *archive) enter(ctx workflow.Context, name string) {
	a.step = name
	if a.hasSearchAttributes {
		if err := workflow.UpsertTypedSearchAttributes(ctx, AttributeStatus.ValueSet(name)); err != nil {
			workflow.GetLogger(ctx).Warn("search attribute not set", "error", err)
		}
	}
	a.describe(ctx, "")
}

func (a *archive) childAttributes() temporal.SearchAttributes {
	if !a.hasSearchAttributes {
		return temporal.SearchAttributes{}
	}
	return temporal.NewSearchAttributes(AttributeTenant.ValueSet(a.ref.Tenant), AttributeProject.ValueSet(a.ref.Archive))
}

func (a *archive) status() ArchiveStatus {
	return ArchiveStatus{Step: a.step, Project: a.state.Opened.Project, Round: a.state.Round, Counts: a.state.Counts,
		Status: a.state.Finished.Status, Reason: a.state.Finished.Reason, InFlight: a.inFlight}
}

// describe writes what a person reads in Temporal's UI.
func (a *archive) describe(ctx workflow.Context, note string) {
	c := a.state.Counts
	var b strings.Builder
	b.WriteString(fmt.Sprintf("**%s** — %s\n\n", a.step, cmp.Or(a.state.Opened.Project, a.ref.Archive)))
	if c.Items > 0 {
		b.WriteString(fmt.Sprintf("| | |\n|---|---|\n| files | %d |\n| copied | %d |\n| verified | %d |\n| skipped | %d |\n| failed | %d |\n| bytes | %d of %d |\n| comments | %d of %d |\n",
			c.Items, c.Copied, c.Verified, c.Skipped, c.Failed, c.BytesDone, c.Bytes, c.CommentsDone, c.Comments))
	}
	if f := a.state.Finished; f.Reason != "" {
		b.WriteString(fmt.Sprintf("\n%s\n", f.Reason))
	}
	if note != "" {
		b.WriteString(fmt.Sprintf("\n%s\n", note))
	}
	workflow.SetCurrentDetails(ctx, b.String())
}
