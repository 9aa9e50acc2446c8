package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/comments"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/legacy"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
)

// A listing without paging headers that ignores the requested page still ends, with each comment once.
func TestCommentsOfAListingWithoutPages(t *testing.T) {
	rows := []map[string]any{{"id": "first", "replies": []map[string]any{{"id": "reply", "parent_id": "first"}}}, {"id": "reply", "parent_id": "first"}}
	for len(rows) < 50 {
		rows = append(rows, map[string]any{"id": fmt.Sprint(len(rows))})
	}
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls > 5 {
			w.WriteHeader(http.StatusGone)
		}
		_ = json.NewEncoder(w).Encode(rows)
	}))
	defer server.Close()
	client, err := legacy.New(config.Frameio{BaseURL: server.URL, Token: "token"})
	require.NoError(t, err)
	all, err := comments.Threads{Tenant: tenant.New(&config.Tenant{}, &ledger.Ledger{}, client, nil, nil, nil)}.Source(t.Context(), "F")
	require.NoError(t, err)
	require.Len(t, all, 50)
}

// What cannot be drawn in iconik is counted in a place that people look at.
func TestUnknownToolsAreCounted(t *testing.T) {
	at := int64(5)
	said := []frameio.Comment{
		{Frame: &at, Annotation: `[{"tool":"lasso","x1":0.1},{"tool":"rect","x1":0.1,"y1":0.1,"x2":0.5,"y2":0.5}]`},
		{Frame: &at, Annotation: `[{"tool":"stamp"},{"tool":"stamp"}]`},
		{Frame: &at, Text: "nothing drawn"},
	}
	const drawn = "drawings with tools that iconik lacks, kept only as Frame.io's source: 3"
	require.Equal(t, drawn, plan.CommentsNote(ledger.Item{FrameNum: 25, FrameDen: 1}, said, mapping.DrawingFrame{}))
	require.Equal(t, plan.RateAssumed+"; "+drawn, plan.CommentsNote(ledger.Item{}, said, mapping.DrawingFrame{}))
	require.Empty(t, plan.CommentsNote(ledger.Item{FrameNum: 25, FrameDen: 1}, said[2:], mapping.DrawingFrame{}))
}

// What was removed from a comment in Frame.io is removed in iconik, which leaves alone what is not named.
func TestWhatIsTakenFromACommentIsTakenFromItsSegment(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	body, page := []byte("bytes"), 3
	h.sees(t, file("F", "script.pdf", body))
	h.copies(t, "F", body)
	it := h.item(t, "F")
	c := frameio.Comment{ID: "C", Text: "here", Author: frameio.Person{Name: "Anna", Guest: true}, Page: &page, Annotation: `[{"tool":"rect","x1":0.1,"y1":0.1,"x2":0.5,"y2":0.5}]`}
	h.says(t, it, c)
	segments := h.sim.Segments(it.AssetID)
	require.Len(t, segments, 1)
	id := segments[0]["id"].(string)
	require.Equal(t, "3", h.sim.Values("segments", id)["framebridge_page"])
	c.Page, c.Annotation = nil, ""
	h.says(t, it, c)
	require.Equal(t, map[string]string{"framebridge_author": "Anna", "framebridge_guest": "true"}, h.sim.Values("segments", id))
}

// says copies the given comments of a file.
func (h *harness) says(t *testing.T, it ledger.Item, said ...frameio.Comment) {
	t.Helper()
	h.tenant.Frameio = saying{comments: said}
	_, err := h.threads().Copy(t.Context(), it)
	require.NoError(t, err)
}

type saying struct {
	legacyAPI
	comments []frameio.Comment
}

func (s saying) Comments(context.Context, string, string) (frameio.Page[frameio.Comment], error) {
	return frameio.Page[frameio.Comment]{Items: s.comments}, nil
}
