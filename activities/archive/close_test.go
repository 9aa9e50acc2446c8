package archive

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

// Jobs name the asset and not its version: a request for the second version's keyframes that was not carried out must not count
// as done because the first version's job exists.
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
			book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
			require.NoError(t, err)
			defer book.Close()
			_, _, err = book.Tenant("T").Intend(t.Context(), ledger.Link{Kind: ledger.LinkKeyframes, SourceID: "F1", Archive: "P", IntendedAt: time.Now()})
			require.NoError(t, err)
			require.NoError(t, book.Tenant("T").Complete(t.Context(), ledger.LinkKeyframes, "F1", "J1", ""))
			arc := &archive{ledger: book.Tenant("T").Archive("P"), tenant: &tenant.Tenant{Ledger: book.Tenant("T")}, iconik: client, ref: workflows.Ref{Tenant: "T", Archive: "P"}}
			got, err := arc.keyframesJob(t.Context(), ledger.Item{AssetID: "A", FileID: "F2"})
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

// iconik writes metadata only to an asset's current version: an older version that is copied late must not describe it.
func TestALateVersionLeavesTheCurrentOnesFields(t *testing.T) {
	for name, late := range map[string]func(h *harness, body []byte){
		"copied": func(h *harness, body []byte) { h.copies(t, "F1", body) },
		"skipped": func(h *harness, _ []byte) {
			h.cfg.Archive.MissingOriginal = "skip"
			_, err := h.updateItem(t.Context(), h.item(t, "F1"), func(i *ledger.Item) { i.State, i.Original = ledger.Pending, "watermarked" })
			require.NoError(t, err)
			require.Equal(t, workflows.DoNothing, h.open(t, "F1"))
			require.Equal(t, ledger.Skipped, h.item(t, "F1").State)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, harnessOptions{})
			body := []byte("bytes")
			h.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
			require.Equal(t, workflows.DoTransfer, h.open(t, "F1")) // its bytes do not arrive
			_, err := h.updateItem(t.Context(), h.item(t, "F1"), func(i *ledger.Item) { i.WrittenHash = "of a release that let the second go first" })
			require.NoError(t, err)
			h.copies(t, "F2", body)
			late(h, body)
			first, second := h.item(t, "F1"), h.item(t, "F2")
			require.NotEqual(t, first.VersionID, second.VersionID)
			require.Equal(t, "F2", h.sim.VersionValues(second.AssetID, second.VersionID)["framebridge_source_id"])
			require.Empty(t, h.sim.VersionValues(first.AssetID, first.VersionID))
			require.False(t, first.NeedsCopying())
		})
	}
}

// Copied in order, each version has its own fields, and iconik is not asked which one is current.
func TestVersionsInOrderHaveTheirFields(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	body := []byte("bytes")
	h.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
	for _, id := range []string{"F1", "F2"} {
		h.copies(t, id, body)
	}
	for _, id := range []string{"F1", "F2"} {
		it := h.item(t, id)
		require.Equal(t, id, h.sim.VersionValues(it.AssetID, it.VersionID)["framebridge_source_id"])
	}
	require.Zero(t, h.sim.Calls()["GET assets/v1/assets/{id}"], h.sim.Calls())
}

// A version that is current in iconik but no longer in Frame.io keeps what describes it.
func TestARefreshLeavesANewerVersionsFields(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	body := []byte("bytes")
	h.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
	h.copies(t, "F1", body)
	h.copies(t, "F2", body)
	now := file("F1", "edit.mov", body)
	now.Description = "the one that stays"
	h.sees(t, stack, now) // the second was deleted
	require.Equal(t, workflows.DoNothing, h.open(t, "F1"))
	require.False(t, h.item(t, "F1").NeedsCopying())
	require.Equal(t, "F2", h.sim.Values("assets", h.item(t, "F1").AssetID)["framebridge_source_id"])
}

// iconik leaves alone what is not named, so what was cleared in Frame.io is cleared in iconik by name.
func TestWhatIsClearedInFrameioIsClearedInIconik(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	body, rating := []byte("bytes"), 4.5
	f := file("F", "clip.mov", body)
	f.Description, f.Rating, f.Properties = "too dark", &rating, map[string]any{"shot": "12"}
	h.sees(t, f)
	h.copies(t, "F", body)
	asset := h.item(t, "F").AssetID
	require.Equal(t, "4.5", h.sim.Values("assets", asset)["framebridge_rating"])

	f.Description, f.Rating, f.Properties, f.Label = "", nil, nil, "approved"
	h.sees(t, f)
	require.Equal(t, workflows.DoNothing, h.open(t, "F"))
	values := h.sim.Values("assets", asset)
	for _, gone := range []string{"framebridge_description", "framebridge_rating", "framebridge_properties"} {
		require.NotContains(t, values, gone)
	}
	require.Equal(t, []string{"approved", "original"}, []string{values["framebridge_status"], values["framebridge_rendition"]})
	require.NotEmpty(t, values["framebridge_checksum"])

	writes := h.sim.Calls()
	h.sees(t, f)
	require.Equal(t, workflows.DoNothing, h.open(t, "F"))
	require.Equal(t, writes, h.sim.Calls(), "nothing is left to do")
}
