package migration

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

const settledAtOnce = 100 // projects of one activity that need no archive

// StartProjects starts the archives of the next projects, or joins those that somebody else has started.
func (a *Activities) StartProjects(ctx context.Context, in workflows.StartProjectsInput) (workflows.StartProjectsResult, error) {
	var out workflows.StartProjectsResult
	m, err := a.open(ctx, in.MigrationRef)
	if err != nil {
		return out, err
	}
	// A former attempt, whose answer was lost, may have started some.
	sums, err := m.ledger.Sums(ctx)
	if err != nil {
		return out, err
	}
	parallel, err := m.parallel()
	if err != nil {
		return out, err
	}
	most := min(in.Most, parallel-int(sums.Projects[ledger.ProjectRunning]))
	for out.Archives < most && out.Settled < settledAtOnce {
		if err := attempt.Stopping(ctx); err != nil {
			return out, err
		}
		next, err := m.ledger.ProjectsIn(ctx, 1, ledger.ProjectQueued)
		if err != nil || len(next) == 0 {
			return out, err
		}
		started, err := m.start(ctx, next[0], in.Round)
		if err != nil {
			return out, err
		}
		if started {
			out.Archives++
		} else {
			out.Settled++
		}
	}
	return out, nil
}

// parallel is how many projects may run at once.
func (m *migration) parallel() (int, error) {
	if m.asked.ProjectsInParallel > 0 {
		return m.asked.ProjectsInParallel, nil
	}
	t, err := m.Tenant(m.ref.Tenant)
	if err != nil {
		return 0, err
	}
	return max(t.Config.Archive.ProjectsInParallel, 1), nil
}

// start brings a project's archive on its way. false: it needs none, since somebody has archived it since the migration began.
func (m *migration) start(ctx context.Context, p ledger.MigrationProject, round int) (bool, error) {
	archive := m.archiveLedger(p.ID)
	row, known, err := archive.Get(ctx)
	if err != nil {
		return false, err
	}
	if known && round == 0 && verified(row.Status) && row.StartedAt.After(m.row.CreatedAt) {
		return false, m.note(ctx, p.ID, row, func(p *ledger.MigrationProject) { p.BegunAt, p.Joined, p.Run = row.StartedAt, true, row.Run })
	}
	runs, err := m.Archives.Runs(ctx, m.archiveOf(p.ID))
	if err != nil {
		return false, err
	}
	ours := !p.BegunAt.IsZero() // an attempt has begun to start it, and died
	if !runs {
		now := time.Now().UTC()
		if _, err := m.ledger.UpdateProject(ctx, p.ID, func(p *ledger.MigrationProject) { p.BegunAt, p.Round = now, round }); err != nil {
			return false, err
		}
		if row, _, err = archive.Request(ctx, "", now); err != nil {
			return false, err
		}
		if row.RootID == "" {
			if _, err := archive.Update(ctx, func(r *ledger.Archive) { r.Name, r.TeamName = p.Name, p.Team }); err != nil {
				return false, err
			}
		}
		started, err := m.Archives.Start(ctx, m.archiveOf(p.ID), workflows.MigrationID(m.ref.Tenant))
		if err != nil {
			return false, err
		}
		ours = started || ours
	}
	_, err = m.ledger.UpdateProject(ctx, p.ID, func(p *ledger.MigrationProject) {
		p.State, p.Reason, p.Joined, p.Run, p.Round = ledger.ProjectRunning, "", !ours, max(row.Run, 1), round
		if p.BegunAt.IsZero() {
			p.BegunAt = time.Now().UTC()
		}
	})
	return err == nil, err
}

func verified(s ledger.ArchiveStatus) bool {
	return s == ledger.Verified || s == ledger.VerifiedWithExceptions
}

const mostOpen = 1000 // projects whose archives run or wait

// HoldProjects lets the archives that the migration has started stand still, or go on. Those that somebody else has started are
// that person's business.
func (a *Activities) HoldProjects(ctx context.Context, in workflows.HoldProjectsInput) error {
	m, err := a.open(ctx, in.MigrationRef)
	if err != nil {
		return err
	}
	return m.ofOurs(ctx, func(ref workflows.Ref) error { return m.Archives.Hold(ctx, ref, in.Paused) })
}

// ReleaseProjects lets the archives go that wait for originals when the migration is about to end.
func (a *Activities) ReleaseProjects(ctx context.Context, ref workflows.MigrationRef) error {
	m, err := a.open(ctx, ref)
	if err != nil {
		return err
	}
	return m.ofOurs(ctx, func(ref workflows.Ref) error { return m.Archives.Release(ctx, ref) })
}

// ofOurs does something with each archive that the migration has started and that has not ended.
func (m *migration) ofOurs(ctx context.Context, do func(workflows.Ref) error) error {
	open, err := m.ledger.ProjectsIn(ctx, mostOpen, ledger.ProjectRunning, ledger.ProjectWaiting)
	if err != nil {
		return err
	}
	for _, p := range open {
		if p.Joined {
			continue
		}
		if err := do(m.archiveOf(p.ID)); err != nil {
			return err
		}
	}
	return nil
}

// CancelProjects cancels the archives that the migration has started, and returns how many have not ended yet.
func (a *Activities) CancelProjects(ctx context.Context, ref workflows.MigrationRef) (int, error) {
	m, err := a.open(ctx, ref)
	if err != nil {
		return 0, err
	}
	if _, err := m.lookAtOpen(ctx); err != nil {
		return 0, err
	}
	left := 0
	err = m.ofOurs(ctx, func(ref workflows.Ref) error {
		left++
		return m.Archives.Cancel(ctx, ref)
	})
	return left, err
}
