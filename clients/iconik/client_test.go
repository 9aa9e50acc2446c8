package iconik_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
)

// against returns a client of a server that answers as the vendor's documents allow, not as our simulator does.
func against(t *testing.T, routes map[string]http.HandlerFunc) *iconik.Client {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c, err := iconik.New(config.Iconik{BaseURL: server.URL, AppID: "app", AuthToken: "token"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// Part URLs come ten at a time, whatever was requested.
func TestPartURLsOfSmallPages(t *testing.T) {
	const total, most = 37, 10
	calls := 0
	c := against(t, map[string]http.HandlerFunc{"GET /API/files/v1/assets/A/files/F/multipart_url/part/": func(w http.ResponseWriter, r *http.Request) {
		calls++
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		rows := []map[string]any{}
		per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		per = min(per, most)
		for n := (page-1)*per + 1; n <= min(page*per, total); n++ {
			rows = append(rows, map[string]any{"number": n, "url": fmt.Sprintf("https://store/%d", n), "key": nil})
		}
		answer(w, map[string]any{"objects": rows})
	}})
	for _, want := range [][2]int{{1, 1}, {11, 11}, {37, 37}, {1, 37}, {8, 21}} {
		calls = 0
		urls, err := c.Files.PartURLs(t.Context(), "A", "F", "U", total, want[0], want[1])
		if err != nil {
			t.Fatal(err)
		}
		for n := want[0]; n <= want[1]; n++ {
			if urls[n] != fmt.Sprintf("https://store/%d", n) {
				t.Errorf("%v: part %d goes to %q", want, n, urls[n])
			}
		}
		if calls > 6 {
			t.Errorf("%v: %d calls", want, calls)
		}
	}
}

// The URLs that end an upload may come all at once, or each only by name. An upload that iconik does not know is an error.
func TestMultipartURLsByName(t *testing.T) {
	t.Parallel()
	kinds := map[string]any{"complete_url": "https://store/complete", "abort_url": "https://store/abort", "list_parts_url": []string{"https://store/list"}}
	for name, v := range map[string]struct {
		without func() (int, map[string]any)
		calls   int
	}{
		"all at once": {func() (int, map[string]any) { return 200, kinds }, 1},
		"one at once": {func() (int, map[string]any) {
			return 200, map[string]any{"complete_url": "https://store/complete", "list_parts_url": nil}
		}, 3},
		"none without a name": {func() (int, map[string]any) { return 200, map[string]any{} }, 4},
		"refused without a name": {func() (int, map[string]any) {
			return 400, map[string]any{"errors": map[string]string{"type": "Missing data for required field."}}
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			c := against(t, map[string]http.HandlerFunc{"GET /API/files/v1/assets/A/files/F/multipart_url/": func(w http.ResponseWriter, r *http.Request) {
				calls++
				if kind := r.URL.Query().Get("type"); r.URL.Query().Get("upload_id") != "U" {
					w.WriteHeader(http.StatusBadRequest)
				} else if kind == "" {
					status, said := v.without()
					w.WriteHeader(status)
					answer(w, said)
				} else {
					answer(w, map[string]any{kind: kinds[kind], "abort": nil})
				}
			}})
			m, err := c.Files.MultipartURLs(t.Context(), "A", "F", "U", 3)
			if err != nil || m.CompleteURL != "https://store/complete" || m.AbortURL != "https://store/abort" || len(m.ListPartsURL) != 1 || calls != v.calls {
				t.Errorf("%+v, %v, after %d calls", m, err, calls)
			}
			if _, err := c.Files.MultipartURLs(t.Context(), "A", "F", "gone", 3); err == nil {
				t.Error("no error for an upload that iconik does not know")
			}
		})
	}
}

// In the vendor's documentation, the response has the form of the request, with a URL in each part.
func TestMD5PartURL(t *testing.T) {
	c := against(t, map[string]http.HandlerFunc{"POST /API/files/v1/assets/A/files/F/multipart_url/s3/part/": func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		for _, p := range body["parts"].([]any) {
			p.(map[string]any)["url"] = "https://store/part"
		}
		answer(w, body)
	}})
	got, err := c.Files.MD5PartURL(t.Context(), "A", "F", "U", 3, [16]byte{1})
	if err != nil || got != "https://store/part" {
		t.Fatalf("%q, %v", got, err)
	}
}

// A token without the role can_read_users still reads the basic list.
func TestUserByEmailWithoutTheRole(t *testing.T) {
	c := against(t, map[string]http.HandlerFunc{
		"GET /API/users/v1/users/": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			answer(w, map[string]any{"errors": []string{"Permission denied"}})
		},
		"GET /API/users/v1/users/basic/": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, map[string]any{"objects": []map[string]any{{"id": "1", "email": "zoe@example.com.au"}, {"id": "2", "email": "Zoe@example.com", "last_name": nil}}, "pages": 1})
		},
	})
	u, err := c.Users.ByEmail(t.Context(), "zoe@example.com")
	if err != nil || u == nil || u.ID != "2" {
		t.Fatalf("%+v, %v", u, err)
	}
}

