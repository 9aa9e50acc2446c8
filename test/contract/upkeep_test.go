package contract

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// A byte that has changed in the store is found by the sample, named in the audit log, and remembered.
func TestASampleOfTheBytesIsReadBack(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	day := func(n int) workflows.UpkeepResult {
		res, err := r.acts.Upkeep.SampleBytes(t.Context(), workflows.UpkeepDay{Tenant: tenantID, Day: fmt.Sprintf("2026-12-%02d", n)})
		require.NoError(t, err)
		return res
	}
	assert.True(t, day(1).Off, "it is off by itself")
	r.config.Tenants[tenantID].Archive.FixitySample = 100
	r.rewrite(r.newest, func(b []byte) []byte { b[0] ^= 1; return b })
	files, problems := int64(0), int64(0)
	for n := 1; n <= 31; n++ {
		res := day(n)
		assert.Positive(t, res.Files, "each day reads something")
		files, problems = files+res.Files, problems+res.Problems
	}
	assert.Positive(t, problems)
	assert.Less(t, problems, files)
	read, known, err := r.rows().ByteRead(t.Context(), r.newest)
	require.NoError(t, err)
	assert.True(t, known)
	assert.Contains(t, read.Problem, "xxHash64")
	entries, err := r.book.Tenant(tenantID).AuditPage(t.Context(), ledger.AuditFilter{Action: "fixity sample", Text: "scene v2.mov"}, 0, 100)
	require.NoError(t, err)
	assert.NotEmpty(t, entries)
}

// month reads the samples of a month.
func (r *reclaimed) month(t *testing.T) (files, problems int64) {
	t.Helper()
	r.config.Tenants[tenantID].Archive.FixitySample = 100
	for n := 1; n <= 31; n++ {
		res, err := r.acts.Upkeep.SampleBytes(t.Context(), workflows.UpkeepDay{Tenant: tenantID, Day: fmt.Sprintf("2026-12-%02d", n)})
		require.NoError(t, err)
		files, problems = files+res.Files, problems+res.Problems
	}
	return files, problems
}

func (r *reclaimed) sampled(t *testing.T, text string) []ledger.AuditEntry {
	t.Helper()
	entries, err := r.book.Tenant(tenantID).AuditPage(t.Context(), ledger.AuditFilter{Action: "fixity sample", Text: text}, 0, 100)
	require.NoError(t, err)
	return entries
}

// What a reclaim has deleted in Frame.io is nowhere else: it is in the sample also once a later run has not met it there.
func TestWhatWasFreedIsInTheSample(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	row := r.reclaim(t)
	require.Equal(t, ledger.ReclaimDone, row.Status, row.Reason)
	r.rewrite(r.newest, func(b []byte) []byte { b[0] ^= 1; return b })
	r.again(t)
	it, _, err := r.rows().Item(t.Context(), r.newest)
	require.NoError(t, err)
	require.Zero(t, it.Seq, "Frame.io has it no more")
	files, problems := r.month(t)
	assert.Positive(t, files)
	assert.Positive(t, problems)
	assert.NotEmpty(t, r.sampled(t, "scene v2.mov"))
}

// A file that iconik calls missing is a problem; one that it has archived is only not read.
func TestAFileWithoutBytesIsAProblem(t *testing.T) {
	t.Parallel()
	for status, problem := range map[string]bool{"MISSING": true, "FAILED": true, "ARCHIVED": false} {
		t.Run(status, func(t *testing.T) {
			r := openReclaimed(t, "v4")
			for _, f := range []string{r.file, r.other, r.first, r.newest} {
				r.doc("files", r.itemOf(f).FileID, map[string]any{"status": status})
			}
			_, problems := r.month(t)
			assert.Equal(t, problem, problems > 0)
			assert.Equal(t, problem, len(r.sampled(t, "the file is "+status+" in iconik")) > 0)
		})
	}
}

// A copy on another storage stands for a file whose record is gone, as for a reclaim.
func TestACopyStandsForTheFile(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	for _, f := range []string{r.file, r.newest} {
		_, err := r.rows().UpdateItem(t.Context(), f, func(i *ledger.Item) { i.FileID = "00000000-0000-4000-8000-000000000000" })
		require.NoError(t, err)
	}
	r.doc("files", r.itemOf(r.other).FileID, map[string]any{"status": "DELETED"})
	_, problems := r.month(t)
	assert.Positive(t, problems)
	assert.NotEmpty(t, r.sampled(t, "the file is no longer in iconik"))
	for _, f := range []string{r.file, r.newest} {
		read, known, err := r.rows().ByteRead(t.Context(), f)
		require.NoError(t, err)
		assert.True(t, known)
		assert.Empty(t, read.Problem)
	}
}

// refuses is a store that does not give one object.
type refuses struct{ key string }

func (d refuses) RoundTrip(q *http.Request) (*http.Response, error) {
	if strings.HasSuffix(q.URL.Path, d.key) {
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("denied")), Request: q}, nil
	}
	return http.DefaultTransport.RoundTrip(q)
}

// One object that the store refuses does not keep the others from being read, nor what they are from being told.
func TestARefusedObjectEndsNoSample(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	r.rewrite(r.other, func(b []byte) []byte { b[0] ^= 1; return b })
	_, _, key := r.object(r.file)
	r.acts.Upkeep.Objects = &http.Client{Transport: refuses{path.Base(key)}}
	r.month(t)
	assert.NotEmpty(t, r.sampled(t, "refuses to give"))
	assert.NotEmpty(t, r.sampled(t, "xxHash64"))
}

// A run of the archive after a reclaim does not take what was freed for lost.
func TestWhatWasFreedIsNoDifference(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	row := r.reclaim(t)
	require.Equal(t, ledger.ReclaimDone, row.Status, row.Reason)
	fin := r.again(t)
	assert.NotContains(t, fin.Reason, "deleted in Frame.io")
	assert.Empty(t, r.rowsOf(t))
}

func (r *reclaimed) rowsOf(t *testing.T) []ledger.Difference {
	t.Helper()
	rows, err := r.rows().Differences(t.Context(), 100)
	require.NoError(t, err)
	return rows
}
