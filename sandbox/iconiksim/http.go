package iconiksim

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The vendor's limits for one set of credentials.
const (
	bucketSize = 1000.0
	perSecond  = 50.0
)

// Handler returns a handler that serves the API under /API and pages for people at /.
func (s *Sim) Handler() http.Handler { return http.HandlerFunc(s.serve) }

var idInPath = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/API/") {
		s.mux.ServeHTTP(w, r)
		return
	}
	if p := strings.TrimRight(r.URL.Path, "/"); p != r.URL.Path { // with or without the slash
		r2 := r.Clone(r.Context())
		r2.URL.Path, r2.URL.RawPath = p, strings.TrimRight(r.URL.RawPath, "/")
		r = r2
	}
	op := r.Method + " " + idInPath.ReplaceAllString(strings.TrimPrefix(r.URL.Path, "/API/"), "{id}")
	s.mu.Lock()
	s.calls[op]++
	s.mu.Unlock()
	refused := func(status int) { write(w, status, errorsOf(http.StatusText(status))) }
	if !s.faults.Find(r).Spoil(s.mux, w, r, refused) {
		s.mux.ServeHTTP(w, r)
	}
}

type bucketLevel struct {
	level float64
	at    time.Time
	let   int // calls let through
}

func (s *Sim) addTokens() {
	for _, token := range append([]string{s.o.Token}, s.o.MoreTokens...) {
		s.tokens[token] = s.service
	}
}

// RevokeToken revokes an application token.
func (s *Sim) RevokeToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// limit draws from the token's bucket. It returns false if that is empty. The caller must hold the lock.
func (s *Sim) limit(h http.Header, token string) bool {
	b := s.levels[token]
	if !s.o.RateLimits {
		b.let++
		s.levels[token] = b
		h.Set("RateLimit-Remaining", "999")
		return true
	}
	t := time.Now()
	b.level, b.at = max(0, b.level-t.Sub(b.at).Seconds()*perSecond), t
	if b.level+1 > bucketSize {
		h.Set("RateLimit-Remaining", "0")
		return false
	}
	b.level++
	b.let++
	s.levels[token] = b
	h.Set("RateLimit-Remaining", strconv.Itoa(int(bucketSize-b.level)))
	return true
}

// call is one request. Its handler holds the lock.
type call struct {
	*http.Request
	q    url.Values
	body doc
	user string
}

func (c *call) id(name string) string { return c.PathValue(name) }

func (c *call) flag(name string, otherwise bool) bool {
	switch strings.ToLower(c.q.Get(name)) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	return otherwise
}

type handler func(c *call) (int, any)

// on serves a route of the API. It checks authentication, rate limit, rights and body before the handler runs.
func (s *Sim) on(pattern string, h handler) {
	method, path, _ := strings.Cut(pattern, " ")
	s.mux.HandleFunc(method+" /API/"+strings.TrimRight(path, "/"), func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r, q: r.URL.Query(), body: doc{}}
		raw, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
		if err != nil {
			return
		}
		s.mu.Lock()
		user, known := s.tokens[r.Header.Get("Auth-Token")]
		switch {
		case !known || r.Header.Get("App-ID") != s.o.AppID:
			s.mu.Unlock()
			write(w, http.StatusUnauthorized, errorsOf("Token is invalid"))
			return
		case !s.limit(w.Header(), r.Header.Get("Auth-Token")):
			s.mu.Unlock()
			write(w, http.StatusTooManyRequests, errorsOf("Too many requests"))
			return
		}
		if role := s.mayNot(user, pattern); role != "" {
			s.mu.Unlock()
			write(w, http.StatusForbidden, errorsOf("Required roles: "+role))
			return
		}
		if len(strings.TrimSpace(string(raw))) > 0 {
			if err := json.Unmarshal(raw, &c.body); err != nil {
				s.mu.Unlock()
				write(w, http.StatusBadRequest, errorsOf("Invalid JSON: "+err.Error()))
				return
			}
		}
		c.user = user
		if !s.mayCall(user, r.URL.Path) {
			s.mu.Unlock()
			write(w, http.StatusForbidden, errorsOf("You do not have permission to perform this action"))
			return
		}
		status, v := h(c)
		s.mu.Unlock()
		if s.onWrite != nil && method != http.MethodGet {
			s.onWrite(method, path)
		}
		write(w, status, v) // docs are never changed in place, so they can be encoded outside the lock
	})
}

