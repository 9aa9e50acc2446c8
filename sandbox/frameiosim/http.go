package frameiosim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Handler serves the APIs under /v2 and /v4, and a page for people at /.
func (s *Sim) Handler() http.Handler { return http.HandlerFunc(s.serve) }

var idInPath = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

type bucketLevel struct {
	level float64
	at    time.Time
	rate  [2]float64 // calls and milliseconds
	let   int        // calls let through
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

// limit counts a call in its endpoint's bucket and sets the headers. It returns false over the limit.
func (s *Sim) limit(w http.ResponseWriter, op string) bool {
	rate, ok := rates[op]
	if !ok {
		rate = rates[""]
	}
	return s.limitTo(w, op, s.quicker(rate))
}

func (s *Sim) quicker(rate [2]float64) [2]float64 {
	if s.o.Quicker > 0 {
		rate[1] /= s.o.Quicker
	}
	return rate
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
	b.at, b.rate = now, rate
	allowed := !s.o.RateLimits || b.level+1 <= rate[0]
	if allowed {
		b.let++
	}
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

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
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

// values returns a map's values in a stable order.
func values[T any](m map[string]*T, by func(*T) string) []*T {
	out := make([]*T, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	sort.Slice(out, func(i, j int) bool { return by(out[i]) < by(out[j]) })
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func stampOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return stamp(*t)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// mediaURL returns a signed download URL on the media host.
func (s *Sim) mediaURL(key, name string) string {
	return s.o.Signer.Presign(http.MethodGet, bucket, key, url.Values{"response-content-disposition": {`attachment; filename="` + path.Base(strings.ReplaceAll(name, `"`, "")) + `"`}}, nil, s.o.URLExpiry)
}
