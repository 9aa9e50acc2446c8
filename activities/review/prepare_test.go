package review

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// A click on what another review shows is handed over once, however many attempts there are. If the other review can no longer
// send it, it becomes this one's own.
func TestARetriedClickIsHandedOverOnce(t *testing.T) {
	asset := func(id string) string { return fmt.Sprintf(`{"id":%q,"title":%q,"versions":[{"id":"v"}]}`, id, id) }
	r := testReview(t, &folder{}, map[string]string{"/API/assets/v1/assets/a1/": asset("a1")})
	now := time.Now().UTC()
	_, _, err := r.steps.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: "T", ID: "R1", Click: "R1", Status: ledger.ReviewOpen, CreatedAt: now.Add(-time.Hour), ExpiresAt: now.Add(time.Hour)}, time.Second)
	require.NoError(t, err)
	_, err = r.tenant.Ledger.Review("R1").AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: "a1", State: ledger.AssetReady}}
	})
	require.NoError(t, err)
	r.row.ClickedAssets, r.row.Reviewers = []string{"a1"}, []string{"rita@client.example"}
	for range 2 {
		handed, err := r.chooseAssets(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"R1"}, handed)
		_, err = r.tenant.Ledger.Review("R1").UpdateAsset(t.Context(), 2, func(row *ledger.ReviewAsset) { row.State = ledger.AssetReady }) // sent in between
		require.NoError(t, err)
	}
	rows, err := r.tenant.Ledger.Review("R1").Assets(t.Context())
	require.NoError(t, err)
	assert.Len(t, rows, 2)
	other, err := r.tenant.Ledger.Review("R1").Update(t.Context(), func(row *ledger.Review) { row.EndedAt = now })
	require.NoError(t, err)
	assert.Equal(t, []string{"rita@client.example"}, other.Reviewers)

	r.ref.Review = "R2"
	r.row.ID = "R2"
	_, _, err = r.steps.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: "T", ID: "R2", Click: "R2", CreatedAt: now}, time.Second)
	require.NoError(t, err)
	handed, err := r.chooseAssets(t.Context())
	require.NoError(t, err)
	assert.Empty(t, handed)
	rows, err = r.assets(t.Context())
	require.NoError(t, err)
	assert.Len(t, rows, 1)
}

// What a collection still lists but no longer exists is left out and noted. What was clicked itself is refused.
func TestACollectionsDeletedAssetsAreLeftOut(t *testing.T) {
	answers := map[string]string{
		"/API/assets/v1/collections/C/contents/":  `{"objects":[{"id":"a1","object_type":"assets"},{"id":"a2","object_type":"assets"},{"id":"a3","object_type":"assets"},{"id":"a4","object_type":"assets"},{"id":"a5","object_type":"assets"},{"id":"C2","object_type":"collections"}],"page":1,"pages":1}`,
		"/API/assets/v1/collections/C2/contents/": forbidden,
		"/API/assets/v1/assets/a5/":               forbidden,
		"/API/assets/v1/assets/a1/":               `{"id":"a1","title":"One","status":"ACTIVE","versions":[{"id":"v"}]}`,
		"/API/assets/v1/assets/a2/":               `{"id":"a2","title":"Two","status":"DELETED","versions":[{"id":"v"}]}`,
		"/API/assets/v1/assets/a4/":               `{"id":"a4","title":"Four","versions":[]}`,
	}
	r := testReview(t, &folder{}, answers)
	r.row.ClickedCollections = []string{"C"}
	_, err := r.chooseAssets(t.Context())
	require.NoError(t, err)
	rows, err := r.assets(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, "a1", rows[0].AssetID)
	assert.Equal(t, []string{"Skipped in the collection: Framebridge may not read collection C2 in iconik: its user needs access to it.", `Skipped in the collection: Asset "Two" is deleted in iconik.`, `Skipped in the collection: Asset a3 is no longer in iconik.`,
		`Skipped in the collection: Asset "Four" has no version to send.`, "Skipped in the collection: Framebridge may not read asset a5 in iconik: its user needs access to it."}, r.row.Notes)

	for id, says := range map[string]string{"a2": `Asset "Two" is deleted`, "a3": "Asset a3 is no longer in iconik", "a4": "no version to send", "a5": "may not read asset a5"} {
		r := testReview(t, &folder{}, answers)
		r.row.ClickedAssets, r.row.ClickedCollections = []string{id}, []string{"C"}
		_, err := r.chooseAssets(t.Context())
		assert.ErrorContains(t, err, says)
	}
	r = testReview(t, &folder{}, answers)
	r.row.ClickedCollections = []string{"C", "C2"}
	_, err = r.chooseAssets(t.Context())
	require.ErrorContains(t, err, "collection C2", "it was clicked itself")
	answers["/API/assets/v1/collections/C/contents/"] = `{"objects":[{"id":"a2","object_type":"assets"}],"page":1,"pages":1}`
	r = testReview(t, &folder{}, answers)
	r.row.ClickedCollections = []string{"C"}
	_, err = r.chooseAssets(t.Context())
	assert.ErrorContains(t, err, "no asset that can be sent")
}

// iconik may answer the first page of an empty collection with a 404.
func TestAnEmptyCollectionHasNoAssets(t *testing.T) {
	asset := `{"id":"a1","title":"a1","versions":[{"id":"v"}]}`
	r := testReview(t, &folder{}, map[string]string{"/API/assets/v1/assets/a1/": asset})
	r.row.ClickedCollections = []string{"empty"}
	_, err := r.chooseAssets(t.Context())
	require.ErrorContains(t, err, "The selection contains no assets.")
	r.row.ClickedAssets = []string{"a1"}
	_, err = r.chooseAssets(t.Context())
	require.NoError(t, err)
}

// If Frame.io's asset lifecycle is shorter than the review, there is a warning before anything is sent.
func TestAShortAssetLifecycleIsWarnedOf(t *testing.T) {
	for name, tt := range map[string]struct {
		keeps, lasts time.Duration
		warned       bool
	}{
		"shorter than the review": {keeps: 24 * time.Hour, lasts: 72 * time.Hour, warned: true},
		"longer":                  {keeps: 72 * time.Hour, lasts: 24 * time.Hour},
		"not configured":          {lasts: 72 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			r := testReview(t, &folder{}, nil)
			r.cfg.Review.AssetLifecycle = tt.keeps
			r.row.ExpiresAt = time.Now().Add(tt.lasts)
			require.NoError(t, r.warnOfLifecycle(t.Context()))
			if !tt.warned {
				assert.Empty(t, r.row.Notes)
				return
			}
			require.Len(t, r.row.Notes, 1)
			assert.Contains(t, r.row.Notes[0], "asset lifecycle deletes what is sent now on "+time.Now().Add(tt.keeps).UTC().Format("2006-01-02"))
		})
	}
}
