package frameiosim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ratesV4 are the vendor's limits for V4, as calls and milliseconds.
var ratesV4 = map[string][2]float64{
	"GET files/{id}":                       {10, 1_000},
	"GET files/{id}/status":                {5, 1_000},
	"POST folders/{id}/files/local_upload": {5, 1_000},
	"POST folders/{id}/folders":            {3, 1_000},
	"PATCH comments/{id}":                  {10, 60_000},
	"POST projects/{id}/shares":            {10, 60_000},
	"PATCH shares/{id}":                    {10, 60_000},
	"POST shares/{id}/assets":              {10, 60_000},
	"POST shares/{id}/reviewers":           {10, 60_000},
	"GET shares/{id}/reviewers":            {10, 60_000},
	"POST folders/{id}/version_stacks":     {10, 60_000},
	"POST workspaces/{id}/projects":        {10, 60_000},
	"DELETE comments/{id}":                 {60, 60_000},
	"DELETE folders/{id}":                  {60, 60_000},
	"DELETE shares/{id}":                   {60, 60_000},
}

// stampV4 formats a time as V4 does, to the microsecond.
func stampV4(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func stampV4OrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return stampV4(*t)
}

func failV4(w http.ResponseWriter, status int, detail, pointer string) {
	e := map[string]any{"title": http.StatusText(status), "detail": detail}
	if pointer != "" {
		e["source"] = map[string]any{"pointer": pointer}
	}
	answer(w, status, map[string]any{"errors": []any{e}})
}

func notFoundV4(w http.ResponseWriter) { failV4(w, http.StatusNotFound, "Not found", "") }

func data(w http.ResponseWriter, status int, v any) { answer(w, status, map[string]any{"data": v}) }

// bodyV4 reads a request's data and refuses what the schema does not name.
func bodyV4(w http.ResponseWriter, r *http.Request, allowed ...string) (map[string]any, bool) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var in struct {
		Data map[string]any `json:"data"`
	}
	if err != nil || json.Unmarshal(raw, &in) != nil || in.Data == nil {
		failV4(w, http.StatusUnprocessableEntity, "Missing field: data", "/data")
		return nil, false
	}
	for name := range in.Data {
		if !slices.Contains(allowed, name) {
			failV4(w, http.StatusUnprocessableEntity, "Unexpected field: "+name, "/data/"+name)
			return nil, false
		}
	}
	return in.Data, true
}

// pageV4 answers with one page. Its link to the next page has only the cursor.
func pageV4(w http.ResponseWriter, r *http.Request, most, n int, row func(i int) any) {
	q := r.URL.Query()
	size, from := 50, 0
	if v := q.Get("page_size"); v != "" {
		s, err := strconv.Atoi(v)
		if err != nil || s < 1 || s > most {
			failV4(w, http.StatusBadRequest, fmt.Sprintf("page_size must be 1 to %d", most), "")
			return
		}
		size = s
	}
	if after := q.Get("after"); after != "" {
		v, err := strconv.Atoi(strings.TrimPrefix(after, "c"))
		if err != nil {
			failV4(w, http.StatusBadRequest, "after is not a cursor", "")
			return
		}
		from = v
	}
	from = min(from, n)
	to := min(from+size, n)
	rows := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, row(i))
	}
	var next any
	if to < n {
		next = fmt.Sprintf("%s?after=c%d", r.URL.Path, to)
	}
	answer(w, 200, map[string]any{"data": rows, "links": map[string]any{"next": next}})
}

func (s *Sim) serveV4(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v4/accounts/"+s.s.Account+"/")
	op := r.Method + " " + idInPath.ReplaceAllString(path, "{id}")
	s.mu.Lock()
	s.calls[op]++
	s.mu.Unlock()
	rate, known := ratesV4[op]
	if !known {
		rate = unlistedV4
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	more := slices.Contains(s.o.MoreTokens, token)
	bucket := op
	if more {
		bucket += " " + token
	}
	if !s.limitTo(w, bucket, s.quicker(rate)) {
		failV4(w, http.StatusTooManyRequests, "Rate limit exceeded", "")
		return
	}
	s.mu.RLock()
	ok := s.adobe.Accepts(token) || (more && !s.revoked[token] || token == s.o.Token) && r.Header.Get("x-frameio-legacy-token-auth") == "true"
	v4 := s.o.Generation == "v4"
	s.mu.RUnlock()
	if !ok || !v4 {
		failV4(w, http.StatusUnauthorized, "Unauthorized", "")
		return
	}
	refused := func(status int) { failV4(w, status, http.StatusText(status), "") }
	if !s.faults.Find(r).Spoil(s.mux, w, r, refused) {
		s.mux.ServeHTTP(w, r)
	}
}
