package archive

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

var stack = frameio.Asset{ID: "S", Name: "edit.mov", Kind: frameio.KindStack}

func (h *harness) versions(t *testing.T, asset string) []iconik.Version {
	t.Helper()
	got, err := h.iconik.Assets.Get(t.Context(), asset, false)
	require.NoError(t, err)
	return got.Versions
}

// iconik does not guarantee the order of an asset's versions, and the version that it creates with the asset is the first
// item's, whenever that is copied.
func TestANewVersionIsTheNewestWhateverTheOrder(t *testing.T) {
	for name, oldestFirst := range map[string]bool{"oldest first": true, "newest first": false} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, harnessOptions{oldestFirst: oldestFirst})
			h.cfg.Archive.MissingOriginal = "fail"
			body := []byte("bytes")
			away := file("F1", "edit.mov", body)
			away.Original = frameio.OriginalWatermarked
			h.sees(t, stack, away, file("F2", "edit.mov", body), file("F3", "edit.mov", body))
			_, err := h.steps.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: h.ref, SourceID: "F1"})
			require.Error(t, err)
			h.copies(t, "F2", body)
			_, err = h.iconik.Assets.CreateVersion(t.Context(), h.item(t, "F2").AssetID, iconik.VersionRequest{}) // somebody's own
			require.NoError(t, err)
			h.copies(t, "F3", body)
			h.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body), file("F3", "edit.mov", body))
			h.copies(t, "F1", body)

			number := map[string]int{}
			for _, v := range h.versions(t, h.item(t, "F1").AssetID) {
				number[v.ID] = *v.VersionNumber
			}
			require.Equal(t, []int{1, 2, 4}, []int{number[h.item(t, "F1").VersionID], number[h.item(t, "F2").VersionID], number[h.item(t, "F3").VersionID]})
		})
	}
}

// Verification promises that a missing version is created again, including the first one.
func TestALostFirstVersionIsMadeAgain(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	body := []byte("bytes")
	h.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
	h.copies(t, "F1", body)
	h.copies(t, "F2", body)
	missing := h.item(t, "F1")
	h.tenant.Frameio = noComments{}
	h.frameio = h.tenant.Frameio
	require.NoError(t, h.forget(t.Context(), missing, versionMissing))
	// iconik still shows it, deleted.
	require.NoError(t, h.tenant.Ledger.Complete(t.Context(), ledger.LinkVersion, "deleted", missing.VersionID, ""))
	_, err := h.updateItem(t.Context(), missing, func(i *ledger.Item) { i.State = ledger.Pending })
	require.NoError(t, err)
	h.copies(t, "F1", body)
	require.Equal(t, h.sim.CurrentVersion(missing.AssetID), h.item(t, "F1").VersionID)
	require.Len(t, h.versions(t, missing.AssetID), 3)
}

// iconik deletes versions in the background: one that is being deleted proves nothing.
func TestAVersionThatIsBeingDeletedIsMissing(t *testing.T) {
	for status, want := range map[string]missingPart{"ACTIVE": nothingMissing, "DELETING": versionMissing, "DELETED": versionMissing} {
		t.Run(status, func(t *testing.T) {
			h := newHarness(t, harnessOptions{})
			body := []byte("bytes")
			h.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
			h.copies(t, "F1", body)
			h.copies(t, "F2", body)
			it := h.item(t, "F1")
			h.sim.ChangeDoc("assets", it.AssetID, func(d map[string]any) bool {
				for _, v := range d["versions"].([]map[string]any) {
					if v["id"] == it.VersionID {
						v["status"] = status
					}
				}
				return true
			})
			_, missing, err := h.assetProblem(t.Context(), it)
			require.NoError(t, err)
			require.Equal(t, want, missing)
		})
	}
}

type noComments struct{ legacyAPI }

func (noComments) Comments(_ context.Context, _, _ string) (frameio.Page[frameio.Comment], error) {
	return frameio.Page[frameio.Comment]{}, nil
}

// What was kept as a placeholder becomes a normal asset once its original is there.
func TestAPlaceholderBecomesAnAssetWithItsOriginal(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	body := []byte("bytes")
	away := file("F1", "clip.mov", body)
	away.Original = frameio.OriginalWatermarked
	h.sees(t, away)
	require.Equal(t, workflows.DoNothing, h.open(t, "F1"))
	kind := func() string {
		asset, err := h.iconik.Assets.Get(t.Context(), h.item(t, "F1").AssetID, false)
		require.NoError(t, err)
		return asset.Type
	}
	require.Equal(t, "PLACEHOLDER", kind())
	h.sees(t, file("F1", "clip.mov", body))
	h.copies(t, "F1", body)
	require.Equal(t, "ASSET", kind())
}
