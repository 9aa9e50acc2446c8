package ledger

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const fewItems, manyItems = 10_000, 1_000_000

// growOne gives a tenant one running archive with the given number of items, created in SQL: all but the last tenth are copied, and one
// in a hundred has failed.
func growOne(t testing.TB, l *Ledger, tenant string, items int) {
	t.Helper()
	_, _, err := l.Tenant(tenant).Archive("a").Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = l.Tenant(tenant).Archive("a").Update(t.Context(), func(a *Archive) { a.Status, a.Name = Running, "Feature film" })
	require.NoError(t, err)
	pad := strings.Repeat("x", 1200) // about the size of a document
	numbers := fmt.Sprintf("WITH RECURSIVE numbers(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < %d) ", items)
	_, err = l.exec(t.Context(), numbers+`INSERT INTO items (tenant, archive, source_id, seq, asset_key, version, versions, path, media_type, size, state, rendition, asset_id, dirty, bytes_done, comment_count, comments_done, scan, data)
		SELECT CAST(? AS TEXT), 'a', 'i' || i, i, 'k' || i, 1, 1, 'Day ' || (i / 500) || '/A' || i || '.mov', 'video/mp4', 1000,
		CASE WHEN i % 100 = 5 THEN 'failed' WHEN i > `+fmt.Sprint(items-items/10)+` THEN 'pending' ELSE 'copied' END, '', 'asset', 0, 1000, 0, 0, 1,
		'{"SourceID":"i' || i || '","AssetKey":"k' || i || '","Path":"Day ' || (i / 500) || '/A' || i || '.mov","FolderID":"f' || (i / 500) || '","Note":"`+pad+`"}' FROM numbers`, tenant)
	require.NoError(t, err)
	after := "PRAGMA wal_checkpoint(TRUNCATE)" // one transaction of gigabytes would slow down every read
	if l.db.Postgres() {
		after = "ANALYZE"
	}
	_, err = l.exec(t.Context(), after)
	require.NoError(t, err)
}

// BenchmarkLargeArchive prints what takes longer in an archive of 1,000,000 items than in one of 10,000. For operations that read every
// item, it divides the time by the number of items.
//
//	go test ./ledger -run '^$' -bench LargeArchive -benchtime 1x
func BenchmarkLargeArchive(b *testing.B) {
	for _, kind := range []struct{ name, dsn string }{{"sqlite", "sqlite:" + b.TempDir() + "/ledger.db"}, {"postgres", postgresDSN}} {
		if kind.dsn == "" {
			continue
		}
		b.Run(kind.name, func(b *testing.B) {
			l, err := Open(b.Context(), kind.dsn)
			require.NoError(b, err)
			b.Cleanup(l.Close)
			growOne(b, l, "few", fewItems)
			growOne(b, l, "many", manyItems)
			most := map[string]int64{"few": fewItems, "many": manyItems}
			type operation struct {
				name string
				each bool // its time is divided by the number of items
				run  func(ctx context.Context, tenant string) error
			}
			archive := func(tenant string) ArchiveLedger { return l.Tenant(tenant).Archive("a") }
			for _, op := range []operation{
				{"items page", false, func(ctx context.Context, tenant string) error {
					_, _, err := archive(tenant).ItemsPage(ctx, most[tenant]/2, 50)
					return err
				}},
				{"items by state", false, func(ctx context.Context, tenant string) error {
					_, _, err := archive(tenant).BrowseItems(ctx, ItemFilter{States: []ItemState{ItemFailed}}, 0, 50)
					return err
				}},
				{"ranges to copy", false, func(ctx context.Context, tenant string) error {
					_, err := archive(tenant).NextRanges(ctx, PhaseCopy, 0, RangeLimits{Items: 20, Most: 8})
					return err
				}},
				{"ranges to verify", false, func(ctx context.Context, tenant string) error {
					_, err := archive(tenant).NextRanges(ctx, PhaseVerify, most[tenant]/2, RangeLimits{Items: 20, Most: 8})
					return err
				}},
				{"comments to read", false, func(ctx context.Context, tenant string) error {
					_, _, err := archive(tenant).NextPass(ctx, PassCounted, 0, 0, RangeLimits{Items: 20, Most: 8})
					return err
				}},
				{"one item", false, func(ctx context.Context, tenant string) error {
					_, err := archive(tenant).UpdateItem(ctx, "i777", func(i *Item) { i.BytesDone++ })
					return err
				}},
				{"items by text", true, func(ctx context.Context, tenant string) error {
					_, _, err := archive(tenant).BrowseItems(ctx, ItemFilter{Text: "nothing has this"}, 0, 50)
					return err
				}},
				{"progress", true, func(ctx context.Context, tenant string) error {
					_, err := archive(tenant).Progress(ctx)
					return err
				}},
				{"totals", true, func(ctx context.Context, tenant string) error {
					_, err := archive(tenant).Totals(ctx)
					return err
				}},
				{"all items", true, func(ctx context.Context, tenant string) error {
					for _, err := range archive(tenant).AllItems(ctx) {
						if err != nil {
							return err
						}
					}
					return nil
				}},
				{"numbering", true, func(ctx context.Context, tenant string) error { return archive(tenant).FinishScan(ctx, 1) }},
			} {
				took := map[string]time.Duration{}
				for tenant := range most {
					if !op.each {
						took[tenant] = median(b, op.run, tenant)
						continue
					}
					begin := time.Now()
					require.NoError(b, op.run(b.Context(), tenant), op.name)
					took[tenant] = time.Since(begin)
				}
				ratio, what := float64(took["many"])/float64(took["few"]), ""
				if op.each {
					ratio, what = ratio*fewItems/manyItems, " for an item"
				}
				b.Logf("%-8s %-16s %12v of 10,000 items, %12v of 1,000,000: × %.2f%s", kind.name, op.name, took["few"].Round(time.Microsecond), took["many"].Round(time.Microsecond), ratio, what)
				b.ReportMetric(ratio, strings.ReplaceAll(op.name, " ", "-")+"-ratio")
			}
		})
	}
}
