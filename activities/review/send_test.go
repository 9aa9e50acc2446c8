package review

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// If an original is on several storages, the copy that iconik can download is sent.
func TestAnOriginalThatCanBeDownloadedIsSent(t *testing.T) {
	const closed, archived, other = `{"id":"1","status":"CLOSED","format_id":"o","name":"far.mov","url":null}`, `{"id":"2","status":"ARCHIVED","format_id":"o","name":"old.mov","url":"https://x/2"}`, `{"id":"3","status":"CLOSED","format_id":"e","name":"edit.mov","url":"https://x/3"}`
	const near = `{"id":"4","status":"CLOSED","format_id":"o","name":"near.mov","size":7,"url":"https://x/4"}`
	const unheld = `{"id":"5","status":"CLOSED","format_id":"o","file_set_status":"DELETED","name":"unheld.mov","url":"https://x/5"}`
	const gone = `{"id":"6","status":"CLOSED","format_id":"d","name":"gone.mov","url":"https://x/6"}`
	for name, tt := range map[string]struct{ files, want, says string }{
		"behind one that gives none": {closed + "," + archived + "," + other + "," + near, "near.mov", ""},
		"before one that gives none": {near + "," + closed, "near.mov", ""},
		"none gives one":             {closed + "," + other, "", "archived, or on a storage"},
		"after a deleted file set":   {unheld + "," + near, "near.mov", ""},
		"after a deleted format":     {gone + "," + near, "near.mov", ""},
		"of a deleted format only":   {gone + "," + other, "", "has no original"},
		"none is there":              {archived + "," + other, "", "has no original"},
	} {
		t.Run(name, func(t *testing.T) {
			r := testReview(t, &folder{}, map[string]string{
				"/API/files/v1/assets/A/versions/V/formats/": `{"objects":[{"id":"o","name":"ORIGINAL"},{"id":"d","name":"ORIGINAL","status":"DELETED"},{"id":"e","name":"EDIT"}]}`,
				"/API/files/v1/assets/A/versions/V/files/":   `{"objects":[` + tt.files + `]}`,
			})
			f, err := r.originalFile(t.Context(), ledger.ReviewAsset{AssetID: "A", VersionID: "V", Title: "Take"})
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, f.name)
		})
	}
}
