package migration

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

const mailedProjects = 20 // the most that a mail names

// FinishMigration records how the migration ended.
func (a *Activities) FinishMigration(ctx context.Context, in workflows.MigrationEndInput) (workflows.MigrationResult, error) {
	m, err := a.open(ctx, in.MigrationRef)
	if err != nil {
		return workflows.MigrationResult{}, err
	}
	reason, err := m.outcome(ctx, in.Fault, in.Reason)
	if err != nil {
		return workflows.MigrationResult{}, err
	}
	if err := m.setStatus(ctx, ledger.MigrationStatus(in.Status), reason, false); err != nil {
		return workflows.MigrationResult{}, err
	}
	return workflows.MigrationResult{Status: in.Status, Reason: reason}, nil
}

// outcome returns the reason for an end: what became of the projects, and what else people must know.
func (m *migration) outcome(ctx context.Context, fault, reason string) (string, error) {
	sums, err := m.ledger.Sums(ctx)
	if err != nil {
		return "", err
	}
	if fault != "" {
		reason = ledger.FaultWord(fault) + ": " + reason
	}
	reason = english.Sentence(reason)
	if sums.Total() > 0 || reason == "" {
		reason = strings.TrimSpace(reason + " " + report.ProjectSums(sums))
	}
	if m.row.NotExtended != "" {
		reason += " New projects were not looked for at the end: " + m.row.NotExtended + "."
	}
	if sums.Projects[ledger.ProjectWaiting] > 0 {
		reason += " What waits for its originals in Frame.io continues by itself when they are back."
	}
	return reason, nil
}

// NotifyMigration sends the only mail about a migration's end.
func (a *Activities) NotifyMigration(ctx context.Context, ref workflows.MigrationRef) error {
	m, err := a.open(ctx, ref)
	if err != nil {
		return err
	}
	t, err := a.Tenant(ref.Tenant)
	if err != nil {
		return err
	}
	kind, err := m.endKind(ctx, m.row.Status)
	if err != nil || !t.Mail.Configured() || !events.Mailed(t.Config.Notify.MailEvents, kind) {
		return err
	}
	sums, err := m.ledger.Sums(ctx)
	if err != nil {
		return err
	}
	subject, text, err := m.composeMail(ctx, t, sums)
	if err != nil {
		return err
	}
	return t.Mail.Tell(ctx, tenant.Letter{ID: "migration:" + ref.Migration, Owner: ref.Migration, Kind: kind, Subject: subject, Text: text, Asked: []string{m.row.RequestedBy}, Others: t.Config.Archive.Notify})
}

func (m *migration) composeMail(ctx context.Context, t *tenant.Tenant, sums ledger.MigrationSums) (subject, text string, err error) {
	bad, err := m.ledger.ProjectsIn(ctx, mailedProjects+1, ledger.ProjectFailed, ledger.ProjectIncomplete, ledger.ProjectCancelled)
	if err != nil {
		return "", "", err
	}
	waiting, err := m.ledger.ProjectsIn(ctx, mailedProjects+1, ledger.ProjectWaiting)
	if err != nil {
		return "", "", err
	}
	name := cmp.Or(t.Config.Name, t.ID)
	switch {
	case m.row.Status == ledger.MigrationFailed:
		subject = fmt.Sprintf("Action needed: the migration of %s failed", name)
	case m.row.Status == ledger.MigrationCancelled:
		subject = "Canceled: the migration of " + name
	case len(bad) > 0:
		subject = fmt.Sprintf("Action needed: the migration of %s is done, but not all projects are", name)
	case len(waiting) > 0:
		subject = fmt.Sprintf("Action needed: the migration of %s is done, but originals are missing", name)
	case sums.Projects[ledger.ProjectExceptions] > 0:
		subject = fmt.Sprintf("Done, with exceptions: the migration of %s", name)
	default:
		subject = "Done: the migration of " + name
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s: %s verified, %s.\n", m.row.Reason, english.Count(sums.Items, "file"), english.Count(sums.Verified, "file"), report.Size(sums.BytesDone))
	listProjects(&b, "Look at these. A retry of a project's archive continues with what is missing:", bad)
	listProjects(&b, "These wait for originals in Frame.io. Their archives continue by themselves, and each is mailed when it ends:", waiting)
	b.WriteString("\n")
	if m.row.ReportAssetID != "" {
		fmt.Fprintf(&b, "Report in iconik:  %s/asset/%s\n", t.Config.Iconik.BaseURL, m.row.ReportAssetID)
	}
	fmt.Fprintf(&b, "Status:            %s\n", routes.Migration(m.Config.Now(), m.ref.Migration))
	return subject, b.String(), nil
}

func listProjects(b *strings.Builder, text string, projects []ledger.MigrationProject) {
	if len(projects) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", text)
	for i, p := range projects {
		if i == mailedProjects {
			b.WriteString("  … and more: see the report\n")
			return
		}
		fmt.Fprintf(b, "  %s (%s): %s\n", cmp.Or(p.Name, p.ID), p.State, p.Reason)
	}
}
