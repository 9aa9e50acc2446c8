package iconiksim

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/sandbox/ui"
)

func (s *Sim) routes() {
	s.mux = http.NewServeMux()
	s.assetRoutes()
	s.collectionRoutes()
	s.contentsRoutes()
	s.searchRoutes()
	s.userRoutes()
	s.approvalRoutes()
	s.fileRoutes()
	s.segmentRoutes()
	s.metadataRoutes()
	s.jobRoutes()
	s.actionRoutes()
	s.webhookRoutes()
	s.adminRoutes()
	s.mux.HandleFunc("/API/", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusNotFound, errorsOf("The requested URL was not found on the server"))
	})
	s.mux.Handle("/_sim/faults", &s.faults)
	s.mux.HandleFunc("GET /_sim/calls", func(w http.ResponseWriter, _ *http.Request) { write(w, 200, s.Calls()) })
	s.mux.HandleFunc("GET /_sim/tree", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(s.Tree()))
	})
	s.mux.HandleFunc("POST /_sim/press", func(w http.ResponseWriter, r *http.Request) {
		s.Press(r.FormValue("job"), r.FormValue("action"))
		http.Redirect(w, r, "/jobs", http.StatusSeeOther)
	})
	s.mux.HandleFunc("POST /_sim/click", s.clickForm)
	s.mux.HandleFunc("POST /_sim/comment", s.commentForm)
	s.mux.HandleFunc("POST /_sim/approval", s.approvalForm)
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { s.browse(w, "") })
	s.mux.HandleFunc("GET /collection/{id}", func(w http.ResponseWriter, r *http.Request) { s.browse(w, r.PathValue("id")) })
	s.mux.HandleFunc("GET /asset/{id}", s.assetPage)
	s.mux.HandleFunc("GET /asset/{id}/media/{proxy}", s.proxyMedia)
	s.mux.HandleFunc("GET /jobs", s.jobsPage)
}

//go:embed page.html
var pageSource string

var pages = template.Must(template.New("").Funcs(ui.Funcs).Funcs(template.FuncMap{
	"page":   func(title, home any) doc { return doc{"Title": title, "Home": home} },
	"values": func(id, values any) doc { return doc{"ID": id, "Values": values} },
	"action": func(action doc, users, expires any) doc {
		return doc{"Action": action, "Users": users, "Expires": expires}
	},
	"list": func(v any) []doc { return docs(v) },
	"done": func(d doc) bool { return text(d, "status") != "STARTED" && text(d, "status") != "READY" },
	"time": func(v any) string {
		if n, ok := number(v); ok {
			return fmt.Sprintf("%02d:%02d.%03d", int64(n)/60000, int64(n)/1000%60, int64(n)%1000)
		}
		return ""
	},
}).Parse(pageSource))

func render(w http.ResponseWriter, name string, v any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pages.ExecuteTemplate(w, name, v)
}

// SetHome sets the URL of the sandbox's own page, to which these pages link back.
func (s *Sim) SetHome(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.back = url
}

// AssetTitled finds an asset by its title.
func (s *Sim) AssetTitled(title string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.stored(kAsset, "") {
		if text(d, "title") == title && text(d, "status") != "DELETED" {
			return text(d, "id"), true
		}
	}
	return "", false
}

// inDays returns the date that the forms propose as an expiry.
func inDays(n int) string { return time.Now().AddDate(0, 0, n).Format("2006-01-02") }

const proposedDays = 14

// people returns the users, with the service last because it seldom clicks.
func (s *Sim) people() []doc {
	users := s.stored(kUser, "")
	if i := slices.IndexFunc(users, func(d doc) bool { return text(d, "id") == s.service }); i >= 0 {
		own := users[i]
		users = append(slices.Delete(users, i, i+1), own)
	}
	return users
}

func (s *Sim) actionsFor(context string) []doc {
	return slices.DeleteFunc(s.stored(kAction, ""), func(d doc) bool { return text(d, "context") != context })
}

