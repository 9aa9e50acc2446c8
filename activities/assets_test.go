package activities

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

func (b *bench) versions(t *testing.T, asset string) []iconik.Version {
	t.Helper()
	got, err := b.iconik.Assets.Get(t.Context(), asset, false)
	require.NoError(t, err)
	return got.Versions
}

// iconik promises no order of an asset's versions, and the one that it makes with the asset is the first item's, whenever
// that is copied.
func TestANewVersionIsTheNewestWhateverTheOrder(t *testing.T) {
	for name, oldestFirst := range map[string]bool{"oldest first": true, "newest first": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, benchOptions{oldestFirst: oldestFirst})
			b.cfg.Archive.MissingOriginal = "fail"
			body := []byte("bytes")
			away := file("F1", "edit.mov", body)
			away.Original = frameio.OriginalWatermarked
			b.sees(t, stack, away, file("F2", "edit.mov", body), file("F3", "edit.mov", body))
			_, err := b.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: b.ref, SourceID: "F1"})
			require.Error(t, err)
			b.copies(t, "F2", body)
			_, err = b.iconik.Assets.CreateVersion(t.Context(), b.item(t, "F2").AssetID, iconik.VersionRequest{}) // somebody's own
			require.NoError(t, err)
			b.copies(t, "F3", body)
			b.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body), file("F3", "edit.mov", body))
			b.copies(t, "F1", body)

			number := map[string]int{}
			for _, v := range b.versions(t, b.item(t, "F1").AssetID) {
				number[v.ID] = *v.VersionNumber
			}
			require.Equal(t, []int{1, 2, 4}, []int{number[b.item(t, "F1").VersionID], number[b.item(t, "F2").VersionID], number[b.item(t, "F3").VersionID]})
		})
	}
}

// The verification promises that a lost version is made again, the first one, too.
func TestALostFirstVersionIsMadeAgain(t *testing.T) {
	b := newBench(t, benchOptions{})
	body := []byte("bytes")
	b.sees(t, stack, file("F1", "edit.mov", body), file("F2", "edit.mov", body))
	b.copies(t, "F1", body)
	b.copies(t, "F2", body)
	lost := b.item(t, "F1")
	b.frameio = noComments{}
	require.NoError(t, b.forget(t.Context(), lost, versionLost))
	// iconik still shows it, deleted.
	require.NoError(t, b.Ledger.Made(t.Context(), "T", ledger.LinkVersion, "deleted", lost.VersionID, ""))
	_, err := b.updateItem(t.Context(), lost, func(i *ledger.Item) { i.State = ledger.Pending })
	require.NoError(t, err)
	b.copies(t, "F1", body)
	require.Equal(t, b.sim.CurrentVersion(lost.AssetID), b.item(t, "F1").VersionID)
	require.Len(t, b.versions(t, lost.AssetID), 3)
}

type noComments struct{ frameio.Platform }

func (noComments) Comments(_ context.Context, _, _ string) (frameio.Page[frameio.Comment], error) {
	return frameio.Page[frameio.Comment]{}, nil
}

// What was kept as a placeholder is an asset like others once its original is there.
func TestAPlaceholderBecomesAnAssetWithItsOriginal(t *testing.T) {
	b := newBench(t, benchOptions{})
	body := []byte("bytes")
	away := file("F1", "clip.mov", body)
	away.Original = frameio.OriginalWatermarked
	b.sees(t, away)
	require.Equal(t, workflows.DoNothing, b.open(t, "F1"))
	kind := func() string {
		asset, err := b.iconik.Assets.Get(t.Context(), b.item(t, "F1").AssetID, false)
		require.NoError(t, err)
		return asset.Type
	}
	require.Equal(t, "PLACEHOLDER", kind())
	b.sees(t, file("F1", "clip.mov", body))
	b.copies(t, "F1", body)
	require.Equal(t, "ASSET", kind())
}
