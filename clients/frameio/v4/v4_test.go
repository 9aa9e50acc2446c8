package v4

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/mapping"
)

// vendor is a Frame.io with one account, whose operations the tests define.
type vendor struct {
	*http.ServeMux
	url string
	mu  sync.Mutex
	got []string // "METHOD path?query body" of the calls below the account
}

const inAccount = "/v4/accounts/acc/"

func newVendor(t *testing.T, routes map[string]http.HandlerFunc) *vendor {
	v := &vendor{ServeMux: http.NewServeMux()}
	for pattern, h := range routes {
		method, path, _ := strings.Cut(pattern, " ")
		if !strings.HasPrefix(path, "/") {
			path = inAccount + path
		}
		v.HandleFunc(strings.TrimSpace(method+" "+path), h)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		v.mu.Lock()
		v.got = append(v.got, strings.TrimSpace(r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), inAccount)+" "+string(body)))
		v.mu.Unlock()
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	v.url = srv.URL
	return v
}

func (v *vendor) calls() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string{}, v.got...)
}

func (v *vendor) client(t *testing.T, change func(*config.Frameio), opts ...Option) *Client {
	cfg := config.Frameio{BaseURL: v.url, AccountID: "acc", Token: "fio-u-dev"}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg, opts...)
	require.NoError(t, err)
	return c
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func refuse(status int, detail, pointer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"errors":[{"title":"Invalid value","detail":%q,"source":{"pointer":%q}}]}`, detail, pointer)
	}
}

func errorOf(t *testing.T, err error) *rest.Error {
	t.Helper()
	var e *rest.Error
	require.ErrorAs(t, err, &e)
	return e
}

// The next page's link contains only its position: the rest of the query must be sent again.
func TestEachPageIsAskedForWhole(t *testing.T) {
	v := newVendor(t, map[string]http.HandlerFunc{"GET folders/{id}/children": func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("page_size") != "500" || !strings.Contains(q.Get("include"), "media_links.original") || q.Get("type") != "file,folder,version_stack" {
			refuse(422, "the query is not whole", "/query")(w, r)
			return
		}
		n, _ := strconv.Atoi(q.Get("after"))
		next := "null"
		if n < 2 {
			next = fmt.Sprintf(`"/v4/accounts/acc/folders/f/children?after=%d"`, n+1)
		}
		fmt.Fprintf(w, `{"data":[{"id":"a%d","type":"folder","name":"A"}],"links":{"next":%s}}`, n, next)
	}})
	c := v.client(t, nil)
	var ids []string
	for a, err := range frameio.RowsOf(t.Context(), "list", c.Children, "f") {
		require.NoError(t, err)
		ids = append(ids, a.ID)
	}
	assert.Equal(t, []string{"a0", "a1", "a2"}, ids)
}

// A file's metadata contains every option of its fields: a full page can exceed the size limit.
func TestALargePageIsAskedForInSmallerOnes(t *testing.T) {
	const files = 70
	row := func(n int) string {
		return fmt.Sprintf(`{"id":"a%d","type":"folder","name":%q}`, n, strings.Repeat("x", 600))
	}
	v := newVendor(t, map[string]http.HandlerFunc{"GET folders/{id}/children": func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("after"))
		size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
		to, next := min(from+size, files), "null"
		if to < files {
			next = fmt.Sprintf(`"/v4/accounts/acc/folders/f/children?after=%d"`, to)
		}
		rows := []string{}
		for n := from; n < to; n++ {
			rows = append(rows, row(n))
		}
		fmt.Fprintf(w, `{"data":[%s],"links":{"next":%s}}`, strings.Join(rows, ","), next)
	}})
	c := v.client(t, nil, func(c *rest.Config, _ *Client) { c.MaxBody = 32 << 10 })
	var ids []string
	for a, err := range frameio.RowsOf(t.Context(), "list", c.Children, "f") {
		require.NoError(t, err)
		ids = append(ids, a.ID)
	}
	assert.Len(t, ids, files)
	assert.Len(t, slices.Compact(ids), files)
	assert.Len(t, v.calls(), 4+3, "of 500, 250, 125 and 62, which are too large, then three of 31")
}

func TestAListingIsNeverCutShort(t *testing.T) {
	for name, links := range map[string]string{"without a cursor": `"/v4/accounts/acc/projects"`, "leads to itself": `"/v4/accounts/acc/projects?after=here"`} {
		v := newVendor(t, map[string]http.HandlerFunc{"GET projects": answer(`{"data":[{"id":"p"}],"links":{"next":` + links + `}}`)})
		_, err := v.client(t, nil).Projects(t.Context(), "here")
		assert.Error(t, err, name)
	}
	for link, cursor := range map[string]string{"/v4/accounts/acc/projects?after=g3Q+/w==": "g3Q+/w==", "/v4/accounts/acc/projects?page_size=2&after=g3Q%2B%2Fw%3D%3D": "g3Q+/w==", "https://api.frame.io/v4/x?after=a_b-c": "a_b-c"} {
		v := newVendor(t, map[string]http.HandlerFunc{"GET projects": answer(`{"data":[{"id":"p"}],"links":{"next":"` + link + `"}}`)})
		page, err := v.client(t, nil).Projects(t.Context(), "")
		require.NoError(t, err)
		assert.Equal(t, cursor, page.Next, "as it was given")
	}
	for _, links := range []string{``, `,"links":{}`, `,"links":{"next":null}`, `,"links":{"next":""}`} {
		v := newVendor(t, map[string]http.HandlerFunc{"GET projects": answer(`{"data":[{"id":"p"}]` + links + `}`)})
		page, err := v.client(t, nil).Projects(t.Context(), "")
		require.NoError(t, err, links)
		assert.Empty(t, page.Next)
		assert.Len(t, page.Items, 1)
	}
}

// A response from something else in Frame.io's place, or half a response, is not an empty folder or a nameless file.
func TestAnAnswerWithoutDataIsNone(t *testing.T) {
	for _, body := range []string{`{}`, `{"data":null}`, `{"message":"down for maintenance"}`, `{"data":null,"links":{"next":null}}`} {
		v := newVendor(t, map[string]http.HandlerFunc{"GET projects": answer(body), "GET folders/{id}/children": answer(body), "GET files/{id}": answer(body),
			"GET files/{id}/comments": answer(body), "GET shares/{id}/assets": answer(body), "GET projects/{id}": answer(body), "GET /v4/me": answer(body), "GET /v4/accounts": answer(body)})
		c := v.client(t, nil)
		_, err := c.Me(t.Context())
		assert.ErrorContains(t, err, "no data", body)
		_, err = v.client(t, func(f *config.Frameio) { f.AccountID = "" }).Projects(t.Context(), "")
		assert.ErrorContains(t, err, "no data", body)
		_, err = c.Projects(t.Context(), "")
		assert.Equal(t, rest.Retryable, errorOf(t, err).Class, body)
		_, err = c.Children(t.Context(), "f", "")
		assert.ErrorContains(t, err, "no data", body)
		_, err = c.Comments(t.Context(), "f", "")
		assert.ErrorContains(t, err, "no data", body)
		_, err = c.ShareItems(t.Context(), frameio.Share{ID: "s"}, "")
		assert.ErrorContains(t, err, "no data", body)
		_, err = c.Asset(t.Context(), "f")
		assert.ErrorContains(t, err, "no data", body)
		_, err = c.Project(t.Context(), "p")
		assert.ErrorContains(t, err, "no data", body)
	}
}

// Something created without an ID would be recorded as created, but nothing could be put into it.
func TestACreationWithoutAnIDIsUncertain(t *testing.T) {
	v := newVendor(t, map[string]http.HandlerFunc{"POST workspaces/w/projects": answer(`{"data":{"name":"Reviews"}}`), "POST folders/f/folders": answer(`{"data":{"name":"Cut"}}`)})
	c := v.client(t, nil)
	_, err := c.CreateProject(t.Context(), "w", "Reviews")
	assert.True(t, errorOf(t, err).Uncertain)
	_, err = c.CreateFolder(t.Context(), "f", "Cut")
	assert.True(t, errorOf(t, err).Uncertain)
}

func TestIDsOfAdobesStorageStandInPaths(t *testing.T) {
	var seen []string
	v := newVendor(t, map[string]http.HandlerFunc{"GET files/{id}": func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.PathValue("id"))
		_, _ = io.WriteString(w, `{"data":{"id":"adobe:urn:a/b|3","type":"file","name":"A","status":"uploaded","file_size":1,"media_links":null}}`)
	}})
	a, err := v.client(t, nil).Asset(t.Context(), "adobe:urn:a/b|3")
	require.NoError(t, err)
	assert.Equal(t, "adobe:urn:a/b|3", a.ID)
	assert.Equal(t, []string{"adobe:urn:a/b|3"}, seen)
	assert.Contains(t, v.calls()[0], "files/adobe:urn:a%2Fb%7C3?")
}

func TestTechnicalValuesComeInManyShapes(t *testing.T) {
	ntsc := mapping.Rate{Num: 24000, Den: 1001}
	for value, want := range map[string]mapping.Rate{`"23.976"`: ntsc, `"23.98 fps"`: ntsc, `23.976`: ntsc, `"24000/1001"`: ntsc, `"23,976"`: ntsc, `" 23.976 "`: ntsc,
		`"25"`: {Num: 25, Den: 1}, `"29.97 DF"`: {Num: 30000, Den: 1001}, `null`: {}, `""`: {}, `"variable"`: {}, `[{"id":"x","display_name":"50 fps"}]`: {Num: 50, Den: 1}, `{"a":1}`: {}} {
		var a asset
		require.NoError(t, json.Unmarshal([]byte(`{"type":"file","status":"uploaded","metadata":[{"field_definition_name":"Frame Rate","field_type":"text","value":`+value+`}]}`), &a), value)
		assert.Equal(t, want, a.domain(true, nil).FrameRate, value)
	}
	for value, want := range map[string]float64{`"00:00:10:00"`: 10, `"0:10"`: 10, `10`: 10, `"10.0 s"`: 10, `"10000 ms"`: 10, `"00:00:10;00"`: 10, `"00:00:10:12"`: 10.48, `null`: 0, `"long"`: 0, `10000`: 10} {
		var a asset
		require.NoError(t, json.Unmarshal([]byte(`{"type":"file","status":"uploaded","metadata":[{"field_definition_name":"Frame Rate","value":25},{"field_definition_name":"Total Frames","value":"250"},
			{"field_definition_name":"Duration","value":`+value+`}]}`), &a), value)
		assert.InDelta(t, want, a.domain(true, nil).Duration, 0.001, value)
		assert.EqualValues(t, 250, a.domain(true, nil).Frames, value)
	}
	for value, want := range map[string]string{`[{"id":"o1","display_name":"Needs Review"}]`: "needs_review", `["o1"]`: "approved", `"o1"`: "approved", `[]`: "none", `null`: "none"} {
		var a asset
		require.NoError(t, json.Unmarshal([]byte(`{"type":"file","status":"uploaded","metadata":[{"field_definition_name":"status","value":`+value+`,"field_options":[{"id":"o1","display_name":"Approved"}]}]}`), &a), value)
		assert.Equal(t, want, a.domain(true, nil).Label, value)
	}
	var two asset
	require.NoError(t, json.Unmarshal([]byte(`{"type":"file","status":"uploaded","metadata":[{"field_definition_name":"Status","field_type":"text","mutable":true,"value":"waits for legal"},
		{"field_definition_name":"Rating","field_type":"text","mutable":true,"value":"PG 13"},{"field_definition_name":"Rating","field_type":"rating","mutable":true,"value":4},
		{"field_definition_name":"Status","field_type":"select","mutable":true,"value":[{"id":"o1","display_name":"Approved"}]}]}`), &two))
	assert.Equal(t, "approved", two.domain(true, nil).Label, "a review's decision is the status that is chosen, not a text of that name")
	assert.InDelta(t, 4, *two.domain(true, nil).Rating, 0)
	// System fields are not mutable. What people fill in under their names, or similar ones, is not a measurement.
	for fields, want := range map[string]mapping.Rate{
		`{"field_definition_name":"FPS","mutable":true,"value":120},{"field_definition_name":"Frame Rate","mutable":false,"value":"23.976"}`:        ntsc,
		`{"field_definition_name":"Frame Rate","mutable":true,"value":120},{"field_definition_name":"Frame Rate","mutable":false,"value":"23.976"}`: ntsc,
		`{"field_definition_name":"FPS","mutable":false,"value":null},{"field_definition_name":"Framerate","mutable":false,"value":"23.976"}`:       ntsc,
		`{"field_definition_name":"FPS","mutable":true,"value":120}`:                                                                                {},
		`{"field_definition_name":"Frame Rate","mutable":true,"value":25}`:                                                                          {Num: 25, Den: 1},
	} {
		var a asset
		require.NoError(t, json.Unmarshal([]byte(`{"type":"file","status":"uploaded","metadata":[`+fields+`]}`), &a), fields)
		assert.Equal(t, want, a.domain(true, nil).FrameRate, fields)
	}
	var odd asset
	require.NoError(t, json.Unmarshal([]byte(`{"type":"file","metadata":[{"field_definition_name":"X","value":1,"field_options":{"a":"an object"}}]}`), &odd))
}

func TestWhatIsKnownOfAnOriginal(t *testing.T) {
	for body, want := range map[string]frameio.Original{
		`"status":"created","media_links":{"original":{"download_url":"https://x/y"}}`:    frameio.OriginalNeverUploaded,
		`"status":"uploaded","media_links":null`:                                          frameio.OriginalMissing,
		`"status":"transcoded","media_links":{"original":null}`:                           frameio.OriginalMissing,
		`"status":"transcoded","media_links":{"original":{"download_url":"https://x/y"}}`: frameio.OriginalAvailable,
	} {
		var a asset
		require.NoError(t, json.Unmarshal([]byte(`{"type":"file",`+body+`}`), &a), body)
		assert.Equal(t, want, a.domain(true, nil).Original, body)
	}
}

// A null link means an original in cold storage only if the project was put aside. The project is read once for all files.
func TestWhyThereIsNoLink(t *testing.T) {
	file := `{"id":"f","type":"file","project_id":"p","status":"transcoded","media_links":{"original":{"download_url":null}}}`
	for status, want := range map[string]frameio.Original{"inactive": frameio.OriginalArchived, "active": frameio.OriginalMissing, "": frameio.OriginalMissing} {
		v := newVendor(t, map[string]http.HandlerFunc{
			"GET folders/{id}/children":        answer(`{"data":[` + file + `,` + file + `]}`),
			"GET version_stacks/{id}/children": answer(`{"data":[` + file + `]}`),
			"GET files/{id}":                   answer(`{"data":` + file + `}`),
			"GET projects/{id}": func(w http.ResponseWriter, r *http.Request) {
				if status == "" {
					refuse(403, "Forbidden", "")(w, r)
					return
				}
				fmt.Fprintf(w, `{"data":{"id":"p","status":%q}}`, status)
			},
		})
		c := v.client(t, nil)
		page, err := c.Children(t.Context(), "d", "")
		require.NoError(t, err)
		versions, err := c.Versions(t.Context(), frameio.Asset{ID: "s"})
		require.NoError(t, err)
		one, err := c.Asset(t.Context(), "f")
		require.NoError(t, err)
		for _, a := range append(append(page.Items, versions...), one) {
			assert.Equal(t, want, a.Original, status)
		}
		asked := 0
		for _, call := range v.calls() {
			if strings.HasPrefix(call, "GET projects/") {
				asked++
			}
		}
		assert.Equal(t, 1, asked)
	}
}

// A single file that may not be downloaded makes Frame.io refuse its whole page.
func TestOneForbiddenFileDoesNotHideTheOthers(t *testing.T) {
	file := func(id, link string) string {
		return fmt.Sprintf(`{"id":%q,"type":"file","name":%q,"status":"transcoded","file_size":7,"media_links":{"original":{"download_url":%s}}}`, id, id, link)
	}
	forbidden := map[string]bool{"b": true}
	v := newVendor(t, map[string]http.HandlerFunc{
		"GET folders/{id}/children": func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Query().Get("include"), "media_links.original") {
				refuse(403, "no permission to download", "")(w, r)
				return
			}
			fmt.Fprintf(w, `{"data":[%s,%s,%s]}`, file("a", "null"), file("b", "null"), file("c", "null"))
		},
		"GET files/{id}": func(w http.ResponseWriter, r *http.Request) {
			switch id := r.PathValue("id"); {
			case !strings.Contains(r.URL.Query().Get("include"), "media_links.original"):
				fmt.Fprintf(w, `{"data":%s}`, file(id, "null"))
			case forbidden[id]:
				refuse(403, "no permission to download", "")(w, r)
			default:
				fmt.Fprintf(w, `{"data":%s}`, file(id, `"https://x/`+id+`"`))
			}
		},
	})
	originals := func() (out []frameio.Original) {
		page, err := v.client(t, nil).Children(t.Context(), "f", "")
		require.NoError(t, err)
		for _, a := range page.Items {
			out = append(out, a.Original)
		}
		return out
	}
	assert.Equal(t, []frameio.Original{frameio.OriginalAvailable, frameio.OriginalForbidden, frameio.OriginalAvailable}, originals())
	forbidden["a"], forbidden["c"] = true, true
	assert.Equal(t, []frameio.Original{frameio.OriginalForbidden, frameio.OriginalForbidden, frameio.OriginalForbidden}, originals())
	m, err := v.client(t, nil).Media(t.Context(), "a", frameio.RenditionOriginal, true)
	var none *frameio.OriginalUnavailable
	require.ErrorAs(t, err, &none, "%v", m)
	assert.Equal(t, frameio.OriginalForbidden, none.Why)
}

// Files are not always stacked in upload order: the order of the listing counts, from either end.
func TestVersionsAreInTheirStacksOrder(t *testing.T) {
	for name, tt := range map[string]struct{ rows, head, want string }{
		"the head last":            {"bac", "c", "bac"},
		"the head first":           {"cab", "c", "bac"},
		"stacked anew, head last":  {"cba", "a", "cba"},
		"the head in the middle":   {"cba", "b", "acb"},
		"no head shown":            {"cab", "", "abc"},
		"the head is another file": {"cab", "x", "abc"},
		"one":                      {"a", "a", "a"},
		"none":                     {"", "a", ""},
	} {
		var rows []string
		for _, id := range tt.rows {
			rows = append(rows, fmt.Sprintf(`{"id":"%c","type":"file","status":"uploaded","created_at":"2024-01-0%cT00:00:00Z"}`, id, id-'a'+'1'))
		}
		v := newVendor(t, map[string]http.HandlerFunc{"GET version_stacks/{id}/children": answer(`{"data":[` + strings.Join(rows, ",") + `]}`)})
		versions, err := v.client(t, nil).Versions(t.Context(), frameio.Asset{ID: "s", CoverID: tt.head})
		require.NoError(t, err)
		got := ""
		for _, a := range versions {
			got += a.ID
		}
		assert.Equal(t, tt.want, got, name)
	}
}

// A file's parent is its stack, or a folder: the review's, or another one that somebody has moved it to.
func TestAVersionFollowsItsFile(t *testing.T) {
	for parent, want := range map[string][]string{
		"folder": {`POST folders/folder/version_stacks {"data":{"file_ids":["old","new"]}}`},
		"stack":  {`PATCH files/new/move {"data":{"parent_id":"stack"}}`},
		"moved":  {`PATCH files/new/move {"data":{"parent_id":"moved"}}`, `POST folders/moved/version_stacks {"data":{"file_ids":["old","new"]}}`},
	} {
		v := newVendor(t, map[string]http.HandlerFunc{
			"GET files/old":                    answer(`{"data":{"id":"old","type":"file","parent_id":"` + parent + `","status":"uploaded"}}`),
			"GET version_stacks/stack":         answer(`{"data":{"id":"stack","type":"version_stack"}}`),
			"GET files/{id}":                   refuse(http.StatusUnprocessableEntity, "no file", ""), // an ID of another kind need not be answered with a 404
			"GET version_stacks/{id}":          refuse(http.StatusUnprocessableEntity, "no stack", ""),
			"GET folders/moved":                answer(`{"data":{"id":"moved","type":"folder"}}`),
			"PATCH files/{id}/move":            answer(`{"data":{"id":"new"}}`),
			"POST folders/{id}/version_stacks": answer(`{"data":{"id":"stack","type":"version_stack"}}`),
		})
		stack, err := v.client(t, nil).AddVersion(t.Context(), "folder", frameio.Asset{ID: "old", Kind: frameio.KindFile}, "new")
		require.NoError(t, err, parent)
		assert.Equal(t, "stack", stack.ID)
		assert.Equal(t, want, slices.DeleteFunc(v.calls(), func(call string) bool { return strings.HasPrefix(call, "GET ") }), parent)
	}
}

// An action has a deletion time: one that is listed with it does not exist.
func TestADeletedActionIsNotThere(t *testing.T) {
	v := newVendor(t, map[string]http.HandlerFunc{"GET workspaces/{id}/actions": answer(`{"data":[{"id":"a","name":"A","deleted_at":"2026-01-01T00:00:00.000000Z"},{"id":"b","name":"A","deleted_at":null}]}`)})
	all, err := v.client(t, nil).Actions(t.Context(), "w")
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, "b", all[0].ID)
}

// Neither the facts nor the documentation say what a collection's root folder is: the scope of its rule, or where its members are.
func TestWhatIsInACollectionIsNotGuessed(t *testing.T) {
	own, rows := `{"id":"a","type":"file","parent_id":"elsewhere","status":"uploaded"}`, ""
	v := newVendor(t, map[string]http.HandlerFunc{
		"GET folders/{id}/children": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"data":[%s]}`, rows) },
		"GET shares/{id}/assets":    answer(`{"data":[` + own + `]}`),
	})
	items := func(c frameio.Collection, has string) ([]frameio.ShareItem, bool) {
		rows = has
		found, known, err := v.client(t, nil).CollectionItems(t.Context(), c, frameio.Project{ID: "p", RootID: "root"})
		require.NoError(t, err)
		return found, known
	}
	member := []frameio.ShareItem{{AssetID: "a", Kind: frameio.KindFile}}
	found, known := items(frameio.Collection{RootID: "f"}, own)
	assert.True(t, known, "a folder of its own, whose children are at home elsewhere")
	assert.Equal(t, member, found)
	found, known = items(frameio.Collection{RootID: "f", ShareIDs: []string{"s"}}, "")
	assert.True(t, known, "its share shows it")
	assert.Equal(t, member, found)
	for name, tt := range map[string]struct{ root, rows string }{
		"a folder of the tree": {"f", strings.ReplaceAll(own, "elsewhere", "f")}, "an empty folder": {"f", ""}, "the project's root": {"root", own}, "none": {"", own}} {
		found, known = items(frameio.Collection{RootID: tt.root}, tt.rows)
		assert.False(t, known, name)
		assert.Empty(t, found, name)
	}
}

