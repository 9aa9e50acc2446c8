package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// accountArchive is what --demo account overrides in the sandbox's configuration: archives soon look for restored originals, and files
// may be deleted in Frame.io without a grace period.
var accountArchive = map[string]string{"wait_interval": "2s", "reclaim": "allowed", "reclaim_grace": "0s", "projects_in_parallel": "4"}

const (
	accountBad    = "Template Library"
	inParallel    = 4
	canaries      = 2
	inColdStorage = 2 // archived projects whose media have no originals; the files of a third one have theirs
	stepPatience  = 3 * time.Minute
	askPatience   = time.Minute
	windowMargin  = 4 * time.Second // minimum time between the start and the opening of the window
	accountLook   = 200 * time.Millisecond
	progressEvery = 8 * time.Second
)

// accountPlay plays the work on a whole account, and narrates it.
type accountPlay struct {
	*stack.Stack
	out       io.Writer
	dir       string // for what starter verify reads
	migration string
	added     string // the file added after the migration
}

// migrationView is the part of the API's migration that is shown here.
type migrationView struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Reason   string `json:"reason"`
	Round    int    `json:"round"`
	Projects struct {
		Total, Queued, Running, Waiting, Verified, Incomplete, Failed, Cancelled int64
		Exceptions                                                               int64 `json:"verified_with_exceptions"`
	}
	Items    struct{ Total, Copied, Verified, Skipped, Failed int64 }
	Bytes    struct{ Total, Done int64 }
	Temporal string `json:"temporal_url"`
	Iconik   struct {
		Report string `json:"report_asset_id"`
	} `json:"iconik"`
}

type projectOfMigration struct {
	Project struct{ ID, Name, Team string }
	State   string
	Reason  string
	Items   struct{ Total, Copied, Verified int64 }
}

// settings returns what to override in the tenant's archive section.
func (o options) settings() map[string]string {
	if o.demo == "" {
		return nil
	}
	return accountArchive
}

// playAccount plays the migration of the account, a mirror, and the deletion of what is proven. It fails if a step does not end as
// expected.
func playAccount(ctx context.Context, s *stack.Stack, dir string, out io.Writer) error {
	p := &accountPlay{Stack: s, out: out, dir: dir}
	for _, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"The plan", p.plan}, {"The migration waits for its window", p.window}, {"Two projects first", p.canary}, {"The other projects, with a pause", p.others}, {"The account's report", p.report},
		{"A mirror keeps iconik up to date", p.mirror}, {"Freeing space is refused", p.reclaimRefused}, {"Freeing space", p.reclaimAllowed},
	} {
		fmt.Fprintf(out, "\n%s\n", step.title)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(step.title[:1])+step.title[1:], err)
		}
	}
	fmt.Fprintln(out)
	return nil
}

func (p *accountPlay) tell(format string, args ...any) { fmt.Fprintf(p.out, "  "+format+"\n", args...) }

