package contract

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/framebridge/framebridge/sandbox/iconiksim"
)

// members replaces the values of objects' members as change says. absent removes one.
func members(change func(name string, v any) any) func(*answered) {
	return func(a *answered) {
		a.each(func(o map[string]any) {
			for name, v := range o {
				if to := change(name, v); to == absent {
					delete(o, name)
				} else {
					o[name] = to
				}
			}
		})
	}
}

type nothing struct{}

var (
	absent  any = nothing{}
	isTime      = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$`)
	isWhole     = regexp.MustCompile(`^(0|[1-9]\d{0,8})$`)
)

func timesAs(write func(string) string) func(*answered) {
	return members(func(_ string, v any) any {
		if s, ok := v.(string); ok && isTime.MatchString(s) {
			return write(s)
		}
		return v
	})
}

// values replaces the values of metadata.
func values(change func(any) any) func(*answered) {
	return func(a *answered) {
		a.each(func(o map[string]any) {
			for _, v := range asList(o["field_values"]) {
				one := v.(map[string]any)
				one["value"] = change(one["value"])
			}
		})
	}
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

func envelope(change func(said map[string]any)) func(*answered) {
	return func(a *answered) {
		if _, said := a.rows(); said != nil && a.ok() {
			change(said)
		}
	}
}

// statuses changes successful responses.
func statuses(change func(a *answered)) func(*answered) {
	return func(a *answered) {
		if a.ok() && a.Method != http.MethodGet {
			change(a)
		}
	}
}

func empty(a *answered) { a.said, a.body = nil, nil }

// refusedBy writes errors differently.
func refusedBy(write func(words string) string) func(*answered) {
	return func(a *answered) {
		if a.status >= 400 {
			a.said, a.body = nil, []byte(write("it went wrong"))
		}
	}
}

// pagesOf returns fewer rows than requested.
func pagesOf(most int) func(*http.Request) {
	return func(r *http.Request) {
		q := r.URL.Query()
		if n, err := strconv.Atoi(q.Get("per_page")); err == nil && n > most {
			q.Set("per_page", strconv.Itoa(most))
			r.URL.RawQuery = q.Encode()
		}
	}
}

// tooMany refuses every nth call.
func tooMany(nth, most int64) func() func(http.ResponseWriter, *http.Request) bool {
	return func() func(http.ResponseWriter, *http.Request) bool {
		var calls, refused atomic.Int64
		return func(w http.ResponseWriter, _ *http.Request) bool {
			if calls.Add(1)%nth != 0 || refused.Add(1) > most {
				return false
			}
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
	}
}

// elsewhere redirects every call to the same path once.
func elsewhere(to func(*http.Request) string, status int) func() func(http.ResponseWriter, *http.Request) bool {
	return func() func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/") {
				w.Header().Set("Location", to(r))
				w.WriteHeader(status)
				return true
			}
			return false
		}
	}
}

func withQuery(r *http.Request, p string) string {
	if r.URL.RawQuery != "" {
		return p + "?" + r.URL.RawQuery
	}
	return p
}

// numbersAs writes sizes and times differently.
func numbersAs(write func(json.Number) any) func(*answered) {
	return members(func(name string, v any) any {
		if n, ok := v.(json.Number); ok && (name == "size" || strings.HasSuffix(name, "_milliseconds")) {
			return write(n)
		}
		return v
	})
}

var otherwises = []otherwise{
	{name: "no member for null", answer: members(func(_ string, v any) any {
		if v == nil {
			return absent
		}
		return v
	})},
	{name: "null for empty lists and objects", answer: members(func(name string, v any) any {
		if list, ok := v.([]any); ok && len(list) == 0 && name != "objects" {
			return nil
		}
		if o, ok := v.(map[string]any); ok && len(o) == 0 {
			return nil
		}
		return v
	})},
	{name: "null for a list of nothing", apart: true, answer: envelope(func(said map[string]any) {
		if rows := asList(said["objects"]); len(rows) == 0 {
			said["objects"] = nil
		}
	})},
	{name: "empty texts for null", answer: members(func(name string, v any) any {
		for _, id := range []string{"external_id", "parent_id", "segment_text", "message", "error_message", "custom_type", "checksum", "next_url", "share_user_email", "last_error", "url", "status_message"} {
			if v == nil && name == id {
				return ""
			}
		}
		return v
	})},
	{name: "no status where all is well", answer: members(func(name string, v any) any {
		if strings.HasSuffix(name, "status") && v == "ACTIVE" {
			return nil
		}
		return v
	})},
	{name: "unknown members", answer: func(a *answered) {
		a.each(func(o map[string]any) {
			if _, value := o["field_values"]; value || o["metadata_values"] != nil || o["objects"] != nil || o["id"] != nil {
				o["not_documented"], o["_sort"], o["Objects_"] = map[string]any{"at": []any{1, nil, "x"}}, []any{1.5, "a", nil}, 7
			}
		})
	}},
	{name: "times without a zone", answer: timesAs(func(s string) string { return strings.TrimSuffix(s, "+00:00") })},
	{name: "times in seconds with a Z", apart: true, answer: timesAs(func(s string) string { return s[:19] + "Z" })},
	{name: "times of another zone", apart: true, answer: timesAs(func(s string) string {
		at, _ := time.Parse(time.RFC3339Nano, s)
		return at.In(time.FixedZone("", 2*3600)).Format("2006-01-02T15:04:05.000000-07:00")
	})},
	{name: "small pages", apart: true, ask: pagesOf(2)},
	{name: "small pages, relative links only", apart: true, ask: pagesOf(2), answer: envelope(func(said map[string]any) {
		for _, name := range []string{"page", "pages", "total", "per_page"} {
			delete(said, name)
		}
	})},
	{name: "small pages, whole links only", ask: pagesOf(2), answer: envelope(func(said map[string]any) {
		for _, name := range []string{"page", "pages", "total", "per_page"} {
			said[name] = nil
		}
		if next, ok := said["next_url"].(string); ok {
			said["next_url"] = "https://app.iconik.io" + next
		}
	})},
	{name: "small pages without links", apart: true, ask: pagesOf(2), answer: envelope(func(said map[string]any) {
		for _, name := range []string{"next_url", "prev_url", "first_url", "last_url"} {
			delete(said, name)
		}
	})},
	{name: "a total only", apart: true, ask: pagesOf(2), answer: envelope(func(said map[string]any) {
		for _, name := range []string{"next_url", "prev_url", "first_url", "last_url", "page", "pages"} {
			delete(said, name)
		}
	})},
	{name: "a list of nothing is not found", answer: func(a *answered) {
		if rows, said := a.rows(); a.ok() && said != nil && len(rows) == 0 && a.route != "metadata/v1/views/" {
			a.status, a.said = http.StatusNotFound, map[string]any{"errors": []any{"Requested page does not exist"}}
		}
	}},
	{name: "lists the other way round", answer: func(a *answered) {
		rows, _ := a.rows()
		slices.Reverse(rows)
		a.each(func(o map[string]any) {
			for _, name := range []string{"versions", "in_collections", "components", "users_acl", "groups_acl"} {
				slices.Reverse(asList(o[name]))
			}
		})
	}},
	{name: "versions without a number", answer: func(a *answered) {
		a.each(func(o map[string]any) { delete(o, "version_number") })
	}},
	{name: "a new version alone", answer: func(a *answered) {
		if said, _ := a.said.(map[string]any); a.ok() && a.Method == http.MethodPost && a.route == "assets/v1/assets/{id}/versions/" {
			said["versions"] = asList(said["versions"])[:1]
		}
	}},
	{name: "200 for what is made", apart: true, answer: statuses(func(a *answered) { a.status = http.StatusOK })},
	{name: "201 for what is made", apart: true, answer: statuses(func(a *answered) {
		if a.Method == http.MethodPost {
			a.status = http.StatusCreated
		}
	})},
	{name: "202 for what is made", answer: statuses(func(a *answered) {
		if a.Method == http.MethodPost {
			a.status = http.StatusAccepted
		}
	})},
	{name: "204 for what is changed", answer: statuses(func(a *answered) {
		if a.Method == http.MethodPut || a.Method == http.MethodPatch {
			a.status = http.StatusNoContent
			empty(a)
		}
	})},
	{name: "200 and nothing for what is changed", apart: true, answer: statuses(func(a *answered) {
		if a.Method == http.MethodPut || a.Method == http.MethodPatch || a.Method == http.MethodDelete {
			a.status = http.StatusOK
			a.header.Set("Content-Type", "text/html; charset=utf-8")
			empty(a)
		}
	})},
	{name: "an empty object for what is changed", apart: true, answer: statuses(func(a *answered) {
		if a.Method != http.MethodPost {
			a.status, a.said = http.StatusOK, map[string]any{}
		}
	})},
	{name: "202 and a job for what is deleted", answer: statuses(func(a *answered) {
		if a.Method == http.MethodDelete {
			a.status, a.said = http.StatusAccepted, map[string]any{"job_id": "2c5bfe1a-f149-11eb-a843-0a580a3db916"}
		}
	})},
	{name: "nothing of what is added to a collection or told", answer: statuses(func(a *answered) {
		if strings.HasSuffix(a.route, "/contents/") || strings.HasPrefix(a.route, "users-notifications/") || strings.HasSuffix(a.route, "/keyframes/") || strings.HasSuffix(a.route, "/cleanup/") {
			a.status = http.StatusNoContent
			empty(a)
		}
	})},
	{name: "metadata as text", apart: true, answer: values(func(v any) any {
		if s, ok := v.(string); ok {
			return s
		}
		raw, _ := json.Marshal(v)
		return string(raw)
	})},
	{name: "metadata of its own type", answer: values(func(v any) any {
		switch s, _ := v.(string); {
		case s == "true" || s == "false":
			return s == "true"
		case isWhole.MatchString(s):
			return json.Number(s)
		}
		return v
	})},
	{name: "users without names", apart: true, answer: func(a *answered) {
		a.each(func(o map[string]any) {
			for _, name := range []string{"first_name", "last_name", "user_first_name", "user_last_name", "photo"} {
				if o[name] != nil {
					o[name] = nil
				}
			}
			if _, of := o["user_info"]; of {
				o["user_info"] = nil
			}
		})
	}},
	{name: "errors as a page", answer: func(a *answered) {
		if a.status >= 400 {
			a.header.Set("Content-Type", "text/html")
			a.said, a.body = nil, []byte("<html><body><h1>Not Found</h1></body></html>")
		}
	}},
	{name: "errors as an object", apart: true, answer: refusedBy(func(w string) string { return `{"errors":{"field":["` + w + `"],"other":{"deep":"` + w + `"}}}` })},
	{name: "errors as a text", apart: true, answer: refusedBy(func(w string) string { return `{"errors":"` + w + `"}` })},
	{name: "errors as a list of objects", apart: true, answer: refusedBy(func(w string) string { return `{"errors":[{"message":"` + w + `"},3,null]}` })},
	{name: "errors without a word", apart: true, answer: refusedBy(func(string) string { return "" })},
	{name: "too many calls, and no word of when", before: tooMany(40, 4)},
	{name: "the path without its slash", before: elsewhere(func(r *http.Request) string { return withQuery(r, strings.TrimRight(r.URL.Path, "/")) }, http.StatusPermanentRedirect)},
	{name: "compressed", answer: func(a *answered) {
		if strings.Contains(a.Header.Get("Accept-Encoding"), "gzip") {
			a.header.Set("Content-Encoding", "gzip")
		}
	}},
	{name: "without a type", apart: true, answer: func(a *answered) { a.header.Set("Content-Type", "text/plain; charset=utf-8") }},
	{name: "of a wrong type", answer: func(a *answered) { a.header.Set("Content-Type", "text/html; charset=utf-8") }},
	{name: "no calls left", apart: true, answer: func(a *answered) { a.header.Set("RateLimit-Remaining", "0") }},
	{name: "jobs without steps", answer: func(a *answered) {
		if strings.HasPrefix(a.route, "jobs/v1/jobs/") {
			a.each(func(o map[string]any) { delete(o, "steps") })
		}
	}},
	{name: "no jobs in the list", apart: true, answer: func(a *answered) {
		if _, said := a.rows(); a.route == "jobs/v1/jobs/" && said != nil {
			said["objects"], said["pages"], said["total"], said["next_url"] = []any{}, 0, 0, nil
		}
	}},
	{name: "whose comment it is is not taken", sim: func(o *iconiksim.Options) { o.OwnName = true }},
	{name: "deleted comments are listed", sim: func(o *iconiksim.Options) { o.ListDeleted = true }},
	{name: "oldest versions first", apart: true, sim: func(o *iconiksim.Options) { o.OldestFirst = true }},
	{name: "an index that lags", apart: true, unlike: "-", sim: func(o *iconiksim.Options) { o.IndexDelay = 30 * time.Millisecond }},
	{name: "comments in lists without what the index lacks", answer: func(a *answered) {
		if rows, _ := a.rows(); strings.HasSuffix(a.route, "/segments/") {
			for _, r := range rows {
				for _, name := range []string{"is_internal", "has_drawing", "top_level", "path", "subclip_id", "user_info", "version_id"} {
					delete(r.(map[string]any), name)
				}
			}
		}
	}},
	{name: "values of several the other way round", answer: func(a *answered) {
		a.each(func(o map[string]any) { slices.Reverse(asList(o["field_values"])) })
	}},
	{name: "fields without values", answer: func(a *answered) {
		a.each(func(o map[string]any) {
			if all, ok := o["metadata_values"].(map[string]any); ok {
				for i, name := range []string{"framebridge_rating", "framebridge_page", "framebridge_guest", "framebridge_review_error", "other"} {
					if all[name] == nil {
						all[name] = []any{map[string]any{"field_values": []any{}}, map[string]any{"field_values": nil}, nil, map[string]any{}}[i%4]
					}
				}
			}
		})
	}},
	{name: "dates in metadata otherwise", answer: values(func(v any) any {
		s, _ := v.(string)
		if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return at.UTC().Format("2006-01-02T15:04:05.000000") + "+00:00"
		}
		return v
	})},
	{name: "what is made by its id alone", answer: statuses(func(a *answered) {
		if said, _ := a.said.(map[string]any); a.Method == http.MethodPost && said["id"] != nil {
			for name := range said {
				if name != "id" && name != "steps" && !strings.Contains(name, "upload_") && name != "status" {
					delete(said, name)
				}
			}
		}
	})},
	{name: "numbers as text", apart: true, answer: numbersAs(func(n json.Number) any { return n.String() })},
	{name: "numbers with a fraction", answer: numbersAs(func(n json.Number) any { return json.Number(n.String() + ".0") })},
	{name: "a deleted comment takes its answers with it", after: func(next http.Handler, a *answered) {
		if a.Method != http.MethodDelete || a.route != "assets/v1/assets/{id}/segments/{id}/" || !a.ok() {
			return
		}
		at, id, _ := strings.Cut(strings.TrimRight(a.URL.Path, "/"), "/segments/")
		call := func(method, path string) []byte {
			r := httptest.NewRequest(method, path, nil)
			r.Header = a.Header.Clone()
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			return rec.Body.Bytes()
		}
		var all struct {
			Objects []struct {
				ID     string `json:"id"`
				Parent string `json:"parent_id"`
			} `json:"objects"`
		}
		_ = json.Unmarshal(call(http.MethodGet, at+"/segments/?include_all_versions=true&per_page=1000"), &all)
		for _, o := range all.Objects {
			if o.Parent == id {
				call(http.MethodDelete, at+"/segments/"+o.ID)
			}
		}
	}},
	{name: "no job with steps", before: func() func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/API/jobs/v1/jobs") {
				return false
			}
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if !bytes.Contains(body, []byte(`"steps"`)) {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"errors":{"steps":"Unknown field."}}`))
			return true
		}
	}},
	{name: "no job is there any more", apart: true, unlike: "job ", before: func() func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost || !strings.HasPrefix(r.URL.Path, "/API/jobs/v1/jobs/") || r.URL.Path == "/API/jobs/v1/jobs/" {
				return false
			}
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"errors":["Job does not exist"]}`))
			return true
		}
	}},
	{name: "a search for words", answer: func(a *answered) {
		if rows, said := a.rows(); a.route == "search/v1/search/" && said != nil {
			said["objects"] = append([]any{map[string]any{"id": "2c5bfe1a-f149-11eb-a843-0a580a3db916", "object_type": "assets", "title": "another", "external_id": "frameio:file:another", "status": "ACTIVE"},
				map[string]any{"id": "2c5bfe1a-f149-11eb-a843-0a580a3db917", "object_type": "collections", "title": "Archive from", "external_id": nil, "status": nil}}, rows...)
		}
	}},
	{name: "every user whatever is asked for", apart: true, ask: func(r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/API/users/v1/users/") {
			q := r.URL.Query()
			q.Del("email")
			q.Del("emails")
			q.Del("groups")
			r.URL.RawQuery = q.Encode()
		}
	}},
	{name: "no call for the keyframes of several", before: func() func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/assets/bulk/") {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"errors":{"type":"Missing data for required field."}}`))
			return true
		}
	}},
	{name: "versions in progress", unlike: "-", apart: true, answer: func(a *answered) {
		a.each(func(o map[string]any) {
			for _, v := range asList(o["versions"]) {
				v.(map[string]any)["status"] = "IN_PROGRESS"
			}
		})
	}},
	{name: "upload URLs for a new file only", parts: true, answer: func(a *answered) {
		if a.Method != http.MethodPost && strings.HasPrefix(a.route, "files/v1/assets/{id}/") {
			a.each(func(o map[string]any) {
				delete(o, "upload_url")
				delete(o, "multipart_upload_url")
			})
		}
	}},
	{name: "the last URLs by name", parts: true, answer: func(a *answered) {
		if kind := a.URL.Query().Get("type"); strings.HasSuffix(a.route, "/multipart_url/") && kind == "" {
			a.status, a.said = http.StatusBadRequest, map[string]any{"errors": map[string]any{"type": "Missing data for required field."}}
		}
	}},
	{name: "part URLs in small pages", parts: true, ask: pagesOf(2), answer: func(a *answered) {
		if said, _ := a.said.(map[string]any); strings.HasSuffix(a.route, "/multipart_url/part/") && a.ok() {
			a.said = map[string]any{"objects": said["objects"]}
		}
	}},
}
