package migration

import (
	"context"
	"errors"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/workflows"
)

const listBatch = 100 // projects that are written down at once

// ListProjects freezes which projects the migration's selection means. One that the token's user may not see is an entry that has
// failed, and keeps the others back from nothing.
func (a *Activities) ListProjects(ctx context.Context, ref workflows.MigrationRef) error {
	m, err := a.open(ctx, ref)
	if err != nil {
		return err
	}
	if _, err := m.list(ctx, nil); err != nil {
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

// list adds to the list what the selection means, and shows each project that it finds to seen. It returns how many were added.
func (m *migration) list(ctx context.Context, seen func(account.Found) error) (int64, error) {
	t, err := m.Tenant(m.ref.Tenant)
	if err != nil {
		return 0, err
	}
	var batch []ledger.MigrationProject
	var added int64
	flush := func() error {
		n, err := m.ledger.AddProjects(ctx, batch)
		added += n
		for _, p := range batch {
			if p.State == ledger.ProjectFailed && err == nil {
				err = m.tellFailed(ctx, p, false)
			}
		}
		batch = nil
		return err
	}
	for found, err := range account.Projects(ctx, t.Frameio, m.asked.Selection) {
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
		if seen != nil && found.Refused == nil {
			if err := seen(found); err != nil {
				return added, err
			}
		}
		if len(batch) == listBatch {
			if err := flush(); err != nil {
				return added, err
			}
		}
	}
	return added, flush()
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

// FindChanged puts those projects into the queue again that were changed in Frame.io since their archive began, or whose files have other
// IDs since then, and adds those that are new. It returns how many there are.
func (a *Activities) FindChanged(ctx context.Context, ref workflows.MigrationRef) (int, error) {
	m, err := a.open(ctx, ref)
	if err != nil {
		return 0, err
	}
	t, err := m.Tenant(ref.Tenant)
	if err != nil {
		return 0, err
	}
	again := 0
	added, err := m.list(ctx, func(found account.Found) error {
		p, known, err := m.ledger.Project(ctx, found.ID)
		if err != nil || !known || !p.State.Ended() || p.State == ledger.ProjectCancelled {
			return err
		}
		row, archived, err := m.archiveLedger(found.ID).Get(ctx)
		if err != nil || !archived || !row.Status.Ended() {
			return err
		}
		why := ""
		switch {
		case found.UpdatedAt.After(row.SourceUpdatedAt):
			why = "changed in Frame.io since its archive began"
		case row.Generation != "" && frameio.Migrated(t.Frameio, row.Generation):
			why = "Frame.io migrated the account since its archive began: its files have new IDs"
		default:
			return nil
		}
		again++
		_, err = m.ledger.UpdateProject(ctx, found.ID, func(p *ledger.MigrationProject) {
			p.State, p.Reason, p.BegunAt, p.EndedAt, p.Joined = ledger.ProjectQueued, why, time.Time{}, time.Time{}, false
			p.UpdatedAt = found.UpdatedAt
		})
		return err
	})
	if err != nil {
		return 0, err
	}
	if err := m.followMoved(ctx); err != nil {
		return 0, err
	}
	// An attempt that died has queued some already: they are still to be done.
	sums, err := m.ledger.Sums(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := m.ledger.Update(ctx, func(r *ledger.Migration) { r.Round = 1 }); err != nil { // there is one such pass
		return 0, err
	}
	return max(again+int(added), int(sums.Projects[ledger.ProjectQueued])), nil
}
