package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/workflows"
)

// spoken is a response from V2 on its way to us. said is a list of rows or one object.
type spoken struct {
	r      *http.Request
	asked  string // the path, as we requested it
	status int
	header http.Header
	said   any
	empty  bool // it has no body

	stacks *sync.Map // IDs of version stacks that were shown
	shown  *sync.Map // presentations by ID, as they were listed
	page   int       // of a listing, from 1; how many there are
	pages  int
}

// object calls do with every object of the response, the innermost first.
func (s *spoken) object(do func(map[string]any)) {
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				walk(each)
			}
		case map[string]any:
			for _, each := range v {
				walk(each)
			}
			do(v)
		}
	}
	walk(s.said)
}

func (s *spoken) lists(what string) ([]any, bool) {
	rows, ok := s.said.([]any)
	return rows, ok && strings.HasSuffix(s.r.URL.Path, what)
}

func (s *spoken) ofStack() bool {
	parts := strings.Split(s.r.URL.Path, "/")
	_, ok := s.stacks.Load(parts[len(parts)-2])
	return ok && strings.HasSuffix(s.r.URL.Path, "/children")
}

// rewrite replaces the values of members.
func rewrite(value func(name string, v any) any) func(*spoken) {
	return func(s *spoken) {
		s.object(func(o map[string]any) {
			for name, v := range o {
				o[name] = value(name, v)
			}
		})
	}
}

func withoutMembers(names ...string) func(*spoken) {
	return func(s *spoken) {
		s.object(func(o map[string]any) {
			for _, name := range names {
				delete(o, name)
			}
		})
	}
}

func unpaged(names ...string) func(*spoken) {
	return func(s *spoken) {
		for _, name := range names {
			s.header.Del(name)
		}
	}
}

var fullTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$`)

func restamped(form func(string) string) func(*spoken) {
	return rewrite(func(_ string, v any) any {
		if at, ok := v.(string); ok && fullTime.MatchString(at) {
			return form(at)
		}
		return v
	})
}

func smallPages(q map[string][]string) {
	if len(q["page_size"]) > 0 {
		q["page_size"] = []string{"3"}
	}
}

// nest moves replies into the comments that they reply to.
func nest(beside bool, change func(reply map[string]any)) func(*spoken) {
	return func(s *spoken) {
		rows, ok := s.lists("/comments")
		if !ok {
			return
		}
		byID := map[string]map[string]any{}
		for _, row := range rows {
			byID[str(row.(map[string]any)["id"])] = row.(map[string]any)
		}
		kept := []any{}
		for _, row := range rows {
			c := row.(map[string]any)
			parent := byID[str(c["parent_id"])]
			if parent == nil || beside {
				kept = append(kept, c)
			}
			if parent != nil {
				inside := maps.Clone(c)
				change(inside)
				list, _ := parent["replies"].([]any)
				parent["replies"], parent["has_replies"] = append(list, inside), true
			}
		}
		s.said = kept
	}
}

// oddities are ways in which V2's responses may differ from our simulator's, as far as its facts and its document leave that open.
var oddities = []struct {
	name   string
	apart  bool                        // not part of all together, where another one stands for it
	ask    func(q map[string][]string) // changes what the simulator is asked
	change func(*spoken)
}{
	{name: "what is unset is absent", change: func(s *spoken) {
		s.object(func(o map[string]any) { maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil }) })
	}},
	{name: "more members", change: func(s *spoken) {
		s.object(func(o map[string]any) {
			if o["_type"] != nil {
				o["not_documented"] = map[string]any{"at": []any{1, nil, "x"}}
			}
		})
	}},
	{name: "small pages", apart: true, ask: smallPages},
	{name: "small pages without headers", ask: smallPages, change: unpaged("Page-Number", "Per-Page", "Total-Pages", "Total")},
	{name: "small pages with the total only", apart: true, ask: smallPages, change: unpaged("Page-Number", "Per-Page", "Total-Pages")},
	{name: "no page beyond the last", apart: true, ask: smallPages, change: func(s *spoken) {
		if s.page > max(s.pages, 1) {
			s.status, s.said = http.StatusNotFound, map[string]any{"code": 404, "message": "Not found"}
		}
		unpaged("Page-Number", "Per-Page", "Total-Pages", "Total")(s)
	}},
	{name: "rows in another order", change: func(s *spoken) {
		if rows, ok := s.said.([]any); ok && !s.ofStack() {
			slices.Reverse(rows)
		}
	}},
	{name: "the oldest version first", apart: true, change: func(s *spoken) {
		if rows, ok := s.said.([]any); ok && s.ofStack() {
			slices.Reverse(rows)
		}
	}},
	{name: "versions in no order", change: func(s *spoken) {
		if rows, ok := s.said.([]any); ok && s.ofStack() && len(rows) > 2 {
			rows[0], rows[1] = rows[1], rows[0]
		}
	}},
	{name: "the cover is embedded alone", change: func(s *spoken) {
		s.object(func(o map[string]any) {
			if o["cover_asset"] != nil {
				o["cover_asset_id"] = nil
			}
		})
	}},
	{name: "times with an offset", change: restamped(func(at string) string { return strings.TrimSuffix(at, "Z") + "+00:00" })},
	{name: "times with a short offset", apart: true, change: restamped(func(at string) string { return strings.TrimSuffix(at, "Z") + "+0000" })},
	{name: "times with a space", apart: true, change: restamped(func(at string) string { return strings.Replace(strings.TrimSuffix(at, "Z"), "T", " ", 1) })},
	{name: "times to the microsecond", apart: true, change: restamped(func(at string) string { return strings.TrimSuffix(at, "Z") + "000Z" })},
	{name: "numbers as texts", apart: true, change: rewrite(func(_ string, v any) any {
		if n, ok := v.(float64); ok {
			return strconv.FormatFloat(n, 'f', -1, 64)
		}
		return v
	})},
	{name: "numbers with a fraction", change: rewrite(func(_ string, v any) any {
		if n, ok := v.(float64); ok && n == float64(int64(n)) {
			return json.Number(strconv.FormatFloat(n, 'f', 1, 64))
		}
		return v
	})},
	{name: "rates as fractions", apart: true, change: rewrite(func(name string, v any) any {
		if n, ok := v.(float64); ok && name == "fps" {
			if n == float64(int64(n)) {
				return fmt.Sprintf("%.0f/1", n)
			}
			return fmt.Sprintf("%.0f/1001", n*1001)
		}
		return v
	})},
	{name: "rates to two digits", apart: true, change: rewrite(func(name string, v any) any {
		if n, ok := v.(float64); ok && name == "fps" {
			return json.Number(strconv.FormatFloat(n, 'f', 2, 64))
		}
		return v
	})},
	{name: "rates in the metadata alone", change: func(s *spoken) {
		s.object(func(o map[string]any) {
			if m, ok := o["metadata"].(map[string]any); ok && o["fps"] != nil {
				blob := m["blob"].(map[string]any)
				o["fps"], o["frames"], blob["frames"] = nil, nil, fmt.Sprint(blob["frames"])
			}
		})
	}},
	{name: "replies inside their comments", apart: true, change: nest(false, func(map[string]any) {})},
	{name: "replies inside that name no parent", change: nest(false, func(reply map[string]any) { delete(reply, "parent_id") })},
	{name: "replies inside and beside", apart: true, change: nest(true, func(reply map[string]any) { reply["parent_id"] = nil })},
	{name: "comments by their own page", apart: true, ask: func(q map[string][]string) {
		if strings.Contains(strings.Join(q["include"], ","), "replies") {
			q["page_size"] = []string{"1"}
		}
	}},
	{name: "drawings as arrays", change: rewrite(func(name string, v any) any {
		var shapes []any
		if text, ok := v.(string); ok && name == "annotation" && json.Unmarshal([]byte(text), &shapes) == nil {
			return json.RawMessage(text)
		}
		return v
	})},
	{name: "no drawing is an empty one", change: rewrite(func(name string, v any) any {
		if name == "annotation" && v == nil {
			return "[]"
		}
		return v
	})},
	{name: "nobody is a guest without a name", apart: true, change: rewrite(func(name string, v any) any {
		if name == "anonymous_user" && v == nil {
			return map[string]any{"id": nil, "name": nil, "email": nil}
		}
		return v
	})},
	{name: "done is a time alone", change: func(s *spoken) {
		s.object(func(o map[string]any) {
			if o["_type"] == "comment" {
				delete(o, "completed")
			}
		})
	}},
	{name: "_type alone", apart: true, change: withoutMembers("type")},
	{name: "type alone", change: withoutMembers("_type")},
	{name: "the root is embedded alone", change: func(s *spoken) {
		s.object(func(o map[string]any) {
			if o["root_asset_id"] != nil {
				o["root_asset"] = map[string]any{"_type": "folder", "type": "folder", "id": o["root_asset_id"], "name": "root"}
				delete(o, "root_asset_id")
			}
		})
	}},
	{name: "projects say that they are open", change: func(s *spoken) {
		s.object(func(o map[string]any) {
			if o["root_asset_id"] != nil && o["private"] == nil {
				o["private"] = false
			}
		})
	}},
	{name: "comments are not counted", change: withoutMembers("comment_count")},
	{name: "empty lists for objects", change: rewrite(func(name string, v any) any {
		switch name {
		case "downloads", "properties", "checksums", "metadata", "transcodes", "user_permissions", "settings":
			if v == nil {
				return []any{}
			}
		}
		return v
	})},
	{name: "no downloads beside the media", change: rewrite(func(name string, v any) any {
		if name == "downloads" {
			return []any{}
		}
		return v
	})},
	{name: "what a user may do as texts", change: rewrite(func(name string, v any) any {
		if b, ok := v.(bool); ok {
			return strconv.FormatBool(b)
		}
		return v
	})},
	{name: "the project beside each file", change: func(s *spoken) {
		if rows, ok := s.lists("/children"); ok {
			for _, row := range rows {
				row.(map[string]any)["project"] = map[string]any{"_type": "project", "id": row.(map[string]any)["project_id"], "archive_status": "standard"}
			}
		}
	}},
	{name: "nothing of an upload but its status", change: withoutMembers("upload_completed_at", "uploaded_at", "transcoded_at")},
	{name: "presentations with their assets alone", apart: true, change: func(s *spoken) {
		if rows, ok := s.lists("/presentations"); ok {
			for _, row := range rows {
				p, assets := row.(map[string]any), []any{}
				for _, item := range p["presentation_items"].([]any) {
					assets = append(assets, item.(map[string]any)["asset"])
				}
				delete(p, "presentation_items")
				p["assets"] = assets
			}
		}
	}},
	{name: "presentations without what they show", apart: true, change: func(s *spoken) {
		if rows, ok := s.lists("/presentations"); ok {
			for _, row := range rows {
				s.shown.Store(str(row.(map[string]any)["id"]), maps.Clone(row.(map[string]any)))
				delete(row.(map[string]any), "presentation_items")
			}
		}
		if whole, ok := s.shown.Load(strings.TrimPrefix(s.r.URL.Path, "/v2/presentations/")); ok {
			s.status, s.said = http.StatusOK, whole
		}
	}},
	{name: "items under their older path", change: func(s *spoken) {
		if strings.HasSuffix(s.asked, "/items/shared") {
			s.status, s.said = http.StatusNotFound, map[string]any{"code": 404, "message": "Not found"}
		}
	}},
	{name: "writes in other ways", change: func(s *spoken) {
		switch s.r.Method {
		case http.MethodPost:
			s.status = http.StatusCreated
		case http.MethodPut:
			s.status, s.said = http.StatusAccepted, map[string]any{}
		case http.MethodDelete:
			s.status, s.empty = http.StatusNoContent, true
		}
	}},
	{name: "items by their assets", change: func(s *spoken) {
		s.object(func(o map[string]any) {
			if o["_type"] == "item" {
				delete(o, "asset_id")
				delete(o, "index")
			}
		})
	}},
	{name: "parents by their name in the document", change: func(s *spoken) {
		s.object(func(o map[string]any) {
			if o["type"] != nil {
				o["parent_asset_id"] = o["parent_id"]
				delete(o, "parent_id")
			}
		})
	}},
}

// abroadV2 sits in front of V2 and changes its responses.
func abroadV2(ask func(map[string][]string), change func(*spoken)) func(http.Handler) http.Handler {
	stacks, shown := new(sync.Map), new(sync.Map)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if ask != nil && r.Method == http.MethodGet {
				ask(q)
				r.URL.RawQuery = q.Encode()
			}
			asked := r.URL.Path
			if strings.HasSuffix(asked, "/items") { // the simulator knows the newer path only
				r.URL.Path += "/shared"
			}
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			s := &spoken{r: r, asked: asked, status: rec.Code, header: rec.Header(), stacks: stacks, shown: shown}
			s.page, _ = strconv.Atoi(rec.Header().Get("Page-Number"))
			s.pages, _ = strconv.Atoi(rec.Header().Get("Total-Pages"))
			body := rec.Body.Bytes()
			if strings.HasPrefix(r.URL.Path, "/v2/") && json.Unmarshal(body, &s.said) == nil {
				s.object(func(o map[string]any) {
					if o["type"] == "version_stack" {
						stacks.Store(o["id"], true)
					}
				})
				if (rec.Code < 300 || strings.HasPrefix(asked, "/v2/presentations/")) && change != nil {
					change(s)
				}
				body, _ = json.Marshal(s.said)
			}
			maps.Copy(w.Header(), s.header)
			w.Header().Del("Content-Length")
			w.WriteHeader(s.status)
			if !s.empty {
				_, _ = bytes.NewReader(body).WriteTo(w)
			}
		})
	}
}

// allTogether is a V2 that differs in every way at once.
func allTogether() (ask func(map[string][]string), change func(*spoken)) {
	var asks []func(map[string][]string)
	var changes []func(*spoken)
	for _, odd := range oddities {
		if odd.ask != nil && !odd.apart {
			asks = append(asks, odd.ask)
		}
		if odd.change != nil && !odd.apart {
			changes = append(changes, odd.change)
		}
	}
	return func(q map[string][]string) {
			for _, ask := range asks {
				ask(q)
			}
		}, func(s *spoken) {
			for _, change := range changes {
				change(s)
			}
		}
}

// legacyWorld is the sample project on V2, behind a handler that changes its responses.
func legacyWorld(frameio func(http.Handler) http.Handler) harnessOptions {
	return harnessOptions{generation: "legacy", storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw), frameio: frameio, iconik: plain, objects: plain}
}

// Another reading of V2's facts gives the same archive: each different way to answer by itself, and all of them together.
func TestAnotherLegacyFrameioIsReadAlike(t *testing.T) {
	t.Parallel()
	home := legacyWorld(plain).open(t)
	want, in := home.archive(t), home.in()
	alike := func(ask func(map[string][]string), change func(*spoken)) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			b := legacyWorld(abroadV2(ask, change)).open(t)
			got := b.archive(t)
			assert.Equal(t, want.Status, got.Status, got.Reason)
			assert.Equal(t, want.Reason, got.Reason)
			assert.ElementsMatch(t, in, b.in())
			assert.False(t, b.again(t).Changed)
		}
	}
	for i, odd := range oddities {
		if sampled(i, 18) {
			t.Run(odd.name, alike(odd.ask, odd.change))
		}
	}
	t.Run("all together", alike(allTogether()))
}

// Reviews, too: people on both sides act at random, and both sides end equal.
func TestAReviewOnAnotherLegacyFrameio(t *testing.T) {
	t.Parallel()
	for seed := range rounds(1, 4) {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			c, ref := legacyWorld(abroadV2(allTogether())).open(t).openReview(t, seed)
			in := workflows.SyncInput{ReviewRef: ref, Hints: []workflows.Hint{{Asset: c.asset}}}
			for range 12 {
				for range 1 + c.r.IntN(4) {
					c.act()
				}
				require.NoError(t, c.sync(in, 0))
			}
			for range 3 {
				require.NoError(t, c.sync(in, 0))
			}
			assert.Empty(t, c.equal(ref))
		})
	}
}