// Routes differ by kind, and the response to an ID of another kind is not documented.
func TestAnAssetIsFoundWhateverItsKind(t *testing.T) {
	for _, other := range []int{http.StatusNotFound, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusForbidden} {
		v := newVendor(t, map[string]http.HandlerFunc{"GET files/{id}": refuse(other, "no file", ""), "GET version_stacks/{id}": refuse(other, "no stack", ""),
			"GET folders/there": answer(`{"data":{"id":"there","type":"folder"}}`), "GET folders/gone": refuse(http.StatusNotFound, "gone", "")})
		a, err := v.client(t, nil).Asset(t.Context(), "there")
		require.NoError(t, err, other)
		assert.Equal(t, frameio.KindFolder, a.Kind)
		_, err = v.client(t, nil).Asset(t.Context(), "gone")
		assert.Equal(t, other != http.StatusForbidden, rest.IsNotFound(err), "%d: %v", other, err)
	}
	v := newVendor(t, map[string]http.HandlerFunc{"GET files/{id}": refuse(http.StatusForbidden, "not yours", "")})
	_, err := v.client(t, nil).Asset(t.Context(), "f")
	assert.Equal(t, rest.Forbidden, rest.ClassOf(err), "what may not be seen is not gone: %v", err)
	v = newVendor(t, map[string]http.HandlerFunc{"GET files/{id}": answer(`{"data":{"id":"f","type":"file","project_id":"p","status":"uploaded","media_links":{"original":null}}}`),
		"GET projects/{id}": refuse(http.StatusUnprocessableEntity, "not now", "")})
	_, err = v.client(t, nil).Asset(t.Context(), "f")
	assert.Equal(t, rest.Permanent, rest.ClassOf(err), "nor is what was read, whatever else is refused: %v", err)
}

