package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReclaims(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		begin(t, l, tenant)
		h := l.Tenant(tenant).Archive(project)
		r, joined, err := h.RequestReclaim(t.Context(), Reclaim{Status: ReclaimExamining, RequestedBy: Actor{Kind: ActorCommand, Name: "sam"}})
		require.NoError(t, err)
		assert.False(t, joined)
		assert.Equal(t, 1, r.Run)
		_, joined, err = h.RequestReclaim(t.Context(), Reclaim{Status: ReclaimExamining})
		require.NoError(t, err)
		assert.True(t, joined, "one at a time")

		refused := errors.New("no")
		_, err = h.UpdateReclaim(t.Context(), func(r *Reclaim) error { r.Status = ReclaimDone; return refused })
		require.ErrorIs(t, err, refused)
		r, known, err := h.Reclaim(t.Context())
		require.NoError(t, err)
		assert.True(t, known)
		assert.Equal(t, ReclaimExamining, r.Status)

		files := []ReclaimFile{{Seq: 1, SourceID: "a", AssetKey: "s", Size: 5, State: ReclaimReady}, {Seq: 2, SourceID: "b", AssetKey: "s", Size: 7, State: ReclaimLeft}, {Seq: 3, SourceID: "c", AssetKey: "c", Size: 9, State: ReclaimReady}}
		require.NoError(t, h.PutReclaimFiles(t.Context(), 1, files))
		require.NoError(t, h.LeaveAssets(t.Context(), 1, map[string]bool{"s": true}, "another version stays"))
		proven := []ReclaimFile{{Seq: 4, SourceID: "d", AssetKey: "t", State: ReclaimProven}, {Seq: 5, SourceID: "e", AssetKey: "t", State: ReclaimLeft}}
		require.NoError(t, h.PutReclaimFiles(t.Context(), 1, proven))
		require.NoError(t, h.LeaveAssets(t.Context(), 1, map[string]bool{"t": true}, "another version stays"))
		all, err := h.ReclaimFiles(t.Context(), 1, ReclaimLeft, 0, 10)
		require.NoError(t, err)
		assert.Len(t, all, 4, "both versions of both stacks, whether the other was proven or not")
		_, err = h.UpdateReclaimFile(t.Context(), 1, "c", func(f *ReclaimFile) { f.State = ReclaimDeleted })
		require.NoError(t, err)
		require.NoError(t, h.PutReclaimFiles(t.Context(), 1, files)) // what is deleted stays deleted
		sums, err := h.ReclaimSums(t.Context(), 1)
		require.NoError(t, err)
		assert.Equal(t, ReclaimSum{ReclaimDeleted, 1, 9}, sums[ReclaimDeleted])
		require.NoError(t, h.ClearReclaimFiles(t.Context(), 1))
		left, err := h.ReclaimFiles(t.Context(), 1, ReclaimReady, 0, 10)
		require.NoError(t, err)
		assert.Empty(t, left)
		gone, err := h.Reclaimed(t.Context(), "c")
		require.NoError(t, err)
		assert.True(t, gone)
		gone, err = h.Reclaimed(t.Context(), "a")
		require.NoError(t, err)
		assert.False(t, gone)

		_, err = h.UpdateReclaim(t.Context(), func(r *Reclaim) error { r.Status, r.Certificate = ReclaimDone, "as-cert"; return nil })
		require.NoError(t, err)
		_, joined, err = h.RequestReclaim(t.Context(), Reclaim{Status: ReclaimExamining})
		require.NoError(t, err)
		assert.True(t, joined, "it has not written down its end")
		_, err = h.UpdateReclaim(t.Context(), func(r *Reclaim) error { r.FinishedAt = time.Now(); return nil })
		require.NoError(t, err)
		r, _, err = h.RequestReclaim(t.Context(), Reclaim{Status: ReclaimExamining}, func(r Reclaim) *AuditEntry {
			return &AuditEntry{Tenant: h.tenant, Action: fmt.Sprint("asked for run ", r.Run)}
		})
		require.NoError(t, err)
		assert.Equal(t, 2, r.Run)
		said, err := l.Tenant(h.tenant).AuditPage(t.Context(), AuditFilter{Action: "asked for run 2"}, 0, 10)
		require.NoError(t, err)
		assert.Len(t, said, 1)
		certified, known, err := h.Certified(t.Context())
		require.NoError(t, err)
		assert.True(t, known)
		assert.Equal(t, 1, certified.Run, "the last run has none")
	})
}