// If nothing is listed, the vendor's rule that a page beyond the end is a 404 may apply to the first page too.
func TestNothingListedIsNoError(t *testing.T) {
	c := against(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		answer(w, map[string]any{"errors": []string{"Requested page does not exist"}})
	}})
	if u, err := c.Users.ByEmail(t.Context(), "zoe@example.com"); u != nil || err != nil {
		t.Errorf("%+v, %v", u, err)
	}
	if jobs, err := c.Jobs.List(t.Context(), iconik.JobListOptions{ObjectID: "A"}); len(jobs) > 0 || err != nil {
		t.Errorf("%+v, %v", jobs, err)
	}
	if found, err := c.Search.ByExternalID(t.Context(), "assets", "frameio:file:1"); len(found) > 0 || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
	if found, err := c.Search.Collections(t.Context(), "Archive"); len(found) > 0 || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
	for o, err := range c.Collections.AllContents(t.Context(), "C", "assets") {
		t.Errorf("%+v, %v", o, err)
	}
}

// Pages that repeat under fresh numbers end with an error that names the operation, and so do more pages than there can be.
func TestListingsThatRepeat(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		pages, calls int
		rows         func(page int) []string
		err          string
	}{
		"one row again":          {0, 2, func(int) []string { return []string{"a"} }, "list segments: the listing repeats the same page"},
		"two pages in turn":      {100_000, 3, func(p int) []string { return []string{strconv.Itoa(p % 2)} }, "list segments: the listing repeats the same page"},
		"a billion":              {1_000_000_000, 1, func(int) []string { return []string{"a"} }, "list segments: the listing says that it has 1000000000 pages"},
		"a page that is missing": {3, 2, func(p int) []string { return [][]string{{"a"}, nil, {"b"}}[p-1] }, "list segments: page 2 of 3 is missing"},
		"uncounted, to a 404":    {0, 2, func(p int) []string { return [][]string{{"a"}, nil}[p-1] }, ""},
		"an empty page between":  {3, 3, func(p int) []string { return [][]string{{"a"}, {}, {"b"}}[p-1] }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			c := against(t, map[string]http.HandlerFunc{"GET /API/assets/v1/assets/a/segments/": func(w http.ResponseWriter, r *http.Request) {
				calls++
				page, _ := strconv.Atoi(r.URL.Query().Get("page"))
				rows := []map[string]any{}
				if v.rows(page) == nil {
					w.WriteHeader(http.StatusNotFound)
				}
				for _, id := range v.rows(page) {
					rows = append(rows, map[string]any{"id": id, "date_modified": strconv.Itoa(calls)})
				}
				answer(w, map[string]any{"objects": rows, "page": page, "pages": v.pages, "next_url": fmt.Sprintf("/API/x/?page=%d", page+1)})
			}})
			rows, err := c.Segments.List(t.Context(), "a", iconik.SegmentListOptions{})
			if calls != v.calls || (err == nil) != (v.err == "") || err != nil && !strings.Contains(err.Error(), v.err) {
				t.Fatalf("%d rows after %d calls, %v", len(rows), calls, err)
			}
		})
	}
}