func (s *Sim) browse(w http.ResponseWriter, id string) {
	s.mu.Lock()
	var here doc
	var up, cols, assets, loose []doc
	if id == "" {
		here = doc{"title": "Collections"}
		for _, d := range s.sorted(s.stored(kCollection, "")) {
			if len(texts(d["in_collections"])) == 0 && text(d, "status") != "DELETED" {
				cols = append(cols, d)
			}
		}
		for _, d := range s.sorted(s.stored(kAsset, "")) {
			if len(texts(d["in_collections"])) == 0 && text(d, "status") != "DELETED" {
				loose = append(loose, d)
			}
		}
	} else {
		var ok bool
		if here, ok = s.get(kCollection, id); !ok {
			s.mu.Unlock()
			http.Error(w, "no such collection", http.StatusNotFound)
			return
		}
		for _, p := range texts(here["parents"]) {
			if d, ok := s.get(kCollection, p); ok {
				up = append(up, d)
			}
		}
		alive := func(kind string) []doc {
			return s.sorted(slices.DeleteFunc(s.stored(kind, id), func(d doc) bool {
				return text(d, "status") == "DELETED" || !slices.Contains(texts(d["in_collections"]), id)
			}))
		}
		cols, assets = alive(kCollection), alive(kAsset)
	}
	actions, bulk, users, home := s.actionsFor("COLLECTION"), s.actionsFor("BULK"), s.people(), s.back
	values := s.values[valuesKey(kCollection, id, "")]
	s.mu.Unlock()
	more := 0
	if len(assets) > 500 {
		more, assets = len(assets)-500, assets[:500]
	}
	render(w, "browse", map[string]any{"Here": here, "Up": up, "Collections": cols, "Assets": assets, "More": more, "Loose": loose, "Bulk": bulk, "Actions": actions, "Values": values,
		"Users": users, "Expires": inDays(proposedDays), "Home": home})
}

type versionOnPage struct {
	Number   int
	Files    []doc
	Comments []doc
	Values   doc
	Media    string // URL of its proxy, for the page; "" for none
	Link,
	Status string
}

// value returns a metadata field's value.
func value(values doc, field string) string {
	return strings.Join(texts(values[field]), ", ")
}

// proxyMedia redirects to a proxy's bytes.
func (s *Sim) proxyMedia(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	d, ok := s.get(kProxy, r.PathValue("proxy"))
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, text(s.showProxy(d), "url"), http.StatusTemporaryRedirect)
}

func (s *Sim) assetPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	a, ok := s.get(kAsset, r.PathValue("id"))
	if !ok {
		s.mu.Unlock()
		http.Error(w, "no such asset", http.StatusNotFound)
		return
	}
	id := text(a, "id")
	var versions []versionOnPage
	for i, v := range slices.Backward(docs(a["versions"])) {
		p := versionOnPage{Number: i + 1, Values: s.values[valuesKey(kAsset, id, text(v, "id"))]}
		for _, f := range s.stored(kFile, id) {
			if text(f, "version_id") == text(v, "id") {
				f = s.showFile(f, text(f, "status") == "CLOSED")
				format, _ := s.get(kFormat, text(f, "format_id"))
				f["format"] = format["name"]
				p.Files = append(p.Files, f)
			}
		}
		for _, f := range s.stored(kProxy, id) {
			if text(f, "version_id") == text(v, "id") {
				f = maps.Clone(s.showProxy(f))
				f["format"], f["original_name"], f["size"] = "proxy", f["name"], ""
				p.Media = "/asset/" + id + "/media/" + text(f, "id")
				p.Files = append(p.Files, f)
			}
		}
		for _, c := range s.stored(kSegment, id) {
			if text(c, "version_id") == text(v, "id") && text(c, "status") != "DELETED" {
				c = s.showSegment(c)
				c["depth"] = strings.Count(text(c, "path"), "/")
				at, timed := number(c["time_start_milliseconds"])
				c["picture"] = ui.Picture(ui.Media{URL: p.Media, Type: "video/mp4", Seconds: at / 1000}, timed, marks(c))
				p.Comments = append(p.Comments, c)
			}
		}
		p.Link, p.Status = value(p.Values, "framebridge_review_link"), value(p.Values, "framebridge_review_status")
		versions = append(versions, p)
	}
	users, actions, home := s.people(), s.actionsFor("ASSET"), s.back
	s.mu.Unlock()
	media := ""
	if len(versions) > 0 {
		media = versions[0].Media
	}
	render(w, "asset", map[string]any{"Media": media, "Asset": a, "Versions": versions, "Users": users, "Actions": actions, "Expires": inDays(proposedDays), "Home": home, "Approval": s.Approval(id)})
}

