package stack

import (
	_ "embed"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/sandbox/ui"
)

//go:embed starting.html
var startingSource string

var startingTemplate = template.Must(template.New("starting").Funcs(ui.Funcs).Parse(startingSource))

// Front serves the sandbox's page from the first second: at first what is being built and started, and then the stack's page.
type Front struct {
	URL string

	mu    sync.Mutex
	began time.Time
	notes []string
	now   string
	page  http.Handler // nil until everything is up
}

// OpenFront serves the page, on its well-known port if that is free.
func OpenFront() (*Front, error) {
	f := &Front{began: time.Now(), now: "starting"}
	s := &Stack{o: Options{FixedPorts: true}}
	var err error
	f.URL, err = s.serve(9030, f)
	return f, err
}

// Note adds a line that stays until everything is up.
func (f *Front) Note(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = append(f.notes, text)
}

// Now sets what is being done.
func (f *Front) Now(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = text
}

func (f *Front) show(page http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.page = page
}

func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	page, v := f.page, struct {
		Now, Since string
		Notes      []string
	}{f.now, english.Duration(time.Since(f.began)), append([]string(nil), f.notes...)}
	f.mu.Unlock()
	if page != nil {
		page.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = startingTemplate.Execute(w, v)
}
