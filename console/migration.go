package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/plan/schedule"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

const projectPages = 200 // most pages of the ledger that a search in a migration's projects reads

// migrationNow is a migration with its current figures.
type migrationNow struct {
	row     ledger.Migration
	asked   account.Request
	sums    ledger.MigrationSums
	figures figures
}

// state returns the state of its page. It includes the counts of projects, so that the list reloads when a project ends.
func (m migrationNow) state(temporal bool) live.State {
	s := live.State{Values: map[string]string{}}
	if m.figures.Shown {
		m.figures.values(m.row.ID, s.Values)
	}
	s.Version = live.VersionOf(m.row.ID, m.row.Status, m.row.Reason, m.row.Round, m.row.ReportAssetID, m.sums.Projects, m.sums.Failed, m.figures.Shown, temporal)
	return s
}

// paused reports whether a person paused the migration. Otherwise, a paused one waits for a go after its first projects.
func (m migrationNow) paused() bool {
	return m.row.Status == ledger.MigrationPaused && strings.HasPrefix(m.row.Reason, "Paused ")
}

func (m migrationNow) queued() int64 { return m.sums.Projects[ledger.ProjectQueued] }

// migrationNow reads a migration. The result has no row ID if there is none.
func (c *console) migrationNow(ctx context.Context, h ledger.TenantLedger, id string) (migrationNow, error) {
	row, known, err := h.Migration(id).Get(ctx)
	if err != nil || !known {
		return migrationNow{}, err
	}
	return c.migrationFigures(ctx, h, row)
}

func (c *console) migrationFigures(ctx context.Context, h ledger.TenantLedger, row ledger.Migration) (migrationNow, error) {
	if !row.Status.Ended() && c.temporal.Ready(ctx) {
		row = c.Actions.MigrationAsItStands(ctx, row)
	}
	sums, err := h.Migration(row.ID).Sums(ctx)
	if err != nil {
		return migrationNow{}, err
	}
	now := migrationNow{row: row, sums: sums}
	if now.asked, err = account.ReadRequest(row.Request); err != nil {
		return now, fmt.Errorf("the request of migration %s: %w", row.ID, err)
	}
	now.figures = c.paceOf(row, sums)
	return now, nil
}

// paceOf returns the figures of a migration that has not ended.
func (c *console) paceOf(row ledger.Migration, sums ledger.MigrationSums) figures {
	f := figures{Shown: !row.Status.Ended() && sums.Total() > 0, Percent: page.Percent(sums.BytesDone, sums.Bytes),
		Files: fmt.Sprintf("%s; %d of %s", projectsText(sums), sums.Copied, english.Count(sums.Items-sums.Skipped, "file")),
		Bytes: report.Size(sums.BytesDone) + " of " + report.Size(sums.Bytes)}
	var pace schedule.Pace
	if row.Status == ledger.MigrationRunning && json.Unmarshal(row.Pace, &pace) == nil && pace.Rate() >= 1 {
		f.Rate = report.Size(int64(pace.Rate())) + "/s"
	}
	if !row.Status.Ended() && !row.ETA.IsZero() {
		f.Left = page.TimeLeft(row.ETA.Sub(c.Now()))
	}
	return f
}

type migrationBody struct {
	Row      migrationRow
	Facts    []fact
	Links    []namedLink
	Reports  []namedLink
	Filters  []filterLink
	State    string
	Search   string
	Projects []projectLine
	Next     string
	Later    bool
	Timeline []timelineLine

	CanPause, CanResume, CanCancel, Go, CanMove bool
}

// projectLine is a project of a migration, as listed.
type projectLine struct {
	ID, Name, Team, Why, Files, Size, Archive string
	Place                                     int64
	Badge                                     page.Badge
	Joined                                    bool
}

var projectFilters = []struct {
	Key, Text string
	states    []ledger.ProjectState
}{
	{"", "All", nil},
	{"queued", "Queued", []ledger.ProjectState{ledger.ProjectQueued}},
	{"running", "Running", []ledger.ProjectState{ledger.ProjectRunning}},
	{"waiting", "Action needed", []ledger.ProjectState{ledger.ProjectWaiting}},
	{"verified", "Verified", []ledger.ProjectState{ledger.ProjectVerified}},
	{"exceptions", "With exceptions", []ledger.ProjectState{ledger.ProjectExceptions}},
	{"failed", "Incomplete or failed", []ledger.ProjectState{ledger.ProjectIncomplete, ledger.ProjectFailed}},
	{"cancelled", "Canceled", []ledger.ProjectState{ledger.ProjectCancelled}},
}

