package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/workflows"
)

const mirrorsPatience = 2 * time.Second // longest a page waits for the mirrors, which Temporal keeps

// Mirror archives selected projects repeatedly.
type Mirror struct {
	Name           string
	Selection      account.Selection
	At, Days, Zone string

	Paused, Running bool
	Note            string
	LastAt, NextAt  time.Time // zero: none
	Last            *workflows.MirrorResult
	Failed          string // why the last run ended without a result
	URL             string // of its last run, in Temporal
}

// mirrorList is what the page shows about a tenant's mirrors.
type mirrorList struct {
	Rows    []mirrorRow
	Problem string
}

type mirrorRow struct {
	Name, What, When, Last, Why, Temporal string
	Badge                                 page.Badge
	LastAt, NextAt                        page.Moment
	Paused                                bool
}

// seen returns everything that a page with this list depends on.
func (l mirrorList) seen() []string {
	out := []string{l.Problem}
	for _, m := range l.Rows {
		out = append(out, m.Name, m.What, m.When, m.Last, m.Why, m.Badge.Text, m.LastAt.Machine, m.NextAt.Machine)
	}
	return out
}

// mirrorsOf reads a tenant's mirrors. If that fails, the result says so.
func (c *console) mirrorsOf(ctx context.Context, t *config.Tenant) mirrorList {
	const away = "Mirrors are stored in Temporal, which is not responding. They run again automatically when it is back."
	if !c.temporal.Ready(ctx) {
		return mirrorList{Problem: away}
	}
	ctx, cancel := context.WithTimeout(ctx, mirrorsPatience)
	defer cancel()
	all, err := c.mirrors.Of(ctx, t.ID, func(ctx context.Context) ([]Mirror, error) { return c.Actions.Mirrors(ctx, t) })
	if err != nil {
		c.Log.WarnContext(ctx, "the mirrors could not be read", "error", err)
		return mirrorList{Problem: away}
	}
	var out mirrorList
	for _, m := range all {
		row := mirrorRow{Name: m.Name, What: m.Selection.String(), When: fmt.Sprintf("%s, %s, %s", m.Days, m.At, m.Zone), Paused: m.Paused, Why: page.Sentence(m.Note),
			Last: lastRun(m), LastAt: c.moment(m.LastAt), NextAt: c.moment(m.NextAt),
			Badge: page.Good("On"), Temporal: page.Web(m.URL)}
		switch {
		case m.Running:
			row.Badge = page.Go("Running")
		case m.Paused:
			row.Badge = page.Wait("Paused")
		case m.Failed != "":
			row.Badge = page.Bad("Last run failed")
		}
		if !m.Paused {
			row.Why = ""
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// lastRun says how a mirror's last run ended.
func lastRun(m Mirror) string {
	switch r := m.Last; {
	case m.Failed != "":
		return "failed: " + page.Sentence(m.Failed)
	case r != nil:
		text := english.Count(r.Projects, "project") + fmt.Sprintf(", %d verified", r.Verified)
		for _, part := range []struct {
			n    int
			what string
		}{{r.Exceptions, "with exceptions"}, {r.Waiting, "waiting"}, {r.Failed, "failed"}} {
			if part.n > 0 {
				text += fmt.Sprintf(", %d %s", part.n, part.what)
			}
		}
		return text
	}
	return ""
}

type mirrorBody struct {
	Form           selectionForm
	Name           string
	At, Days, Zone string
	Wrong          *formProblem
}

func mirrorForm(m Mirror, wrong *formProblem) mirrorBody {
	b := mirrorBody{Form: formOf(m.Selection), Name: m.Name, At: m.At, Days: m.Days, Zone: m.Zone, Wrong: wrong}
	b.Form.Wrong = wrong
	return b
}

// newMirrorPage shows the form for a mirror, with the selection from the query.
func (c *console) newMirrorPage(w http.ResponseWriter, r *http.Request, v visit) {
	p := c.in(r, v, "account", "Keep projects up to date")
	p.Body = mirrorForm(Mirror{Name: "nightly", Selection: selectionOf(r.URL.Query()), At: "02:00", Days: "daily", Zone: "UTC"}, nil)
	c.show(w, r, http.StatusOK, "mirror", p)
}

// startMirror creates a mirror. If a field is invalid, it shows the form again with the problem.
func (c *console) startMirror(w http.ResponseWriter, r *http.Request, v visit) {
	if err := r.ParseForm(); err != nil {
		c.problem(w, r, http.StatusBadRequest, "The form could not be read.")
		return
	}
	f := r.PostForm
	m := Mirror{Name: page.Searched(f.Get("mirror")), Selection: selectionOf(f), At: page.Searched(f.Get("at")), Days: page.Searched(f.Get("days")),
		Zone: page.Searched(f.Get("zone"))}
	defer c.mirrors.Forget(v.tenant.ID)
	err := c.Actions.StartMirror(r.Context(), v.tenant, m)
	if wrong := problemOf(err); wrong != nil {
		p := c.in(r, v, "account", "Keep projects up to date")
		p.Body = mirrorForm(m, wrong)
		c.show(w, r, http.StatusUnprocessableEntity, "mirror", p)
		return
	}
	c.act(config.RoleOperator, func(*http.Request, visit) (to, done string, err2 error) { return "account", "mirrored", err })(w, r, v)
}

// confirmMirror says what an action on a mirror will do.
func (c *console) confirmMirror(w http.ResponseWriter, r *http.Request, v visit) {
	name := r.PathValue("name")
	list := c.mirrorsOf(r.Context(), v.tenant)
	at := slices.IndexFunc(list.Rows, func(m mirrorRow) bool { return m.Name == name })
	if at < 0 {
		c.problem(w, r, http.StatusNotFound, "There is no such mirror, or Temporal is not responding.")
		return
	}
	m, back := list.Rows[at], Root+v.tenant.ID+"/account"
	b := confirmation{Action: back + "/mirrors/" + url.PathEscape(name) + "/do/" + r.PathValue("verb"), Back: back}
	switch verb := r.PathValue("verb"); {
	case verb == "run":
		b.Heading, b.Button = "Run “"+name+"” now?", "Run now"
		b.Says = []string{"Framebridge archives these projects again now: " + m.What + ".", "An archive that finds no changes copies nothing and sends no e-mail.",
			"If a run is already under way, a second one does not start."}
	case verb == "pause" && !m.Paused:
		b.Heading, b.Button = "Pause “"+name+"”?", "Pause"
		b.Says = []string{"No run starts until somebody resumes the mirror. A run under way continues."}
	case verb == "resume" && m.Paused:
		b.Heading, b.Button = "Resume “"+name+"”?", "Resume"
		b.Says = []string{"The next run starts on schedule: " + m.When + "."}
	case verb == "stop":
		b.Heading, b.Button, b.Danger = "Remove “"+name+"”?", "Remove the mirror", true
		b.Says = []string{"The mirror is removed, and a run under way ends. Archives it has started continue.",
			"What is in iconik stays there but is no longer kept up to date."}
	default:
		c.problem(w, r, http.StatusUnprocessableEntity, "This is not possible now.")
		return
	}
	c.confirm(w, r, v, "account", b)
}

func (c *console) controlMirror(r *http.Request, v visit) (to, done string, err error) {
	verb := r.PathValue("verb")
	if done = map[string]string{"run": "mirror-runs", "pause": "mirror-paused", "resume": "mirror-resumed", "stop": "mirror-removed"}[verb]; done == "" {
		return "account", "", &Refused{"there is no such action"}
	}
	defer c.mirrors.Forget(v.tenant.ID)
	return "account", done, c.Actions.ControlMirror(r.Context(), v.tenant, r.PathValue("name"), verb)
}