func write(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func errorsOf(messages ...string) doc { return doc{"errors": messages} }

func refuse(status int, message string) (int, any) { return status, errorsOf(message) }

func notFound(what string) (int, any) { return refuse(http.StatusNotFound, what+" does not exist") }

// invalid answers 400 with the field at fault.
func invalid(field, message string) (int, any) {
	return http.StatusBadRequest, doc{"errors": doc{field: message}}
}

// required returns the first field that is missing or empty, or "".
func required(d doc, fields ...string) string {
	for _, f := range fields {
		if v, ok := d[f]; !ok || v == nil || v == "" {
			return f
		}
	}
	return ""
}

// page answers with one page of rows. A page beyond the end is a 404.
func page[T any](c *call, rows []T, most int, show func(T) any) (int, any) {
	number, size := 1, 10
	if v := c.q.Get("page"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 10_000 {
			return invalid("page", "Must be between 1 and 10000.")
		}
		number = n
	}
	if v := c.q.Get("per_page"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > most {
			return invalid("per_page", "Must be between 1 and "+strconv.Itoa(most)+".")
		}
		size = n
	}
	pages := max((len(rows)+size-1)/size, 1)
	if number > pages {
		return refuse(http.StatusNotFound, "Requested page does not exist")
	}
	from, to := (number-1)*size, min(number*size, len(rows))
	objects := make([]any, 0, to-from)
	for _, r := range rows[from:to] {
		objects = append(objects, show(r))
	}
	link := func(n int) any {
		if n < 1 || n > pages {
			return nil
		}
		q := maps.Clone(c.q)
		q.Set("page", strconv.Itoa(n))
		return c.URL.Path + "/?" + q.Encode() // relative to the host
	}
	return http.StatusOK, doc{"objects": objects, "page": number, "pages": pages, "per_page": size, "total": len(rows), "first_url": link(1), "last_url": link(pages),
		"next_url": link(number + 1), "prev_url": link(number - 1), "scroll_id": nil, "facets": doc{}}
}

// byLastID answers with the rows after last_id.
func byLastID(c *call, rows []doc, show func(doc) any) (int, any) {
	size := 10
	if v := c.q.Get("per_page"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 1000 {
			return invalid("per_page", "Must be between 1 and 1000.")
		}
		size = n
	}
	from := 0
	if last := c.q.Get("last_id"); last != "" {
		i := slices.IndexFunc(rows, func(d doc) bool { return text(d, "id") == last })
		if i < 0 {
			return invalid("last_id", "No such row.")
		}
		from = i + 1
	}
	to := min(from+size, len(rows))
	objects := make([]any, 0, to-from)
	for _, d := range rows[from:to] {
		objects = append(objects, show(d))
	}
	var next any
	if to < len(rows) {
		q := maps.Clone(c.q)
		q.Set("last_id", text(rows[to-1], "id"))
		next = c.URL.Path + "/?" + q.Encode()
	}
	return http.StatusOK, doc{"objects": objects, "page": nil, "pages": nil, "per_page": size, "total": len(rows), "first_url": nil, "last_url": nil, "next_url": next, "prev_url": nil}
}

func same(d doc) any { return d }

// take copies the writable fields that a body names.
func take(into, body doc, fields ...string) {
	for _, f := range fields {
		if v, ok := body[f]; ok {
			into[f] = v
		}
	}
}

// oneOf reports whether a body's field, if present, has one of the given values.
func oneOf(d doc, field string, words ...string) bool {
	v, ok := d[field]
	if !ok || v == nil {
		return true
	}
	t, ok := v.(string)
	return ok && slices.Contains(words, t)
}
