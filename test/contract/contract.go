// Package contract holds what goes between Framebridge and the simulators against the vendors' OpenAPI documents, so
// that neither can agree with the other on something the vendor would refuse.
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Dir finds the vendors' documents: FRAMEBRIDGE_SPECS, or shared/specs beside the repository that root lies in.
func Dir(root string) (string, bool) {
	dir := os.Getenv("FRAMEBRIDGE_SPECS")
	if dir == "" {
		dir = filepath.Join(root, "..", "shared", "specs")
	}
	_, err := os.Stat(dir)
	return dir, err == nil
}

// Checker validates calls and remembers what does not fit.
type Checker struct {
	// Known are differences of the vendor from its document, by "METHOD /path-template: part of the message".
	Known []string

	prefixes []string
	routers  map[string]routers.Router // by prefix of the path
	mu       sync.Mutex
	problems map[string]int
	seen     map[string]int
}

// Load reads documents, each serving the paths below its prefix.
func Load(files map[string]string) (*Checker, error) {
	c := &Checker{routers: map[string]routers.Router{}, problems: map[string]int{}, seen: map[string]int{}}
	for prefix, file := range files {
		r, err := router(prefix, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		c.routers[prefix] = r
		c.prefixes = append(c.prefixes, prefix)
	}
	return c, nil
}

// loaded are the routers of this process by prefix and file: each takes a good part of a second.
var loaded sync.Map

// router finds a document's operations. It is the same for all who ask, and nobody changes it.
func router(prefix, file string) (routers.Router, error) {
	once, _ := loaded.LoadOrStore(prefix+" "+file, sync.OnceValues(func() (routers.Router, error) {
		doc, err := read(file)
		if err != nil {
			return nil, err
		}
		doc.Servers = openapi3.Servers{{URL: prefix}}
		lenient(doc)
		return gorillamux.NewRouter(doc)
	}))
	return once.(func() (routers.Router, error))()
}

// read loads a document; a reference to nothing, of which the vendors' have some, means anything.
func read(file string) (*openapi3.T, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	if raw, err = json.Marshal(withoutDangling(tree, tree)); err != nil {
		return nil, err
	}
	var doc openapi3.T
	if err := doc.UnmarshalJSON(raw); err != nil { // a loader would read it as YAML, which takes ten times as long
		return nil, err
	}
	return &doc, openapi3.NewLoader().ResolveRefsIn(&doc, nil)
}

func withoutDangling(v, root any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = withoutDangling(v[i], root)
		}
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			at := root
			for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
				m, _ := at.(map[string]any)
				at = m[key]
			}
			if at == nil {
				return map[string]any{}
			}
			return v
		}
		for k := range v {
			v[k] = withoutDangling(v[k], root)
		}
	}
	return v
}

// Iconik loads iconik's documents, one for each service.
func Iconik(dir string) (*Checker, error) {
	files, err := filepath.Glob(filepath.Join(dir, "iconik", "*.json"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(errors.New("no documents of iconik in "+dir), err)
	}
	by := map[string]string{}
	for _, f := range files {
		by["/API/"+strings.TrimSuffix(filepath.Base(f), ".json")] = f
	}
	return Load(by)
}

// Frameio loads the document of one of Frame.io's generations: legacy or v4.
func Frameio(dir, generation string) (*Checker, error) {
	return Load(map[string]string{"/": filepath.Join(dir, "frameio-"+generation+".json")})
}

// lenient makes optional properties nullable: all three vendors answer null for what is not there.
func lenient(doc *openapi3.T) {
	done := map[*openapi3.Schema]bool{}
	var walk func(*openapi3.SchemaRef)
	walk = func(ref *openapi3.SchemaRef) {
		if ref == nil || ref.Value == nil || done[ref.Value] {
			return
		}
		s := ref.Value
		done[s] = true
		for name, p := range s.Properties {
			if p.Value != nil && !slices.Contains(s.Required, name) {
				p.Value.Nullable = true
				if len(p.Value.Enum) > 0 {
					p.Value.Enum = append(p.Value.Enum, nil)
				}
			}
			walk(p)
		}
		walk(s.Items)
		walk(s.AdditionalProperties.Schema)
		for _, list := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
			for _, r := range list {
				walk(r)
			}
		}
	}
	content := func(c openapi3.Content) {
		for _, m := range c {
			walk(m.Schema)
		}
	}
	if doc.Components != nil {
		for _, s := range doc.Components.Schemas {
			walk(s)
		}
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			op.Security = &openapi3.SecurityRequirements{}
			if op.RequestBody != nil && op.RequestBody.Value != nil {
				content(op.RequestBody.Value.Content)
			}
			if op.Responses == nil {
				continue
			}
			for _, r := range op.Responses.Map() {
				if r.Value != nil {
					content(r.Value.Content)
				}
			}
		}
	}
	doc.Security = nil
}

