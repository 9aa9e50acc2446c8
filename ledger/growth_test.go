package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// grow gives a tenant ended archives with the same number of items each, and reviews, created in SQL.
func grow(t testing.TB, l *Ledger, tenant string, archives, itemsEach int) {
	t.Helper()
	pad := strings.Repeat("x", 1200) // about the size of a document
	numbers := "WITH RECURSIVE numbers(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < %d) "
	for _, step := range []struct {
		query string
		n     int
		args  []any
	}{
		{`INSERT INTO archives (tenant, id, queued_at, data) SELECT CAST(? AS TEXT), 'a' || i, i * 1000000, '{"ID":"a' || i || '","Status":"verified","Reason":"` + pad + `"}' FROM numbers`, archives, []any{tenant}},
		{`INSERT INTO reviews (tenant, id, created_at, status, click, data) SELECT CAST(? AS TEXT), 'r' || i, i * 1000000, 'deleted', 'c' || i, '{"ID":"r' || i || '","Status":"deleted","Reason":"` + pad + `"}' FROM numbers`, archives, []any{tenant}},
		{`INSERT INTO review_assets (tenant, review, n, asset_id, file_id, data) SELECT CAST(? AS TEXT), 'r' || i, 1, 's' || i, 'f' || i, '{"Reason":"` + pad + `"}' FROM numbers`, archives, []any{tenant}},
		{`INSERT INTO review_comments (tenant, review, id, n, frameio_id, iconik_id, data) SELECT CAST(? AS TEXT), 'r' || i, 'c' || i, 1, 'fc' || i, 'ic' || i, '{"Text":"` + pad + `"}' FROM numbers`, archives, []any{tenant}},
		{`INSERT INTO deliveries (tenant, delivery, seen_at) SELECT CAST(? AS TEXT), 'd' || i, 4000000000000000 + i FROM numbers`, archives, []any{tenant}},
		{`INSERT INTO items (tenant, archive, source_id, seq, asset_key, version, versions, path, media_type, size, state, rendition, asset_id, dirty, bytes_done, comment_count, comments_done, scan, data)
			SELECT CAST(? AS TEXT), 'a' || ((i - 1) / ` + fmt.Sprint(itemsEach) + ` + 1), 'i' || i, (i - 1) % ` + fmt.Sprint(itemsEach) + ` + 1, 'k' || i, 1, 1, 'path ' || i, 'video/mp4', 1, 'verified', '', 'asset', 0, 1, 0, 0, 1,
			'{"SourceID":"i' || i || '","FolderID":"f' || ((i - 1) / 20) || '","Note":"` + pad + `"}' FROM numbers`, archives * itemsEach, []any{tenant}},
	} {
		_, err := l.exec(t.Context(), fmt.Sprintf(numbers, step.n)+step.query, step.args...)
		require.NoError(t, err)
	}
	if l.db.Postgres() {
		_, err := l.exec(t.Context(), "ANALYZE")
		require.NoError(t, err)
	}
}

// BenchmarkGrowth prints how long lists and webhooks take for a tenant with 100 archives, and for one with 10,000 and
// 1,000,000 items:
//
//	go test ./ledger -run '^$' -bench Growth -benchtime 1x
func BenchmarkGrowth(b *testing.B) {
	for name, dsn := range map[string]string{"sqlite": "sqlite:" + b.TempDir() + "/ledger.db", "postgres": postgresDSN} {
		if dsn == "" {
			continue
		}
		b.Run(name, func(b *testing.B) {
			l, err := Open(b.Context(), dsn)
			require.NoError(b, err)
			b.Cleanup(l.Close)
			grow(b, l, "small", 100, 100)
			grow(b, l, "large", 10_000, 100)
			type operation struct {
				name string
				run  func(ctx context.Context, tenant string) error
			}
			for _, op := range []operation{
				{"NextPosition", func(ctx context.Context, tenant string) error {
					_, err := l.Tenant(tenant).NextPosition(ctx, "new")
					return err
				}},
				{"FolderGone", func(ctx context.Context, tenant string) error {
					return l.Tenant(tenant).Archive("a50").FolderGone(ctx, "f245")
				}},
				{"project webhook", func(ctx context.Context, tenant string) error { return projectWebhook(ctx, l, tenant) }},
				{"comment webhook", func(ctx context.Context, tenant string) error { return commentWebhook(ctx, l, tenant) }},
				{"items page", func(ctx context.Context, tenant string) error {
					_, _, err := l.Tenant(tenant).Archive("a50").ItemsPage(ctx, 50, 50)
					return err
				}},
				{"archives page", func(ctx context.Context, tenant string) error {
					_, _, err := l.Tenant(tenant).Archives(ctx, "50000000~a50", 40)
					return err
				}},
				{"reviews page", func(ctx context.Context, tenant string) error {
					_, _, err := l.Tenant(tenant).Reviews(ctx, "50000000.r50", 40)
					return err
				}},
			} {
				small, large := median(b, op.run, "small"), median(b, op.run, "large")
				b.Logf("%-8s %-16s %10v at 100 archives %10v at 10,000: × %.2f", name, op.name, small, large, float64(large)/float64(small))
				b.ReportMetric(float64(large)/float64(small), strings.ReplaceAll(op.name, " ", "-")+"-ratio")
			}
		})
	}
}

func projectWebhook(ctx context.Context, l *Ledger, tenant string) error {
	if _, err := l.Tenant(tenant).Delivered(ctx, "v0=x"); err != nil {
		return err
	}
	if _, _, err := l.Tenant(tenant).Archive("a50").Request(ctx, "", time.Now()); err != nil {
		return err
	}
	if _, err := l.Tenant(tenant).NextPosition(ctx, "a50"); err != nil {
		return err
	}
	_, err := l.Tenant(tenant).NoteDelivery(ctx, "v0=x", time.Now())
	return err
}

func commentWebhook(ctx context.Context, l *Ledger, tenant string) error {
	if _, _, err := l.Tenant(tenant).ReviewOfFile(ctx, "f50"); err != nil {
		return err
	}
	if _, _, _, err := l.Tenant(tenant).ReviewOfFrameioComment(ctx, "fc50"); err != nil {
		return err
	}
	if _, err := l.Tenant(tenant).ReviewsOfSegment(ctx, "ic50"); err != nil {
		return err
	}
	_, err := l.Tenant(tenant).ReviewsOfAsset(ctx, "s50")
	return err
}

func median(b *testing.B, run func(context.Context, string) error, tenant string) time.Duration {
	var took []time.Duration
	for range 41 {
		begin := time.Now()
		require.NoError(b, run(b.Context(), tenant))
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)/2]
}