func TestAFailedUploadIsSeen(t *testing.T) {
	v := newVendor(t, map[string]http.HandlerFunc{
		"GET files/{id}":        answer(`{"data":{"id":"f","type":"file","status":"created","file_size":1}}`),
		"GET files/{id}/status": answer(`{"data":{"id":"f","filetype":"video/mp4","upload_complete":false,"upload_failed":true,"uploaded_at":null,"upload_completed_at":null}}`),
	})
	a, err := v.client(t, nil).Asset(t.Context(), "f")
	require.NoError(t, err)
	assert.True(t, a.UploadFailed)
	assert.False(t, a.Ready)
	v = newVendor(t, map[string]http.HandlerFunc{
		"GET files/{id}":        answer(`{"data":{"id":"f","type":"file","status":"created","file_size":1}}`),
		"GET files/{id}/status": refuse(http.StatusConflict, "Conflict", ""),
	})
	a, err = v.client(t, nil).Asset(t.Context(), "f")
	require.NoError(t, err, "a file on its way whose upload says nothing is still on its way")
	assert.False(t, a.UploadFailed || a.Ready)
}

func TestCommentsOfEveryShapeAreRead(t *testing.T) {
	at := func(n int64) *int64 { return &n }
	v := newVendor(t, map[string]http.HandlerFunc{
		"GET files/{id}": answer(`{"data":{"id":"f","type":"file","status":"uploaded","metadata":[{"field_definition_name":"Frame Rate","value":"29.97"}]}}`),
		"GET files/{id}/comments": func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "owner,replies", r.URL.Query().Get("include"))
			_, _ = io.WriteString(w, `{"data":[
			{"id":"1","text":"a","timestamp":11974,"duration":null,"owner":{"id":"u","name":"Una","email":"una@x.example"},"annotation":"[]",
			 "replies":[{"id":"1r","text":"r","timestamp":null,"annotation":null,"replies":[{"id":"1rr","text":"rr"}]}]},
			{"id":"2","text":"b","timestamp":"00:06:39;16","duration":12.0,"owner":{"id":null,"name":"Gus","email":"gus@x.example"}},
			{"id":"3","text":"c","timestamp":"00:00:10:00","duration":"5","owner":{"id":null,"name":null,"email":"gone@x.example"},"annotation":[{"tool":"pen"}]},
			{"id":"4","text":"d","timestamp":null,"page":2,"completed_at":"2026-01-01T00:00:00Z"},
			{"id":"5","text":"e","timestamp":0,"duration":1}]}`)
		},
	})
	page, err := v.client(t, nil).Comments(t.Context(), "f", "")
	require.NoError(t, err)
	by := map[string]frameio.Comment{}
	for _, c := range page.Items {
		by[c.ID] = c
	}
	require.Len(t, by, 7)
	assert.Equal(t, "1r", by["1rr"].ParentID)
	assert.Equal(t, at(11974), by["1"].Frame)
	assert.Equal(t, frameio.Person{ID: "u", Name: "Una", Email: "una@x.example"}, by["1"].Author)
	assert.Equal(t, "1", by["1r"].ParentID)
	assert.True(t, by["1r"].Author.Unknown)
	assert.Equal(t, at(11974), by["2"].Frame, "dropped frames are not counted")
	assert.EqualValues(t, 12, by["2"].Frames)
	assert.True(t, by["2"].Author.Guest)
	assert.Equal(t, at(300), by["3"].Frame)
	assert.EqualValues(t, 5, by["3"].Frames)
	assert.JSONEq(t, `[{"tool":"pen"}]`, by["3"].Annotation)
	assert.Nil(t, by["4"].Frame)
	assert.Equal(t, 2, *by["4"].Page)
	assert.True(t, by["4"].Completed)
	assert.Equal(t, at(0), by["5"].Frame)
}

