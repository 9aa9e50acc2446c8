package mirror

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

// scheduled is an attempt of an activity that was scheduled at a given time.
type scheduled struct {
	attempt.Attempt
	at time.Time
}

func (s scheduled) Scheduled() time.Time { return s.at }

// noWorkspace is an account in which a workspace was renamed or deleted.
type noWorkspace struct{ frameio.Reader }

func (noWorkspace) Workspace(context.Context, string) (frameio.Team, error) {
	return frameio.Team{}, &rest.Error{Vendor: "Frame.io", Status: 404, Class: rest.NotFound}
}

// A run whose workspace is gone fails, and people are told: if it were retried, it would keep all later runs from starting.
func TestAMirrorWithoutItsWorkspaceFails(t *testing.T) {
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	one := tenant.New(&config.Tenant{ID: "T", Name: "Acme"}, l, noWorkspace{}, nil, nil, slog.New(slog.DiscardHandler))
	a := &Activities{Ledger: l, Tenant: func(string) (*tenant.Tenant, error) { return one, nil }}
	_, err = a.MirrorProjects(t.Context(), workflows.MirrorProjectsInput{Tenant: "T", Selection: []byte(`{"workspaces":["Harbour Films"]}`), Max: 10})
	kind, lasting := fault.Lasting(err)
	assert.True(t, lasting)
	assert.Equal(t, workflows.ErrorContent, kind)
	assert.ErrorContains(t, err, `"Harbour Films"`)
}

// oneProject is an account with one project.
type oneProject struct{ frameio.Reader }

func (oneProject) Project(_ context.Context, id string) (frameio.Project, error) {
	if id != "P" {
		return frameio.Project{}, &rest.Error{Vendor: "Frame.io", Status: 404, Class: rest.NotFound}
	}
	return frameio.Project{ID: "P", Name: "Pilot"}, nil
}

// A project that was selected by its ID and that Frame.io no longer shows is not passed over in silence: it counts as not archived. What
// was archived of it stays verified.
func TestASelectedProjectThatIsGoneIsNamed(t *testing.T) {
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	one := tenant.New(&config.Tenant{ID: "T", Name: "Acme"}, l, oneProject{}, nil, nil, slog.New(slog.DiscardHandler))
	a := &Activities{Ledger: l, Tenant: func(string) (*tenant.Tenant, error) { return one, nil }, Running: func(context.Context, workflows.Ref) (bool, error) { return false, nil },
		Start: func(context.Context, workflows.Ref) error { return errors.New("nothing is to be started") }}
	page, err := a.MirrorProjects(t.Context(), workflows.MirrorProjectsInput{Tenant: "T", Selection: []byte(`{"project_ids":["gone","P"]}`), Max: 10})
	require.NoError(t, err)
	assert.Equal(t, []string{"P", "gone"}, page.Projects)
	h := l.Tenant("T").Archive("gone")
	for range 2 { // one that was never archived, and one that was
		_, err = a.MirrorProject(t.Context(), workflows.MirrorProjectInput{Ref: workflows.Ref{Tenant: "T", Archive: "gone"}})
		kind, lasting := fault.Lasting(err)
		assert.True(t, lasting)
		assert.Equal(t, workflows.ErrorContent, kind)
		assert.ErrorContains(t, err, "no project gone")
		_, _, err = h.Request(t.Context(), "", time.Now())
		require.NoError(t, err)
		_, err = h.Update(t.Context(), func(r *ledger.Archive) { r.Status = ledger.Verified })
		require.NoError(t, err)
	}
	row, _, err := h.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.Verified, row.Status)
}

func TestAProjectIsArchivedOnceARun(t *testing.T) {
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	one := tenant.New(&config.Tenant{ID: "T", Name: "Acme"}, l, oneProject{}, nil, nil, slog.New(slog.DiscardHandler))
	ref := workflows.MirrorProjectInput{Ref: workflows.Ref{Tenant: "T", Archive: "P"}, Mirror: "nightly"}
	running, started := false, 0
	a := &Activities{Ledger: l, Tenant: func(string) (*tenant.Tenant, error) { return one, nil }, Running: func(context.Context, workflows.Ref) (bool, error) { return running, nil }, Start: func(context.Context, workflows.Ref) error { started, running = started+1, true; return nil }}
	became := func(s ledger.ArchiveStatus) {
		_, err := l.Tenant("T").Archive("P").Update(t.Context(), func(r *ledger.Archive) { r.Status = s })
		require.NoError(t, err)
	}
	ctx := attempt.With(t.Context(), scheduled{attempt.Of(t.Context()), time.Now().Add(-time.Second)})
	waits := func() {
		t.Helper()
		_, err := a.MirrorProject(ctx, ref)
		var again *fault.Error
		require.ErrorAs(t, err, &again)
		assert.True(t, again.Benign)
		assert.Equal(t, lookAgain, again.RetryIn)
	}
	waits() // started
	waits() // runs
	became(ledger.Waiting)
	res, err := a.MirrorProject(ctx, ref)
	require.NoError(t, err)
	assert.Equal(t, workflows.StatusWaiting, res.Status, "what waits for originals holds up nothing")
	became(ledger.Verified)
	waits() // it has its result and is about to close
	running = false
	res, err = a.MirrorProject(ctx, ref)
	require.NoError(t, err)
	assert.Equal(t, "verified", res.Status)
	assert.Equal(t, 1, started)

	ctx = attempt.With(t.Context(), scheduled{attempt.Of(t.Context()), time.Now().Add(time.Hour)}) // the next night
	waits()
	row, _, err := l.Tenant("T").Archive("P").Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []any{2, 2, ledger.Queued, true, "the mirror nightly"}, []any{started, row.Run, row.Status, row.Delta, row.TriggeredBy.For()})

	// One that a person has asked for meanwhile is that person's: it reads everything.
	running = false
	became(ledger.Verified)
	_, _, err = l.Tenant("T").Archive("P").Request(t.Context(), "sam@example.com", time.Now())
	require.NoError(t, err)
	waits()
	row, _, err = l.Tenant("T").Archive("P").Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []any{3, 3, false}, []any{started, row.Run, row.Delta})
}
