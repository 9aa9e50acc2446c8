package migration

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

const settledAtOnce = 100 // projects per activity that need no archive

// StartProjects starts the archives of the next projects, or joins those that somebody else has started. An earlier attempt
// whose answer was lost may have started some: the ledger says what has begun.
func (a *Activities) StartProjects(ctx context.Context, in workflows.StartProjectsInput) (workflows.StartProjectsResult, error) {
	var out workflows.StartProjectsResult
	m, err := a.open(ctx, in.MigrationRef)
	if err != nil {
		return out, err
	}
	most, begun, err := m.room(ctx, in)
	if err != nil {
		return out, err
	}
	out.Begun = begun
	var closing []string // their archives are about to end
	for out.Archives < most && out.Settled < settledAtOnce {
		if err := attempt.Stopping(ctx); err != nil {
			return out, err
		}
		if row, _, err := m.ledger.Get(ctx); err != nil || row.Status.Ended() { // nobody would look after the archives
			return out, err
		}
		next, err := m.ledger.ProjectsIn(ctx, len(closing)+1, ledger.ProjectQueued)
		next = slices.DeleteFunc(next, func(p ledger.MigrationProject) bool { return slices.Contains(closing, p.ID) })
		if err != nil || len(next) == 0 {
			return out, err
		}
		switch started, err := m.start(ctx, next[0], in.Round); {
		case errors.Is(err, errClosing):
			closing = append(closing, next[0].ID)
		case err != nil:
			return out, err
		case started:
			out.Archives++
			if in.Canary > 0 {
				out.Begun++
			}
		default:
			out.Settled++
		}
	}
	return out, nil
}

// room returns how many archives may be started now and, if that is limited, how many have begun.
func (m *migration) room(ctx context.Context, in workflows.StartProjectsInput) (most, begun int, err error) {
	sums, err := m.ledger.Sums(ctx)
	if err != nil {
		return 0, 0, err
	}
	parallel, err := m.parallel()
	if err != nil {
		return 0, 0, err
	}
	running := int(sums.Projects[ledger.ProjectRunning])
	most = min(in.Most, parallel-running)
	if running == 0 && sums.Projects[ledger.ProjectWaiting] > 0 {
		stuck := 0
		for p, err := range m.ledger.ProjectsOf(ctx, ledger.ProjectWaiting) {
			if err != nil {
				return 0, 0, err
			}
			row, _, err := m.archiveLedger(p.ID).Get(ctx)
			if err != nil {
				return 0, 0, err
			}
			if len(row.Stuck) > 0 {
				stuck++
			}
		}
		if isOutage(parallel, running, stuck) {
			return 0, 0, nil
		}
	}
	if in.Canary == 0 {
		return most, 0, nil
	}
	for p, err := range m.ledger.AllProjects(ctx) {
		if err != nil {
			return 0, 0, err
		}
		if p.State != ledger.ProjectQueued && !p.BegunAt.IsZero() && !p.Settled {
			begun++
		}
	}
	return min(most, in.Canary-begun), begun, nil
}

// isOutage reports whether everything that is open is stuck, and more than one project is: whatever is started now would get stuck too.
func isOutage(parallel, running, stuck int) bool { return running == 0 && stuck >= max(parallel, 2) }

// parallel returns how many projects may run at once.
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

// errClosing means that a project's archive has its result and its workflow is about to end.
var errClosing = errors.New("the archive is about to end")

