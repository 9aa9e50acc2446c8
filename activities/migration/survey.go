package migration

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/schedule"
	"github.com/framebridge/framebridge/workflows"
)

// SurveyMigration reads the state of the archives, and what the windows say now.
func (a *Activities) SurveyMigration(ctx context.Context, ref workflows.MigrationRef) (workflows.Standing, error) {
	m, err := a.open(ctx, ref)
	if err != nil {
		return workflows.Standing{}, err
	}
	hours, err := m.asked.Hours()
	if err != nil {
		return workflows.Standing{}, err
	}
	originals, err := m.lookAtOpen(ctx)
	if err != nil {
		return workflows.Standing{}, err
	}
	sums, err := m.ledger.Sums(ctx)
	if err == nil && sums.Projects[ledger.ProjectQueued]+sums.Projects[ledger.ProjectRunning] == 0 { // about to end
		if err = m.readAgain(ctx); err == nil {
			sums, err = m.settleMoved(ctx)
		}
	}
	if err != nil {
		return workflows.Standing{}, err
	}
	now := time.Now().UTC()
	window := hours.At(now)
	if err := m.notePace(ctx, now, hours, window, sums); err != nil {
		return workflows.Standing{}, err
	}
	parallel, err := m.parallel()
	out := workflows.Standing{Total: int(sums.Total()), Queued: int(sums.Projects[ledger.ProjectQueued]), Running: int(sums.Projects[ledger.ProjectRunning]), Waiting: int(sums.Projects[ledger.ProjectWaiting]),
		Originals: originals, Parallel: parallel, WindowOpen: window.Open, Changes: window.Changes}
	out.Outage = isOutage(parallel, out.Running, out.Waiting-out.Originals)
	if !window.Open {
		out.Opens = m.opens(window.Opens)
	}
	return out, err
}

// opens returns when a window opens, in the time zone of the first window.
func (m *migration) opens(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	zone, err := time.LoadLocation(m.asked.Windows[0].Zone)
	if err != nil {
		zone = time.UTC
	}
	return "on " + at.In(zone).Format("Monday, January 2 at 3:04 PM MST")
}

// notePace measures the migration's pace and records when it will be done.
func (m *migration) notePace(ctx context.Context, now time.Time, hours schedule.Hours, window schedule.State, sums ledger.MigrationSums) error {
	items, bytes := Left(sums)
	_, err := m.ledger.Update(ctx, func(r *ledger.Migration) {
		var pace schedule.Pace
		_ = json.Unmarshal(r.Pace, &pace) // what cannot be decoded is measured again
		done := sums.Copied + sums.Verified
		if r.Round > 0 { // what was copied is compared once more
			again := sums.Of[ledger.ProjectQueued].Items + sums.Of[ledger.ProjectRunning].Items/2
			items, done = items+again, done+max(r.RoundItems-again, 0)
		}
		pace = pace.Look(now, sums.BytesDone, done, r.Status == ledger.MigrationRunning && sums.Projects[ledger.ProjectRunning] > 0)
		r.Pace, _ = json.Marshal(pace)
		r.Bandwidth, r.LookedAt, r.ETA = window.Bandwidth, now, time.Time{}
		left, known := pace.Left(bytes, items)
		if !known || r.Status != ledger.MigrationRunning && r.Status != ledger.MigrationScheduled {
			return
		}
		if end, known := hours.After(now, left); known {
			r.ETA = end.UTC().Truncate(time.Second)
		}
	})
	return err
}

// Left returns how much is left to do in the projects that have not ended. Each file counts twice: when it is copied and when
// it is verified. Projects that have not been read yet are assumed to be like the rest. If no file is left to do, the bytes of
// failed files do not count.
func Left(sums ledger.MigrationSums) (items, bytes int64) {
	for state, c := range sums.Of {
		if state.Ended() {
			continue
		}
		left := max(2*(c.Items-c.Skipped-c.Failed)-c.Copied-c.Verified, 0)
		items += left
		if left > 0 || state == ledger.ProjectQueued { // a project that has not been read yet has bytes, but no files
			bytes += max(c.Bytes-c.BytesDone, 0)
		}
	}
	if read := sums.Total() - sums.Unread; sums.Unread > 0 && read > 0 {
		items += 2 * sums.Items / read * sums.Unread
	}
	return items, bytes
}

// lookAtOpen reads the state of the archives that had not ended at the last look, and returns how many wait for originals.
func (m *migration) lookAtOpen(ctx context.Context) (originals int, err error) {
	for p, err := range m.ledger.ProjectsOf(ctx, ledger.ProjectRunning, ledger.ProjectWaiting) {
		if err != nil {
			return 0, err
		}
		row, err := m.look(ctx, p)
		if err != nil {
			return 0, err
		}
		if forOriginals(row) {
			originals++
		}
	}
	return originals, nil
}

// forOriginals reports whether an archive waits for originals in Frame.io, rather than for its migration or because it is stuck.
func forOriginals(row ledger.Archive) bool {
	return row.Status == ledger.Waiting && row.ReasonCode != workflows.PausedWithMigration && len(row.Stuck) == 0
}

