package archive

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// inTurn alternates between two pages under ever new cursors.
type inTurn struct {
	legacyAPI
	calls int
}

func (f *inTurn) Children(_ context.Context, _, cursor string) (frameio.Page[frameio.Asset], error) {
	f.calls++
	n, _ := strconv.Atoi(cursor)
	return frameio.Page[frameio.Asset]{Items: []frameio.Asset{file("F"+strconv.Itoa(n%2), "A.mov", nil)}, Next: strconv.Itoa(n + 1)}, nil
}

// A folder whose pages repeat is neither read forever nor taken as complete: the scan ends with the folder's name.
func TestAFolderThatRepeatsItself(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	source := &inTurn{}
	h.frameio = source
	scan, err := h.ledger.BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, h.ledger.PutFolders(t.Context(), []ledger.Folder{{SourceID: "root", Name: "Project", Path: "Project", Scan: scan}}))
	err = h.scanFolders(t.Context(), scan, ledger.CommentsUnknown)
	require.ErrorContains(t, err, `listing folder "Project": Frame.io: list a folder: the listing repeats the same page`)
	require.Equal(t, rest.Retryable, rest.ClassOf(err))
	require.Equal(t, 3, source.calls)
	next, err := h.ledger.NextFolder(t.Context(), scan)
	require.NoError(t, err)
	require.NotNil(t, next, "not listed")
}
