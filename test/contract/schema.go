package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Sample is an answer with every property that its schema names, made up, and how each can be changed.
type Sample struct {
	Root   any
	Leaves []Leaf
}

// Leaf is one value of a sample. Path names its place without the numbers of lists.
type Leaf struct {
	Path string
	set  func(any)
	base any
	alts []any
}

// Unnoticed calls changed with every leaf in turn, once for each other value that it can have, and puts the old one back. It
// stops at a leaf when changed says that it was noticed, and yields the paths of those that never were.
func (s *Sample) Unnoticed(changed func(Leaf) (noticed bool)) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, l := range s.Leaves {
			noticed := slices.ContainsFunc(l.alts, func(alt any) bool {
				l.set(alt)
				defer l.set(l.base)
				return changed(l)
			})
			if !noticed && !yield(l.Path) {
				return
			}
		}
	}
}

// JSON is the sample as an answer's body.
func (s *Sample) JSON() []byte {
	raw, err := json.Marshal(s.Root)
	if err != nil {
		return nil
	}
	return raw
}

// Answer reads a document and makes up the answer 200 of an operation.
// A schema stands within itself as often as repeats says.
func Answer(doc *openapi3.T, path string, repeats int) (*Sample, error) {
	item := doc.Paths.Find(path)
	if item == nil || item.Get == nil {
		return nil, fmt.Errorf("the document has no GET %s", path)
	}
	resp := item.Get.Responses.Status(200)
	if resp == nil || resp.Value == nil || resp.Value.Content.Get("application/json") == nil {
		return nil, fmt.Errorf("GET %s has no answer 200", path)
	}
	m := &maker{repeats: repeats}
	s := &Sample{}
	s.Root = m.make(resp.Value.Content.Get("application/json").Schema, "", func(v any) { s.Root = v })
	s.Leaves = m.leaves
	return s, nil
}

// documents are those of this process by file: reading one takes a good part of a second.
var documents sync.Map

// Document reads a vendor's OpenAPI document. It is the same for all who ask, and nobody changes it.
func Document(file string) (*openapi3.T, error) {
	once, _ := documents.LoadOrStore(file, sync.OnceValues(func() (*openapi3.T, error) { return read(file) }))
	return once.(func() (*openapi3.T, error))()
}

type maker struct {
	leaves  []Leaf
	n       int
	within  []string // names of the schemas around
	repeats int      // how often a schema may stand within itself
}

func count(names []string, name string) (n int) {
	for _, x := range names {
		if x == name {
			n++
		}
	}
	return n
}

func (m *maker) leaf(path string, set func(any), base any, alts ...any) any {
	m.leaves = append(m.leaves, Leaf{Path: strings.TrimPrefix(path, "."), set: set, base: base, alts: append(alts, nil)})
	return base
}

// make makes up a value of a schema, and notes its leaves.
func (m *maker) make(ref *openapi3.SchemaRef, path string, set func(any)) any {
	s := ref.Value
	if name := cmp.Or(s.Title, ref.Ref); name != "" {
		if count(m.within, name) > m.repeats {
			return nil
		}
		m.within = append(m.within, name)
		defer func() { m.within = m.within[:len(m.within)-1] }()
	}
	switch {
	case len(s.OneOf) > 0:
		return m.make(s.OneOf[0], path, set)
	case len(s.AnyOf) > 0:
		return m.make(s.AnyOf[0], path, set)
	case s.Items != nil:
		return m.list(s.Items, path)
	}
	if props := properties(s); len(props) > 0 {
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(props)) {
			if v := m.make(props[name], path+"."+name, func(v any) { out[name] = v }); v != nil {
				out[name] = v
			}
		}
		return out
	}
	return m.scalar(s, path, set)
}

// list has one element of each kind that the schema knows.
func (m *maker) list(items *openapi3.SchemaRef, path string) any {
	kinds := openapi3.SchemaRefs{items}
	for len(kinds) == 1 && len(kinds[0].Value.OneOf) > 0 {
		kinds = kinds[0].Value.OneOf
	}
	out := make([]any, len(kinds))
	for i, k := range kinds {
		out[i] = m.make(k, path+"[]", func(v any) { out[i] = v })
	}
	return out
}

// properties are a schema's own and those of the schemas that it consists of.
func properties(s *openapi3.Schema) openapi3.Schemas {
	out := openapi3.Schemas{}
	for _, part := range s.AllOf {
		maps.Copy(out, properties(part.Value))
	}
	maps.Copy(out, s.Properties)
	return out
}

func (m *maker) scalar(s *openapi3.Schema, path string, set func(any)) any {
	m.n++
	switch {
	case len(s.Enum) > 0:
		var alts []any
		for _, e := range s.Enum[1:] {
			if e != nil {
				alts = append(alts, e)
			}
		}
		return m.leaf(path, set, s.Enum[0], alts...)
	case s.Type.Is("boolean"):
		return m.leaf(path, set, true, false, true)
	case s.Type.Is("integer"):
		return m.leaf(path, set, 1000+m.n, 90000+m.n)
	case s.Type.Is("number"):
		return m.leaf(path, set, float64(m.n)/10000, float64(m.n)/20000)
	case s.Format == "date-time" || s.Format == "datetime":
		at := time.Date(2026, 1, 1, 0, 0, m.n, 0, time.UTC)
		return m.leaf(path, set, at.Format(time.RFC3339), at.AddDate(0, 3, 0).Format(time.RFC3339))
	case s.Format == "uuid":
		return m.leaf(path, set, fmt.Sprintf("00000000-0000-4000-8000-%012d", m.n), fmt.Sprintf("00000000-0000-4000-9000-%012d", m.n))
	}
	return m.leaf(path, set, fmt.Sprintf("https://example.com/%d", m.n), fmt.Sprintf("https://example.org/%d", m.n))
}
