package activities

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// Jobs name the asset and not its version: a request for the second version's keyframes that was not carried out must
// not be taken for done because the first version's job is there.
func TestKeyframesOfAnotherVersionAreNotTakenForThisOnes(t *testing.T) {
	at := func(minute int) string {
		return time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC).Format(time.RFC3339Nano)
	}
	for name, tt := range map[string]struct {
		jobs []map[string]any
		want string
	}{
		"known as another's":    {[]map[string]any{{"id": "J1", "type": "KEYFRAMES", "date_created": at(9)}}, ""},
		"older than the file":   {[]map[string]any{{"id": "J0", "type": "TRANSCODE", "date_created": at(1)}}, ""},
		"of another kind":       {[]map[string]any{{"id": "J2", "type": "TRANSFER", "date_created": at(9)}}, ""},
		"the one":               {[]map[string]any{{"id": "J1", "type": "KEYFRAMES", "date_created": at(9)}, {"id": "J2", "type": "KEYFRAMES", "date_created": at(9)}}, "J2"},
		"the one, with no date": {[]map[string]any{{"id": "J1", "type": "KEYFRAMES"}, {"id": "J2", "type": "KEYFRAMES"}}, "J2"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /API/jobs/v1/jobs/", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]any{"objects": tt.jobs, "page": 1, "pages": 1})
			})
			mux.HandleFunc("GET /API/files/v1/assets/A/files/F2/", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]any{"id": "F2", "date_created": at(5)})
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			client, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
			require.NoError(t, err)
			book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
			require.NoError(t, err)
			defer book.Close()
			_, _, err = book.Intend(t.Context(), "T", ledger.Link{Kind: ledger.LinkKeyframes, SourceID: "F1", Archive: "P", IntendedAt: time.Now()})
			require.NoError(t, err)
			require.NoError(t, book.Made(t.Context(), "T", ledger.LinkKeyframes, "F1", "J1", ""))
			arc := &archive{tenant: &tenant{Activities: &Activities{Ledger: book}, iconik: client}, ref: workflows.Ref{Tenant: "T", Archive: "P"}}
			got, err := arc.keyframesJob(t.Context(), ledger.Item{AssetID: "A", FileID: "F2"})
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

// iconik writes metadata to an asset's current version only: an older version that is copied late must not describe it.
func TestALateVersionLeavesTheCurrentOnesFields(t *testing.T) {
	for name, late := range map[string]func(b *bench, body []byte){
		"copied": func(b *bench, body []byte) { b.copies(t, "F1", body) },
		"skipped": func(b *bench, _ []byte) {
			b.cfg.Archive.MissingOriginal = "skip"
			_, err := b.updateItem(t.Context(), b.item(t, "F1"), func(i *ledger.Item) { i.State, i.Original = ledger.Pending, "watermarked" })
			require.NoError(t, err)
			require.Equal(t, workflows.DoNothing, b.open(t, "F1"))
			require.Equal(t, ledger.Skipped, b.item(t, "F1").State)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{})
			body := []byte("bytes")
			b.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
			require.Equal(t, workflows.DoTransfer, b.open(t, "F1")) // its bytes do not come
			b.copies(t, "F2", body)
			late(b, body)
			first, second := b.item(t, "F1"), b.item(t, "F2")
			require.NotEqual(t, first.VersionID, second.VersionID)
			require.Equal(t, "F2", b.versionValues(t, second.AssetID, second.VersionID)["framebridge_source_id"])
			require.Empty(t, b.versionValues(t, first.AssetID, first.VersionID))
			require.False(t, needsCopy(first))
		})
	}
}

// Copied in order, each version has its own fields, and nobody is asked which one is current.
func TestVersionsInOrderHaveTheirFields(t *testing.T) {
	b := newBench(t, benchOptions{})
	body := []byte("bytes")
	b.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
	for _, id := range []string{"F1", "F2"} {
		b.copies(t, id, body)
	}
	for _, id := range []string{"F1", "F2"} {
		it := b.item(t, id)
		require.Equal(t, id, b.versionValues(t, it.AssetID, it.VersionID)["framebridge_source_id"])
	}
	require.Zero(t, b.sim.Calls()["GET assets/v1/assets/{id}"], b.sim.Calls())
}

