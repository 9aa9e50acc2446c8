// Package page renders the console's pages: their layout, styles and scripts, and the form of states, times and addresses.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/report"
)

// Root is the path at which the console is mounted.
const Root = "/ui/"

//go:embed templates
var templateFiles embed.FS

// Page is the data that the layout shows around a page's own content.
type Page struct {
	Title   string
	Section string // in the navigation
	Path    string // of the tenant's pages; "" outside a tenant
	Tenant  string
	Tenants []Tenant
	Person  string
	Field   string // name of the forms' token field
	Token   string
	Admin   bool
	Act     bool   // the person may act
	Export  bool   // the person may export
	Done    string // what an action has just done
	Warning string // what is not responding
	Topic   string // for live updates; "" for none
	Version string // of the topic's state when the page was rendered
	Body    any
}

// Tenant is a tenant that the person may see.
type Tenant struct{ Name, Path string }

// TenantID returns the ID of the page's tenant, or "" outside a tenant.
func (p Page) TenantID() string { return strings.TrimSuffix(strings.TrimPrefix(p.Path, Root), "/") }

// Set is everything that pages are made of.
type Set struct {
	Assets    Assets
	templates map[string]*template.Template // each parsed with the layout
}

// Load parses the embedded templates and assets.
func Load() Set {
	s := Set{Assets: loadAssets(), templates: map[string]*template.Template{}}
	funcs := template.FuncMap{
		"asset": s.Assets.URL, "size": report.Size, "count": english.Count[int64], "scrub": redact.Scrub, "sentence": Sentence,
		"join": func(list []string) string { return strings.Join(list, ", ") },
		"n":    func(n int) int64 { return int64(n) },
		"pair": func(values ...any) []any { return values },
	}
	names, _ := fs.Glob(templateFiles, "templates/*.html")
	for _, name := range names {
		if path.Base(name) == "layout.html" {
			continue
		}
		made := template.New("layout.html").Funcs(funcs)
		s.templates[strings.TrimSuffix(path.Base(name), ".html")] = template.Must(made.ParseFS(templateFiles, "templates/layout.html", name))
	}
	return s
}

// Render renders a whole page.
func (s Set) Render(name string, p Page) ([]byte, error) {
	var b bytes.Buffer
	if err := s.templates[name].Execute(&b, p); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return withoutTurns(b.Bytes()), nil
}

// turns are characters that change the direction of all the text after them. A name must not do that to a page.
const turns = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

// withoutTurns removes them from a page. Few pages contain any, so it searches before it copies.
func withoutTurns(text []byte) []byte {
	for _, turn := range turns {
		if t := []byte(string(turn)); bytes.Contains(text, t) {
			text = bytes.ReplaceAll(text, t, nil)
		}
	}
	return text
}
