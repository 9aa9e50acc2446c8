package tenant

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// A team-only comment is marked whenever iconik does not keep it internal: if iconik refuses the field, and if it silently
// ignores the field, as it does with unknown ones.
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
			one := New(&config.Tenant{}, &ledger.Ledger{}, nil, client, nil, nil)
			s, err := one.createSegment(t.Context(), "A", iconik.SegmentRequest{Type: "COMMENT", Text: "secret", Internal: &internal})
			require.NoError(t, err)
			for range 2 {
				s, err = one.MarkTeamOnly(t.Context(), "A", s.ID)
				require.NoError(t, err)
			}
			require.Equal(t, tt.want, stored["segment_text"])
			require.Equal(t, tt.want, s.Text)
		})
	}
}

// A comment exists without what iconik refuses of it, and stays team-only only if it can.
func TestACommentIsThereWithoutWhatIsRefused(t *testing.T) {
	for _, tt := range []struct {
		refuses        []string
		drawn, flagged bool
		text           string
	}{
		{nil, true, true, "secret"},
		{[]string{"drawing"}, false, true, "secret"},
		{[]string{"is_internal"}, true, false, "[team only] secret"},
		{[]string{"drawing", "is_internal"}, false, false, "[team only] secret"},
	} {
		var stored map[string]any
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body map[string]any
			_ = json.NewDecoder(r.Body).Decode(&body)
			for _, name := range tt.refuses {
				if _, has := body[name]; has {
					w.WriteHeader(http.StatusBadRequest)
					_ = json.NewEncoder(w).Encode(map[string]any{"errors": map[string]any{name: "refused"}})
					return
				}
			}
			stored = body
			_ = json.NewEncoder(w).Encode(map[string]any{"id": "S", "segment_type": "COMMENT"})
		}))
		defer server.Close()
		client, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
		require.NoError(t, err)
		one := New(&config.Tenant{}, &ledger.Ledger{}, nil, client, nil, nil)
		internal, text := true, "secret"
		drawing := &iconik.Drawing{Primitives: []iconik.Primitive{{Type: "LINE", Points: []iconik.Point{{X: 0.25, Y: 0.5}, {X: 1, Y: 1}}}}}
		is := func(text string) {
			t.Helper()
			require.Equal(t, tt.drawn, stored["drawing"] != nil)
			require.Equal(t, tt.flagged, stored["is_internal"] != nil)
			require.Equal(t, text, stored["segment_text"])
		}
		_, as, err := one.CreateSegment(t.Context(), "A", "anna", func(user string) iconik.SegmentRequest {
			return iconik.SegmentRequest{Type: "COMMENT", Text: "secret", UserID: user, Internal: &internal, Drawing: drawing}
		})
		require.NoError(t, err)
		require.Equal(t, "anna", as, "it is not her whom iconik refuses")
		is(tt.text)
		_, err = one.UpdateSegment(t.Context(), "A", "S", iconik.SegmentPatch{Text: &text, Internal: &internal, Drawing: drawing})
		require.NoError(t, err)
		is("secret")
		_, err = one.UpdateSegment(t.Context(), "A", "S", iconik.SegmentPatch{Drawing: drawing})
		require.Equal(t, !tt.drawn, err != nil, "nothing is left of it")
	}
}

// If iconik silently ignores the name, the author is put into the text, and nobody's edit is overwritten.
func TestANameThatIsPassedOverStandsInTheText(t *testing.T) {
	var texts []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := map[string]any{}
		_ = json.NewDecoder(r.Body).Decode(&body)
		texts = append(texts, body["segment_text"].(string))
		body["id"], body["user_id"] = "S", "service"
		_ = json.NewEncoder(w).Encode(body)
	}))
	defer server.Close()
	client, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
	require.NoError(t, err)
	one := New(&config.Tenant{}, &ledger.Ledger{}, nil, client, nil, nil)
	requestFor := func(user string) iconik.SegmentRequest {
		if user == "" {
			return iconik.SegmentRequest{Type: "COMMENT", Text: "Anna: hello"}
		}
		return iconik.SegmentRequest{Type: "COMMENT", Text: "hello", UserID: user}
	}
	for range 2 {
		s, as, err := one.CreateSegment(t.Context(), "A", "anna", requestFor)
		require.NoError(t, err)
		s, as, err = one.Author(t.Context(), "A", s, as, requestFor)
		require.NoError(t, err)
		require.Empty(t, as)
		require.Equal(t, "Anna: hello", s.Text)
	}
	require.Equal(t, []string{"hello", "Anna: hello", "Anna: hello"}, texts, "the second one is not tried in her name")
	for _, text := range []string{"edited", "Anna: hello"} {
		s, as, err := one.Author(t.Context(), "A", &iconik.Segment{ID: "S", Text: text, UserID: "service"}, "anna", requestFor)
		require.NoError(t, err)
		require.Empty(t, as)
		require.Equal(t, text, s.Text)
	}
	s, as, err := one.Author(t.Context(), "A", &iconik.Segment{ID: "S", Text: "[team only] hello", UserID: "service"}, "anna", requestFor)
	require.NoError(t, err)
	require.Empty(t, as)
	require.Equal(t, "[team only] Anna: hello", s.Text)
}

// If a token may not write in another user's name, that costs one call, not one per comment. If iconik refuses a single user,
// other users' comments still stand in their names.
func TestARefusedNameIsRemembered(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		want   []string
	}{
		"none may be written as": {http.StatusForbidden, []string{"anna", "", "", ""}},
		"one may not":            {http.StatusBadRequest, []string{"anna", "", "", "ben"}},
		"one is not there":       {http.StatusNotFound, []string{"anna", "", "", "ben"}},
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
				_ = json.NewEncoder(w).Encode(map[string]any{"id": "S", "segment_type": "COMMENT"})
			}))
			defer server.Close()
			client, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
			require.NoError(t, err)
			one := New(&config.Tenant{}, &ledger.Ledger{}, nil, client, nil, nil)
			for _, user := range []string{"anna", "anna", "ben"} {
				_, as, err := one.CreateSegment(t.Context(), "A", user, func(user string) iconik.SegmentRequest {
					return iconik.SegmentRequest{Type: "COMMENT", Text: "x", UserID: user}
				})
				require.NoError(t, err)
				require.Equal(t, posted[len(posted)-1], as)
			}
			require.Equal(t, tt.want, posted)
		})
	}
}
