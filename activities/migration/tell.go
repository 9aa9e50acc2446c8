package migration

import (
	"cmp"
	"context"
	"fmt"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/routes"
)

// send starts the deliveries that tell has stored.
func (m *migration) send(ctx context.Context, told []ledger.Delivery) {
	if t, err := m.Tenant(m.ref.Tenant); err == nil && len(told) > 0 {
		t.Start(ctx, told)
	}
}

// tellStatus reports that the migration's status is about to change. An attempt that follows one that died does not report it
// twice, because the number of the change is part of the key.
func (m *migration) tellStatus(ctx context.Context, to ledger.MigrationStatus, reason string, waitsForGo bool) ([]ledger.Delivery, error) {
	if to == m.row.Status && waitsForGo == m.row.WaitsForGo {
		return nil, nil
	}
	key := fmt.Sprintf("migration:%s:%d:%s", m.ref.Migration, m.row.Changes+1, to)
	kind, err := m.endKind(ctx, to)
	switch {
	case err != nil:
		return nil, err
	case to.Ended():
		key = "migration:" + m.ref.Migration + ":ended"
	case to == ledger.MigrationPaused && waitsForGo:
		kind, key = events.MigrationWaits, "migration:"+m.ref.Migration+":waits"
	case to == ledger.MigrationPaused:
		kind = events.MigrationPaused
	case to == ledger.MigrationRunning && m.row.StartedAt.IsZero():
		kind, key = events.MigrationStarted, "migration:"+m.ref.Migration+":started"
	case to == ledger.MigrationRunning && m.row.Status == ledger.MigrationPaused:
		kind = events.MigrationResumed
	default: // it is listing its projects or waiting for its hours
		return nil, nil
	}
	return m.tell(ctx, key, kind, reason, nil)
}

// endKind returns the kind of event for an end, or "" if the status is not one.
func (m *migration) endKind(ctx context.Context, status ledger.MigrationStatus) (events.Kind, error) {
	switch status {
	case ledger.MigrationFailed:
		return events.MigrationFailed, nil
	case ledger.MigrationCancelled:
		return events.MigrationCancelled, nil
	case ledger.MigrationDone:
		bad, err := m.ledger.ProjectsIn(ctx, 1, ledger.ProjectFailed, ledger.ProjectIncomplete, ledger.ProjectCancelled)
		if len(bad) > 0 {
			return events.MigrationIncomplete, err
		}
		return events.MigrationDone, err
	}
	return "", nil
}

// tellFailed reports a project that has failed. People who are told about its archive are not told twice.
func (m *migration) tellFailed(ctx context.Context, p ledger.MigrationProject, archived bool) error {
	t, err := m.Tenant(m.ref.Tenant)
	if err != nil {
		return err
	}
	var hear []string
	for _, c := range t.Config.Notify.Channels() {
		kind := events.ArchiveFailed
		if p.State == ledger.ProjectIncomplete {
			kind = events.ArchiveIncomplete
		}
		if _, filter := t.Config.Notify.Channel(c); archived && c != config.ChannelWebhook && events.Wanted(filter, kind) {
			hear = append(hear, c)
		}
	}
	name := cmp.Or(p.Name, p.ID)
	m.Log.InfoContext(ctx, "migration's project failed", "tenant", m.Config.Now().TenantName(m.ref.Tenant), "migration", m.ref.Migration, "project", name, "id", p.ID, "state", p.State, "reason", p.Reason)
	told, err := m.tell(ctx, fmt.Sprintf("migration:%s:project:%s:%d", m.ref.Migration, p.ID, p.Run), events.MigrationProjectFailed, p.Reason, func(d *events.Data) {
		d.Title = fmt.Sprintf("Action needed: %q is %s in the migration of %s", name, p.State, m.Config.Now().TenantName(m.ref.Tenant))
		d.Facts = []events.Fact{{Name: "Project", Value: name}}
		if archived {
			d.Links = append(d.Links, events.Link{Name: "Open the archive", URL: routes.ConsoleArchive(m.Config.Now(), m.ref.Tenant, p.ID)})
		}
	}, hear...)
	m.send(ctx, told)
	return err
}

// tell stores an event of the migration. change may add to it.
func (m *migration) tell(ctx context.Context, key string, kind events.Kind, text string, change func(*events.Data), but ...string) ([]ledger.Delivery, error) {
	t, err := m.Tenant(m.ref.Tenant)
	if err != nil {
		return nil, err
	}
	sums, err := m.ledger.Sums(ctx)
	if err != nil {
		return nil, err
	}
	name := m.Config.Now().TenantName(m.ref.Tenant)
	d := events.Data{Object: "migration", ObjectID: m.ref.Migration, Name: name, Status: string(m.row.Status), Text: text,
		Title: map[events.Kind]string{
			events.MigrationStarted: "Started: the migration of " + name, events.MigrationPaused: "Paused: the migration of " + name, events.MigrationResumed: "Resumed: the migration of " + name,
			events.MigrationWaits: "Action needed: the migration of " + name + " waits for somebody to resume it", events.MigrationDone: "Done: the migration of " + name,
			events.MigrationIncomplete: "Action needed: the migration of " + name + " is done, but not all projects are", events.MigrationFailed: "Action needed: the migration of " + name + " failed",
			events.MigrationCancelled: "Canceled: the migration of " + name}[kind],
		Counts: map[string]int64{"projects": sums.Total(), "queued": sums.Projects[ledger.ProjectQueued], "running": sums.Projects[ledger.ProjectRunning], "waiting": sums.Projects[ledger.ProjectWaiting],
			"failed": sums.Projects[ledger.ProjectFailed], "incomplete": sums.Projects[ledger.ProjectIncomplete], "items": sums.Items, "verified": sums.Verified, "bytes": sums.Bytes, "bytes_done": sums.BytesDone},
		Facts: []events.Fact{{Name: "Projects", Value: report.ProjectSums(sums)}, {Name: "Files", Value: fmt.Sprintf("%s verified, %s", english.Count(sums.Verified, "file"), report.Size(sums.BytesDone))}},
		Links: []events.Link{{Name: "Status", URL: routes.Migration(m.Config.Now(), m.ref.Migration)}}}
	if change != nil {
		change(&d)
	}
	ended := kind == events.MigrationDone || kind == events.MigrationIncomplete || kind == events.MigrationFailed || kind == events.MigrationCancelled
	return t.Tell(ctx, tenant.Happening{Key: key, Kind: kind, Data: d, Owner: m.ref.Migration, Asked: []string{m.row.RequestedBy}, But: but, Apart: ended})
}
