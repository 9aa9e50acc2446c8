package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/plan/schedule"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

const windowsAsked = 2 // windows that fit in the form

// fieldWords maps the fields of a request and of a mirror to their labels in the forms.
var fieldWords = map[string]string{"workspaces": "Workspaces", "project_ids": "Project IDs", "name": "Project name", "status": "Status in Frame.io",
	"older_than": "Last changed before", "larger_than": "Larger than",
	"smaller_than": "Smaller than", "canary": "Trial projects", "projects_in_parallel": "Projects at once", "mirror": "Mirror name", "at": "Time",
	"days": "Days", "zone": "Time zone"}

// formProblem is the message above a form with an invalid field.
type formProblem struct{ Field, Why string }

// problemOf returns the problem in a *account.FieldError, or nil for any other error.
func problemOf(err error) *formProblem {
	var field *account.FieldError
	if !errors.As(err, &field) {
		return nil
	}
	name := strings.TrimPrefix(field.Field, "selection.")
	why := field.Why
	if label, ok := fieldWords[name]; ok {
		why = label + ": " + why
	} else if strings.HasPrefix(name, "windows") {
		why = "Hours: " + why
	}
	return &formProblem{name, redact.Scrub(why)}
}

// selectionForm holds a selection as text for the form's fields.
type selectionForm struct {
	account.Selection

	WorkspacesText, ProjectsText string
	Wrong                        *formProblem
}

// Bad reports whether a field is at fault.
func (f selectionForm) Bad(field string) bool { return f.Wrong != nil && f.Wrong.Field == field }

func listed(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// selectionOf reads the fields of a form. It truncates none: part of a list or a name would select something else.
func selectionOf(q url.Values) account.Selection {
	field := func(name string) string { return page.Typed(q.Get(name)) }
	return account.Selection{Workspaces: listed(field("workspaces")), ProjectIDs: listed(field("project_ids")), Name: field("name"), Status: field("status"),
		OlderThan: field("older_than"), LargerThan: field("larger_than"), SmallerThan: field("smaller_than")}
}

func formOf(s account.Selection) selectionForm {
	return selectionForm{Selection: s, WorkspacesText: strings.Join(s.Workspaces, ", "), ProjectsText: strings.Join(s.ProjectIDs, ", ")}
}

// values returns the selection as query parameters, in pairs of name and value.
func (f selectionForm) values() []string {
	return []string{"workspaces", f.WorkspacesText, "project_ids", f.ProjectsText, "name", f.Name, "status", f.Status, "older_than", f.OlderThan, "larger_than",
		f.LargerThan, "smaller_than", f.SmallerThan}
}

// requestOf reads and validates a migration's request.
func requestOf(q url.Values) (account.Request, error) {
	out := account.Request{Selection: selectionOf(q)}
	for name, into := range map[string]*int{"canary": &out.Canary, "projects_in_parallel": &out.ProjectsInParallel} {
		if text := strings.TrimSpace(q.Get(name)); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return out, &account.FieldError{Field: name, Why: "must be a number"}
			}
			*into = n
		}
	}
	for i := range windowsAsked {
		field := func(name string) string { return page.Searched(q.Get(fmt.Sprintf("%s_%d", name, i+1))) }
		w := schedule.Window{Days: field("days"), From: field("from"), To: field("to"), Zone: field("zone"), Bandwidth: field("bandwidth")}
		if w.From != "" || w.To != "" || w.Days != "" || w.Bandwidth != "" {
			out.Windows = append(out.Windows, w)
		}
	}
	return out, out.Validate()
}

type migrateBody struct {
	Form    selectionForm
	Asked   account.Request
	Windows []windowForm
	Wrong   *formProblem
}

type windowForm struct {
	schedule.Window

	N int
}

func migrateForm(asked account.Request, wrong *formProblem) migrateBody {
	b := migrateBody{Form: formOf(asked.Selection), Asked: asked, Wrong: wrong}
	b.Form.Wrong = wrong
	for i := range windowsAsked {
		w := windowForm{N: i + 1}
		if i < len(asked.Windows) {
			w.Window = asked.Windows[i]
		}
		b.Windows = append(b.Windows, w)
	}
	return b
}

// newMigrationPage asks which projects to migrate, and how.
func (c *console) newMigrationPage(w http.ResponseWriter, r *http.Request, v visit) {
	asked, _ := requestOf(r.URL.Query()) // empty at first, or a request to change
	p := c.in(r, v, "account", "Migrate an account")
	p.Body = migrateForm(asked, nil)
	c.show(w, r, http.StatusOK, "migrate", p)
}

