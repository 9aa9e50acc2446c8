package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlacements(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		_, _, err := h.Archive("p").Request(t.Context(), "test", time.Now())
		require.NoError(t, err)
		scan, err := h.Archive("p").BeginScan(t.Context())
		require.NoError(t, err)
		items := []Item{{SourceID: "f", AssetKey: "s", Version: 1, Versions: 2, Path: "a", Scan: scan}, {SourceID: "g", AssetKey: "s", Version: 2, Versions: 2, Path: "b", Scan: scan},
			{SourceID: "h", AssetKey: "h", Version: 1, Versions: 1, Path: "c", Scan: scan}}
		require.NoError(t, h.Archive("p").PageListed(t.Context(), "root", scan, "", nil, items, true))
		require.NoError(t, h.Archive("p").FinishScan(t.Context(), scan))
		made := time.UnixMicro(1_000_000).UTC()
		tie := func(kind LinkKind, source, target, parent string) {
			_, _, err := h.Intend(t.Context(), Link{Kind: kind, SourceID: source, Archive: "p", Parent: parent, IntendedAt: made})
			require.NoError(t, err)
			if target != "" {
				require.NoError(t, h.Complete(t.Context(), kind, source, target, ""))
			}
		}
		tie(LinkFile, "f", "A", "C")
		tie(LinkVersion, "f", "v", "A")
		tie(LinkVersion, "g", "", "A") // only intended
		_, err = h.Archive("p").UpdateItem(t.Context(), "f", func(i *Item) { i.AssetID = "A" })
		require.NoError(t, err)
		read := func() (out []Placement) {
			for p, err := range h.Archive("p").Placements(t.Context()) {
				require.NoError(t, err)
				p.seq = 0
				out = append(out, p)
			}
			return out
		}
		want := []Placement{{SourceID: "f", AssetKey: "s", AssetID: "A", MadeAt: made}, {SourceID: "g", AssetKey: "s"}, {SourceID: "h", AssetKey: "h"}}
		assert.Equal(t, want, read())

		taken, err := h.Archive("p").AssetTaken(t.Context(), "A", "s")
		require.NoError(t, err)
		assert.False(t, taken, "the file by itself is no more")
		require.NoError(t, h.Archive("p").TakeAsset(t.Context(), LinkStack, "s", "A", ""))
		want[0].Linked, want[1].Linked = "A", "A"
		assert.Equal(t, want, read())
		link, _, err := h.Link(t.Context(), LinkStack, "s")
		require.NoError(t, err)
		assert.Equal(t, "C", link.Parent)
		_, known, err := h.Link(t.Context(), LinkFile, "f")
		require.NoError(t, err)
		assert.False(t, known)
		taken, err = h.Archive("p").AssetTaken(t.Context(), "A", "h")
		require.NoError(t, err)
		assert.True(t, taken)
		holds, err := h.Archive("p").AssetHolds(t.Context(), "A")
		require.NoError(t, err)
		assert.True(t, holds)

		tie(LinkFolder, "gone", "K", "")
		gone, err := h.Archive("p").GoneFolders(t.Context())
		require.NoError(t, err)
		require.Len(t, gone, 1)
		assert.Equal(t, "K", gone[0].TargetID)
	})
}