func TestSharesOfEveryProfile(t *testing.T) {
	known := map[string]bool{"type": true, "name": true, "access": true, "asset_ids": true, "downloading_enabled": true, "expiration": true, "passphrase": true}
	create := func(w http.ResponseWriter, r *http.Request) { // the profile of July 2026
		var in struct{ Data map[string]any }
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&in))
		for k := range in.Data {
			if !known[k] {
				refuse(422, "is unexpected", "/data/"+k)(w, r)
				return
			}
		}
		_, _ = io.WriteString(w, `{"data":{"id":"s","name":"S","short_url":"https://f.io/x","enabled":true,"passphrase":"made-by-policy"}}`)
	}
	v := newVendor(t, map[string]http.HandlerFunc{"POST projects/{id}/shares": create, "PATCH shares/{id}": create})
	c := v.client(t, nil)
	s, err := c.CreateShare(t.Context(), "p", frameio.NewShare{Name: "S", AssetIDs: []string{"a"}, Watermark: true})
	require.NoError(t, err)
	assert.Equal(t, frameio.WatermarkUnknown, s.Watermark, "an older server does not say")
	assert.True(t, s.HasPassphrase)
	assert.NotContains(t, fmt.Sprintf("%+v", s), "made-by-policy")
	off := false
	require.NoError(t, c.UpdateShare(t.Context(), "s", frameio.ShareChange{Active: &off}))
	last := v.calls()[len(v.calls())-1]
	assert.Contains(t, last, `"expiration"`)
	assert.NotContains(t, last, "enabled")

	v = newVendor(t, map[string]http.HandlerFunc{"POST projects/{id}/shares": func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "watermark_enabled") {
			refuse(403, "Watermarking is not part of the account's plan", "")(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"id":"s","watermark_enabled":false}}`)
	}})
	s, err = v.client(t, nil).CreateShare(t.Context(), "p", frameio.NewShare{Name: "S", AssetIDs: []string{"a"}, Watermark: true})
	require.NoError(t, err)
	assert.Equal(t, frameio.WatermarkOff, s.Watermark, "without the add-on")

	deleted := false
	v = newVendor(t, map[string]http.HandlerFunc{
		"PATCH shares/{id}": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			field := "expiration"
			if strings.Contains(string(body), "enabled") {
				field = "enabled"
			}
			refuse(422, "is not taken", "/data/"+field)(w, r)
		},
		"DELETE shares/{id}": func(w http.ResponseWriter, _ *http.Request) { deleted = true; w.WriteHeader(204) },
	})
	require.NoError(t, v.client(t, nil).UpdateShare(t.Context(), "s", frameio.ShareChange{Active: &off}))
	assert.True(t, deleted, "a link that cannot be shut otherwise is deleted")
}

// A refusal is permanent, but what keeps the share from being deleted may pass: the end of a review tries again.
func TestALinkThatCouldNotBeDeletedYetIsTriedAgain(t *testing.T) {
	off := false
	for status, want := range map[int]rest.Class{http.StatusConflict: rest.Retryable, http.StatusForbidden: rest.Permanent, http.StatusNotFound: rest.Permanent} {
		v := newVendor(t, map[string]http.HandlerFunc{"PATCH shares/{id}": refuse(http.StatusUnprocessableEntity, "is not taken", ""), "DELETE shares/{id}": refuse(status, "not deleted", "")})
		err := v.client(t, nil).UpdateShare(t.Context(), "s", frameio.ShareChange{Active: &off})
		assert.Equal(t, want, rest.ClassOf(err), "%d: %v", status, err)
	}
}

// Servers that do not list what a share shows are asked to add it again, and answer that with a conflict.
func TestWhatIsSharedAlreadyIsNoError(t *testing.T) {
	for _, refusal := range []struct {
		status int
		body   string
		ok     bool
	}{
		{http.StatusConflict, `{"errors":[{"detail":"Conflict"}]}`, true}, {http.StatusUnprocessableEntity, `{"errors":[{"detail":"Asset is already in the share"}]}`, true},
		{http.StatusUnprocessableEntity, `{"errors":[{"detail":"Invalid value"}]}`, false},
	} {
		v := newVendor(t, map[string]http.HandlerFunc{"POST shares/s/assets": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(refusal.status)
			_, _ = io.WriteString(w, refusal.body)
		}})
		err := v.client(t, nil).AddToShare(t.Context(), "s", []string{"a", "b"})
		assert.Equal(t, refusal.ok, err == nil, "%v", err)
	}
}

// A conflict with a write may pass. A refused listing concerns only that object, and does not keep others waiting.
func TestAConflictMayPassForWritesAlone(t *testing.T) {
	conflict := refuse(http.StatusConflict, "Conflict", "")
	v := newVendor(t, map[string]http.HandlerFunc{"GET files/f/comments": conflict, "PATCH files/f/move": conflict})
	c := v.client(t, nil)
	_, err := c.Comments(t.Context(), "f", "")
	assert.Equal(t, rest.Permanent, rest.ClassOf(err), "%v", err)
	assert.Equal(t, rest.Retryable, rest.ClassOf(c.moveFile(t.Context(), "f", "s")))
}

// A refused listing is not an empty one: its contents would silently be left out.
func TestARefusedListingIsNotEmpty(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity} {
		refuses := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
		c := newVendor(t, map[string]http.HandlerFunc{"GET shares/s/assets": refuses, "GET projects/p/collections": refuses}).client(t, nil)
		_, err := c.ShareItems(t.Context(), frameio.Share{ID: "s"}, "")
		assert.True(t, rest.IsRefused(err), "%d: %v", status, err)
		_, err = c.Collections(t.Context(), "p", "")
		assert.True(t, rest.IsRefused(err), "%d: %v", status, err)
	}
}

func TestTheAccountIsFoundOrNamed(t *testing.T) {
	for body, want := range map[string]string{`[{"id":"one","display_name":"One"}]`: "", `[]`: "sees 0 accounts", `[{"id":"one","display_name":"One"},{"id":"two","display_name":"Two"}]`: "One (one), Two (two)"} {
		v := newVendor(t, map[string]http.HandlerFunc{"GET /v4/accounts": answer(`{"data":` + body + `}`), "GET /v4/accounts/one/projects": answer(`{"data":[]}`)})
		_, err := v.client(t, func(c *config.Frameio) { c.AccountID = "" }).Projects(t.Context(), "")
		if want == "" {
			require.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "frameio.account_id")
	}
}

func TestADeveloperTokenGoesWithItsHeader(t *testing.T) {
	v := newVendor(t, map[string]http.HandlerFunc{"GET /v4/me": func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer fio-u-dev", r.Header.Get("Authorization"))
		assert.Equal(t, "true", r.Header.Get("X-Frameio-Legacy-Token-Auth"))
		_, _ = io.WriteString(w, `{"data":{"id":"u","name":"U","email":"u@x.example"}}`)
	}})
	_, err := v.client(t, nil).Me(t.Context())
	require.NoError(t, err)
}

// adobe is IMS with rotating refresh tokens, each of which is valid once.
type adobe struct {
	mu     sync.Mutex
	n      int
	asked  []url.Values
	access string
	fail   string // error code to answer with
	wait   chan struct{}
}

func (a *adobe) token(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = r.ParseForm()
	a.asked = append(a.asked, r.PostForm)
	if a.wait != nil {
		<-a.wait
	}
	if r.PostForm.Get("grant_type") == "refresh_token" && r.PostForm.Get("refresh_token") != fmt.Sprintf("refresh-%d", a.n) {
		a.fail = "invalid_grant"
	}
	if a.fail != "" {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"error":%q,"error_description":"the words for %s"}`, a.fail, r.PostForm.Get("client_secret"))
		return
	}
	a.n++
	a.access = fmt.Sprintf("access-%d", a.n)
	refresh := ""
	if r.PostForm.Get("grant_type") != "client_credentials" {
		refresh = fmt.Sprintf(`,"refresh_token":"refresh-%d"`, a.n)
	}
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":86399%s}`, a.access, refresh)
}

