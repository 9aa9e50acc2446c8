package contract

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// migrating moves the account, and then the configuration, while an archive runs.
type migrating struct {
	*harness
	live *config.Live

	mu       sync.Mutex
	started  map[string]int
	at       string // the activity at whose start the account is moved
	nth      int
	projects bool // get new ids, too
	ids      map[string]string
	since    int // activities started after the move
}

// migrationPause is how many activities meet the refused token before somebody changes the configuration.
const migrationPause = 3

func openMigrating(t *testing.T, at string, nth int, projects bool) *migrating {
	m := &migrating{harness: open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}), started: map[string]int{}, at: at, nth: nth, projects: projects}
	var err error
	m.live, err = config.Open(m.configFile)
	require.NoError(t, err)
	m.acts, err = activities.New(m.live, m.book, m.engine, transfer.NewHTTPClient(nil, nil), nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return m
}

// start is called with each attempt of an activity.
func (m *migrating) start(t *testing.T, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.started[name]++
	if m.ids == nil && name == m.at && m.started[name] == m.nth {
		m.ids = m.frameio.MigrateAnew(m.projects)
		return
	}
	if m.ids != nil {
		if m.since++; m.since == migrationPause {
			m.configure(t)
		}
	}
}

// configure names the other API.
func (m *migrating) configure(t *testing.T) {
	raw, err := os.ReadFile(m.configFile)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(m.configFile, []byte(strings.Replace(string(raw), "generation: legacy", "generation: v4", 1)), 0o600))
	_, err = m.live.Reload()
	require.NoError(t, err)
}

func (m *migrating) play(t *testing.T) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env := m.skippingTime()
	env.OnActivity(workflows.ActJoinQueue.Name(), mock.Anything, mock.Anything).Return(nil)
	env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(workflows.SignalTurn, nil) }, time.Millisecond)
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		m.start(t, info.ActivityType.Name)
	})
	env.ExecuteWorkflow(workflows.Archive, workflows.ArchiveInput{Ref: workflows.Ref{Tenant: tenantID, Archive: m.project.ID}})
	require.True(t, env.IsWorkflowCompleted())
	return env
}

// stale are iconik's external ids that name something by its id from before the move.
func (m *migrating) stale() (stale []string, all int) {
	seen := map[string]bool{}
	for _, kind := range []string{"assets", "collections", "segments"} {
		for _, d := range m.iconik.Docs(kind) {
			external := str(d["external_id"])
			kind, id, ours := strings.Cut(strings.TrimPrefix(external, "frameio:"), ":")
			if str(d["status"]) == "DELETED" || !ours || kind == "presentation" || kind == "review_link" { // which Frame.io does not have any more
				continue
			}
			all++
			if _, gone := m.ids[id]; gone && !seen[external] {
				seen[external] = true
				stale = append(stale, external+" "+str(d["title"]))
			}
		}
	}
	return stale, all
}

func (m *migrating) counts() map[string]int {
	out := map[string]int{}
	for _, kind := range []string{"assets", "segments"} {
		for _, d := range m.iconik.Docs(kind) {
			if str(d["status"]) != "DELETED" {
				out[kind]++
			}
		}
	}
	return out
}

// TestTheAccountMovesAtAnyStep moves the account to V4, under ids that are all new, while the archive is in each of its steps.
// The archive ends with the id to start, or goes on; the successor takes over all that is there, all external ids follow, and
// a further run has nothing to do.
func TestTheAccountMovesAtAnyStep(t *testing.T) {
	t.Parallel()
	whole := openMigrating(t, "", 0, false)
	require.NoError(t, whole.play(t).GetWorkflowError())
	want := whole.counts()
	for i, tt := range []struct {
		name, at string
		nth      int
	}{
		{"opening", "OpenArchive", 1}, {"preparing", "PrepareIconik", 1}, {"scan", "ScanProject", 1}, {"collections", "MakeCollections", 1}, {"copy", "TransferFile", 6}, {"closing", "CloseVersion", 3},
		{"comments", "CopyComments", 2}, {"shares", "CopyShares", 1}, {"compare", "ScanProject", 2}, {"verify", "VerifyItems", 1}, {"verify the tree", "VerifyTree", 1}, {"report", "WriteReport", 1},
	} {
		for name, projects := range map[string]bool{"all ids are new": true, "the project keeps its id": false} {
			if !wholeTables && (i%5 != 0 || projects != (i%2 == 0)) {
				continue
			}
			t.Run(tt.name+", "+name, func(t *testing.T) {
				m := openMigrating(t, tt.at, tt.nth, projects)
				if tt.at == "OpenArchive" { // one that was opened before, as archives that wait for their turn often were
					_, err := m.book.Tenant(tenantID).Archive(m.project.ID).Update(t.Context(), func(r *ledger.Archive) {
						r.Name, r.RootID, r.Generation = "Harbour Lights - Archived", "a-root", "legacy"
					})
					require.NoError(t, err)
				}
				old := m.project.ID
				env := m.play(t)
				require.NotNil(t, m.ids, "the account was moved")
				if m.since < migrationPause { // it ended before
					m.configure(t)
				}
				row, _, err := m.book.Tenant(tenantID).Archive(old).Get(t.Context())
				require.NoError(t, err)
				if failure := env.GetWorkflowError(); failure != nil {
					next := old
					if projects {
						next = m.ids[old]
					}
					assert.Contains(t, row.Reason, "starter "+map[bool]string{true: "archive ", false: "retry "}[projects]+next)
					assert.Contains(t, row.Reason, "continues where")
					assert.NotContains(t, row.Reason, "404")
				} else if projects {
					assert.Contains(t, []string{"verify the tree", "report"}, tt.name, "it went on under an id that is none any more: %s", row.Reason)
				}
				if projects {
					m.project.ID = m.ids[old]
				}
				for i := range 3 {
					fin := m.again(t)
					assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
					assert.Contains(t, fin.Reason, "17 of 18 files verified")
					stale, all := m.stale()
					assert.Empty(t, stale, "of %d external ids, after run %d", all, i+1)
					assert.Equal(t, want, m.counts(), "nothing is there twice")
					if i > 0 {
						assert.False(t, fin.Changed, "nothing is left to do")
					}
				}
			})
		}
	}
}

// A queued archive's turn comes when the account has been moved.
func TestAQueuedArchiveWhoseProjectHasAnotherID(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"its name is known": true, "nothing is known of it": false} {
		t.Run(name, func(t *testing.T) {
			m := openMigrating(t, "", 0, true)
			if known {
				_, err := m.book.Tenant(tenantID).Archive(m.project.ID).Update(t.Context(), func(r *ledger.Archive) { r.Name = "Harbour Lights - Archived" })
				require.NoError(t, err)
			}
			m.ids = m.frameio.MigrateAnew(true)
			m.configure(t)
			failure := m.play(t).GetWorkflowError()
			assert.ErrorContains(t, failure, "If Frame.io migrated the account since this archive was requested")
			if known {
				assert.ErrorContains(t, failure, "starter archive "+m.ids[m.project.ID])
			} else {
				assert.ErrorContains(t, failure, "starter projects")
			}
		})
	}
}