// ask calls the API and reads its answer. It retries if the machine was too busy to answer. Because the first call may have taken effect,
// it ignores a refusal of a retry that needs no answer: what follows shows whether it did.
func (p *accountPlay) ask(ctx context.Context, method, path, body string, into any) error {
	raw, _, err := p.Call(ctx, method, path, body)
	for end, again := time.Now().Add(askPatience), false; err != nil; again = true {
		unavailable := errors.Is(err, stack.ErrUnavailable)
		if again && !unavailable && into == nil {
			return nil
		}
		if !unavailable || time.Now().After(end) || ctx.Err() != nil {
			return err
		}
		time.Sleep(accountLook)
		raw, _, err = p.Call(ctx, method, path, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(raw, into)
}

func (p *accountPlay) plan(ctx context.Context) error {
	var made struct {
		Projects, Files, Bytes, Comments int64
		Blockers                         []struct{ Project, Why, Outcome string }
	}
	if err := p.ask(ctx, http.MethodPost, "/migrations", `{"dry_run": true}`, &made); err != nil {
		return err
	}
	p.tell("A dry run reads the account and writes nothing: %s, %s, %s.", english.Count(made.Projects, "project"), english.Count(made.Files, "file"), mib(made.Bytes))
	bad := false
	for _, b := range made.Blockers {
		p.tell("  in the way: %s: %s", b.Project, b.Outcome)
		bad = bad || b.Project == accountBad
	}
	if made.Projects != 40 || !bad {
		return fmt.Errorf("the plan should have 40 projects, and %q as one that Frame.io refuses", accountBad)
	}
	return nil
}

// window starts the migration shortly before its window opens.
func (p *accountPlay) window(ctx context.Context) error {
	opens := time.Now().UTC().Add(windowMargin).Truncate(time.Minute).Add(time.Minute)
	body := fmt.Sprintf(`{"canary": %d, "projects_in_parallel": %d, "windows": [{"from": %q, "to": %q}]}`, canaries, inParallel, opens.Format("15:04"), opens.Add(8*time.Hour).Format("15:04"))
	var started struct{ ID string }
	if err := p.ask(ctx, http.MethodPost, "/migrations", body, &started); err != nil {
		return err
	}
	p.migration = started.ID
	p.tell("A migration of all projects is started, %d at once. It may work from %s to %s UTC.", inParallel, opens.Format("15:04"), opens.Add(8*time.Hour).Format("15:04"))
	v, err := p.until(ctx, "the migration waits for its window", func(v migrationView) bool { return v.Status == "waiting_for_window" })
	if err != nil {
		return err
	}
	p.tell("%s", v.Reason)
	p.tell("  workflow in Temporal  %s", v.Temporal)
	if v.Projects.Running != 0 {
		return errors.New("a project was started outside of the window")
	}
	if _, err = p.until(ctx, "the window opens", func(v migrationView) bool { return v.Projects.Running > 0 }); err != nil {
		return err
	}
	if time.Now().Before(opens) {
		return errors.New("a project was started before the window opened")
	}
	p.tell("The window is open: the first projects are under way.")
	return nil
}

// until polls the migration until it is as wanted. It fails if the migration fails, is cancelled, or does not change for stepPatience.
func (p *accountPlay) until(ctx context.Context, what string, want func(migrationView) bool) (migrationView, error) {
	var v migrationView
	for end, last := time.Now().Add(stepPatience), v; ; {
		if err := p.ask(ctx, http.MethodGet, "/migrations/"+p.migration, "", &v); err != nil {
			return v, err
		}
		switch {
		case v.Status == "failed" || v.Status == "cancelled":
			return v, fmt.Errorf("the migration is %s: %s", v.Status, v.Reason)
		case want(v):
			return v, nil
		case v != last:
			end, last = time.Now().Add(stepPatience), v
		case time.Now().After(end):
			return v, fmt.Errorf("%s: nothing has happened for %s; see Temporal's Web UI", what, stepPatience)
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(accountLook):
		}
	}
}

func (p *accountPlay) projects(ctx context.Context) ([]projectOfMigration, error) {
	var out struct{ Projects []projectOfMigration }
	err := p.ask(ctx, http.MethodGet, "/migrations/"+p.migration+"/projects?limit=100", "", &out)
	return out.Projects, err
}

// canary waits for the first projects to end, and gives the go-ahead for the others.
func (p *accountPlay) canary(ctx context.Context) error {
	v, err := p.until(ctx, "the first projects are done", func(v migrationView) bool { return v.Status == "paused" })
	if err != nil {
		return err
	}
	p.tell("%s", v.Reason)
	all, err := p.projects(ctx)
	if err != nil {
		return err
	}
	ended := 0
	for _, one := range all {
		if one.State != "queued" {
			ended++
			p.tell("  %-28s %-24s %s", one.Project.Name, english.State(one.State), p.PageURL+"/archives/"+one.Project.ID+"/report.html")
		}
	}
	if ended != canaries {
		return fmt.Errorf("started: %d, instead of %d", ended, canaries)
	}
	p.tell("The go is given: starter migrate resume")
	return p.ask(ctx, http.MethodPost, "/migrations/"+p.migration+"/resume", "{}", nil)
}

// others pauses in the middle of the other projects, resumes, and waits for them to end.
func (p *accountPlay) others(ctx context.Context) error {
	if _, err := p.until(ctx, "a fifth of the projects are done", func(v migrationView) bool {
		return v.Projects.Running > 0 && v.Projects.Verified+v.Projects.Exceptions >= v.Projects.Total/5
	}); err != nil {
		return err
	}
	if err := p.pause(ctx); err != nil {
		return err
	}
	restored, shown := false, time.Now()
	v, err := p.until(ctx, "all projects end", func(v migrationView) bool {
		n := v.Projects
		if time.Since(shown) > progressEvery {
			shown = time.Now()
			round := ""
			if v.Round > 0 {
				round = "Compared again: "
			}
			p.tell("%s%2d of %d projects done, %d of %d files copied, %s", round, n.Verified+n.Exceptions+n.Failed+n.Incomplete, n.Total, v.Items.Copied, v.Items.Total, mib(v.Bytes.Done))
		}
		if !restored && n.Waiting == inColdStorage {
			restored = true
			p.tell("Waiting for originals in cold storage: %s. Somebody activates them in Frame.io.", english.Count(n.Waiting, "project"))
			for _, project := range p.Frameio.Projects() {
				if project.ArchiveStatus == "archived" {
					p.Frameio.Archive(project.ID, "standard")
				}
			}
		}
		return v.Status == "done"
	})
	if err != nil {
		return err
	}
	n := v.Projects
	p.tell("Done: %s verified, %d verified with exceptions, %d incomplete, %d failed.", english.Count(n.Verified, "project"), n.Exceptions, n.Incomplete, n.Failed)
	return p.oneBad(ctx, v)
}

// oneBad asserts that every project is accounted for, and that only one failed.
func (p *accountPlay) oneBad(ctx context.Context, v migrationView) error {
	all, err := p.projects(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.State != "verified" && one.State != "verified_with_exceptions" {
			p.tell("  %s is %s, and has stopped no other: %s", one.Project.Name, english.State(one.State), firstLine(one.Reason))
		}
	}
	n := v.Projects
	if n.Failed+n.Incomplete != 1 || n.Verified+n.Exceptions != n.Total-1 || n.Total != 40 {
		return errors.New("all projects but one should be verified")
	}
	return nil
}

// pause pauses the migration, waits until all work has stopped, and resumes it.
func (p *accountPlay) pause(ctx context.Context) error {
	began := time.Now()
	if err := p.ask(ctx, http.MethodPost, "/migrations/"+p.migration+"/pause", "{}", nil); err != nil {
		return err
	}
	last, since := int64(-1), time.Now()
	v, err := p.until(ctx, "all work stops", func(v migrationView) bool {
		if done := v.Items.Copied + v.Items.Verified; done != last || v.Status != "paused" {
			last, since = done, time.Now()
		}
		return time.Since(since) > 2*time.Second
	})
	if err != nil {
		return err
	}
	p.tell("Somebody pauses it. %.1f s later all work has stopped, at %d of %d files. Then it is resumed.", since.Sub(began).Seconds(), v.Items.Copied, v.Items.Total)
	return p.ask(ctx, http.MethodPost, "/migrations/"+p.migration+"/resume", "{}", nil)
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
