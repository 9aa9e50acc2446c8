package activities

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/legacy"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// A team-only comment is marked wherever iconik does not keep it internal: where it refuses the field, and where it
// passes over it in silence, as it does with fields it does not know.
func TestTeamOnlyCommentsAreAlwaysMarked(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		refuses, ignores, leaves bool // leaves: the answer to the POST does not show the field
		want                     string
	}{
		{name: "keeps it", want: "secret"},
		{name: "keeps it without a word", leaves: true, want: "secret"},
		{name: "refuses it", refuses: true, want: "[team only] secret"},
		{name: "ignores it", ignores: true, want: "[team only] secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stored map[string]any
			write := func(w http.ResponseWriter, r *http.Request) {
				var body map[string]any
				_ = json.NewDecoder(r.Body).Decode(&body)
				if _, internal := body["is_internal"]; internal && tt.refuses {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				if tt.ignores {
					delete(body, "is_internal")
				}
				if stored == nil {
					stored = map[string]any{"id": "S"}
				}
				for k, v := range body {
					stored[k] = v
				}
				said := map[string]any{}
				for k, v := range stored {
					if k != "is_internal" || !tt.leaves {
						said[k] = v
					}
				}
				_ = json.NewEncoder(w).Encode(said)
			}
			mux := http.NewServeMux()
			mux.HandleFunc("POST /API/assets/v1/assets/A/segments/", write)
			mux.HandleFunc("PATCH /API/assets/v1/assets/A/segments/S/", write)
			mux.HandleFunc("GET /API/assets/v1/assets/A/segments/S/", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(stored) })
			server := httptest.NewServer(mux)
			defer server.Close()
			client, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
			require.NoError(t, err)
			internal := true
			one := &tenant{iconik: client}
			s, err := one.createSegment(t.Context(), "A", iconik.SegmentRequest{Type: "COMMENT", Text: "secret", Internal: &internal})
			require.NoError(t, err)
			for range 2 {
				s, err = one.markTeamOnly(t.Context(), "A", s.ID)
				require.NoError(t, err)
			}
			require.Equal(t, tt.want, stored["segment_text"])
			require.Equal(t, tt.want, s.Text)
		})
	}
}

// A listing without paging headers that does not heed the page asked for ends all the same, with each comment once.
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
	all, err := (&archive{tenant: &tenant{frameio: client}}).sourceComments(t.Context(), "F")
	require.NoError(t, err)
	require.Len(t, all, 50)
}

// What cannot be drawn in iconik is counted where people look.
func TestUnknownToolsAreCounted(t *testing.T) {
	at := int64(5)
	comments := []frameio.Comment{
		{Frame: &at, Annotation: `[{"tool":"lasso","x1":0.1},{"tool":"rect","x1":0.1,"y1":0.1,"x2":0.5,"y2":0.5}]`},
		{Frame: &at, Annotation: `[{"tool":"stamp"},{"tool":"stamp"}]`},
		{Frame: &at, Text: "nothing drawn"},
	}
	const drawn = "drawn with tools that iconik does not have, and kept as Frame.io's source only: 3"
	require.Equal(t, drawn, noteOf(ledger.Item{FrameNum: 25, FrameDen: 1}, comments, mapping.DrawingFrame{}))
	require.Equal(t, rateAssumed+"; "+drawn, noteOf(ledger.Item{}, comments, mapping.DrawingFrame{}))
	require.Empty(t, noteOf(ledger.Item{FrameNum: 25, FrameDen: 1}, comments[2:], mapping.DrawingFrame{}))
}

// Where a token may not write in another's name, that costs one call, not one a comment; where it is one user whom
// iconik does not take, others' comments go on standing in their names.
func TestARefusedNameIsRemembered(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		want   []string
	}{
		"none may be written as": {http.StatusForbidden, []string{"anna", "", "", ""}},
		"one may not":            {http.StatusBadRequest, []string{"anna", "", "", "ben"}},
	} {
		t.Run(name, func(t *testing.T) {
			var posted []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var body map[string]any
				_ = json.NewDecoder(r.Body).Decode(&body)
				user, _ := body["user_id"].(string)
				if posted = append(posted, user); user == "anna" {
					w.WriteHeader(tt.status)
					return
				}
				_ = json.NewEncoder(w).Encode(map[string]any{"id": "S"})
			}))
			defer server.Close()
			client, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
			require.NoError(t, err)
			one := &tenant{iconik: client}
			for _, user := range []string{"anna", "anna", "ben"} {
				_, as, err := one.createAs(t.Context(), "A", user, func(user string) iconik.SegmentRequest {
					return iconik.SegmentRequest{Type: "COMMENT", Text: "x", UserID: user}
				})
				require.NoError(t, err)
				require.Equal(t, posted[len(posted)-1], as)
			}
			require.Equal(t, tt.want, posted)
		})
	}
}

// What was taken away from a comment in Frame.io is taken away in iconik, which leaves alone what is not named.
func TestWhatIsTakenFromACommentIsTakenFromItsSegment(t *testing.T) {
	b := newBench(t, benchOptions{})
	body, page := []byte("bytes"), 3
	b.sees(t, file("F", "script.pdf", body))
	b.copies(t, "F", body)
	it := b.item(t, "F")
	c := frameio.Comment{ID: "C", Text: "here", Author: frameio.Person{Name: "Anna", Guest: true}, Page: &page, Annotation: `[{"tool":"rect","x1":0.1,"y1":0.1,"x2":0.5,"y2":0.5}]`}
	require.NoError(t, b.copyComment(t.Context(), it, c))
	segments := b.sim.Segments(it.AssetID)
	require.Len(t, segments, 1)
	id := segments[0]["id"].(string)
	require.Equal(t, "3", b.sim.Values("segments", id)["framebridge_page"])
	c.Page, c.Annotation = nil, ""
	require.NoError(t, b.copyComment(t.Context(), it, c))
	require.Equal(t, map[string]string{"framebridge_author": "Anna", "framebridge_guest": "true"}, b.sim.Values("segments", id))
}