// look reads the state of a project's archive.
func (m *migration) look(ctx context.Context, p ledger.MigrationProject) (ledger.Archive, error) {
	row, known, err := m.archiveLedger(p.ID).Get(ctx)
	if err != nil {
		return row, err
	}
	if !known || !row.Status.Ended() || row.Run < p.Run {
		runs, err := m.Archives.Runs(ctx, m.archiveOf(p.ID))
		if err != nil {
			return row, err
		}
		if !runs { // it may have ended just now, or somebody has ended it in Temporal
			if row, known, err = m.archiveLedger(p.ID).Get(ctx); err != nil {
				return row, err
			}
			if !known || !row.Status.Ended() {
				row.Status, row.Reason = ledger.Failed, cmp.Or(row.Reason, "its workflow was ended in Temporal: retry the archive to continue")
			}
		}
	}
	if p.Joined && !p.Again && (row.Status == ledger.Failed || row.Status == ledger.Incomplete) {
		// An archive that somebody else started may have been about a single file.
		_, err := m.ledger.UpdateProject(ctx, p.ID, func(p *ledger.MigrationProject) {
			p.State, p.Reason, p.BegunAt, p.Joined, p.Again = ledger.ProjectQueued, row.Reason, time.Time{}, false, true
		})
		return row, err
	}
	return row, m.note(ctx, p.ID, row, nil)
}

// readAgain reads how projects have ended whose archives somebody has since run again by hand.
func (m *migration) readAgain(ctx context.Context) error {
	for p, err := range m.ledger.AllProjects(ctx) {
		if err != nil {
			return err
		}
		if !p.State.Ended() {
			continue
		}
		row, known, err := m.archiveLedger(p.ID).Get(ctx)
		if err == nil && known && row.Run > p.Run && row.Status.Ended() {
			err = m.note(ctx, p.ID, row, func(p *ledger.MigrationProject) { p.Run = row.Run })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// note records the state of a project's archive.
func (m *migration) note(ctx context.Context, project string, row ledger.Archive, change func(*ledger.MigrationProject)) error {
	totals, err := m.archiveLedger(project).Progress(ctx)
	if err != nil {
		return err
	}
	if state := stateOf(row); state == ledger.ProjectFailed || state == ledger.ProjectIncomplete {
		if err := m.tellFailed(ctx, ledger.MigrationProject{ID: project, Name: row.Name, Run: row.Run, State: state, Reason: row.Reason}, true); err != nil {
			return err
		}
	}
	_, err = m.ledger.UpdateProject(ctx, project, func(p *ledger.MigrationProject) {
		if change != nil {
			change(p)
		}
		if totals.Items > 0 {
			p.Counts = ledger.ProjectCounts{Items: totals.Items, Copied: totals.Copied + totals.Verified, Verified: totals.Verified, Skipped: totals.Skipped, Failed: totals.Failed, Bytes: totals.Bytes, BytesDone: totals.BytesDone}
		}
		p.Name, p.Team = cmp.Or(row.Name, p.Name), cmp.Or(row.TeamName, p.Team)
		p.State, p.Reason = stateOf(row), row.Reason
		if p.State.Ended() {
			if p.EndedAt = row.FinishedAt; p.EndedAt.IsZero() {
				p.EndedAt = time.Now().UTC()
			}
			if totals.Items == 0 { // an empty project stores nothing, whatever Frame.io says
				p.Counts = ledger.ProjectCounts{}
			}
		}
	})
	return err
}

// stateOf returns a project's state by that of its archive. A project that waits for people takes up no slot.
func stateOf(row ledger.Archive) ledger.ProjectState {
	switch {
	case row.Status.Ended():
		return ledger.ProjectState(row.Status)
	case forOriginals(row), len(row.Stuck) > 0:
		return ledger.ProjectWaiting
	}
	return ledger.ProjectRunning
}

// settleMoved makes projects that have new IDs since Frame.io's account migration count once: what an archive knew continues
// under the new ID, and the entry under the old one leaves the list.
func (m *migration) settleMoved(ctx context.Context) (sums ledger.MigrationSums, err error) {
	for p, err := range m.ledger.AllProjects(ctx) {
		if err != nil {
			return sums, err
		}
		row, known, err := m.archiveLedger(p.ID).Get(ctx)
		if err != nil {
			return sums, err
		}
		if !known || row.ContinuedAs == "" || !p.State.Ended() {
			continue
		}
		next, known, err := m.ledger.Project(ctx, row.ContinuedAs)
		if err != nil {
			return sums, err
		}
		if !known || !next.State.Ended() {
			continue
		}
		if _, err := m.ledger.UpdateProject(ctx, p.ID, func(p *ledger.MigrationProject) {
			p.State, p.Reason, p.Counts, p.ContinuedAs = next.State, row.Reason, ledger.ProjectCounts{}, next.ID
		}); err != nil {
			return sums, err
		}
	}
	return m.ledger.Sums(ctx)
}
