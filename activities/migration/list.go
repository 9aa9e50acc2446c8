package migration

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/workflows"
)

const (
	listBatch = 100       // projects recorded at once
	mostAdded = 256 << 10 // total bytes of added selections in a row, which each survey reads
)

// ListProjects fixes the list of projects that the migration's selection means. A project that the token's user may not see is
// listed as failed, and does not hold up the others.
func (a *Activities) ListProjects(ctx context.Context, ref workflows.MigrationRef) error {
	m, err := a.open(ctx, ref)
	if err != nil {
		return err
	}
	t, err := m.Tenant(ref.Tenant)
	if err != nil {
		return err
	}
	if _, err := m.ledger.Update(ctx, func(r *ledger.Migration) { r.Generation = string(t.Frameio.Generation()) }); err != nil {
		return err
	}
	if _, err := m.list(ctx, m.asked.Selection); err != nil {
		return err
	}
	sums, err := m.ledger.Sums(ctx)
	if err != nil {
		return err
	}
	if sums.Total() == 0 {
		return fault.Content("the selection fits no project that the Frame.io token has access to")
	}
	return nil
}

// AddProjects adds to the list what a selection means now, by default the migration's own. Projects already listed keep their
// place and state.
func (a *Activities) AddProjects(ctx context.Context, in workflows.AddProjectsInput) (workflows.AddProjectsResult, error) {
	var out workflows.AddProjectsResult
	m, err := a.open(ctx, in.MigrationRef)
	if err != nil {
		return out, err
	}
	t, err := m.Tenant(in.Tenant)
	if err != nil {
		return out, err
	}
	if m.row.Generation != "" && frameio.Migrated(t.Frameio, m.row.Generation) { // each would be listed twice: FindChanged tells them apart
		return out, fault.Content("Frame.io has migrated the account since the projects were listed, and given them other IDs: start another migration when this one has ended")
	}
	take := m.asked.Selection
	if len(in.Selection) > 0 {
		take = account.Selection{}
		if err := json.Unmarshal(in.Selection, &take); err != nil {
			return out, fault.Content("the selection cannot be read: %v", err)
		}
		kept := len(in.Selection)
		for _, have := range m.row.Added {
			kept += len(have)
		}
		if kept > mostAdded {
			return out, fault.Content("the selections that were added to this migration are too long to keep: select by name or workspace, or start another migration when this one has ended")
		}
	}
	added, err := m.list(ctx, take)
	if err != nil {
		return out, err
	}
	out.Added = int(added)
	_, err = m.ledger.Update(ctx, func(r *ledger.Migration) {
		known := func(have json.RawMessage) bool { return bytes.Equal(have, in.Selection) }
		if len(in.Selection) > 0 && !slices.ContainsFunc(r.Added, known) {
			r.Added = append(r.Added, in.Selection)
		}
	}, func(ledger.Migration) *ledger.AuditEntry {
		e := m.entry("added_projects", fmt.Sprintf("%d (%s)", out.Added, take))
		return &e
	})
	return out, err
}

// list adds to the list what a selection means. It returns how many were added, including those added by interrupted attempts.
func (m *migration) list(ctx context.Context, take account.Selection) (int64, error) {
	t, err := m.Tenant(m.ref.Tenant)
	if err != nil {
		return 0, err
	}
	var batch []ledger.MigrationProject
	own := attempt.Of(ctx)
	added := own.Resume().Rows
	flush := func() error {
		n, err := m.ledger.AddProjects(ctx, batch)
		added += n
		own.Save(attempt.Checkpoint{Rows: added})
		for _, p := range batch {
			if p.State == ledger.ProjectFailed && err == nil {
				err = m.tellRefused(ctx, p)
			}
		}
		batch = nil
		return err
	}
	for found, err := range account.Projects(ctx, t.Frameio, take) {
		if err == nil {
			err = attempt.Stopping(ctx)
		}
		var field *account.FieldError
		switch {
		case errors.As(err, &field):
			return added, fault.Content("%v", field)
		case err != nil:
			return added, err
		}
		batch = append(batch, listed(found))
		if len(batch) == listBatch {
			if err := flush(); err != nil {
				return added, err
			}
		}
	}
	return added, flush()
}

// tellRefused reports a project that Frame.io refuses, unless it was listed before and has an archive of its own.
func (m *migration) tellRefused(ctx context.Context, p ledger.MigrationProject) error {
	have, _, err := m.ledger.Project(ctx, p.ID)
	if err != nil || have.State != ledger.ProjectFailed || have.Run > 0 {
		return err
	}
	return m.tellFailed(ctx, p, false)
}