// A listing that returns fewer rows than requested shows by its pages, link or total that there are more. One of them is enough.
func TestListingsOfSmallPages(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]func(from, to int) map[string]any{
		"pages": func(int, int) map[string]any { return map[string]any{"pages": 4} },
		"a link": func(_, to int) map[string]any {
			return map[string]any{"next_url": map[bool]any{true: "/API/x/"}[to < 7]}
		},
		"a total":       func(int, int) map[string]any { return map[string]any{"total": 7} },
		"a total twice": func(int, int) map[string]any { return map[string]any{"total": 14} },
		"what is left": func(from, _ int) map[string]any {
			return map[string]any{"total": 7 - from, "next_url": map[bool]any{true: "/API/x/"}[from < 6]}
		},
		"odd numbers": func(_, to int) map[string]any {
			return map[string]any{"page": "x", "pages": []int{1}, "total": map[string]any{"value": 7}, "next_url": map[bool]any{true: "/API/x/"}[to < 7]}
		},
	} {
		t.Run(name, func(t *testing.T) {
			page := func(w http.ResponseWriter, from int) {
				rows, to := []map[string]any{}, min(from+2, 7)
				for n := from; n < to; n++ {
					rows = append(rows, map[string]any{"id": "row" + strconv.Itoa(n)})
				}
				if len(rows) == 0 {
					w.WriteHeader(http.StatusNotFound)
				}
				said := says(from, to)
				said["objects"] = rows
				answer(w, said)
			}
			c := against(t, map[string]http.HandlerFunc{
				"GET /API/assets/v1/assets/a/segments/": func(w http.ResponseWriter, r *http.Request) {
					number, _ := strconv.Atoi(r.URL.Query().Get("page"))
					page(w, 2*(number-1))
				},
				"GET /API/files/v1/assets/a/versions/v/files/": func(w http.ResponseWriter, r *http.Request) {
					last, err := strconv.Atoi(strings.TrimPrefix(r.URL.Query().Get("last_id"), "row"))
					if err != nil {
						last = -1
					}
					page(w, last+1)
				},
			})
			segments, err := c.Segments.List(t.Context(), "a", iconik.SegmentListOptions{})
			if err != nil || len(segments) != 7 {
				t.Errorf("%d segments, %v", len(segments), err)
			}
			if name == "pages" { // has no meaning there
				return
			}
			files, err := c.Files.Files(t.Context(), "a", "v")
			if err != nil || len(files) != 7 {
				t.Errorf("%d files, %v", len(files), err)
			}
		})
	}
}

