package ledger

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAMigrationKeepsItsListInOrder(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		m := l.Tenant(tenant).Migration("m")
		_, known, err := m.Get(ctx)
		require.NoError(t, err)
		require.False(t, known)
		began := time.Now().UTC().Truncate(time.Microsecond)
		require.NoError(t, m.Create(ctx, Migration{Status: MigrationPlanning, Request: json.RawMessage(`{"selection":{}}`), CreatedAt: began}))
		require.NoError(t, m.Create(ctx, Migration{Status: MigrationFailed}), "a second one of that id changes nothing")
		row, known, err := m.Get(ctx)
		require.NoError(t, err)
		require.True(t, known)
		assert.Equal(t, MigrationPlanning, row.Status)
		assert.Equal(t, tenant, row.Tenant)
		assert.JSONEq(t, `{"selection":{}}`, string(row.Request))

		var projects []MigrationProject
		for i := range 250 {
			projects = append(projects, MigrationProject{ID: fmt.Sprintf("p%03d", i), Name: "Spring", Counts: ProjectCounts{Bytes: 10}})
		}
		added, err := m.AddProjects(ctx, projects)
		require.NoError(t, err)
		assert.EqualValues(t, 250, added)
		_, err = m.UpdateProject(ctx, "p000", func(p *MigrationProject) {
			p.State, p.Counts, p.Reason = ProjectVerified, ProjectCounts{Items: 4, Copied: 4, Verified: 3, Skipped: 0, Failed: 1, Bytes: 40, BytesDone: 30}, "why"
		})
		require.NoError(t, err)
		added, err = m.AddProjects(ctx, append(projects[:3:3], MigrationProject{ID: "new", State: ProjectFailed}))
		require.NoError(t, err)
		assert.EqualValues(t, 1, added, "a further listing only adds")

		require.NoError(t, m.Order(ctx, "p200", 1))
		require.NoError(t, m.Order(ctx, "p001", 3))
		require.NoError(t, m.Order(ctx, "p002", 10_000), "beyond the end is the end")
		require.ErrorIs(t, m.Order(ctx, "p000", 1), ErrNotQueued)
		require.ErrorIs(t, m.Order(ctx, "gone", 1), ErrNotQueued)
		next, err := m.ProjectsIn(ctx, 4, ProjectQueued)
		require.NoError(t, err)
		assert.Equal(t, []string{"p200", "p001", "p003", "p004"}, idsOf(next))
		n, err := m.QueuedBefore(ctx, next[2].Position)
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)

		var all []MigrationProject
		for p, err := range m.AllProjects(ctx) {
			require.NoError(t, err)
			all = append(all, p)
		}
		require.Len(t, all, 251)
		assert.Equal(t, []string{"p000", "p200", "p001"}, idsOf(all[:3]))
		assert.Equal(t, []string{"p002", "new"}, idsOf(all[249:]))
		page, cursor, err := m.Projects(ctx, "", 2)
		require.NoError(t, err)
		assert.Equal(t, "why", page[0].Reason)
		page, _, err = m.Projects(ctx, cursor, 2)
		require.NoError(t, err)
		assert.Equal(t, []string{"p001", "p003"}, idsOf(page))
		_, _, err = m.Projects(ctx, "nonsense", 2)
		require.ErrorIs(t, err, ErrCursor)

		sums, err := m.Sums(ctx)
		require.NoError(t, err)
		assert.Equal(t, map[ProjectState]int64{ProjectQueued: 249, ProjectVerified: 1, ProjectFailed: 1}, sums.Projects)
		assert.EqualValues(t, 251, sums.Total())
		assert.Equal(t, ProjectCounts{Items: 4, Copied: 4, Verified: 3, Failed: 1, Bytes: 40 + 2490, BytesDone: 30}, sums.ProjectCounts)
		assert.EqualValues(t, 249, sums.Unread)
	})
}

func TestMigrationsAreListedNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		_, known, err := l.Tenant(tenant).NewestMigration(ctx)
		require.NoError(t, err)
		require.False(t, known)
		for i := range 3 {
			require.NoError(t, l.Tenant(tenant).Migration(fmt.Sprint(i)).Create(ctx, Migration{CreatedAt: time.Unix(int64(i), 0)}))
		}
		rows, next, err := l.Tenant(tenant).Migrations(ctx, "", 2)
		require.NoError(t, err)
		assert.Equal(t, "2", rows[0].ID)
		rows, _, err = l.Tenant(tenant).Migrations(ctx, next, 2)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Equal(t, "0", rows[0].ID)
		newest, _, err := l.Tenant(tenant).NewestMigration(ctx)
		require.NoError(t, err)
		assert.Equal(t, "2", newest.ID)
		_, err = l.Tenant(tenant).Migration("2").Update(ctx, func(m *Migration) { m.Status = MigrationDone })
		require.NoError(t, err)
		newest, _, err = l.Tenant(tenant).NewestMigration(ctx)
		require.NoError(t, err)
		assert.True(t, newest.Status.Ended())
		_, err = l.Tenant(tenant).Migration("9").Update(ctx, func(*Migration) {})
		require.ErrorIs(t, err, ErrUnknown)
	})
}

func idsOf(projects []MigrationProject) []string {
	out := make([]string, len(projects))
	for i, p := range projects {
		out[i] = p.ID
	}
	return out
}