// start gets a project's archive going. It returns false if none is needed, because somebody has archived the project since the
// migration began.
func (m *migration) start(ctx context.Context, p ledger.MigrationProject, round int) (bool, error) {
	archive := m.archiveLedger(p.ID)
	row, known, err := archive.Get(ctx)
	if err != nil {
		return false, err
	}
	if known && round == 0 && verified(row.Status) && row.StartedAt.After(m.row.CreatedAt) {
		return false, m.note(ctx, p.ID, row, func(p *ledger.MigrationProject) {
			p.BegunAt, p.Joined, p.Settled, p.Run = row.StartedAt, true, true, row.Run
		})
	}
	runs, err := m.Archives.Runs(ctx, m.archiveOf(p.ID))
	if err != nil {
		return false, err
	}
	ours := !p.BegunAt.IsZero() // an attempt began to start it, and died
	switch {
	case runs && known && row.Status.Ended():
		return false, errClosing
	case runs && row.Status == ledger.Waiting && row.ReasonCode == workflows.PausedWithMigration: // by a migration that was ended in Temporal
		if err := m.Archives.Hold(ctx, m.archiveOf(p.ID), false); err != nil {
			return false, err
		}
		ours = true
	case !runs:
		now := time.Now().UTC()
		if _, err := m.ledger.UpdateProject(ctx, p.ID, func(p *ledger.MigrationProject) { p.BegunAt, p.Round = now, round }); err != nil {
			return false, err
		}
		var joined bool
		if row, joined, err = archive.Request(ctx, "", now); err != nil {
			return false, err
		}
		if _, err := archive.Update(ctx, func(r *ledger.Archive) {
			r.Delta = r.Delta || round > 0 && !joined
			if !joined {
				r.TriggeredBy = ledger.Trigger{Kind: ledger.TriggerMigration, Name: m.ref.Migration}
			}
			if r.RootID == "" {
				r.Name, r.TeamName = p.Name, p.Team
			}
		}); err != nil {
			return false, err
		}
		started, err := m.Archives.Start(ctx, m.archiveOf(p.ID), workflows.MigrationID(m.ref.Tenant))
		if err != nil {
			return false, err
		}
		ours = started || ours
	}
	_, err = m.ledger.UpdateProject(ctx, p.ID, func(p *ledger.MigrationProject) {
		p.State, p.Reason, p.Joined, p.Settled, p.Run, p.Round = ledger.ProjectRunning, "", !ours, false, max(row.Run, 1), round
		if p.BegunAt.IsZero() {
			p.BegunAt = time.Now().UTC()
		}
	})
	return err == nil, err
}

func verified(s ledger.ArchiveStatus) bool {
	return s == ledger.Verified || s == ledger.VerifiedWithExceptions
}

// HoldProjects pauses or resumes the archives that the migration has started. It leaves those that somebody else has started alone.
func (a *Activities) HoldProjects(ctx context.Context, in workflows.HoldProjectsInput) error {
	m, err := a.open(ctx, in.MigrationRef)
	if err != nil {
		return err
	}
	return m.ofOurs(ctx, func(ref workflows.Ref) error { return m.Archives.Hold(ctx, ref, in.Paused) })
}

// ReleaseProjects releases the archives that wait for originals when the migration is about to end.
func (a *Activities) ReleaseProjects(ctx context.Context, ref workflows.MigrationRef) error {
	m, err := a.open(ctx, ref)
	if err != nil {
		return err
	}
	return m.ofOurs(ctx, func(ref workflows.Ref) error { return m.Archives.Release(ctx, ref) })
}

// ofOurs calls do for each archive that the migration has started and that has not ended.
func (m *migration) ofOurs(ctx context.Context, do func(workflows.Ref) error) error {
	for p, err := range m.ledger.ProjectsOf(ctx, ledger.ProjectRunning, ledger.ProjectWaiting) {
		if err != nil {
			return err
		}
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
	cancel := func(ref workflows.Ref) error {
		left++
		return m.Archives.Cancel(ctx, ref)
	}
	if err := m.ofOurs(ctx, cancel); err != nil {
		return left, err
	}
	for p, err := range m.ledger.ProjectsOf(ctx, ledger.ProjectQueued) {
		if err != nil {
			return left, err
		}
		if p.BegunAt.IsZero() {
			continue
		}
		// An attempt began to start it, and died.
		runs, err := m.Archives.Runs(ctx, m.archiveOf(p.ID))
		if err == nil && runs {
			err = cancel(m.archiveOf(p.ID))
		}
		if err != nil {
			return left, err
		}
	}
	return left, nil
}