type accountPlanBody struct {
	What      string
	Reading   bool
	Took      string
	Said      string
	Error     string
	Plan      *workflows.AccountPlan
	Read      page.Moment
	API, Time string // how long it takes, limited by the vendors' rates or by bandwidth
	Speed     string
	Says      []string
	Open      string // address of an unfinished migration, which blocks a new one
	Query     template.URL
	Hidden    []namedValue
	Again     string
	Change    string
	Mirror    string
}

// accountPlanPage shows what a migration would do, before the button that starts it.
func (c *console) accountPlanPage(w http.ResponseWriter, r *http.Request, v visit) {
	q := r.URL.Query()
	asked, err := requestOf(q)
	p := c.in(r, v, "account", "Migration plan")
	if err != nil {
		wrong := problemOf(err)
		if wrong == nil {
			c.failed(w, r, err)
			return
		}
		p.Body = migrateForm(asked, wrong)
		c.show(w, r, http.StatusUnprocessableEntity, "migrate", p)
		return
	}
	t := live.About(v.tenant.ID, "account-plan/"+live.VersionOf(asked.Selection))
	have, ok := c.tasks.Get(t)
	if !ok || q.Get("again") != "" && !have.Running() {
		have = c.tasks.Begin(t, func(ctx context.Context) (any, error) { //nolint:contextcheck // it goes on without its page
			made, err := c.Actions.PlanAccount(ctx, v.tenant, asked.Selection, func(done, of int) {
				c.tasks.Say(t, fmt.Sprintf("%d of %s read", done, english.Count(of, "project")))
			})
			return &made, err
		})
	}
	b := accountPlanBody{What: asked.Selection.String(), Reading: have.Running(), Took: english.Duration(c.Now().Sub(have.Began)), Said: have.Said}
	q.Del("again")
	b.Again, b.Change = p.Path+"account/plan?"+q.Encode()+"&again=1", p.Path+"account/new?"+q.Encode()
	b.Query, b.Hidden = template.URL(q.Encode()), hiddenOf(q) //nolint:gosec // it was encoded
	b.Mirror = page.Address(p.Path+"account/mirrors/new", formOf(asked.Selection).values()...)
	switch made, _ := have.Result.(*workflows.AccountPlan); {
	case have.Running():
	case have.Err != nil:
		if b.Error = redact.Scrub(have.Err.Error()); problemOf(have.Err) != nil {
			b.Error = problemOf(have.Err).Why
		}
	case made != nil:
		b.Plan, b.Read = made, c.moment(have.Ended)
		b.API, b.Time, b.Speed = page.Lasting(made.Time.Limits), page.Lasting(made.Time.Bytes), report.Size(made.Time.BytesPerSecond)+"/s"
		b.Says = startSays(v, asked, made.Projects)
	}
	open, known, err := v.ledger.NewestMigration(r.Context())
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if known && !open.Status.Ended() {
		b.Open = migrationPath(v, open.ID)
	}
	p.Topic, p.Version, p.Body = t.Name, have.Version(), b
	c.show(w, r, http.StatusOK, "account-plan", p)
}

type namedValue struct{ Name, Value string }

// hiddenOf passes the request on to the button that starts it.
func hiddenOf(q url.Values) []namedValue {
	var out []namedValue
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if value := q.Get(name); value != "" {
			out = append(out, namedValue{name, value})
		}
	}
	return out
}

// startSays returns what the button below a plan will do.
func startSays(v visit, asked account.Request, projects int64) []string {
	parallel := asked.ProjectsInParallel
	if parallel == 0 {
		parallel = max(v.tenant.Archive.ProjectsInParallel, 1)
	}
	says := []string{"The list of " + english.Count(projects, "project") + " is frozen. Their archives start in order, " + english.Count(parallel,
		"project") + " at a time."}
	if asked.Canary > 0 {
		says = append(says, "After the first "+english.Count(asked.Canary, "project")+", it waits for you to look at them and press Go.")
	}
	if text := windowsText(asked.Windows); text != "" {
		says = append(says, "It works only "+text+". Outside these hours, its archives pause.")
	}
	return append(says, "A project that fails does not stop the others. Nothing is changed or deleted in Frame.io.",
		"At the end, what has changed in Frame.io in the meantime is copied too, and you get a report on the whole account.")
}

func (c *console) startMigration(r *http.Request, v visit) (to, done string, err error) {
	if err := r.ParseForm(); err != nil {
		return "account", "", &Refused{"the form could not be read"}
	}
	asked, err := requestOf(r.PostForm)
	if err != nil {
		return "account/new", "", refusedField(err)
	}
	id, err := c.Actions.StartMigration(r.Context(), v.tenant, asked, v.person.Email)
	return "account/migrations/" + url.PathEscape(id), "migrating", refusedField(err)
}