// migrationPage shows one migration: its status and its projects.
func (c *console) migrationPage(w http.ResponseWriter, r *http.Request, v visit) {
	now, err := c.migrationNow(r.Context(), v.ledger, r.PathValue("id"))
	switch {
	case err != nil:
		c.failed(w, r, err)
		return
	case now.row.ID == "":
		c.problem(w, r, http.StatusNotFound, "There is no such migration.")
		return
	}
	p := c.in(r, v, "account", "Migration")
	p.Topic, p.Version = "migration/"+now.row.ID, now.state(c.temporal.Ready(r.Context())).Version
	here, status := migrationPath(v, now.row.ID), now.row.Status
	b := migrationBody{Row: c.migrationRow(now), Facts: c.migrationFacts(now), Links: c.migrationLinks(v.tenant, now.row),
		CanCancel: !status.Ended(), CanPause: !status.Ended() && status != ledger.MigrationPaused, CanResume: status == ledger.MigrationPaused, Go: !now.paused(),
		CanMove: !status.Ended() && status != ledger.MigrationPlanning}
	for _, form := range report.AccountForms {
		b.Reports = append(b.Reports, namedLink{form.Title, here + "/" + form.File})
	}
	if err := c.fillProjects(r, v, here, now, &b); err != nil {
		c.failed(w, r, err)
		return
	}
	if b.Timeline, err = c.timeline(r.Context(), v.ledger, ledger.AuditFilter{Text: now.row.ID}); err != nil {
		c.failed(w, r, err)
		return
	}
	b.Timeline = c.among(b.Timeline, passed{now.row.StartedAt, "started the first project"}, passed{now.row.FinishedAt, "ended: " + b.Row.Badge.Text})
	p.Body = b
	c.show(w, r, http.StatusOK, "migration", p)
}

// fillProjects reads a page of the projects that match the filter.
func (c *console) fillProjects(r *http.Request, v visit, here string, now migrationNow, b *migrationBody) error {
	q := r.URL.Query()
	b.State, b.Search = q.Get("state"), page.Searched(q.Get("q"))
	var states []ledger.ProjectState
	for _, f := range projectFilters {
		n := now.sums.Total()
		if f.states != nil {
			n = 0
			for _, s := range f.states {
				n += now.sums.Projects[s]
			}
		}
		if f.Key == b.State {
			states = f.states
		}
		if n > 0 || f.Key == b.State || f.Key == "" {
			b.Filters = append(b.Filters, filterLink{f.Text + " " + strconv.FormatInt(n, 10), page.Address(here, "state", f.Key, "q", b.Search) + "#projects", f.Key == b.State})
		}
	}
	after := q.Get("after")
	rows, next, err := browseProjects(r.Context(), v.ledger.Migration(now.row.ID), states, b.Search, after)
	if err != nil {
		return err
	}
	b.Projects, b.Later = rows, after != ""
	if next != "" {
		b.Next = page.Address(here, "state", b.State, "q", b.Search, "after", next) + "#projects"
	}
	for i, p := range b.Projects {
		b.Projects[i].Archive = Root + v.tenant.ID + "/archives/" + url.PathEscape(p.ID)
	}
	return nil
}

// browseProjects lists, in order, the projects that are in one of the states and whose name or workspace contains the text. Without
// states, any state matches. It returns at least a page of them if there are that many.
func browseProjects(ctx context.Context, m ledger.MigrationLedger, states []ledger.ProjectState, text, after string) (out []projectLine, next string, err error) {
	place, counted := int64(0), false
	for range projectPages {
		var rows []ledger.MigrationProject
		if rows, next, err = m.Projects(ctx, after, rowsShown); err != nil {
			return nil, "", err
		}
		if len(rows) > 0 && !counted {
			if place, err = m.QueuedBefore(ctx, rows[0].Position); err != nil {
				return nil, "", err
			}
			counted = true
		}
		for _, p := range rows {
			if p.State == ledger.ProjectQueued {
				place++
			}
			if chosen(p, states, text) {
				out = append(out, lineOf(p, place))
			}
		}
		if after = next; next == "" || len(out) >= rowsShown {
			break
		}
	}
	return out, next, nil
}

func chosen(p ledger.MigrationProject, states []ledger.ProjectState, text string) bool {
	fits := len(states) == 0
	for _, s := range states {
		fits = fits || p.State == s
	}
	return fits && strings.Contains(strings.ToLower(p.Name+"\n"+p.Team+"\n"+p.ID), strings.ToLower(text))
}

