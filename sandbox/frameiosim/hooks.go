package frameiosim

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
)

const deliveries = 5 // attempts in all

// fire delivers an event to the project's team's webhooks: ids only, signed anew each time, and only 200 counts.
func (s *Sim) fire(event, resourceType, resourceID, projectID string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.s.Projects[projectID]
	scope := "team"
	if s.o.Generation == "v4" { // the same events under V4's names
		event = strings.Replace(event, "asset.label.updated", "metadata.value.updated", 1)
		event = strings.Replace(event, "asset.", "file.", 1)
		resourceType, scope = strings.Replace(resourceType, "asset", "file", 1), "workspace"
	}
	payload := map[string]any{"type": event, "resource": map[string]string{"type": resourceType, "id": resourceID},
		"project": map[string]string{"id": projectID}, scope: map[string]string{"id": p.TeamID}, "user": map[string]string{"id": s.s.User.ID}}
	if scope == "workspace" {
		payload["account"] = map[string]string{"id": s.s.Account}
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return
	}
	for _, h := range s.s.Hooks {
		if h.Active && h.TeamID == p.TeamID && slices.Contains(h.Events, event) {
			s.wait.Add(1)
			go s.deliver(*h, body)
		}
	}
}

func (s *Sim) deliver(h Hook, body []byte) {
	defer s.wait.Done()
	wait := s.o.Backoff
	for range deliveries {
		ts := strconv.FormatInt(time.Now().Unix(), 10)
		req, err := http.NewRequest(http.MethodPost, h.URL, bytes.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", "Frame.io Legacy API")
		req.Header.Set("X-Frameio-Request-Timestamp", ts)
		req.Header.Set("X-Frameio-Signature", frameio.Sign(h.Secret, ts, body))
		resp, err := s.client.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(wait)
		wait *= 2
	}
}

func (s *Sim) renameForm(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	_, ok := s.s.Projects[r.FormValue("project")]
	s.mu.RUnlock()
	if !ok || strings.TrimSpace(r.FormValue("name")) == "" {
		http.Error(w, "no such project, or no name", http.StatusBadRequest)
		return
	}
	s.Rename(r.FormValue("project"), r.FormValue("name"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Sim) archiveForm(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	_, ok := s.s.Projects[r.FormValue("project")]
	s.mu.RUnlock()
	status := r.FormValue("status")
	if !ok || status != "archived" && status != "standard" {
		http.Error(w, "no such project, or no such state", http.StatusBadRequest)
		return
	}
	s.Archive(r.FormValue("project"), status)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

type pageNode struct {
	Name, Type, Detail string
	Comments           int
	Children           []pageNode
}

type pageProject struct {
	Project
	Team  string
	Tree  pageNode
	Files int
}

func (s *Sim) node(a *Asset, files *int) pageNode {
	n := pageNode{Name: a.Name, Type: a.Type, Comments: len(s.threads[a.ID])}
	if a.Type == "file" {
		*files++
		n.Detail = a.Filetype + ", " + strconv.FormatInt(a.Size, 10) + " bytes"
		if a.FPS > 0 {
			n.Detail += ", " + strconv.FormatFloat(a.FPS, 'f', -1, 64) + " fps"
		}
		return n
	}
	for i, id := range s.kids[a.ID] {
		if i == 200 {
			n.Children = append(n.Children, pageNode{Name: "… " + strconv.Itoa(len(s.kids[a.ID])-i) + " more"})
			*files += len(s.kids[a.ID]) - i
			break
		}
		n.Children = append(n.Children, s.node(s.s.Assets[id], files))
	}
	return n
}

func (s *Sim) page(w http.ResponseWriter, _ *http.Request) {
	s.mu.RLock()
	var list []pageProject
	for _, p := range values(s.s.Projects, func(p *Project) string { return p.Name }) {
		pp := pageProject{Project: *p, Team: s.s.Teams[p.TeamID].Name}
		pp.Tree = s.node(s.s.Assets[p.RootID], &pp.Files)
		list = append(list, pp)
	}
	s.mu.RUnlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pageTemplate.Execute(w, list)
}

var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Frame.io (simulated)</title>
<style>:root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}section{border:1px solid #8884;border-radius:.5rem;padding:1rem;margin:1rem 0}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:0}small{opacity:.7}form{display:flex;gap:.5rem;flex-wrap:wrap;margin:.6rem 0}input{flex:1 1 16rem;padding:.4rem;font:inherit}button{padding:.4rem .8rem;font:inherit}
ul{padding-left:1.2rem;margin:.2rem 0}li{overflow-wrap:anywhere}.folder>b::before{content:"📁 "}.version_stack>b::before{content:"🗂 "}b{font-weight:500}</style></head><body>
<h1>Frame.io (simulated)</h1><p>Rename a project so that its name ends with “Archived”: the webhook fires, and Framebridge archives it.</p>
{{define "node"}}<li class="{{.Type}}"><b>{{.Name}}</b> <small>{{.Detail}}{{if .Comments}} · {{.Comments}} comments{{end}}</small>{{if .Children}}<ul>{{range .Children}}{{template "node" .}}{{end}}</ul>{{end}}</li>{{end}}
{{range .}}<section><h2>{{.Name}}</h2><small>{{.Team}} · {{.Files}} files · {{.ArchiveStatus}} · {{.ID}}</small>
<form method="post" action="/_sim/rename"><input type="hidden" name="project" value="{{.ID}}"><input name="name" value="{{.Name}} - Archived" aria-label="new name"><button>Rename</button></form>
<form method="post" action="/_sim/archive"><input type="hidden" name="project" value="{{.ID}}">{{if eq .ArchiveStatus "standard"}}<button name="status" value="archived">Archive natively (originals go to cold storage)</button>{{else}}<button name="status" value="standard">Unarchive</button>{{end}}</form>
<details><summary>Files</summary><ul>{{range .Tree.Children}}{{template "node" .}}{{end}}</ul></details></section>{{end}}</body></html>`))
