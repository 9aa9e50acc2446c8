package legacy_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/legacy"
	"github.com/framebridge/framebridge/config"
)

// against makes a client of a server that answers as the fact sheet allows, not as our simulator does.
func against(t *testing.T, routes map[string]http.HandlerFunc) *legacy.Client {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c, err := legacy.New(config.Frameio{BaseURL: server.URL, Token: "fio-u-x"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}
}

func items(t *testing.T, c *legacy.Client, s frameio.Share) []string {
	t.Helper()
	var ids []string
	for cursor := ""; ; {
		page, err := c.ShareItems(t.Context(), s, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			ids = append(ids, i.AssetID+string(i.Kind))
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}

// The items of a review link were under /items before they were under /items/shared.
func TestReviewLinkItemsUnderTheOlderPath(t *testing.T) {
	c := against(t, map[string]http.HandlerFunc{
		"GET /v2/review_links/L/items": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("total-pages", "2")
			if r.URL.Query().Get("page") == "2" {
				says(`[{"index":2,"asset_id":"c","asset":null}]`)(w, r)
				return
			}
			says(`[{"index":1,"asset_id":"b"},{"index":0,"asset":{"id":"a","type":"folder"}}]`)(w, r)
		},
	})
	got := items(t, c, frameio.Share{ID: "L", Kind: frameio.ShareReviewLink})
	if want := []string{"afolder", "b", "c"}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
}

// A listing of presentations may show them without what they hold.
func TestPresentationsListedWithoutItems(t *testing.T) {
	c := against(t, map[string]http.HandlerFunc{
		"GET /v2/projects/P/presentations": says(`[{"id":"S","name":null,"title":"Pitch","presentation_items":null},{"id":"T","name":"Empty","presentation_items":[]}]`),
		"GET /v2/presentations/S":          says(`{"id":"S","presentation_items":[{"index":0,"asset_id":"a","asset":null}]}`),
	})
	page, err := c.Shares(t.Context(), "P", "")
	if err != nil || len(page.Items) != 2 || page.Items[0].Name != "Pitch" {
		t.Fatalf("%+v, %v", page, err)
	}
	if got := items(t, c, page.Items[0]); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the first shows %v", got)
	}
	if got := items(t, c, page.Items[1]); len(got) != 0 {
		t.Errorf("the empty one shows %v", got)
	}
}

// A file whose comments are not counted must be asked for them.
func TestUncountedComments(t *testing.T) {
	c := against(t, map[string]http.HandlerFunc{"GET /v2/assets/D/children": says(`[{"id":"a","type":"file","comment_count":null},{"id":"b","type":"file","comment_count":"2"},{"id":"c","type":"file"}]`)})
	page, err := c.Children(t.Context(), "D", "")
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, a := range page.Items {
		got = append(got, a.CommentCount)
	}
	if want := []int{-1, 2, -1}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
}

func TestRepliesNestedInReplies(t *testing.T) {
	c := against(t, map[string]http.HandlerFunc{"GET /v2/assets/F/comments": says(`[{"id":"1","replies":[{"id":"2","parent_id":null,"replies":[{"id":"3","parent_id":"2"}]}]},{"id":"2","parent_id":"1"}]`)})
	page, err := c.Comments(t.Context(), "F", "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range page.Items {
		got[m.ID] = m.ParentID
	}
	encoded, _ := json.Marshal(got)
	if string(encoded) != `{"1":"","2":"1","3":"2"}` || len(page.Items) != 3 {
		t.Fatalf("%s of %d", encoded, len(page.Items))
	}
}

// The vendor's own tools send a call again after a 400; one that stays is believed.
func TestBadRequestIsTriedAgain(t *testing.T) {
	calls := 0
	c := against(t, map[string]http.HandlerFunc{"GET /v2/me": func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls < 3 {
			w.WriteHeader(http.StatusBadRequest)
		}
		says(`{"id":"U"}`)(w, r)
	}})
	if u, err := c.Me(t.Context()); err != nil || u.ID != "U" || calls != 3 {
		t.Fatalf("%+v, %v after %d calls", u, err, calls)
	}
	calls = -10
	if _, err := c.Me(t.Context()); err == nil || calls != -7 {
		t.Fatalf("%v after %d calls", err, calls+10)
	}
}
