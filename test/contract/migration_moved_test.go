package contract

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"github.com/framebridge/framebridge/custody/verify"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// inProcess lets the archives of a migration run beside it, each in an environment of its own.
type inProcess struct {
	*migrating
	t *testing.T

	mu     sync.Mutex
	runs   map[string]chan struct{} // closed when it has ended
	played sync.WaitGroup
	begins func(activity string) // nil: nothing happens
}

func (p *inProcess) Start(_ context.Context, ref workflows.Ref, migration string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs[ref.Archive] != nil {
		return false, nil
	}
	ended := make(chan struct{})
	p.runs[ref.Archive] = ended
	p.played.Go(func() {
		env := p.skippingTime()
		p.listen(env)
		env.ExecuteWorkflow(workflows.Archive, workflows.ArchiveInput{Ref: ref, State: workflows.ArchiveState{Migration: migration}})
		assert.True(p.t, env.IsWorkflowCompleted(), "archive %s", ref.Archive)
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.runs, ref.Archive)
		close(ended)
	})
	return true, nil
}

// Runs lets time pass while one runs: the migration looks again at once, since its own time is skipped.
func (p *inProcess) Runs(ctx context.Context, ref workflows.Ref) (bool, error) {
	p.mu.Lock()
	ended := p.runs[ref.Archive]
	p.mu.Unlock()
	if ended == nil {
		return false, nil
	}
	select {
	case <-ended:
		return false, nil
	case <-ctx.Done():
		return true, ctx.Err()
	case <-time.After(50 * time.Millisecond):
		return true, nil
	}
}

func (p *inProcess) Hold(context.Context, workflows.Ref, bool) error { return nil }
func (p *inProcess) Release(context.Context, workflows.Ref) error    { return nil }
func (p *inProcess) Cancel(context.Context, workflows.Ref) error     { return nil }
func (p *inProcess) listen(env *testsuite.TestWorkflowEnvironment) {
	env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil)
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		p.start(p.t, info.ActivityType.Name)
		if p.begins != nil {
			p.begins(info.ActivityType.Name)
		}
	})
}

// playMigration migrates an account of three projects on the legacy API, which may move meanwhile, and returns how it ended.
func playMigration(t *testing.T, at string, nth int, projects bool) (*inProcess, ledger.MigrationLedger, workflows.MigrationResult) {
	t.Helper()
	p, rows, play := prepareMigration(t, at, nth, projects)
	return p, rows, play()
}

func prepareMigration(t *testing.T, at string, nth int, projects bool) (*inProcess, ledger.MigrationLedger, func() workflows.MigrationResult) {
	t.Helper()
	m := openMigrating(t, at, nth, projects)
	raw, err := os.ReadFile(m.configFile)
	require.NoError(t, err)
	signing := "report: {signing_key: " + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "}\n"
	require.NoError(t, os.WriteFile(m.configFile, append([]byte(signing), raw...), 0o600))
	_, err = m.live.Reload()
	require.NoError(t, err)
	for name, files := range map[string]int{"Regatta": 12, "Stills": 7} {
		_, err := samples.Small(m.frameio, m.project.TeamID, name, files, 1)
		require.NoError(t, err)
	}
	p := &inProcess{migrating: m, t: t, runs: map[string]chan struct{}{}}
	m.acts.Migration.Archives = p
	row := ledger.Migration{ID: uuid.NewString(), Request: []byte(`{"projects_in_parallel": 2}`), Status: ledger.MigrationPlanning, CreatedAt: time.Now().UTC()}
	rows := m.book.Tenant(tenantID).Migration(row.ID)
	require.NoError(t, rows.Create(t.Context(), row))
	return p, rows, func() workflows.MigrationResult {
		env := m.skippingTime()
		p.listen(env)
		env.ExecuteWorkflow(workflows.Migration, workflows.MigrationInput{MigrationRef: workflows.MigrationRef{Tenant: tenantID, Migration: row.ID}, State: workflows.MigrationState{Orderly: true}})
		p.played.Wait()
		require.True(t, env.IsWorkflowCompleted())
		require.NoError(t, env.GetWorkflowError())
		var res workflows.MigrationResult
		require.NoError(t, env.GetWorkflowResult(&res))
		return res
	}
}

