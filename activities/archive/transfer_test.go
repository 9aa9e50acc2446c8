package archive

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// An attempt that was presumed dead ends after all: the bytes it moved are not those of the file that has been opened since.
func TestALateAttemptSaysNothingOfAnotherUpload(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	body := []byte("bytes")
	h.sees(t, file("F", "clip.mov", body))
	require.Equal(t, workflows.DoTransfer, h.open(t, "F"))
	dead := h.item(t, "F")
	opened, err := h.steps.OpenVersion(t.Context(), workflows.OpenVersionInput{Ref: h.ref, SourceID: "F", NewUpload: true})
	require.NoError(t, err)
	require.Equal(t, workflows.DoTransfer, opened.Do)
	require.Error(t, h.recordTransfer(t.Context(), dead, transfer.Result{Bytes: 5, XXH64: "0123456789abcdef"}))
	now := h.item(t, "F")
	require.NotEqual(t, dead.FileID, now.FileID)
	require.Empty(t, now.Checksum)
	require.NoError(t, h.recordTransfer(t.Context(), now, transfer.Result{Bytes: 5, XXH64: "0123456789abcdef"}))
	require.NotEmpty(t, h.item(t, "F").Checksum)
}