// refusedField turns a field's error into a refusal.
func refusedField(err error) error {
	if p := problemOf(err); p != nil {
		return &Refused{p.Why}
	}
	return err
}

// confirmMigration says what an action on a migration will do.
func (c *console) confirmMigration(w http.ResponseWriter, r *http.Request, v visit) {
	now, err := c.migrationNow(r.Context(), v.ledger, r.PathValue("id"))
	if err != nil {
		c.failed(w, r, err)
		return
	}
	here := migrationPath(v, now.row.ID)
	b := confirmation{Action: here + "/do/" + r.PathValue("verb"), Back: here}
	running := english.Count(now.sums.Projects[ledger.ProjectRunning]+now.sums.Projects[ledger.ProjectWaiting], "archive")
	switch verb := r.PathValue("verb"); {
	case now.row.ID == "":
		c.problem(w, r, http.StatusNotFound, "There is no such migration.")
		return
	case verb == "pause" && !now.row.Status.Ended() && now.row.Status != ledger.MigrationPaused:
		b.Heading, b.Button = "Pause the migration?", "Pause"
		b.Says = []string{"No more projects start.",
			"Its archives under way (" + running + ") pause within seconds, after the part of a file that is being sent. " +
				"Nothing is lost: they continue from there when you resume.",
			"Archives started by hand continue."}
	case verb == "resume" && now.row.Status == ledger.MigrationPaused && now.paused():
		b.Heading, b.Button = "Resume the migration?", "Resume"
		b.Says = []string{"Its archives continue where they paused, and " + english.Count(now.queued(), "queued project") + " " + follow(now.queued()) + "."}
	case verb == "resume" && now.row.Status == ledger.MigrationPaused:
		b.Heading, b.Button = "Continue with the other projects?", "Go"
		b.Says = []string{page.Sentence(now.row.Reason), english.Count(now.queued(), "queued project") + " " + follow(now.queued()) + " without stopping again."}
	case verb == "add" && !now.row.Status.Ended() && now.row.Status != ledger.MigrationPlanning:
		b.Heading, b.Button = "Look for new projects?", "Look for them"
		b.Says = []string{"Framebridge reads Frame.io again and adds projects that match the selection and are not in the list yet to its end: " + now.asked.Selection.String() + ".",
			"To add projects outside the selection, use starter migrate add with another selection."}
	case verb == "cancel" && !now.row.Status.Ended():
		b.Heading, b.Button, b.Danger = "Cancel the migration?", "Cancel the migration", true
		b.Says = []string{"The archives it has started that have not ended (" + running + ") are canceled. " + english.Count(now.queued(),
			"queued project") + " will not start.",
			"What is in iconik stays there. A new migration or an archive continues from it: nothing is copied twice.", "Frame.io is not changed.", "This migration cannot be resumed."}
	default:
		c.problem(w, r, http.StatusUnprocessableEntity, "This is not possible while the migration is: "+page.Labeled(migrationBadges, now.row.Status).Text+".")
		return
	}
	c.confirm(w, r, v, "account", b)
}

func follow(n int64) string {
	if n == 1 {
		return "follows"
	}
	return "follow"
}

func (c *console) controlMigration(r *http.Request, v visit) (to, done string, err error) {
	id, verb := r.PathValue("id"), r.PathValue("verb")
	to, done = "account/migrations/"+url.PathEscape(id), map[string]string{"pause": "paused", "resume": "resumed", "cancel": "migration-cancelled", "add": "projects-added"}[verb]
	if done == "" {
		return to, "", &Refused{"there is no such action"}
	}
	return to, done, c.Actions.ControlMigration(r.Context(), v.tenant, id, verb)
}

// orderProject moves a project of a migration: up, down or first.
func (c *console) orderProject(r *http.Request, v visit) (to, done string, err error) {
	ctx, id, project := r.Context(), r.PathValue("id"), r.PathValue("project")
	to = "account/migrations/" + url.PathEscape(id)
	m := v.ledger.Migration(id)
	p, known, err := m.Project(ctx, project)
	switch {
	case err != nil:
		return to, "", err
	case !known || p.State != ledger.ProjectQueued:
		return to, "", &Refused{"the project is no longer waiting in the migration's list"}
	}
	before, err := m.QueuedBefore(ctx, p.Position)
	if err != nil {
		return to, "", err
	}
	place, err := otherPlace(r.PathValue("where"), int(before)+1)
	if err != nil {
		return to, "", err
	}
	return to, "ordered", c.Actions.OrderMigration(ctx, v.tenant, id, project, place)
}
