package legacy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/legacy"
	"github.com/framebridge/framebridge/config"
)

// against returns a client of a server that answers as Frame.io may, not as our simulator does.
func against(t *testing.T, routes map[string]http.HandlerFunc, opts ...legacy.Option) *legacy.Client {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
	}
	if routes["GET /v2/me"] == nil {
		mux.HandleFunc("GET /v2/me", says(`{"id":"U"}`))
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c, err := legacy.New(config.Frameio{BaseURL: server.URL, Token: "fio-u-x"}, opts...)
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
	for i, err := range frameio.RowsOf(t.Context(), "list", c.ShareItems, s) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, i.AssetID+string(i.Kind))
	}
	return ids
}

// The items of a review link were under /items before they were under /items/shared.
func TestReviewLinkItemsUnderTheOlderPath(t *testing.T) {
	t.Parallel()
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

// A listing of presentations may omit their contents.
func TestPresentationsListedWithoutItems(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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

// The vendor's own tools retry a call after a 400. A 400 that persists is final.
func TestBadRequestIsTriedAgain(t *testing.T) {
	t.Parallel()
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

// How many rows a page may hold is not documented, and a response may come without the headers that count pages.
func TestPagesWithoutHeaders(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		rows, cap int
		beyond    int // status of a page beyond the last
		headers   map[string]string
		calls     int
	}{
		"a cap over the default":         {rows: 160, cap: 75, calls: 4},
		"a cap under the default":        {rows: 70, cap: 33, calls: 4},
		"a cap that ends on a full page": {rows: 150, cap: 75, calls: 3},
		"as asked":                       {rows: 501, cap: 500, calls: 3},
		"nothing":                        {rows: 0, cap: 50, calls: 1},
		"404 beyond the last":            {rows: 70, cap: 33, beyond: 404, calls: 4},
		"no pages at all":                {rows: 70, cap: 0, calls: 2},
		"the number of rows only":        {rows: 70, cap: 33, headers: map[string]string{"total": "70", "per-page": "33"}, calls: 3},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			c := against(t, map[string]http.HandlerFunc{"GET /v2/assets/D/children": func(w http.ResponseWriter, r *http.Request) {
				calls++
				page, _ := strconv.Atoi(r.URL.Query().Get("page"))
				from, to := 0, v.rows
				if v.cap > 0 {
					from, to = min((page-1)*v.cap, v.rows), min(page*v.cap, v.rows)
				}
				for k, h := range v.headers {
					w.Header().Set(k, h)
				}
				if from == to && v.beyond != 0 {
					w.WriteHeader(v.beyond)
					return
				}
				rows := []string{}
				for i := from; i < to; i++ {
					rows = append(rows, fmt.Sprintf(`{"id":"%d","type":"file"}`, i))
				}
				says("["+strings.Join(rows, ",")+"]")(w, r)
			}})
			seen := map[string]bool{}
			for a, err := range frameio.RowsOf(t.Context(), "list", c.Children, "D") {
				if err != nil {
					t.Fatal(err)
				}
				seen[a.ID] = true
			}
			if len(seen) != v.rows || calls != v.calls {
				t.Fatalf("%d of %d rows after %d calls, want %d", len(seen), v.rows, calls, v.calls)
			}
		})
	}
}

// What a server says about its pages may be wrong: a truncated list must never be taken as complete.
func TestPagesThatLie(t *testing.T) {
	t.Parallel()
	row := func(ids ...int) string {
		rows := make([]string, len(ids))
		for i, id := range ids {
			rows[i] = fmt.Sprintf(`{"id":"%d","type":"file"}`, id)
		}
		return "[" + strings.Join(rows, ",") + "]"
	}
	for name, v := range map[string]struct {
		headers map[string]string
		pages   func(page int) string
		calls   int
		rows    int
		err     string
	}{
		"a billion pages of one row":     {map[string]string{"total-pages": "1000000000"}, func(int) string { return row(1) }, 1, 0, "children: the listing says that it has 1000000000 pages"},
		"a billion rows on as many":      {map[string]string{"total": "1000000000", "per-page": "1"}, func(int) string { return row(1) }, 1, 0, "1000000000 pages"},
		"a thousand pages of one row":    {map[string]string{"total-pages": "1000"}, func(int) string { return row(1) }, 2, 2, "children: the listing repeats the same page"},
		"two pages in turn, uncounted":   {nil, func(p int) string { return row(p%2, 7+p%2) }, 3, 6, "repeats the same page"},
		"more pages than it counts":      {map[string]string{"total-pages": "1"}, func(p int) string { return row(p) }, 1, 1, ""},
		"no pages, and rows":             {map[string]string{"total-pages": "0"}, func(p int) string { return []string{row(1), row(2), row()}[p-1] }, 3, 2, ""},
		"pages of which nobody can tell": {map[string]string{"total-pages": "1e300"}, func(p int) string { return []string{row(1), row(2), row()}[p-1] }, 3, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls, rows := 0, 0
			c := against(t, map[string]http.HandlerFunc{"GET /v2/assets/D/children": func(w http.ResponseWriter, r *http.Request) {
				calls++
				page, _ := strconv.Atoi(r.URL.Query().Get("page"))
				for k, h := range v.headers {
					w.Header().Set(k, h)
				}
				says(v.pages(page))(w, r)
			}})
			var err error
			for _, e := range frameio.RowsOf(t.Context(), "list children", c.Children, "D") {
				if err = e; err == nil {
					rows++
				}
			}
			if calls != v.calls || rows != v.rows || (err == nil) != (v.err == "") || err != nil && !strings.Contains(err.Error(), v.err) {
				t.Fatalf("%d rows after %d calls, %v", rows, calls, err)
			}
		})
	}
}