func listed(found account.Found) ledger.MigrationProject {
	p := ledger.MigrationProject{ID: found.ID, Name: found.Name, Team: found.Team.Name, UpdatedAt: found.UpdatedAt, State: ledger.ProjectQueued}
	if found.Refused != nil {
		p.State, p.Reason, p.EndedAt = ledger.ProjectFailed, fault.Scrubbed(found.Refused), time.Now().UTC()
		return p
	}
	p.Counts.Bytes, _ = found.Stored()
	return p
}

// FindChanged queues again the projects in which something may have changed since their archive compared them, and adds new ones. It
// returns how many are queued. A changed file or comment need not change its project's modification time, so verified projects are
// archived again, except for the one whose archive ended last. Failed projects are queued again only if the project has changed.
func (a *Activities) FindChanged(ctx context.Context, ref workflows.MigrationRef) (int, error) {
	m, err := a.open(ctx, ref)
	if err != nil {
		return 0, err
	}
	if err := m.readAgain(ctx); err != nil {
		return 0, err
	}
	last, err := m.lastEnd(ctx)
	if err != nil {
		return 0, err
	}
	for p, err := range m.ledger.AllProjects(ctx) {
		if err == nil {
			err = attempt.Stopping(ctx)
		}
		if err == nil {
			err = m.queueAgain(ctx, p, last)
		}
		if err != nil {
			return 0, err
		}
	}
	if err := m.extend(ctx); err != nil {
		return 0, err
	}
	if err := m.followMoved(ctx); err != nil {
		return 0, err
	}
	// An attempt that died may have queued some already: they still have to be archived.
	sums, err := m.ledger.Sums(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := m.ledger.Update(ctx, func(r *ledger.Migration) { r.Round, r.RoundItems = 1, sums.Of[ledger.ProjectQueued].Items }); err != nil { // there is only one such pass
		return 0, err
	}
	return int(sums.Projects[ledger.ProjectQueued]), nil
}

// lastEnd returns when the last of the verified projects was verified.
func (m *migration) lastEnd(ctx context.Context) (last time.Time, err error) {
	for p, err := range m.ledger.AllProjects(ctx) {
		if err != nil {
			return last, err
		}
		if verified(ledger.ArchiveStatus(p.State)) && p.EndedAt.After(last) {
			last = p.EndedAt
		}
	}
	return last, nil
}

// queueAgain queues a project that has ended again if something in it may have changed. A project that Frame.io no longer shows
// stays as it is.
func (m *migration) queueAgain(ctx context.Context, p ledger.MigrationProject, last time.Time) error {
	if !p.State.Ended() || p.State == ledger.ProjectCancelled {
		return nil
	}
	row, archived, err := m.archiveLedger(p.ID).Get(ctx)
	if err != nil || !archived || !row.Status.Ended() {
		return err
	}
	t, err := m.Tenant(m.ref.Tenant)
	if err != nil {
		return err
	}
	now, err := t.Frameio.Project(ctx, p.ID)
	if _, lasting := fault.Lasting(err); err != nil {
		if lasting {
			return nil
		}
		return err
	}
	why := ""
	switch {
	case now.UpdatedAt.After(row.SourceUpdatedAt):
		why = "changed in Frame.io since its archive began"
	case row.Generation != "" && frameio.Migrated(t.Frameio, row.Generation):
		why = "Frame.io migrated the account since its archive began: its files have new IDs"
	case verified(row.Status) && p.EndedAt.Before(last):
		why = "second round: compared with Frame.io again"
	default:
		return nil
	}
	_, err = m.ledger.UpdateProject(ctx, p.ID, func(p *ledger.MigrationProject) {
		p.State, p.Reason, p.BegunAt, p.EndedAt, p.Joined = ledger.ProjectQueued, why, time.Time{}, time.Time{}, false
		p.UpdatedAt = now.UpdatedAt
	})
	return err
}

// extend adds the projects that match the selections now. If that can no longer be determined, for example because a workspace
// was renamed, the listed projects are archived all the same, and the end says so.
func (m *migration) extend(ctx context.Context) error {
	added, err := account.ReadSelections(m.row.Added)
	if err != nil {
		return fault.System("a selection of migration %s cannot be read: %v", m.ref.Migration, err)
	}
	var unread error
	for _, take := range append(added, m.asked.Selection) {
		_, err := m.list(ctx, take)
		if _, lasting := fault.Lasting(err); err != nil && !lasting {
			return err
		}
		unread = cmp.Or(unread, err)
	}
	if unread == nil {
		return nil
	}
	why := fault.Scrubbed(unread)
	m.Log.WarnContext(ctx, "did not look for new projects", "migration", m.ref.Migration, "reason", why)
	_, err = m.ledger.Update(ctx, func(r *ledger.Migration) { r.NotExtended = why })
	return err
}