func lineOf(p ledger.MigrationProject, place int64) projectLine {
	l := projectLine{ID: p.ID, Name: p.Name, Team: p.Team, Why: page.Sentence(p.Reason), Badge: page.Labeled(projectBadges, p.State), Size: report.Size(p.Counts.Bytes),
		Joined: p.Joined}
	if l.Name == "" {
		l.Name = "Project " + p.ID
	}
	if p.State == ledger.ProjectQueued {
		l.Place = place
	}
	if p.Counts.Items > 0 {
		l.Files = fmt.Sprintf("%d of %s", p.Counts.Copied, english.Count(p.Counts.Items-p.Counts.Skipped, "file"))
		if p.Counts.Failed > 0 {
			l.Files += fmt.Sprintf(", %d failed", p.Counts.Failed)
		}
	}
	return l
}

func (c *console) migrationFacts(now migrationNow) []fact {
	row, asked := now.row, now.asked
	out := []fact{{"Which projects", now.asked.Selection.String()}}
	add := func(name, text string) {
		if text != "" {
			out = append(out, fact{name, text})
		}
	}
	added, _ := account.ReadSelections(row.Added) // an unreadable selection fails the migration, which reports it
	for _, take := range added {
		add("Added later", take.String())
	}
	add("Requested by", row.TriggeredBy.For(row.RequestedBy))
	if asked.Canary > 0 {
		add("Trial", english.Count(asked.Canary, "project")+" first, then it waits for you")
	}
	if asked.ProjectsInParallel > 0 {
		add("Projects at once", english.Count(asked.ProjectsInParallel, "project"))
	}
	add("Hours", windowsText(asked.Windows))
	if row.Bandwidth > 0 {
		add("Bandwidth now", report.Size(row.Bandwidth)+"/s")
	}
	if row.Round > 0 {
		add("Round", "second: what was verified is compared with Frame.io again")
	}
	add("Files", fmt.Sprintf("%d of %s copied, %d verified, %d skipped, %d failed", now.sums.Copied, english.Count(now.sums.Items, "file"), now.sums.Verified,
		now.sums.Skipped, now.sums.Failed))
	add("Size", report.Size(now.sums.BytesDone)+" of "+report.Size(now.sums.Bytes))
	if !row.Status.Ended() && !row.ETA.IsZero() {
		add("Expected end", c.moment(row.ETA).Text)
	}
	return out
}

// windowsText says in words when a migration works.
func windowsText(all []schedule.Window) string {
	parts := make([]string, len(all))
	for i, w := range all {
		parts[i] = strings.Join(strings.Fields(w.Days+" "+w.From+"–"+w.To+" "+w.Zone), " ")
		if w.Bandwidth != "" {
			parts[i] += ", at most " + w.Bandwidth + " per second"
		}
	}
	return strings.Join(parts, "; ")
}

func (c *console) migrationLinks(t *config.Tenant, row ledger.Migration) []namedLink {
	var out []namedLink
	if row.ReportAssetID != "" {
		out = append(out, namedLink{"Report in iconik", page.Web(t.Iconik.BaseURL + "/asset/" + url.PathEscape(row.ReportAssetID))})
	}
	if to := page.Web(temporalclient.WorkflowURL(c.Config().Temporal, workflows.MigrationID(t.ID))); to != "" {
		out = append(out, namedLink{"Workflow in Temporal", to})
	}
	return out
}

// accountReport serves a migration's report in one of its forms.
func (c *console) accountReport(w http.ResponseWriter, r *http.Request, v visit) {
	id := r.PathValue("id")
	form, ok := report.AccountFormOf(r.PathValue("file"))
	if !ok {
		c.problem(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	rep, err := report.OpenAccount(r.Context(), v.ledger, id, report.Source{TenantName: v.tenant.Name, IconikURL: v.tenant.Iconik.BaseURL,
		SigningKey: c.Config().Report.SigningKeyInUse()})
	switch {
	case err != nil:
		c.failed(w, r, err)
		return
	case rep == nil:
		c.problem(w, r, http.StatusNotFound, "There is no such migration.")
		return
	}
	c.sendReport(w, r, form.MediaType, "migration-"+id+"-"+form.File, func() error { return form.Render(w, rep) })
}

// sendReport streams a report. If it fails halfway, it aborts the response so that it does not look complete.
func (c *console) sendReport(w http.ResponseWriter, r *http.Request, mediaType, name string, render func() error) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'")
	if err := render(); err != nil && !errors.Is(err, context.Canceled) {
		c.Log.ErrorContext(r.Context(), "could not finish sending a report", "page", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler)
	}
}
