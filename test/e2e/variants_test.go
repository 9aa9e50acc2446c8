//go:build integration

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/stack"
	"github.com/framebridge/framebridge/test/postgres"
)

// TestTwoWorkersShareALedger runs two workers on one PostgreSQL ledger and kills one of them halfway.
func TestTwoWorkersShareALedger(t *testing.T) {
	t.Parallel()
	db, err := postgres.Start()
	if err != nil && !postgres.Required() {
		t.Skipf("NOT TESTED: PostgreSQL cannot be started here: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(db.Stop)
	o := options(t)
	o.LedgerDSN = db.DSN
	s := openHarbour(t, o)
	require.NoError(t, s.Iconik.AddFault(faults.Fault{Match: "^POST /API/files", Delay: 50 * time.Millisecond}))
	raw, err := os.ReadFile(s.Config)
	require.NoError(t, err)
	second := filepath.Join(filepath.Dir(s.Config), "second.yaml")
	require.NoError(t, os.WriteFile(second, []byte(strings.Replace(string(raw), `worker: {listen: "`+strings.TrimPrefix(s.WorkerURL, "http://"), `worker: {listen: "127.0.0.1:0`, 1)), 0o600))
	other := s.Another("worker", "second", "--config", second)
	require.NoError(t, other.Start())
	t.Cleanup(func() { other.Stop() })
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, func(a archiveJSON) bool { return a.Items.Copied > 3 })
	s.Worker.Kill()
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	sameTree(t, undisturbed(t), s.tree())
}

// TestAProjectThatChangesIsBroughtOverAsItIsNow adds, removes and comments while the archive runs.
func TestAProjectThatChangesIsBroughtOverAsItIsNow(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, options(t))
	require.NoError(t, s.Iconik.AddFault(faults.Fault{Match: "^POST /API/files", Delay: 100 * time.Millisecond}))
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, func(a archiveJSON) bool { return a.Items.Copied > 3 })
	var root string
	for _, p := range s.Frameio.Projects() {
		if p.ID == s.project.ID {
			root = p.RootID
		}
	}
	late, err := s.Frameio.AddFile(root, frameiosim.File{Name: "late arrival.mov", Type: "video/quicktime", Body: []byte("came while the archive ran")})
	require.NoError(t, err)
	s.Frameio.AddComment(frameiosim.Comment{AssetID: late.ID, Text: "in time?"})
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	assert.EqualValues(t, s.project.Items+1, a.Items.Total)
	assert.Contains(t, s.tree(), "late arrival.mov")
	assert.Contains(t, s.tree(), "in time?")
}

func TestPoliciesOfSizeAndMissingOriginals(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Archive["max_file_size"] = "1MiB"
	o.Archive["missing_original"] = "fail"
	s := openHarbour(t, o)
	s.Frameio.Rename(s.project.ID, archivedName)
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "incomplete", a.Status, a.Reason)
	assert.Positive(t, a.Items.Failed, "files without an original fail")
	assert.Positive(t, a.Items.Skipped, "files over the limit are left out, and said so")
	var page struct {
		Items []struct{ Path, State, Reason string }
	}
	s.call("GET", "/archives/"+s.project.ID+"/items?limit=100", nil, &page)
	reasons := ""
	for _, it := range page.Items {
		if it.State == "skipped" || it.State == "failed" {
			assert.NotEmpty(t, it.Reason, it.Path)
			reasons += it.Reason + "\n"
		}
	}
	assert.Contains(t, reasons, "max_file_size")
	assert.NotContains(t, reasons, stack.FrameioToken)
}
