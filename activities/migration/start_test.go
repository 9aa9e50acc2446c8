package migration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

func TestAnEndedMigrationStartsNothing(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b")
	b.list()
	_, err := b.FinishMigration(t.Context(), workflows.MigrationEndInput{MigrationRef: b.ref, Status: workflows.MigrationCancelled})
	require.NoError(t, err)
	assert.Zero(t, b.start(2, 0).Archives)
	require.NoError(t, b.SetMigrationStatus(t.Context(), workflows.MigrationStatusInput{MigrationRef: b.ref, Status: workflows.MigrationPaused}))
	row, _, err := b.rows.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.MigrationCancelled, row.Status, "nor does a late control open it again")
	assert.False(t, row.FinishedAt.IsZero())
}

// A start whose answer was lost is recorded as failed. Its workflow is running all the same.
func TestAMigrationThatRunsHasNotFailed(t *testing.T) {
	b := newHarness(t, `{}`, "a")
	_, err := b.rows.Update(t.Context(), func(r *ledger.Migration) { r.Status, r.FinishedAt = ledger.MigrationFailed, time.Now() })
	require.NoError(t, err)
	require.NoError(t, b.SetMigrationStatus(t.Context(), workflows.MigrationStatusInput{MigrationRef: b.ref, Status: workflows.MigrationPlanning}))
	row, _, err := b.rows.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.MigrationPlanning, row.Status)
	assert.True(t, row.FinishedAt.IsZero())
}

// failing makes one start fail.
type failing struct {
	*archives

	fails int
}

func (f *failing) Start(ctx context.Context, ref workflows.Ref, migration string) (bool, error) {
	if ref.Archive == "b" && f.fails > 0 {
		f.fails--
		return false, errors.New("Temporal is away for a moment")
	}
	return f.archives.Start(ctx, ref, migration)
}

// A retried attempt starts no more than the canary.
func TestACanaryIsNotExceeded(t *testing.T) {
	b := newHarness(t, `{"canary":2,"projects_in_parallel":4}`, "settled", "a", "b", "c", "d")
	b.Archives = &failing{b.archives, 1}
	b.list()
	b.archive("settled", ledger.Verified, nil)
	in := workflows.StartProjectsInput{MigrationRef: b.ref, Most: 2, Canary: 2}
	_, err := b.StartProjects(t.Context(), in)
	require.Error(t, err)
	out, err := b.StartProjects(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, workflows.StartProjectsResult{Archives: 1, Begun: 2}, out)
	assert.Equal(t, []string{"a", "b"}, b.archives.started)
}

// What an attempt has started that died before it could record that is canceled with the migration.
func TestACancelFindsWhatWasBeingStarted(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b")
	b.list()
	_, err := b.rows.UpdateProject(t.Context(), "a", func(p *ledger.MigrationProject) { p.BegunAt = time.Now() })
	require.NoError(t, err)
	b.archive("a", ledger.Queued, nil)
	b.archives.running["a"], b.archives.running["b"] = true, true // b is somebody else's
	left, err := b.CancelProjects(t.Context(), b.ref)
	require.NoError(t, err)
	assert.Equal(t, 1, left)
	assert.Equal(t, map[string]bool{"b": true}, b.archives.running)
}

// Archives that were left paused by a terminated migration continue with the next one, and belong to it.
func TestAnArchiveThatWasLeftPausedGoesOn(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b")
	b.archive("a", ledger.Waiting, func(r *ledger.Archive) { r.ReasonCode = workflows.PausedWithMigration })
	b.archive("b", ledger.Waiting, func(r *ledger.Archive) { r.ReasonCode = workflows.WaitsForRestore })
	b.archives.running["a"], b.archives.running["b"] = true, true
	b.list()
	b.start(2, 0)
	assert.Equal(t, map[string]bool{"a": false}, b.archives.held)
	require.NoError(t, b.HoldProjects(t.Context(), workflows.HoldProjectsInput{MigrationRef: b.ref, Paused: true}))
	assert.Equal(t, map[string]bool{"a": true}, b.archives.held)
}

