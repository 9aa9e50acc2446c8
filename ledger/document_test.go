package ledger

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/mapping"
)

// newest adds to every document of a table members that this version does not know, one of them nested.
func newest(t *testing.T, l *Ledger, tenant, table, nested string) {
	t.Helper()
	type doc struct {
		data document
	}
	all, err := collect(t.Context(), l.reads(), func(r scanner) (d doc, err error) {
		err = r.Scan(&d.data)
		return d, err
	}, "SELECT data FROM "+table+" WHERE tenant = ?", tenant)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, d := range all {
		changed := `{"Later":{"a":[1,"two"]},` + string(d.data[1:])
		if nested != "" {
			require.Contains(t, changed, `"`+nested+`":{`)
			changed = strings.Replace(changed, `"`+nested+`":{`, `"`+nested+`":{"later":"x",`, 1)
		}
		n, err := l.exec(t.Context(), "UPDATE "+table+" SET data = ? WHERE tenant = ? AND data = ?", document(changed), tenant, d.data)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	}
}

func stillThere(t *testing.T, l *Ledger, tenant, table, nested, after string) {
	t.Helper()
	all, err := collect(t.Context(), l.reads(), scanText[document], "SELECT data FROM "+table+" WHERE tenant = ?", tenant)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, data := range all {
		var got map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(data), &got))
		assert.JSONEq(t, `{"a":[1,"two"]}`, string(got["Later"]), after)
		if nested != "" {
			var in map[string]any
			require.NoError(t, json.Unmarshal(got[nested], &in))
			assert.Equal(t, "x", in["later"], after)
		}
	}
}

// While a new release starts, the previous one still runs. It keeps what it does not know in a row.
func TestAnOlderVersionKeepsWhatANewerOneWrote(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		seen := Item{SourceID: "x", AssetKey: "x", Version: 1, Versions: 1, Path: "x.mov", FolderID: "f", State: ItemFailed}
		fill(t, l, tenant, []Item{seen})
		now := time.Now().UTC()
		_, _, err := l.RequestReview(ctx, Review{Tenant: tenant, ID: "r", Click: "c", RequestedBy: Person{ID: "u"}, Status: ReviewOpen, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, time.Second)
		require.NoError(t, err)
		_, err = l.Tenant(tenant).Review("r").AddAssets(ctx, func([]ReviewAsset) []ReviewAsset { return []ReviewAsset{{AssetID: "a", State: AssetPending}} })
		require.NoError(t, err)
		require.NoError(t, l.Tenant(tenant).PutReviewComments(ctx, ReviewComment{Review: "r", ID: "c", N: 1, Text: "old"}))
		newest(t, l, tenant, "archives", "")
		newest(t, l, tenant, "items", "")
		newest(t, l, tenant, "reviews", "RequestedBy")
		newest(t, l, tenant, "review_assets", "")
		newest(t, l, tenant, "review_comments", "Frameio")

		archive := func(after string, err error) {
			require.NoError(t, err, after)
			stillThere(t, l, tenant, "archives", "", after)
		}
		_, err = l.Tenant(tenant).Archive(project).Update(ctx, func(a *Archive) { a.Name = "n" })
		archive("UpdateArchive", err)
		_, _, err = l.Tenant(tenant).Archive(project).Request(ctx, "kim@example.com", now)
		archive("RequestArchive, joined", err)
		_, err = l.Tenant(tenant).Archive(project).Update(ctx, func(a *Archive) { a.Status = Incomplete })
		require.NoError(t, err)
		_, _, err = l.Tenant(tenant).Archive(project).Request(ctx, "", now)
		archive("RequestArchive, again", err)
		archive("SetQueuePositions", l.Tenant(tenant).SetQueuePositions(ctx, []string{project}))

		item := func(after string, err error) {
			require.NoError(t, err, after)
			stillThere(t, l, tenant, "items", "", after)
		}
		_, err = l.Tenant(tenant).Archive(project).UpdateItem(ctx, "x", func(i *Item) { i.Note, i.State = "n", ItemFailed })
		item("UpdateItem", err)
		item("ResetFailed", l.Tenant(tenant).Archive(project).ResetFailed(ctx, Range{From: 1, To: 1 << 40}))
		item("FolderGone", l.Tenant(tenant).Archive(project).FolderGone(ctx, "f"))
		fill(t, l, tenant, []Item{seen})
		item("a scan", nil)
		scan, err := l.Tenant(tenant).Archive(project).BeginScan(ctx)
		require.NoError(t, err)
		require.NoError(t, l.Tenant(tenant).Archive(project).PutFolders(ctx, []Folder{{SourceID: "root", Scan: scan}}))
		again := seen
		again.SourceID, again.AssetKey, again.Scan = "y", "y", scan
		require.NoError(t, l.Tenant(tenant).Archive(project).PageListed(ctx, "root", scan, "", nil, []Item{again}, true))
		matched, err := l.Tenant(tenant).Archive(project).MatchMigrated(ctx, scan)
		require.NoError(t, err)
		require.Equal(t, 1, matched.Items)
		require.NoError(t, l.Tenant(tenant).Archive(project).FinishScan(ctx, scan))
		item("MatchMigrated", nil)

		_, err = l.Tenant(tenant).Review("r").Update(ctx, func(r *Review) { r.RequestedBy = Person{Name: "Sam"} })
		require.NoError(t, err)
		stillThere(t, l, tenant, "reviews", "RequestedBy", "UpdateReview")
		_, err = l.Tenant(tenant).Review("r").UpdateAsset(ctx, 1, func(a *ReviewAsset) { a.Label = "x" })
		require.NoError(t, err)
		stillThere(t, l, tenant, "review_assets", "", "UpdateReviewAsset")
		taken, err := l.Tenant(tenant).Review("r").HandOver(ctx, "click 2", ReviewAsset{AssetID: "a", State: AssetPending}, now)
		require.NoError(t, err)
		require.True(t, taken)
		stillThere(t, l, tenant, "review_assets", "", "HandOver")
		// Even if the caller has built the comment from scratch.
		require.NoError(t, l.Tenant(tenant).PutReviewComments(ctx, ReviewComment{Review: "r", ID: "c", N: 1, Text: "new", Frameio: mapping.State{Text: "new"}}))
		stillThere(t, l, tenant, "review_comments", "Frameio", "PutReviewComments")
		comments, err := l.Tenant(tenant).Review("r").Comments(ctx, 0)
		require.NoError(t, err)
		assert.Equal(t, "new", comments[0].Frameio.Text)

		end := func(id string) {
			_, err := l.Tenant(tenant).Archive(id).Update(ctx, func(a *Archive) { a.Status = Incomplete })
			require.NoError(t, err)
		}
		end(project)
		_, _, err = l.Tenant(tenant).Archive("other").Request(ctx, "", now)
		require.NoError(t, err)
		_, err = l.exec(ctx, "UPDATE archives SET data = ? WHERE tenant = ? AND id = 'other'", document(`{"Later":{"a":[1,"two"]},"ID":"other","Status":"running"}`), tenant)
		require.NoError(t, err)
		archive("AdoptArchive", l.Tenant(tenant).AdoptArchive(ctx, project, "other"))
		stillThere(t, l, tenant, "items", "", "AdoptArchive")
	})
}

func TestADamagedRowIsTold(t *testing.T) {
	_, err := decode[Archive](`{"ID":7}`)
	assert.ErrorContains(t, err, "damaged")
}
