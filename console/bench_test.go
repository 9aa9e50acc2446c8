package console

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/ledger"
)

const (
	mostBytes = 100 << 10 // of a page with its style and script
	mostTime  = 300 * time.Millisecond
)

// grow gives the tenant that many archives that have ended, and one under way with that many items.
func (h *harness) grow(t testing.TB, archives, items int) {
	t.Helper()
	for i := range archives {
		id := fmt.Sprintf("p%05d", i)
		_, _, err := h.ledger.Tenant(acme).Archive(id).Request(t.Context(), "", today.Add(-time.Duration(i)*time.Minute))
		require.NoError(t, err)
		_, err = h.ledger.Tenant(acme).Archive(id).Update(t.Context(), func(a *ledger.Archive) {
			a.Name, a.Status, a.Reason = fmt.Sprintf("Campaign %05d", i), ledger.Verified, "All 1,204 files are in iconik and were compared with Frame.io: 3.2 TiB, 412 comments."
			a.StartedAt, a.FinishedAt = a.QueuedAt, a.QueuedAt.Add(40*time.Minute)
			if i%50 == 7 {
				a.Status = ledger.Incomplete
			}
		})
		require.NoError(t, err)
	}
	h.archive(t, "large", func(a *ledger.Archive) {
		a.Name, a.Status, a.StartedAt, a.CopyingSince = "Feature film", ledger.Running, today, today
	})
	l := h.ledger.Tenant(acme).Archive("large")
	scan, err := l.BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, l.PutFolders(t.Context(), []ledger.Folder{{SourceID: "root", Scan: scan}}))
	for from := 0; from < items; from += 5000 {
		listed := make([]ledger.Item, 0, 5000)
		for i := from; i < min(from+5000, items); i++ {
			it := ledger.Item{SourceID: fmt.Sprintf("f%06d", i), AssetKey: fmt.Sprintf("f%06d", i), FolderID: "root", Version: 1, Versions: 1, Scan: scan, Name: "A.mov", Path: fmt.Sprintf("Day %02d/Camera A/A%06d.mov", i%40, i), Size: 5 << 30, State: ledger.Copied, BytesDone: 5 << 30}
			if i%1000 == 5 {
				it.State, it.Reason, it.Fault = ledger.ItemFailed, "iconik refused the file", "content"
			}
			listed = append(listed, it)
		}
		require.NoError(t, l.PageListed(t.Context(), "root", scan, "", nil, listed, from+5000 >= items))
	}
	require.NoError(t, l.FinishScan(t.Context(), scan))
}

// BenchmarkPages prints how long pages take for a tenant with 100 archives and 1,000 items, and for one with 10,000 and 100,000:
//
//	go test ./console -run '^$' -bench Pages -benchtime 1x
func BenchmarkPages(b *testing.B) {
	small, large := serve(b, config.RoleAdmin), serve(b, config.RoleAdmin)
	small.grow(b, 100, 1000)
	large.grow(b, 10_000, 100_000)
	shared := page.Load().Assets.Size()
	for _, path := range []string{"archives", "archives?q=campaign+09", "archives?status=failed", "archives?q=nothing", "archives/large", "archives/large?state=failed", "archives/large?q=a099", "archives/large?q=nothing", "reviews", "audit"} {
		took := func(h *harness) (first, median time.Duration, size int) {
			h.get(b, "/ui/-/assets/none")
			var all []time.Duration
			for range 9 {
				begin := time.Now()
				resp, body := h.get(b, path)
				all = append(all, time.Since(begin))
				require.Equal(b, http.StatusOK, resp.StatusCode)
				size = len(body)
			}
			first = all[0]
			slices.Sort(all)
			return first, all[len(all)/2], size
		}
		sFirst, s, _ := took(small)
		lFirst, l, size := took(large)
		b.Logf("%-30s %6.1f ms (first %6.1f) at 100 archives, %6.1f ms (first %6.1f) at 10,000: × %.1f; %d bytes", path, ms(s), ms(sFirst), ms(l), ms(lFirst), float64(l)/float64(s), size)
		require.Less(b, lFirst, mostTime, path)
		require.Less(b, size+shared, mostBytes, path)
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
