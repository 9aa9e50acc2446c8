package report

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// grow gives a tenant one archive whose scan has found that many files, each as large in the ledger as one with fields.
func grow(t testing.TB, l *ledger.Ledger, tenant string, items int) ledger.ArchiveLedger {
	t.Helper()
	a := l.Tenant(tenant).Archive("feature")
	_, _, err := a.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	scan, err := a.BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, a.PutFolders(t.Context(), []ledger.Folder{{SourceID: "root", Scan: scan}}))
	note := strings.Repeat("x", 900)
	const page = 5000
	for from := 0; from < items; from += page {
		listed := make([]ledger.Item, 0, page)
		for i := from; i < min(from+page, items); i++ {
			id := fmt.Sprintf("f%07d", i)
			listed = append(listed, ledger.Item{SourceID: id, AssetKey: id, FolderID: "root", Version: 1, Versions: 1, Scan: scan, Name: "A.mov", Note: note,
				Path: fmt.Sprintf("Day %04d/Camera A/A%07d.mov", i/500, i), Size: 5 << 30, StoredSize: 5 << 30, BytesDone: 5 << 30, State: ledger.ItemVerified, Rendition: "original",
				Checksum: "ef46db3751d8e999", SourceChecksum: "ef46db3751d8e999", AssetID: id, FileID: id})
		}
		require.NoError(t, a.PageListed(t.Context(), "root", scan, "", nil, listed, from+page >= items))
	}
	require.NoError(t, a.FinishScan(t.Context(), scan))
	return a
}

// peak counts what is written, and records the program's highest memory use in the meantime.
type peak struct{ written, most, looked int64 }

func (p *peak) Write(b []byte) (int, error) {
	p.written += int64(len(b))
	if p.written-p.looked > 1<<20 {
		p.looked = p.written
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		p.most = max(p.most, int64(sample[0].Value.Uint64()))
	}
	return len(b), nil
}

// BenchmarkLargeReport prints how long each form of a report of 1,000,000 files takes per file, compared with one
// of 10,000, and its peak memory:
//
//	go test ./report -run '^$' -bench LargeReport -benchtime 1x -timeout 30m
func BenchmarkLargeReport(b *testing.B) {
	const few, many = 10_000, 1_000_000
	l, err := ledger.Open(b.Context(), "sqlite:"+b.TempDir()+"/ledger.db")
	require.NoError(b, err)
	b.Cleanup(l.Close)
	archives := map[int]ledger.ArchiveLedger{few: grow(b, l, "few", few), many: grow(b, l, "many", many)}
	for _, form := range Forms[:4] { // the chain lists generations, not files
		took, written, most := map[int]time.Duration{}, map[int]int64{}, map[int]int64{}
		for n, a := range archives {
			runtime.GC()
			begin, p := time.Now(), peak{}
			r, err := Open(b.Context(), a, Source{})
			require.NoError(b, err)
			require.NoError(b, form.Render(&p, r))
			took[n], written[n], most[n] = time.Since(begin), p.written, p.most
		}
		ratio := took[many].Seconds() / many * few / took[few].Seconds()
		b.Logf("%-12s %7.2f s for 1,000,000 files (%4d MiB), × %.2f for a file; %d MiB of memory, %d with 10,000", form.File, took[many].Seconds(), written[many]>>20, ratio, most[many]>>20, most[few]>>20)
		b.ReportMetric(ratio, form.File+"-ratio")
		require.Less(b, most[many], int64(64<<20), "a report streams")
	}
}