func (c *Checker) find(path string) routers.Router {
	best := ""
	for _, p := range c.prefixes {
		if (p == "/" || path == p || strings.HasPrefix(path, p+"/")) && len(p) > len(best) {
			best = p
		}
	}
	return c.routers[best]
}

// Wrap validates what goes through h. A path under which no document lies goes through unseen.
func (c *Checker) Wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		router := c.find(r.URL.Path)
		if router == nil || strings.HasPrefix(r.URL.Path, "/_sim/") {
			h.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		c.check(router, r, body, rec)
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func (c *Checker) check(router routers.Router, r *http.Request, body []byte, rec *httptest.ResponseRecorder) {
	asked := httptest.NewRequest(r.Method, r.URL.RequestURI(), bytes.NewReader(body)).WithContext(context.Background())
	asked.Header = r.Header.Clone()
	route, params, err := router.FindRoute(asked)
	if err != nil {
		c.note(r.Method+" "+withoutIDs(r.URL.Path), "request", err)
		return
	}
	name := r.Method + " " + route.Path
	c.mu.Lock()
	c.seen[name]++
	c.mu.Unlock()
	in := &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true}}
	ctx := context.Background()
	if rec.Code < 300 { // what the vendor refuses need not fit
		c.note(name, "request", openapi3filter.ValidateRequest(ctx, in))
		if strings.HasPrefix(r.URL.Path, "/API/") {
			for _, what := range undocumented(route, asked, body) {
				c.note(name, "request", errors.New(what+" is not documented"))
			}
		}
		c.note(name, "answer", openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{RequestValidationInput: in,
			Status: rec.Code, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())), Options: in.Options}))
	}
}

// undocumented returns the parameters and members of a request that the vendor's document does not have: a strict vendor refuses them,
// and another ignores them.
func undocumented(route *routers.Route, r *http.Request, body []byte) (names []string) {
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName("query", name) == nil && route.PathItem.Parameters.GetByInAndName("query", name) == nil {
			names = append(names, "parameter "+name)
		}
	}
	var walk func(at string, v any, s *openapi3.SchemaRef)
	walk = func(at string, v any, s *openapi3.SchemaRef) {
		if s == nil || s.Value == nil || len(s.Value.AllOf) > 0 {
			return
		}
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				walk(at, each, s.Value.Items)
			}
		case map[string]any:
			for name, each := range v {
				if p := s.Value.Properties[name]; p != nil {
					walk(at+"/"+name, each, p)
				} else if len(s.Value.Properties) > 0 {
					names = append(names, "member "+at+"/"+name)
				} else {
					walk(at+"/*", each, s.Value.AdditionalProperties.Schema)
				}
			}
		}
	}
	var v any
	if b := route.Operation.RequestBody; b != nil && b.Value != nil && json.Unmarshal(body, &v) == nil {
		if media := b.Value.Content.Get("application/json"); media != nil {
			walk("", v, media.Schema)
		}
	}
	return names
}

var ids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

func withoutIDs(s string) string { return ids.ReplaceAllString(s, "{id}") }

func (c *Checker) note(name, what string, err error) {
	if err == nil {
		return
	}
	var all openapi3.MultiError
	if errors.As(err, &all) {
		for _, e := range all {
			c.note(name, what, e)
		}
		return
	}
	var invalid *openapi3.SchemaError
	text := err.Error()
	if errors.As(err, &invalid) {
		text = "/" + strings.Join(invalid.JSONPointer(), "/") + ": " + invalid.Reason
	}
	text = digits.ReplaceAllString(withoutIDs(text), "/N")
	if len(text) > 300 {
		text = text[:300]
	}
	problem := name + ": " + what + ": " + text
	for _, k := range c.Known {
		where, part, _ := strings.Cut(k, ": ")
		if where == name && strings.Contains(problem, part) {
			return
		}
	}
	c.mu.Lock()
	c.problems[problem]++
	c.mu.Unlock()
}

var digits = regexp.MustCompile(`/\d+`)

// Problems are all that did not fit, each once.
func (c *Checker) Problems() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]string, 0, len(c.problems))
	for p, n := range c.problems {
		out = append(out, fmt.Sprintf("%s (%d times)", p, n))
	}
	slices.Sort(out)
	return out
}

// Seen counts the operations that were validated.
func (c *Checker) Seen() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for k, n := range c.seen {
		out[k] = n
	}
	return out
}