// A file that comes after its project's archive has ended moves no project's time in Frame.io, and is brought over all the same.
func TestAMigrationsSecondRoundFindsANewFile(t *testing.T) {
	t.Parallel()
	p, rows, play := prepareMigration(t, "", 0, false)
	late := ""
	p.begins = func(activity string) {
		if activity != workflows.ActFindChanged.Name() {
			return
		}
		var first ledger.MigrationProject
		for row, err := range rows.AllProjects(t.Context()) {
			if assert.NoError(t, err) && (first.ID == "" || row.EndedAt.Before(first.EndedAt)) {
				first = row
			}
		}
		arc, _, err := p.book.Tenant(tenantID).Archive(first.ID).Get(t.Context())
		assert.NoError(t, err)
		_, err = p.frameio.AddFile(arc.RootID, frameiosim.File{Name: "late.mov", Type: "video/quicktime", Body: []byte("it comes after the archive has compared")})
		assert.NoError(t, err)
		late = first.ID
	}
	res := play()
	assert.Equal(t, workflows.MigrationDone, res.Status, res.Reason)
	require.NotEmpty(t, late)
	found := 0
	for it, err := range p.book.Tenant(tenantID).Archive(late).AllItems(t.Context()) {
		require.NoError(t, err)
		if it.Name == "late.mov" && it.State == ledger.ItemVerified {
			found++
		}
	}
	assert.Equal(t, 1, found)
}

// accountReport verifies the account's report as it is in iconik, like somebody without Framebridge.
func (p *inProcess) accountReport(t *testing.T) {
	t.Helper()
	seen := 0
	for _, d := range p.iconik.Docs("files") {
		if !strings.HasPrefix(str(d["name"]), "account-") || !strings.HasSuffix(str(d["name"]), ".json") {
			continue
		}
		seen++
		body, err := p.store.Get("iconik-files", strings.TrimPrefix(str(d["directory_path"])+"/"+str(d["name"]), "/"))
		require.NoError(t, err)
		for _, flipped := range []bool{false, true} {
			if flipped {
				body[len(body)/2] ^= 1
			}
			name := filepath.Join(t.TempDir(), "report.json")
			require.NoError(t, os.WriteFile(name, body, 0o600))
			r, err := verify.File(name, verify.Options{Trusted: verify.Keys(p.live.Now().Report.SigningKeyInUse().Public())})
			require.NoError(t, err)
			assert.Equal(t, verify.KindAccount, r.Kind)
			assert.Equal(t, flipped, len(r.Problems) > 0, "%q", r.Problems)
		}
	}
	assert.Equal(t, 1, seen)
}

// The account moves to V4 in the middle of its migration, under IDs that are all new or with its projects' kept. The migration's
// second round finds the projects under their new IDs: every file is accounted for once, nothing is in iconik twice, and the signed
// report proves it.
func TestTheAccountMovesInTheMiddleOfItsMigration(t *testing.T) {
	t.Parallel()
	const items = 18 + 12 + 7
	calm, _, res := playMigration(t, "", 0, false)
	require.Equal(t, workflows.MigrationDone, res.Status)
	want := calm.counts()
	for i, tt := range []struct {
		at       string
		nth      int
		projects bool
	}{{"CloseVersion", 2, true}, {"VerifyItems", 1, false}, {"ScanProject", 2, true}, {"CopyComments", 1, true}, {"WriteReport", 2, true}, {"StartProjects", 2, false}, {"OpenArchive", 3, true}} {
		if !wholeTables && i > 0 {
			break
		}
		t.Run(fmt.Sprintf("%s %d, projects %v", tt.at, tt.nth, tt.projects), func(t *testing.T) {
			p, rows, res := playMigration(t, tt.at, tt.nth, tt.projects)
			require.NotNil(t, p.ids, "the account was moved")
			assert.Equal(t, workflows.MigrationDone, res.Status, res.Reason)
			sums, err := rows.Sums(t.Context())
			require.NoError(t, err)
			assert.EqualValues(t, items, sums.Items, "every file is accounted for once")
			assert.EqualValues(t, items-1, sums.Verified, "one was never uploaded")
			assert.EqualValues(t, 1, sums.Skipped)
			all, _, err := rows.Projects(t.Context(), "", 100)
			require.NoError(t, err)
			assert.Len(t, all, 3, "each project is listed once, under the ID that it has now")
			assert.EqualValues(t, 3, sums.Total())
			for _, row := range all {
				assert.Contains(t, []ledger.ProjectState{ledger.ProjectVerified, ledger.ProjectExceptions}, row.State, "%s %s: %s", row.ID, row.Name, row.Reason)
			}
			stale, named := p.stale()
			assert.Empty(t, stale, "of %d external IDs", named)
			assert.Equal(t, want, p.counts(), "nothing is there twice")
			p.accountReport(t)
		})
	}
}
