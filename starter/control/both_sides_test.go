package control

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// Comments are paired as the ledger links them. What iconik had before the review is not shown.
func TestCommentsOfBothSidesInPairs(t *testing.T) {
	begun := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return begun.Add(time.Duration(minutes) * time.Minute) }
	theirs := []frameio.Comment{
		{ID: "f1", Text: "Too dark", Author: frameio.Person{Name: "Rita"}, CreatedAt: at(1)}, {ID: "f2", Text: "Better now", CreatedAt: at(3)},
		{ID: "f3", Text: "new there", CreatedAt: at(5)}, {ID: "f1", Text: "Too dark", CreatedAt: at(1)},
	}
	ours := []iconik.Segment{
		{ID: "i1", Text: "Rita <rita@client.example> (Frame.io guest): Too  dark", Created: iconik.Time{Time: at(2)}},
		{ID: "i2", Text: "Worse now", FirstName: "Ed", LastName: "Editor", Created: iconik.Time{Time: at(2)}},
		{ID: "i3", Text: "new here", Created: iconik.Time{Time: at(4)}}, {ID: "i4", Text: "of the house", Created: iconik.Time{Time: at(-60)}}, {ID: "i5", Text: "known to be older", Created: iconik.Time{Time: at(1)}},
	}
	known := []ledger.ReviewComment{{N: 1, FrameioID: "f1", IconikID: "i1"}, {N: 1, FrameioID: "f2", IconikID: "i2"}, {N: 1, IconikID: "i5", Older: true}, {N: 2, FrameioID: "f3", IconikID: "i3"}}
	got := pairs(ledger.Review{CreatedAt: begun}, 1, theirs, ours, known)
	require.Len(t, got, 4)
	assert.Equal(t, []string{"f1", "f2", "", "f3"}, []string{got[0].Frameio.ID, got[1].Frameio.ID, got[2].Frameio.ID, got[3].Frameio.ID})
	assert.Equal(t, []string{"i1", "i2", "i3", ""}, []string{got[0].Iconik.ID, got[1].Iconik.ID, got[2].Iconik.ID, got[3].Iconik.ID})
	assert.Equal(t, []bool{false, true, false, false}, []bool{got[0].Differ, got[1].Differ, got[2].Differ, got[3].Differ}, "what Framebridge puts around a text is no difference")
	assert.Equal(t, "Ed Editor", got[1].Iconik.Who)
}

type oneFile struct{ frameio.Platform }

func (oneFile) Asset(_ context.Context, id string) (frameio.Asset, error) {
	return frameio.Asset{ID: id, Kind: frameio.KindFile}, nil
}

func (oneFile) Comments(ctx context.Context, _, _ string) (frameio.Page[frameio.Comment], error) {
	if !frameio.IsGlance(ctx) {
		return frameio.Page[frameio.Comment]{}, errors.New("who waits for a page does not wait for a call for each reply")
	}
	return frameio.Page[frameio.Comment]{Items: []frameio.Comment{{ID: "1", Text: "first"}}}, nil
}

// iconik responds to the first page of no comments with a 404, as it does if the asset is gone.
func TestAnAssetWithoutCommentsHasNoProblem(t *testing.T) {
	for name, problem := range map[string]string{"there": "", "gone": "comments in iconik"} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if name == "gone" || strings.Contains(r.URL.Path, "/segments/") {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				_, _ = io.WriteString(w, `{"id":"A","title":"Take"}`)
			}))
			defer server.Close()
			media, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
			require.NoError(t, err)
			sides, err := readSides(t.Context(), oneFile{}, media, ledger.Review{}, ledger.ReviewAsset{N: 1, AssetID: "A", VersionID: "V", FileID: "F"}, nil)
			if problem != "" {
				require.ErrorContains(t, err, problem)
				return
			}
			require.NoError(t, err)
			require.Len(t, sides.Pairs, 1)
		})
	}
}
