package archive

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
)

// A storage may be configured to keep names as they are: versions and neighbors with the same name must not overwrite each other.
func TestFilesOfOneNameHaveAPlaceEach(t *testing.T) {
	h := newHarness(t, harnessOptions{settings: map[string]any{"add_uuid_to_filenames": false}})
	first, second := []byte("first"), []byte("second, longer")
	h.sees(t, frameio.Asset{ID: "S", Name: "edit.mov", Kind: frameio.KindStack}, file("F1", "edit.mov", first), file("F2", "edit.mov", second))
	h.copies(t, "F1", first)
	h.copies(t, "F2", second)
	for id, body := range map[string][]byte{"F1": first, "F2": second} {
		problem, _, err := h.fileProblem(t.Context(), h.item(t, id))
		require.NoError(t, err)
		require.Empty(t, problem, "%s holds %d bytes", id, len(body))
	}
	require.Len(t, h.objs.Keys("originals"), 2)
	for _, key := range h.objs.Keys("originals") {
		require.Regexp(t, `^Frame\.io/Team/Project/[0-9a-f-]{36}/edit\.mov$`, key)
	}
}
