package frameiosim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Handler serves the API under /v2 and a page for people at /.
func (s *Sim) Handler() http.Handler { return http.HandlerFunc(s.serve) }

var idInPath = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// Vendor's limits, as calls and milliseconds; everything else takes the last line's.
var rates = map[string][2]float64{
	"GET /v2/assets/{id}/children":  {40, 60_000},
	"GET /v2/assets/{id}":           {5, 1_000},
	"PUT /v2/assets/{id}":           {10, 1_000},
	"POST /v2/assets/{id}/children": {5, 1_000},
	"":                              {100, 60_000},
}

type bucketLevel struct {
	level float64
	at    time.Time
}

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/v4/") {
		s.serveV4(w, r)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/v2/") {
		s.mux.ServeHTTP(w, r)
		return
	}
	op := r.Method + " " + idInPath.ReplaceAllString(r.URL.Path, "{id}")
	s.mu.Lock()
	s.calls[op]++
	s.mu.Unlock()
	if !s.limit(w, op) {
		fail(w, http.StatusTooManyRequests, "Rate limit exceeded")
		return
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	public := strings.HasSuffix(r.URL.Path, "/items/shared") && r.Method == http.MethodGet
	s.mu.RLock()
	moved := s.o.Generation == "v4"
	s.mu.RUnlock()
	if (!ok || token != s.o.Token) && !public || moved {
		fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	refused := func(status int) { fail(w, status, http.StatusText(status)) }
	if !s.faults.Find(r).Spoil(s.mux, w, r, refused) {
		s.mux.ServeHTTP(w, r)
	}
}

// limit keeps the bucket of an endpoint and says in the headers how full it is.
func (s *Sim) limit(w http.ResponseWriter, op string) bool {
	rate, ok := rates[op]
	if !ok {
		rate = rates[""]
	}
	return s.limitTo(w, op, rate)
}

func (s *Sim) limitTo(w http.ResponseWriter, op string, rate [2]float64) bool {
	s.mu.Lock()
	b := s.limits[op]
	now := time.Now()
	if b == nil {
		b = &bucketLevel{at: now}
		s.limits[op] = b
	}
	b.level = max(0, b.level-now.Sub(b.at).Seconds()*1000*rate[0]/rate[1])
	b.at = now
	allowed := !s.o.RateLimits || b.level+1 <= rate[0]
	if allowed && s.o.RateLimits {
		b.level++
	}
	left := int(rate[0] - b.level)
	s.mu.Unlock()
	if !s.o.RateLimits {
		rate, left = [2]float64{1_000_000, 1_000}, 999_999
	}
	w.Header().Set("x-ratelimit-limit", strconv.Itoa(int(rate[0])))
	w.Header().Set("x-ratelimit-remaining", strconv.Itoa(max(left, 0)))
	w.Header().Set("x-ratelimit-window", strconv.Itoa(int(rate[1])))
	return allowed
}

func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"code": status, "message": message,
		"errors": []any{map[string]any{"code": status, "status": status, "title": http.StatusText(status), "detail": message}}})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// list answers one page of rows. The rows are made only for the page.
func (s *Sim) list(w http.ResponseWriter, r *http.Request, n int, row func(i int) any) {
	q := r.URL.Query()
	page, size := 1, 50
	if v, err := strconv.Atoi(q.Get("page")); err == nil && v > 0 {
		page = v
	}
	if v, err := strconv.Atoi(q.Get("page_size")); err == nil && v > 0 {
		size = min(v, s.o.MaxPage)
	}
	from, to := min((page-1)*size, n), min(page*size, n)
	rows := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, row(i))
	}
	h := w.Header()
	h.Set("page-number", strconv.Itoa(page))
	h.Set("per-page", strconv.Itoa(size))
	h.Set("total-pages", strconv.Itoa(max((n+size-1)/size, 1)))
	h.Set("total", strconv.Itoa(n))
	answer(w, http.StatusOK, rows)
}

func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		fail(w, http.StatusUnprocessableEntity, fmt.Sprintf("invalid arguments: %v", err))
		return false
	}
	return true
}
