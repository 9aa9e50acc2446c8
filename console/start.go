package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

const projectsTopic = "projects"

type projectRow struct {
	Project
	Badge page.Badge
	Plan  string
	Size  string
}

type startBody struct {
	Reading bool
	Took    string
	Error   string
	Read    page.Moment
	Search  string
	Rows    []projectRow
	Found   int64
	Total   int64
}

func (c *console) readProjects(v visit) live.Task {
	return c.tasks.Begin(live.About(v.tenant.ID, projectsTopic), func(ctx context.Context) (any, error) {
		list, err := c.Actions.Projects(ctx, v.tenant)
		slices.SortFunc(list, func(a, b Project) int {
			return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
		})
		return list, err
	})
}

// startPage lists Frame.io's projects, which may take longer to read than a page may wait.
func (c *console) startPage(w http.ResponseWriter, r *http.Request, v visit) {
	p := c.in(r, v, "start", "Start an archive")
	t := live.About(v.tenant.ID, projectsTopic)
	have, ok := c.tasks.Get(t)
	if !ok {
		have = c.readProjects(v)
	}
	p.Topic, p.Version = projectsTopic, have.Version()
	b := startBody{Search: page.Searched(r.URL.Query().Get("q")), Reading: have.Running(), Took: english.Duration(c.Now().Sub(have.Began))}
	if !have.Running() {
		b.Read = c.moment(have.Ended)
	}
	if have.Err != nil {
		b.Error = "Could not read the projects from Frame.io: " + redact.Scrub(have.Err.Error())
	}
	list, _ := have.Result.([]Project)
	b.Total = int64(len(list))
	for _, project := range list {
		if b.Search != "" && !strings.Contains(strings.ToLower(project.Name+"\n"+project.Team+"\n"+project.ID), strings.ToLower(b.Search)) {
			continue
		}
		if b.Found++; len(b.Rows) == rowsShown {
			continue
		}
		row := projectRow{Project: project, Plan: p.Path + "start/" + url.PathEscape(project.ID)}
		if project.Bytes >= 0 {
			row.Size = report.Size(project.Bytes)
		}
		if project.Archive != "" {
			row.Badge = page.Labeled(archiveBadges, ledger.ArchiveStatus(project.Archive))
		}
		b.Rows = append(b.Rows, row)
	}
	p.Body = b
	c.show(w, r, http.StatusOK, "start", p)
}

func (c *console) refreshProjects(_ *http.Request, v visit) (to, done string, err error) {
	c.readProjects(v)
	return "start", "listing", nil
}

type planBody struct {
	ID, Name   string
	Reading    bool
	Took       string
	Error      string
	Plan       *workflows.Plan
	Read       page.Moment
	API, Bytes string // how long it takes, limited by the vendors' rates or by bandwidth
	Archive    archiveRow
	Known      bool // the project has an archive
	Running    bool
	Queue      int64
}

// planPage shows what an archive of a project would do, before the button that starts it.
func (c *console) planPage(w http.ResponseWriter, r *http.Request, v visit) {
	id := r.PathValue("project")
	t := live.About(v.tenant.ID, "plan/"+id)
	if !knownTopic(t.Name) {
		c.problem(w, r, http.StatusNotFound, "There is no such project.")
		return
	}
	have, ok := c.tasks.Get(t)
	if !ok || r.URL.Query().Get("again") != "" && !have.Running() {
		if !v.may(config.RoleOperator) { // a plan uses the vendors' budgets
			c.refuse(w, r, v, config.RoleOperator)
			return
		}
		have = c.tasks.Begin(t, func(ctx context.Context) (any, error) { //nolint:contextcheck // it goes on without its page
			made, err := c.Actions.Plan(ctx, v.tenant, id)
			return &made, err
		})
	}
	row, known, err := v.ledger.Archive(id).Get(r.Context())
	if err != nil {
		c.failed(w, r, err)
		return
	}
	b := planBody{ID: id, Name: cmp.Or(c.projectName(v, id), row.Name, "Project "+id), Known: known, Archive: c.archiveRow(row),
		Running: known && !row.Status.Ended(), Reading: have.Running(), Took: english.Duration(c.Now().Sub(have.Began))}
	switch made, _ := have.Result.(*workflows.Plan); {
	case have.Running():
	case have.Err != nil:
		b.Error = redact.Scrub(have.Err.Error())
	case made != nil:
		b.Plan, b.Read, b.Name = made, c.moment(have.Ended), cmp.Or(made.Project, b.Name)
		b.API, b.Bytes = page.Lasting(made.APISeconds), page.Lasting(made.TransferSeconds)
	}
	counts, err := v.ledger.OpenArchives(r.Context())
	if err != nil {
		c.failed(w, r, err)
		return
	}
	for status, n := range counts {
		if status != ledger.Waiting {
			b.Queue += n
		}
	}
	p := c.in(r, v, "start", b.Name)
	p.Topic, p.Version, p.Body = t.Name, have.Version(), b
	c.show(w, r, http.StatusOK, "plan", p)
}

func (c *console) projectName(v visit, id string) string {
	have, _ := c.tasks.Get(live.About(v.tenant.ID, projectsTopic))
	list, _ := have.Result.([]Project)
	for _, p := range list {
		if p.ID == id {
			return p.Name
		}
	}
	return ""
}