func TestNotExamined(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		begin(t, l, tenant)
		h := l.Tenant(tenant).Archive(project)
		scan, err := h.BeginScan(t.Context())
		require.NoError(t, err)
		require.NoError(t, h.PutFolders(t.Context(), []Folder{{SourceID: "root", Scan: scan}}))
		require.NoError(t, h.PageListed(t.Context(), "root", scan, "", nil, []Item{{SourceID: "a", AssetKey: "a", FolderID: "root", Version: 1, Versions: 1, Scan: scan}, {SourceID: "b", AssetKey: "b", FolderID: "root", Version: 1, Versions: 1, Scan: scan}}, true))
		require.NoError(t, h.FinishScan(t.Context(), scan))
		require.NoError(t, h.PutReclaimFiles(t.Context(), 2, []ReclaimFile{{Seq: 1, SourceID: "a", State: ReclaimReady}}))
		id, err := h.NotExamined(t.Context(), 2)
		require.NoError(t, err)
		assert.Equal(t, "b", id)
		require.NoError(t, h.PutReclaimFiles(t.Context(), 1, []ReclaimFile{{Seq: 2, SourceID: "b", State: ReclaimDeleted}}))
		id, err = h.NotExamined(t.Context(), 2)
		require.NoError(t, err)
		assert.Empty(t, id)
	})
}

func TestByteReads(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant).Archive(project)
		_, known, err := h.ByteRead(t.Context(), "a")
		require.NoError(t, err)
		assert.False(t, known)
		want := ByteRead{SourceID: "a", At: time.Now().UTC().Truncate(time.Microsecond), ETag: `"x"`, Size: 1 << 40, Checksum: "0123"}
		for _, problem := range []string{"differs", ""} {
			want.Problem = problem
			require.NoError(t, h.PutByteRead(t.Context(), want))
			have, known, err := h.ByteRead(t.Context(), "a")
			require.NoError(t, err)
			assert.True(t, known)
			assert.Equal(t, want, have)
		}
	})
}

// A change and its audit entry are written together. A worker that dies in between leaves neither, and the next one does not
// write a second.
func TestWhatIsAuditedIsWrittenOnce(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		begin(t, l, tenant)
		ctx := t.Context()
		h := l.Tenant(tenant).Archive(project)
		_, _, err := h.RequestReclaim(ctx, Reclaim{Status: ReclaimDeleting})
		require.NoError(t, err)
		require.NoError(t, h.PutReclaimFiles(ctx, 1, []ReclaimFile{{Seq: 1, SourceID: "a", State: ReclaimIntends}}))
		m := l.Tenant(tenant).Migration("m")
		require.NoError(t, m.Create(ctx, Migration{Status: MigrationRunning}))
		bad := AuditEntry{Tenant: tenant} // which cannot be written
		write := func(e *AuditEntry) (errs [3]error) {
			_, errs[0] = h.UpdateReclaimFile(ctx, 1, "a", func(f *ReclaimFile) { f.State = ReclaimDeleted }, func(ReclaimFile) *AuditEntry { return e })
			_, errs[1] = h.UpdateReclaim(ctx, func(r *Reclaim) error { r.Status = ReclaimDone; return nil }, func(Reclaim) *AuditEntry { return e })
			_, errs[2] = m.Update(ctx, func(m *Migration) { m.Status = MigrationDone }, func(Migration) *AuditEntry { return e })
			return errs
		}
		for _, err := range write(&bad) {
			require.Error(t, err)
		}
		files, err := h.ReclaimFiles(ctx, 1, ReclaimIntends, 0, 10)
		require.NoError(t, err)
		assert.Len(t, files, 1)
		r, _, err := h.Reclaim(ctx)
		require.NoError(t, err)
		assert.Equal(t, ReclaimDeleting, r.Status)
		row, _, err := m.Get(ctx)
		require.NoError(t, err)
		assert.Equal(t, MigrationRunning, row.Status)

		require.Equal(t, [3]error{}, write(&AuditEntry{Tenant: tenant, Action: "deleted in Frame.io", ObjectID: "a"}))
		require.Equal(t, [3]error{}, write(nil))
		entries, err := l.Tenant(tenant).AuditPage(ctx, AuditFilter{}, 0, 10)
		require.NoError(t, err)
		assert.Len(t, entries, 3)
		require.NoError(t, verifyChain(nil, entries))
	})
}