func (a *adobe) minted() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

// memory stores tokens as the ledger does: one exchange at a time.
type memory struct {
	mu   sync.Mutex
	kept []byte
}

func (m *memory) Exchange(ctx context.Context, _ string, change func(context.Context, []byte) ([]byte, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next, err := change(ctx, m.kept)
	if err == nil {
		m.kept = next
	}
	return err
}

func signedIn(t *testing.T, refresh string) (*adobe, *vendor, *memory, func() *Client) {
	a, m := &adobe{}, &memory{}
	v := newVendor(t, map[string]http.HandlerFunc{"POST /ims/token/v3": a.token, "GET projects": func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		good := r.Header.Get("Authorization") == "Bearer "+a.access
		a.mu.Unlock()
		if !good {
			refuse(401, "Unauthorized", "")(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"data":[]}`)
	}})
	return a, v, m, func() *Client {
		return v.client(t, func(c *config.Frameio) {
			c.IMS = config.IMS{TokenURL: v.url + "/ims/token/v3", ClientID: "client", ClientSecret: "the-client-secret", RefreshToken: config.Secret(refresh)}
		}, WithStore(m))
	}
}

// Two processes with one ledger and many calls each use a refresh token only once.
func TestARotatingTokenIsUsedOnce(t *testing.T) {
	a, _, _, open := signedIn(t, "refresh-0")
	workers := []*Client{open(), open()}
	round := func() {
		var all sync.WaitGroup
		for i := range 20 {
			all.Add(1)
			go func() {
				defer all.Done()
				_, err := workers[i%2].Projects(context.Background(), "")
				assert.NoError(t, err)
			}()
		}
		all.Wait()
	}
	round()
	assert.Equal(t, 1, a.minted())
	a.mu.Lock()
	a.access = "void" // in the middle
	a.mu.Unlock()
	round()
	assert.Equal(t, 2, a.minted(), "calls that are refused together share the next token")
}

func TestWhoGivesUpWaitingLeavesTheTokenBehind(t *testing.T) {
	a, _, m, open := signedIn(t, "refresh-0")
	a.wait = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := open()
	go func() { _, err := c.Projects(ctx, ""); done <- err }()
	require.Eventually(t, func() bool {
		if a.mu.TryLock() {
			a.mu.Unlock()
			return false
		}
		return true
	}, 5*time.Second, time.Millisecond)
	cancel()
	close(a.wait)
	require.Error(t, <-done)
	m.mu.Lock()
	assert.Contains(t, string(m.kept), "refresh-1", "the one used is void")
	m.mu.Unlock()
	_, err := c.Projects(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, 1, a.minted())
}

// A token that Frame.io rejects everywhere, because of a missing scope, is not requested again for each call.
func TestATokenWithoutRightsIsNotMintedForEver(t *testing.T) {
	a, v, _, open := signedIn(t, "")
	var calls atomic.Int64
	v.HandleFunc("GET "+inAccount+"workspaces", func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		refuse(401, "Unauthorized", "")(w, r)
	})
	c := open()
	for range 5 {
		_, err := c.Workspace(t.Context(), "")
		e := errorOf(t, err)
		assert.Equal(t, rest.Unauthorized, e.Class)
		for _, word := range []string{"AdobeID", "additional_info.roles", "frame.s2s.all"} {
			assert.Contains(t, e.Hint, word)
		}
	}
	assert.LessOrEqual(t, a.minted(), 2)
	assert.Equal(t, "openid,AdobeID,frame.s2s.all", a.asked[0].Get("scope"))
}

func TestAdobesErrorsSayWhatToDo(t *testing.T) {
	for code, want := range map[string]string{"invalid_scope": "Developer Console", "invalid_client": "client_secret", "invalid_grant": "product profile"} {
		a, _, _, open := signedIn(t, "")
		a.fail = code
		_, err := open().Projects(t.Context(), "")
		e := errorOf(t, err)
		assert.Equal(t, rest.Unauthorized, e.Class, code)
		assert.Contains(t, e.Hint, want, code)
		assert.Contains(t, e.Detail, "the words for ***", code)
		assert.NotContains(t, err.Error(), "the-client-secret")
	}
	_, _, _, open := signedIn(t, "refresh-of-long-ago")
	_, err := open().Projects(t.Context(), "")
	assert.Contains(t, errorOf(t, err).Hint, "starter login")
	v := newVendor(t, map[string]http.HandlerFunc{"GET projects": refuse(403, "Forbidden", "")})
	_, err = v.client(t, nil).Projects(t.Context(), "")
	assert.Contains(t, errorOf(t, err).Hint, "product profile")
}

// document reads the vendor's OpenAPI document of July 2026, if it is there.
func document(t *testing.T) map[string]any {
	dir := os.Getenv("FRAMEBRIDGE_SPECS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "specs")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "frameio-v4.json"))
	if err != nil && os.Getenv("FRAMEBRIDGE_REQUIRE_SPECS") == "" {
		t.Skipf("NOT VALIDATED: %v (set FRAMEBRIDGE_SPECS)", err)
	}
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(raw, &doc))
	return doc
}

var (
	parameter = regexp.MustCompile(`\{[^}]+\}`)
	limitText = regexp.MustCompile(`Rate Limits: (\d+) calls per ([\d.]+) (second|minute)`)
)

func TestEveryOperationKeepsTheVendorsLimit(t *testing.T) {
	theirs := map[string]rest.Limit{}
	for path, item := range document(t)["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			o, ok := op.(map[string]any)
			if !ok {
				continue
			}
			words, _ := o["description"].(string)
			m := limitText.FindStringSubmatch(words)
			require.NotNil(t, m, "%s %s", method, path)
			calls, _ := strconv.ParseFloat(m[1], 64)
			n, _ := strconv.ParseFloat(m[2], 64)
			window := time.Duration(n * float64(map[string]time.Duration{"second": time.Second, "minute": time.Minute}[m[3]]))
			name := strings.ToUpper(method) + " " + strings.Replace(parameter.ReplaceAllString(strings.Replace(path, "/v4/accounts/{account_id}", "~", 1), "{id}"), "/v4", "", 1)
			theirs[name] = rest.Limit{Calls: calls, Window: window}
		}
	}
	require.Len(t, theirs, 90)
	for op, l := range limits {
		if op == opShareAssets { // of August 2026
			continue
		}
		assert.Equal(t, theirs[op], l, op)
	}
	source, err := os.ReadFile("limits.go")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`op\w+ += "([A-Z]+ [^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		assert.Contains(t, limits, m[1], "without a limit")
	}
}

// Everything that is sent must be in the vendor's documentation, because unknown fields are refused. The share's fields of
// September 2026 are left to the server, which reports them.
func TestNothingIsSentThatTheVendorDoesNotKnow(t *testing.T) {
	doc := document(t)
	resolve := func(v any) map[string]any {
		m, _ := v.(map[string]any)
		for m["$ref"] != nil {
			var at any = doc
			for _, k := range strings.Split(strings.TrimPrefix(m["$ref"].(string), "#/"), "/") {
				at = at.(map[string]any)[k]
			}
			m = at.(map[string]any)
		}
		return m
	}
	schemas := map[string]map[string]any{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			o, _ := op.(map[string]any)
			body := resolve(o["requestBody"])
			if content, ok := body["content"].(map[string]any); ok {
				data := resolve(resolve(content["application/json"].(map[string]any)["schema"])["properties"].(map[string]any)["data"])
				if one, ok := data["oneOf"].([]any); ok {
					data = resolve(one[0])
				}
				schemas[strings.ToUpper(method)+" "+parameter.ReplaceAllString(strings.TrimPrefix(path, "/v4/accounts/{account_id}/"), "x")] = data
			}
		}
	}
	var later []string
	v := newVendor(t, map[string]http.HandlerFunc{"GET shares/{id}/assets": answer(`{"data":[]}`), " /": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":{"id":"x","type":"file","parent_id":"x","status":"uploaded","upload_urls":[]}}`)
	}})
	c := v.client(t, nil)
	ctx, frame, page, yes, text, at := t.Context(), int64(3), 2, true, "", time.Now()
	_, _ = c.CreateProject(ctx, "x", "name")
	_, _ = c.CreateFolder(ctx, "x", "name")
	_, _ = c.BeginUpload(ctx, "x", frameio.NewFile{Name: "a.mov", MediaType: "video/quicktime", Size: 3})
	_, _ = c.AddVersion(ctx, "x", frameio.Asset{ID: "x", Kind: frameio.KindFile}, "y")
	_, _ = c.AddVersion(ctx, "x", frameio.Asset{ID: "x", Kind: frameio.KindStack}, "x")
	_, _ = c.CreateComment(ctx, "x", frameio.NewComment{Text: "t", Frame: &frame, Frames: 3, Page: &page, Annotation: "[]", Completed: true})
	_ = c.UpdateComment(ctx, "x", frameio.CommentChange{Text: &text, Annotation: &text, Time: &frameio.CommentTime{Frame: &frame, Frames: 2}, Completed: &yes})
	_ = c.UpdateComment(ctx, "x", frameio.CommentChange{Time: &frameio.CommentTime{}})
	_, _ = c.CreateShare(ctx, "x", frameio.NewShare{Name: "n", AssetIDs: []string{"x"}, ExpiresAt: at, Passphrase: "p", Download: true, Watermark: true})
	_ = c.UpdateShare(ctx, "x", frameio.ShareChange{ExpiresAt: &at, Active: &yes})
	_ = c.AddToShare(ctx, "x", []string{"y"})
	_ = c.Invite(ctx, "x", []string{"a@b.example"}, "m", nil)
	checked := map[string]bool{}
	for _, call := range v.calls() {
		op, body, ok := strings.Cut(call, " {")
		if !ok {
			continue
		}
		op, _, _ = strings.Cut(op, "?")
		data := schemas[op]
		require.NotNil(t, data, op)
		checked[op] = true
		var sent map[string]map[string]any
		require.NoError(t, json.Unmarshal([]byte("{"+body), &sent), call)
		require.Len(t, sent, 1, op)
		for k, value := range sent["data"] {
			p, known := data["properties"].(map[string]any)[k]
			if !known {
				later = append(later, op+" "+k)
				continue
			}
			if s := resolve(p); value == nil && s["oneOf"] == nil {
				assert.Equal(t, true, s["nullable"], "%s %s is null", op, k)
			}
		}
		required, _ := data["required"].([]any)
		for _, k := range required {
			assert.Contains(t, sent["data"], k, op)
		}
	}
	assert.ElementsMatch(t, []string{"POST projects/x/shares watermark_enabled", "PATCH shares/x enabled"}, later)
	assert.Len(t, checked, 11, "%v", checked)
}