var markKinds = map[string]string{"LINE": "line", "RECTANGLE": "rect", "ELLIPSE": "ellipse", "ARROW": "arrow", "PENCIL": "pen"}

// marks returns a segment's drawing as the page draws it.
func marks(segment doc) []ui.Mark {
	drawing, _ := segment["drawing"].(doc)
	var out []ui.Mark
	for _, p := range docs(drawing["primitives"]) {
		m := ui.Mark{Kind: markKinds[text(p, "type")], Color: text(p, "color")}
		for _, pt := range docs(p["points"]) {
			x, _ := number(pt["x"])
			y, _ := number(pt["y"])
			m.Points = append(m.Points, [2]float64{x, y})
		}
		out = append(out, m)
	}
	return out
}

// drawing returns a drawing on the page as iconik stores it, or nil.
func drawing(drawn []ui.Mark) doc {
	var list []any
	for _, m := range drawn {
		for kind, name := range markKinds {
			if name != m.Kind {
				continue
			}
			var points []any
			for _, p := range m.Points {
				points = append(points, doc{"x": p[0], "y": p[1]})
			}
			list = append(list, doc{"type": kind, "color": "#E74A3C", "width": 4.0, "points": points})
		}
	}
	if list == nil {
		return nil
	}
	return doc{"primitives": list}
}

func (s *Sim) jobsPage(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	var rows []doc
	for _, d := range slices.Backward(s.stored(kJob, "")) {
		if text(d, "type") == "CUSTOM" {
			rows = append(rows, d)
		}
	}
	home := s.back
	s.mu.Unlock()
	render(w, "jobs", map[string]any{"Jobs": rows, "Home": home})
}

func (s *Sim) clickForm(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	values := map[string][]string{}
	for k, v := range r.PostForm {
		if strings.HasPrefix(k, "framebridge_") {
			if values[k] = v; len(v) == 1 && v[0] == "" {
				values[k] = []string{}
			}
		}
	}
	user := r.PostFormValue("user")
	if user == "" {
		user = s.service
	}
	s.Click(r.PostFormValue("action"), user, r.PostForm["asset"], r.PostForm["collection"], values)
	http.Redirect(w, r, "/jobs", http.StatusSeeOther)
}

func (s *Sim) commentForm(w http.ResponseWriter, r *http.Request) {
	var at *int64
	var sec float64
	if _, err := fmt.Sscanf(r.FormValue("seconds"), "%g", &sec); err == nil {
		ms := int64(sec * 1000)
		at = &ms
	}
	user := r.FormValue("user")
	if user == "" {
		user = s.service
	}
	var drawn []ui.Mark
	_ = json.Unmarshal([]byte(r.FormValue("shapes")), &drawn) // if it fails, nothing was drawn
	s.Comment(r.FormValue("asset"), user, r.FormValue("text"), at, at, "", drawing(drawn))
	http.Redirect(w, r, "/asset/"+r.FormValue("asset"), http.StatusSeeOther)
}