// A number that comes as text or with a fraction costs neither its row nor the listing.
func TestNumbersInOtherForms(t *testing.T) {
	t.Parallel()
	row := func(start, end, size string) string {
		return `{"id":"` + start + `","time_start_milliseconds":` + start + `,"time_end_milliseconds":` + end + `,"size":` + size + `,"frame_rate":25}`
	}
	rows := []string{row("1000", "2000", "7"), row("1000.0", `"2000"`, `"7"`), row("999.2", "1999.0001", "7.0"), row("1e3", "2e3", `"7.0"`)}
	c := against(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"objects":[` + strings.Join(rows, ",") + `,{"id":"none","time_start_milliseconds":null,"size":null,"frame_rate":null},{"id":"odd","time_start_milliseconds":{},"time_end_milliseconds":"NaN","size":[]}]}`))
	}})
	segments, err := c.Segments.List(t.Context(), "a", iconik.SegmentListOptions{})
	if err != nil || len(segments) != len(rows)+2 {
		t.Fatalf("%+v, %v", segments, err)
	}
	files, err := c.Files.Files(t.Context(), "a", "v")
	if err != nil || len(files) != len(rows)+2 {
		t.Fatalf("%+v, %v", files, err)
	}
	proxies, err := c.Files.Proxies(t.Context(), "a", "v")
	if err != nil || len(proxies) != len(rows)+2 {
		t.Fatalf("%+v, %v", proxies, err)
	}
	for i, s := range segments {
		if i < len(rows) && (s.StartMS == nil || *s.StartMS != 1000 || s.EndMS == nil || *s.EndMS != 2000 || files[i].Size != 7 || proxies[i].Size != 7 || proxies[i].FrameRate != "25") {
			t.Errorf("%s: %v, %v, %d, %d, %s", rows[i], s.StartMS, s.EndMS, files[i].Size, proxies[i].Size, proxies[i].FrameRate)
		}
		if i >= len(rows) && (s.StartMS != nil || s.EndMS != nil || files[i].Size != 0 || proxies[i].FrameRate != "") {
			t.Errorf("%s: %v, %v, %d, %s", s.ID, s.StartMS, s.EndMS, files[i].Size, proxies[i].FrameRate)
		}
	}
}

// The list of views is documented without pages, but listings that have pages start with ten rows.
func TestViewsInPages(t *testing.T) {
	c := against(t, map[string]http.HandlerFunc{"GET /API/metadata/v1/views/": func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		page = max(page, 1)
		var next any
		if page < 3 {
			next = fmt.Sprintf("/API/metadata/v1/views/?page=%d", page+1)
		}
		answer(w, map[string]any{"objects": []map[string]any{{"id": fmt.Sprint(page), "view_fields": nil}}, "next_url": next})
	}})
	views, err := c.Metadata.Views(t.Context())
	if err != nil || len(views) != 3 || views[2].ID != "3" {
		t.Fatalf("%+v, %v", views, err)
	}
}

// A poster is read without credentials, up to a size limit, and only if it is a picture.
func TestPosters(t *testing.T) {
	jpeg := append([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 0x10, 'J', 'F', 'I', 'F', 0}, make([]byte, 64)...)
	for name, v := range map[string]struct {
		body []byte
		rows []map[string]any
		want string
		err  string
	}{
		"a poster among keyframes": {jpeg, []map[string]any{{"type": "KEYFRAME", "url": "/wrong"}, {"type": "POSTER", "status": "CLOSED", "url": "/p.jpg?sig=secret"}}, "image/jpeg", ""},
		"a poster behind many":     {jpeg, append(slices.Repeat([]map[string]any{{"type": "KEYFRAME", "url": "/wrong"}}, 12), map[string]any{"type": "POSTER", "status": "CLOSED", "url": "/p.jpg?sig=secret"}), "image/jpeg", ""},
		"a keyframe only":          {jpeg, []map[string]any{{"type": "KEYFRAME_MAP", "url": "/wrong"}, {"type": "KEYFRAME", "url": "/p.jpg?sig=secret"}}, "image/jpeg", ""},
		"none":                     {jpeg, []map[string]any{{"type": "POSTER", "url": nil}}, "", ""},
		"a page":                   {[]byte("<html><script>alert(1)</script>"), []map[string]any{{"type": "POSTER", "url": "/p.jpg?sig=secret"}}, "", "it is not a picture"},
		"a vector":                 {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), []map[string]any{{"type": "POSTER", "url": "/p.jpg?sig=secret"}}, "", "it is not a picture"},
		"too large":                {append(jpeg, make([]byte, 1<<20)...), []map[string]any{{"type": "POSTER", "url": "/p.jpg?sig=secret"}}, "", "larger than"},
		"gone":                     {nil, []map[string]any{{"type": "POSTER", "url": "/p.jpg?sig=secret"}}, "", "404"},
	} {
		t.Run(name, func(t *testing.T) {
			base := ""
			c := against(t, map[string]http.HandlerFunc{
				"GET /API/files/v1/assets/A/versions/V/keyframes/": func(w http.ResponseWriter, r *http.Request) {
					base = "http://" + r.Host
					size, rows := 10, []map[string]any{} // unless more are requested
					if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil {
						size = n
					}
					for _, row := range v.rows[:min(size, len(v.rows))] {
						row = maps.Clone(row)
						if at, ok := row["url"].(string); ok {
							row["url"] = base + at
						}
						rows = append(rows, row)
					}
					answer(w, map[string]any{"objects": rows})
				},
				"GET /p.jpg": func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("Auth-Token")+r.Header.Get("App-ID") != "" {
						t.Error("credentials go to a storage")
					}
					if v.body == nil {
						w.WriteHeader(http.StatusNotFound)
					}
					_, _ = w.Write(v.body)
				},
			})
			picture, kind, err := c.Files.Poster(t.Context(), "A", "V")
			if (err == nil) != (v.err == "") || err != nil && (!strings.Contains(err.Error(), v.err) || strings.Contains(err.Error(), "secret")) || kind != v.want || (len(picture) > 0) != (v.want != "") {
				t.Fatalf("%d bytes of %q, %v", len(picture), kind, err)
			}
		})
	}
}

// If a response does not show what was written, it is read: what iconik has is compared with what was sent.
func TestAnswersThatShowNothing(t *testing.T) {
	t.Parallel()
	is := map[string]any{"id": "S", "segment_type": "COMMENT", "segment_text": "as it is", "name": "f", "field_type": "string", "label": "F"}
	for name, says := range map[string]func(w http.ResponseWriter){
		"nothing":      func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
		"an object":    func(w http.ResponseWriter) { answer(w, map[string]any{}) },
		"its id alone": func(w http.ResponseWriter) { answer(w, map[string]any{"id": "S", "name": "f"}) },
		"all of it":    func(w http.ResponseWriter) { answer(w, is) },
	} {
		t.Run(name, func(t *testing.T) {
			c := against(t, map[string]http.HandlerFunc{
				"GET /API/":    func(w http.ResponseWriter, _ *http.Request) { answer(w, is) },
				"PATCH /API/":  func(w http.ResponseWriter, _ *http.Request) { says(w) },
				"POST /API/":   func(w http.ResponseWriter, _ *http.Request) { says(w) },
				"DELETE /API/": func(w http.ResponseWriter, _ *http.Request) { says(w) },
			})
			text := "sent"
			if s, err := c.Segments.Update(t.Context(), "A", "S", iconik.SegmentPatch{Text: &text}); err != nil || s.ID != "S" || s.Text != "as it is" {
				t.Errorf("%+v, %v", s, err)
			}
			if s, err := c.Segments.Create(t.Context(), "A", iconik.SegmentRequest{Type: "COMMENT"}); (err == nil) != strings.HasPrefix(name, "its id") && name != "all of it" || err == nil && s.Text != "as it is" {
				t.Errorf("%+v, %v", s, err)
			}
			for _, f := range []func() (*iconik.Field, error){
				func() (*iconik.Field, error) { return c.Metadata.CreateField(t.Context(), iconik.Field{Name: "f"}) },
				func() (*iconik.Field, error) { return c.Metadata.UpdateField(t.Context(), iconik.Field{Name: "f"}) },
			} {
				if f, err := f(); err != nil || f.FieldType != "string" {
					t.Errorf("%+v, %v", f, err)
				}
			}
		})
	}
}

// A view whose fields come with their definitions, despite the request, is written back without them.
func TestAViewTakesNoDefinitions(t *testing.T) {
	var put map[string]any
	c := against(t, map[string]http.HandlerFunc{
		"GET /API/metadata/v1/views/V/": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, map[string]any{"name": "View", "description": nil, "view_fields": []map[string]any{
				{"name": "a", "label": "A", "field_type": "string", "multi": false, "required": true, "options": nil, "date_created": "2026-01-01T00:00:00.000000+00:00"},
				{"name": "__separator__", "new_in_2027": 1}}})
		},
		"PUT /API/metadata/v1/views/V/": func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewDecoder(r.Body).Decode(&put)
			answer(w, put)
		},
	})
	if err := c.Admin.AddToView(t.Context(), "V", []iconik.ViewField{{Name: "b", Label: "B"}}); err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(put["view_fields"])
	if want := `[{"label":"A","name":"a","required":true},{"name":"__separator__","new_in_2027":1},{"label":"B","name":"b"}]`; string(got) != want {
		t.Errorf("%s instead of %s", got, want)
	}
}