func TestWorkersCountTheirTransfers(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		h := l.Tenant(tenant)
		all, err := h.ShareTransfers(ctx, "one", 3, time.Minute)
		require.NoError(t, err)
		assert.Equal(t, 3, all)
		all, err = h.ShareTransfers(ctx, "two", 1, time.Minute)
		require.NoError(t, err)
		assert.Equal(t, 4, all)
		all, err = h.ShareTransfers(ctx, "one", 1, time.Minute)
		require.NoError(t, err)
		assert.Equal(t, 2, all, "what a worker says takes the place of what it said before")
		_, err = h.l.exec(ctx, "UPDATE transfer_shares SET seen_at = seen_at - 120000000 WHERE tenant = ? AND worker = 'two'", tenant)
		require.NoError(t, err)
		all, err = h.ShareTransfers(ctx, "one", 1, time.Minute)
		require.NoError(t, err)
		assert.Equal(t, 1, all, "one that says nothing any more moves nothing")
	})
}

// The newest of a tenant's migrations is the open one, or else the last one.
func TestTheNewestMigrationIsTheOneThatIsOpen(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		h, at := l.Tenant(tenant), time.Now().Add(-time.Hour)
		newest := func() string {
			t.Helper()
			m, _, err := h.NewestMigration(ctx)
			require.NoError(t, err)
			return m.ID
		}
		for i, m := range []Migration{
			{ID: "terminated", Status: MigrationRunning},
			{ID: "done", Status: MigrationDone, Changes: 2},
			{ID: "refused", Status: MigrationFailed}, // Temporal was not reachable
		} {
			m.CreatedAt = at.Add(time.Duration(i) * time.Minute)
			require.NoError(t, h.Migration(m.ID).Create(ctx, m))
		}
		assert.Equal(t, "refused", newest(), "another one has run since the first was terminated")
		_, err := h.Migration("done").Update(ctx, func(m *Migration) { m.Status = MigrationRunning })
		require.NoError(t, err)
		assert.Equal(t, "done", newest(), "it runs")
		require.NoError(t, h.Migration("refused").Discard(ctx))
		_, known, err := h.Migration("refused").Get(ctx)
		require.NoError(t, err)
		assert.False(t, known)
	})
}

// However many projects are in a state, all are read, even while they change it.
func TestTheProjectsOfAState(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		m := l.Tenant(tenant).Migration("m")
		require.NoError(t, m.Create(ctx, Migration{Status: MigrationRunning}))
		var projects []MigrationProject
		for i := range 2*pageRows + 7 {
			projects = append(projects, MigrationProject{ID: fmt.Sprintf("p%04d", i), State: ProjectWaiting}, MigrationProject{ID: fmt.Sprintf("q%04d", i)})
		}
		_, err := m.AddProjects(ctx, projects)
		require.NoError(t, err)
		n := 0
		for p, err := range m.ProjectsOf(ctx, ProjectRunning, ProjectWaiting) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("p%04d", n), p.ID)
			if n++; n%100 == 1 {
				_, err := m.UpdateProject(ctx, p.ID, func(p *MigrationProject) { p.State = ProjectVerified })
				require.NoError(t, err)
			}
		}
		assert.Equal(t, 2*pageRows+7, n)
		sums, err := m.Sums(ctx)
		require.NoError(t, err)
		assert.Len(t, sums.Of, 3)
	})
}

// Frame.io's account migration gives projects new IDs while a migration runs. A project's counts continue with its successor.
func TestWhatASuccessorTakesOverCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		for _, id := range []string{"old", "new"} {
			_, _, err := l.Tenant(tenant).Archive(id).Request(ctx, "", time.Now().UTC())
			require.NoError(t, err)
		}
		_, err := l.Tenant(tenant).Archive("old").Update(ctx, func(r *Archive) { r.Status = Verified })
		require.NoError(t, err)
		counts := ProjectCounts{Items: 4, Copied: 4, Verified: 4, Bytes: 40, BytesDone: 40}
		for migration, projects := range map[string][]string{"both": {"old", "new", "third"}, "before": {"old"}} {
			m := l.Tenant(tenant).Migration(migration)
			require.NoError(t, m.Create(ctx, Migration{Status: MigrationRunning}))
			for _, id := range projects {
				_, err := m.AddProjects(ctx, []MigrationProject{{ID: id}})
				require.NoError(t, err)
			}
			_, err := m.UpdateProject(ctx, "old", func(p *MigrationProject) { p.State, p.Counts = ProjectVerified, counts })
			require.NoError(t, err)
		}
		require.NoError(t, l.Tenant(tenant).AdoptArchive(ctx, "old", "new"))
		both, before := l.Tenant(tenant).Migration("both"), l.Tenant(tenant).Migration("before")
		_, err = both.UpdateProject(ctx, "new", func(p *MigrationProject) { p.State, p.Counts = ProjectRunning, counts })
		require.NoError(t, err)
		sums, err := both.Sums(ctx)
		require.NoError(t, err)
		assert.Equal(t, counts, sums.ProjectCounts)
		assert.Equal(t, map[ProjectState]int64{ProjectRunning: 1, ProjectQueued: 1}, sums.Projects)
		sums, err = before.Sums(ctx)
		require.NoError(t, err)
		assert.Equal(t, counts, sums.ProjectCounts, "a migration without the successor keeps what it has")
		p, _, err := both.Project(ctx, "old")
		require.NoError(t, err)
		assert.Equal(t, "new", p.ContinuedAs)
		_, err = both.UpdateProject(ctx, "old", func(p *MigrationProject) { p.Reason = "why" })
		require.NoError(t, err)
		sums, err = both.Sums(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 2, sums.Total(), "and stays out when its entry is written again")
	})
}