// A listing need not show the project of each file. What an archived project serves as a video's original is a proxy all the same.
func TestVideoOfAnArchivedProjectIsColdWhateverTheListingShows(t *testing.T) {
	t.Parallel()
	asked, status := 0, "archived"
	now := time.Now()
	c := against(t, map[string]http.HandlerFunc{
		"GET /v2/projects/P": func(w http.ResponseWriter, r *http.Request) {
			asked++
			says(fmt.Sprintf(`{"id":"P","archive_status":%q}`, status))(w, r)
		},
		"GET /v2/assets/D/children": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("total-pages", "1")
			says(`[{"id":"v","type":"file","project_id":"P","asset_type":"stream","upload_completed_at":"2026-01-01T00:00:00Z","original":"https://s/v"},
				{"id":"w","type":"file","project_id":"P","asset_type":"stream","upload_completed_at":"2026-01-01T00:00:00Z","original":"https://s/w"},
				{"id":"i","type":"file","project_id":"P","asset_type":"image","upload_completed_at":"2026-01-01T00:00:00Z","original":"https://s/i"},
				{"id":"q","type":"file","project_id":"Q","asset_type":"stream","upload_completed_at":"2026-01-01T00:00:00Z","original":"https://s/q"}]`)(w, r)
		},
		"GET /v2/assets/v": says(`{"id":"v","type":"file","project_id":"P","asset_type":"stream","upload_completed_at":"2026-01-01T00:00:00Z","original":"https://s/v"}`),
	}, legacy.WithClock(func() time.Time { return now }))
	originals := func() string {
		page, err := c.Children(t.Context(), "D", "")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, a := range page.Items {
			got += a.ID + ":" + string(a.Original) + " "
		}
		return got
	}
	archived, available := string(frameio.OriginalArchived), string(frameio.OriginalAvailable)
	if got, want := originals(), "v:"+archived+" w:"+archived+" i:"+available+" q:"+available+" "; got != want || asked != 1 {
		t.Fatalf("%s, want %s; asked %d times", got, want, asked)
	}
	if m, err := c.Media(t.Context(), "v", frameio.RenditionOriginal, false); err == nil {
		t.Fatalf("a proxy was given for the original: %+v", m)
	}
	status, now = "standard", now.Add(5*time.Minute)
	if got := originals(); strings.Contains(got, archived) {
		t.Fatalf("%s after the project came back", got)
	}
}

// A user invited only to a project sees the project but not its team. A team name that is refused must not stop an archive.
func TestAProjectWhoseTeamIsNotShown(t *testing.T) {
	t.Parallel()
	for status, fails := range map[int]bool{http.StatusForbidden: false, http.StatusNotFound: false, http.StatusUnprocessableEntity: false, http.StatusUnauthorized: true} {
		c := against(t, map[string]http.HandlerFunc{
			"GET /v2/projects/P": says(`{"id":"P","name":"Regatta","team_id":"T"}`),
			"GET /v2/teams/T":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) },
		})
		p, err := c.Project(t.Context(), "P")
		if (err != nil) != fails || !fails && (p.Team != frameio.Team{ID: "T", Name: "Team T"}) {
			t.Errorf("%d: %+v, %v", status, p.Team, err)
		}
	}
}

// A file without a link to its original is in cold storage if its project is. Otherwise the reason is unknown.
func TestWhyThereIsNoOriginal(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]frameio.Original{
		`{"id":"P","archive_status":"archived"}`: frameio.OriginalArchived,
		`{"id":"P","archive_status":"standard"}`: frameio.OriginalMissing,
		"":                                       frameio.OriginalMissing, // not shown
	} {
		asked := 0
		c := against(t, map[string]http.HandlerFunc{
			"GET /v2/assets/f": says(`{"id":"f","type":"file","project_id":"P","asset_type":"document","upload_completed_at":"2026-01-01T00:00:00Z","original":null}`),
			"GET /v2/projects/P": func(w http.ResponseWriter, r *http.Request) {
				if asked++; answer == "" {
					w.WriteHeader(http.StatusForbidden)
				}
				says(answer)(w, r)
			},
		})
		for range 2 {
			a, err := c.Asset(t.Context(), "f")
			if err != nil || a.Original != want || asked != 1 {
				t.Errorf("%s: %q, want %q; %v, asked %d times", answer, a.Original, want, err, asked)
			}
		}
	}
}

// As captured, GET /projects/{id} does not say whether the project is private, but the project of an asset does.
func TestAPrivateProjectIsKnownByItsRoot(t *testing.T) {
	for name, c := range map[string]struct {
		project, root string
		want          bool
		looks         int
	}{
		"the project does not say":   {`{"id":"P","name":"Spring","root_asset_id":"R","team":{"id":"T","name":"Films"}}`, `{"id":"R","project":{"id":"P","private":true}}`, true, 1},
		"it is open":                 {`{"id":"P","name":"Spring","root_asset_id":"R","team":{"id":"T","name":"Films"}}`, `{"id":"R","project":{"id":"P","private":false}}`, false, 1},
		"the project says it itself": {`{"id":"P","name":"Spring","root_asset_id":"R","private":true,"team":{"id":"T","name":"Films"}}`, `{}`, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			looks := 0
			client := against(t, map[string]http.HandlerFunc{
				"GET /v2/projects/P": says(c.project),
				"GET /v2/assets/R": func(w http.ResponseWriter, r *http.Request) {
					looks++
					says(c.root)(w, r)
				},
			})
			p, err := client.Project(t.Context(), "P")
			if err != nil || p.Restricted != c.want || looks != c.looks {
				t.Errorf("restricted %v after %d looks at the root, %v", p.Restricted, looks, err)
			}
		})
	}
}