// An archive that has its result copies nothing further: its project is started when its workflow has ended.
func TestAnArchiveThatIsAboutToEndIsNotJoined(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b")
	b.list()
	b.archive("a", ledger.Incomplete, nil)
	b.archives.running["a"] = true
	assert.Equal(t, 1, b.start(2, 0).Archives)
	assert.Equal(t, []string{"b"}, b.archives.started, "the next one meanwhile")
	assert.Equal(t, ledger.ProjectQueued, b.states()["a"])
	delete(b.archives.running, "a")
	b.start(1, 0)
	assert.Equal(t, []string{"b", "a"}, b.archives.started)
}

// Somebody has had one file of an archive retried when the project's turn comes: the whole project's archive follows, once.
func TestWhatSomebodyElseStartedIsFollowedUpOnce(t *testing.T) {
	b := newHarness(t, `{}`, "a")
	b.list()
	for range 2 {
		b.archive("a", ledger.Running, nil)
		b.archives.running["a"] = true
		b.start(1, 0)
		b.archive("a", ledger.Incomplete, func(r *ledger.Archive) { r.Reason = "1 of 500 files" })
		b.survey()
	}
	assert.Equal(t, ledger.ProjectIncomplete, b.states()["a"], "nobody goes round in circles")

	b = newHarness(t, `{}`, "a")
	b.list()
	b.archive("a", ledger.Running, nil)
	b.archives.running["a"] = true
	b.start(1, 0)
	b.archive("a", ledger.Incomplete, nil)
	assert.Equal(t, 1, b.survey().Queued)
	b.start(1, 0)
	assert.Equal(t, []string{"a"}, b.archives.started)
	b.archive("a", ledger.Incomplete, nil)
	b.survey()
	assert.Equal(t, ledger.ProjectIncomplete, b.states()["a"])
}

// In an outage everything that is open is stuck. That takes up no slot, but nothing else is started.
func TestAnOutageStartsNothing(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":2}`, "a", "b", "c", "d")
	b.list()
	stick := func(ids ...string) {
		for _, id := range ids {
			b.archive(id, ledger.Running, func(r *ledger.Archive) { r.Stuck = []ledger.Stuck{{Key: "x"}} })
		}
	}
	b.start(1, 0)
	stick("a")
	assert.False(t, b.survey().Outage, "one project may be at fault itself")
	b.start(1, 0)
	stick("b")
	assert.True(t, b.survey().Outage)
	assert.Zero(t, b.start(2, 0).Archives)
	b.archive("a", ledger.Verified, func(r *ledger.Archive) { r.Stuck = nil })
	assert.False(t, b.survey().Outage)
	assert.Equal(t, 1, b.start(1, 0).Archives)
}

// However many projects wait for their originals, the others are looked at.
func TestManyProjectsWait(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":1}`)
	const many = 510 // more than a page of the ledger
	rows := make([]ledger.MigrationProject, many)
	for i := range rows {
		rows[i] = ledger.MigrationProject{ID: fmt.Sprintf("w%04d", i), State: ledger.ProjectWaiting}
		b.archive(rows[i].ID, ledger.Waiting, func(r *ledger.Archive) { r.ReasonCode = workflows.WaitsForRestore })
		b.archives.running[rows[i].ID] = true
	}
	_, err := b.rows.AddProjects(t.Context(), append(rows, ledger.MigrationProject{ID: "y"}, ledger.MigrationProject{ID: "z"}))
	require.NoError(t, err)
	b.start(1, 0)
	b.archive("y", ledger.Verified, nil)
	s := b.survey()
	assert.Equal(t, []int{1, 0, many, many}, []int{s.Queued, s.Running, s.Waiting, s.Originals})
	b.start(1, 0)
	require.NoError(t, b.HoldProjects(t.Context(), workflows.HoldProjectsInput{MigrationRef: b.ref, Paused: true}))
	assert.True(t, b.archives.held["z"])
}