// A version that is current in iconik and none of Frame.io's any more keeps what describes it.
func TestARefreshLeavesANewerVersionsFields(t *testing.T) {
	b := newBench(t, benchOptions{})
	body := []byte("bytes")
	b.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
	b.copies(t, "F1", body)
	b.copies(t, "F2", body)
	now := file("F1", "edit.mov", body)
	now.Description = "the one that stays"
	b.sees(t, stack, now) // the second was deleted
	require.Equal(t, workflows.DoNothing, b.open(t, "F1"))
	require.False(t, needsCopy(b.item(t, "F1")))
	require.Equal(t, "F2", b.sim.Values("assets", b.item(t, "F1").AssetID)["framebridge_source_id"])
}

// Whatever the policy, nothing is waited for that cannot come back.
func TestWhatBecomesOfAMissingOriginal(t *testing.T) {
	missing := ledger.Item{Size: 1, Original: "missing", HasProxy: true}
	waited := missing
	waited.MissingSince = time.Now().Add(-25 * time.Hour)
	recent := missing
	recent.MissingSince = time.Now().Add(-23 * time.Hour)
	for _, tt := range []struct {
		policy string
		it     ledger.Item
		do     string
		why    string
	}{
		{"wait", missing, "wait", "waited for a day"},
		{"wait", recent, "wait", "waited for a day"},
		{"wait", waited, "skip", "none within a day"},
		{"proxy", missing, "copy", "the proxy is stored"},
		{"fail", missing, "fail", "although the project is not archived"},
	} {
		tn := &tenant{cfg: &config.Tenant{Archive: config.Archive{MissingOriginal: tt.policy, MaxFileSize: 1 << 40}}}
		v := tn.decide(tt.it)
		require.Equal(t, tt.do, v.do, tt.policy)
		require.Contains(t, v.why, tt.why, tt.policy)
	}
	it := ledger.Item{Original: "archived"}
	noteOriginal(&it, "missing")
	require.WithinDuration(t, time.Now(), it.MissingSince, time.Minute)
	since := it.MissingSince.Add(-time.Hour)
	it.MissingSince = since
	noteOriginal(&it, "missing")
	require.Equal(t, since, it.MissingSince, "since it was missing first")
	noteOriginal(&it, "archived")
	require.True(t, it.MissingSince.IsZero())
}

// iconik leaves alone what is not named: what was taken away in Frame.io is taken away in iconik by name.
func TestWhatIsClearedInFrameioIsClearedInIconik(t *testing.T) {
	b := newBench(t, benchOptions{})
	body, rating := []byte("bytes"), 4.5
	f := file("F", "clip.mov", body)
	f.Description, f.Rating, f.Properties = "too dark", &rating, map[string]any{"shot": "12"}
	b.sees(t, f)
	b.copies(t, "F", body)
	asset := b.item(t, "F").AssetID
	require.Equal(t, "4.5", b.sim.Values("assets", asset)["framebridge_rating"])

	f.Description, f.Rating, f.Properties, f.Label = "", nil, nil, "approved"
	b.sees(t, f)
	require.Equal(t, workflows.DoNothing, b.open(t, "F"))
	values := b.sim.Values("assets", asset)
	for _, gone := range []string{"framebridge_description", "framebridge_rating", "framebridge_properties"} {
		require.NotContains(t, values, gone)
	}
	require.Equal(t, []string{"approved", "original"}, []string{values["framebridge_status"], values["framebridge_rendition"]})
	require.NotEmpty(t, values["framebridge_checksum"])

	writes := b.sim.Calls()
	b.sees(t, f)
	require.Equal(t, workflows.DoNothing, b.open(t, "F"))
	require.Equal(t, writes, b.sim.Calls(), "nothing is left to do")
}

// An attempt that was given up for dead ends after all: what it has moved is not what the file holds that was opened since.
func TestALateAttemptSaysNothingOfAnotherUpload(t *testing.T) {
	b := newBench(t, benchOptions{})
	body := []byte("bytes")
	b.sees(t, file("F", "clip.mov", body))
	require.Equal(t, workflows.DoTransfer, b.open(t, "F"))
	dead := b.item(t, "F")
	opened, err := b.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: b.ref, SourceID: "F", NewUpload: true})
	require.NoError(t, err)
	require.Equal(t, workflows.DoTransfer, opened.Do)
	require.Error(t, b.moved(t.Context(), dead, transfer.Result{Bytes: 5, XXH64: "0123456789abcdef"}))
	now := b.item(t, "F")
	require.NotEqual(t, dead.FileID, now.FileID)
	require.Empty(t, now.Checksum)
	require.NoError(t, b.moved(t.Context(), now, transfer.Result{Bytes: 5, XXH64: "0123456789abcdef"}))
	require.NotEmpty(t, b.item(t, "F").Checksum)
}
