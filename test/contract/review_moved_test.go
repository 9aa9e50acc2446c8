package contract

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// moving shows the comments of one file on another.
type moving struct {
	from, to string
	kept     map[string]map[string]any // by ID
}

func (m *moving) deviate(r *http.Request, status int, body map[string]any) (int, map[string]any) {
	rows, isList := body["data"].([]any)
	of := func(row any) string { return str(row.(map[string]any)["id"]) }
	switch {
	case m.to == "" && isList && strings.HasSuffix(r.URL.Path, "/files/"+m.from+"/comments"):
		for _, row := range rows {
			m.kept[of(row)] = row.(map[string]any)
		}
	case m.to != "" && isList && strings.HasSuffix(r.URL.Path, "/files/"+m.from+"/comments"):
		body["data"] = []any{}
	case m.to != "" && isList && strings.HasSuffix(r.URL.Path, "/files/"+m.to+"/comments"):
		for _, row := range m.kept {
			row["file_id"] = m.to
			rows = append(rows, row)
		}
		body["data"] = rows
	case m.to != "" && !isList && strings.Contains(r.URL.Path, "/comments/") && r.Method == http.MethodGet && status == http.StatusOK:
		body["data"].(map[string]any)["file_id"] = m.to
	}
	return status, body
}

// A comment that somebody moves to another version is on that version in iconik, too, and on no other. It is not lost anywhere.
func TestACommentMovesToAnotherVersion(t *testing.T) {
	t.Parallel()
	for _, up := range []bool{true, false} {
		m := &moving{kept: map[string]map[string]any{}}
		c, ref := foreignReview(t, 0, m.deviate)
		full := workflows.SyncInput{ReviewRef: ref, Full: true}
		require.NoError(t, c.iconik.AddVersion(c.asset, "Take 2.mov", samples.Media("25.mov")))
		first := c.rows()[0]
		_, second := c.addFile("Take 2.mov")
		_, err := c.book.Tenant(tenantID).Review(reviewID).UpdateAsset(t.Context(), 2, func(row *ledger.ReviewAsset) {
			row.AssetID, row.VersionID = c.asset, c.iconik.CurrentVersion(c.asset)
		})
		require.NoError(t, err)
		from, to, version := first.FileID, second, c.iconik.CurrentVersion(c.asset)
		if !up {
			from, to, version = second, first.FileID, first.VersionID
		}
		m.from = from
		frame := int64(50)
		top := c.frameio.AddComment(frameiosim.Comment{AssetID: from, Text: "remark 1", Timestamp: &frame})
		c.frameio.AddComment(frameiosim.Comment{AssetID: from, ParentID: top.ID, Text: "remark 2"})
		for range 2 {
			require.NoError(t, c.sync(full, 0))
		}
		require.Len(t, c.segmentIDs(), 2)
		m.to = to
		for range 4 {
			require.NoError(t, c.sync(full, 0))
		}
		assert.Len(t, c.frameio.CommentsOf(from), 2, "nothing is deleted in Frame.io")
		segments := c.iconik.Segments(c.asset)
		assert.Equal(t, []string{"1", "2"}, remarks(c.texts(c.asset)), up)
		for _, g := range segments {
			assert.Equal(t, version, g["version_id"], up)
		}
	}
}
