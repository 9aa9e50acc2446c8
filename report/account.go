package report

import (
	"context"
	"crypto/ed25519"
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

// Account is a migration with its projects.
type Account struct {
	Migration   ledger.Migration
	Sums        ledger.MigrationSums
	Tenant      string
	GeneratedAt time.Time
	IconikURL   string             // of the tenant's iconik
	SigningKey  ed25519.PrivateKey // signs the JSON and the page; nil: they stay unsigned
	// Projects yields every project in the migration's order. It can be called several times.
	Projects iter.Seq2[AccountProject, error]

	newestHashList func(archive string) (*Generation, error) // nil: the projects already have theirs
}

// AccountProject is a project of the account with its archive.
type AccountProject struct {
	ledger.MigrationProject

	Archive    ledger.Archive
	NotCarried []ledger.KindCount
	HashList   *Generation // the archive's newest, in the forms that show it; nil if no run has stored one
}

// OpenAccount reads a migration's report from the ledger. It returns nil if the migration is unknown. Rendering streams the projects.
func OpenAccount(ctx context.Context, l ledger.TenantLedger, migration string, s Source) (*Account, error) {
	m := l.Migration(migration)
	row, known, err := m.Get(ctx)
	if err != nil || !known {
		return nil, err
	}
	row.Reason = redact.Scrub(row.Reason)
	sums, err := m.Sums(ctx)
	if err != nil {
		return nil, err
	}
	return &Account{Migration: row, Sums: sums, Tenant: s.TenantName, GeneratedAt: time.Now().UTC(), IconikURL: s.IconikURL, SigningKey: s.SigningKey,
		Projects: func(yield func(AccountProject, error) bool) {
			for p, err := range m.AllProjects(ctx) {
				out := AccountProject{MigrationProject: p}
				if err == nil {
					out.Archive, _, err = l.Archive(p.ID).Get(ctx)
				}
				if err == nil {
					out.NotCarried, err = l.Archive(p.ID).NotCarriedCounts(ctx)
				}
				out.Reason = redact.Scrub(out.Reason)
				if !yield(out, err) {
					return
				}
			}
		},
		newestHashList: func(archive string) (*Generation, error) { return newestHashList(ctx, l.Archive(archive), archive) },
	}, nil
}

// withHashLists yields the projects with their hash lists. Each takes a query, so the page and the CSV do without.
func (r *Account) withHashLists() iter.Seq2[AccountProject, error] {
	if r.newestHashList == nil {
		return r.Projects
	}
	return func(yield func(AccountProject, error) bool) {
		for p, err := range r.Projects {
			if err == nil {
				p.HashList, err = r.newestHashList(p.ID)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

var projectWords = []struct {
	state ledger.ProjectState
	words string
}{
	{ledger.ProjectVerified, "verified"}, {ledger.ProjectExceptions, "verified with exceptions"}, {ledger.ProjectIncomplete, "incomplete"}, {ledger.ProjectFailed, "failed"},
	{ledger.ProjectCancelled, "canceled"}, {ledger.ProjectRunning, "running"}, {ledger.ProjectWaiting, "waiting"}, {ledger.ProjectQueued, "not started"},
}

// projectWord returns a project's state in words, even if it comes from a newer release.
func projectWord(state ledger.ProjectState) string {
	for _, w := range projectWords {
		if w.state == state {
			return w.words
		}
	}
	return english.State(string(state))
}

// ProjectSums says in a sentence what happened to a migration's projects.
func ProjectSums(sums ledger.MigrationSums) string {
	var parts []string
	for _, w := range projectWords {
		if n := sums.Projects[w.state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, w.words))
		}
	}
	if len(parts) == 0 {
		return "No projects."
	}
	return english.Count(sums.Total(), "project") + ": " + strings.Join(parts, ", ") + "."
}

// AccountForm is a form of the account's report.
type AccountForm struct {
	File, Title, MediaType string
	Format                 string // in iconik
	Render                 func(io.Writer, *Account) error
}

// AccountForms are all forms, the one for people first.
var AccountForms = []AccountForm{
	{"report.html", "Report", "text/html; charset=utf-8", "ORIGINAL", AccountHTML},
	{"report.json", "JSON", "application/json", "JSON", AccountJSON},
	{"report.csv", "CSV", "text/csv; charset=utf-8", "CSV", AccountCSV},
	{"report.mhl", "ASC MHL of all projects", "application/xml", MHLFormat, AccountMHL},
}

// AccountFormOf returns the form with a file name, or false if there is none.
func AccountFormOf(file string) (AccountForm, bool) {
	i := slices.IndexFunc(AccountForms, func(f AccountForm) bool { return f.File == file })
	if i < 0 {
		return AccountForm{}, false
	}
	return AccountForms[i], true
}

type jsonProject struct {
	ID            string             `json:"id"`
	Name          string             `json:"name"`
	Team          string             `json:"team"`
	State         string             `json:"state"`
	Reason        string             `json:"reason,omitempty"`
	Joined        bool               `json:"joined,omitempty"`
	Run           int                `json:"run"`
	Items         int64              `json:"items"`
	Verified      int64              `json:"verified"`
	Skipped       int64              `json:"skipped"`
	Failed        int64              `json:"failed"`
	Bytes         int64              `json:"bytes"`
	BytesDone     int64              `json:"bytes_done"`
	NotCarried    []ledger.KindCount `json:"not_carried,omitempty"`
	StartedAt     time.Time          `json:"started_at"`
	FinishedAt    time.Time          `json:"finished_at"`
	CollectionID  string             `json:"iconik_collection_id,omitempty"`
	ReportAssetID string             `json:"iconik_report_asset_id,omitempty"`
	HashList      *jsonHashList      `json:"hash_list,omitempty"`
}

// jsonHashList identifies a project's newest ASC MHL, whose C4 ID covers the checksums of all its files.
type jsonHashList struct {
	File       string `json:"file"`
	Generation int    `json:"generation"`
	C4         string `json:"c4"`
}

// AccountJSON writes the report as one JSON object in which "projects" and the signature come last.
func AccountJSON(w io.Writer, r *Account) error {
	m, s := r.Migration, r.Sums
	head := map[string]any{
		"migration": m.ID, "tenant": map[string]string{"id": m.Tenant, "name": r.Tenant}, "request": m.Request, "requested_by": m.RequestedBy, "triggered_by": m.TriggeredBy,
		"status": m.Status, "reason": m.Reason, "generated_at": r.GeneratedAt, "created_at": m.CreatedAt, "started_at": m.StartedAt, "finished_at": m.FinishedAt,
		"totals":   map[string]any{"projects": s.Total(), "by_state": s.Projects, "items": s.Items, "verified": s.Verified, "skipped": s.Skipped, "failed": s.Failed, "bytes": s.Bytes, "bytes_done": s.BytesDone},
		"versions": map[string]string{"framebridge": Version(), "iconik_api": iconikAPI},
	}
	if len(m.Added) > 0 {
		head["selections_added"] = m.Added
	}
	return custody.WriteJSON(w, r.SigningKey, head, "projects", r.withHashLists(), func(p AccountProject) any {
		c := p.Counts
		var list *jsonHashList
		if g := p.HashList; g != nil {
			list = &jsonHashList{g.File, g.Number, g.C4}
		}
		return jsonProject{p.ID, p.Name, p.Team, string(p.State), p.Reason, p.Joined, p.Run, c.Items, c.Verified, c.Skipped, c.Failed, c.Bytes, c.BytesDone, p.NotCarried,
			p.BegunAt, p.EndedAt, p.Archive.CollectionID, p.Archive.ReportAssetID, list}
	})
}

// AccountCSV writes one line per project. It adds an apostrophe to cells that a spreadsheet would take for a formula.
func AccountCSV(w io.Writer, r *Account) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"project", "team", "state", "reason", "files", "verified", "skipped", "failed", "bytes", "bytes_done", "not_carried", "started_at", "finished_at", "frameio_id", "iconik_collection_id", "iconik_report_asset_id"})
	for p, err := range r.Projects {
		if err != nil {
			return err
		}
		n := func(n int64) string { return strconv.FormatInt(n, 10) }
		k := p.Counts
		_ = c.Write([]string{export.Cell(p.Name), export.Cell(p.Team), string(p.State), export.Cell(p.Reason), n(k.Items), n(k.Verified), n(k.Skipped), n(k.Failed), n(k.Bytes), n(k.BytesDone), kinds(p.NotCarried),
			stamp(p.BegunAt), stamp(p.EndedAt), export.Cell(p.ID), export.Cell(p.Archive.CollectionID), export.Cell(p.Archive.ReportAssetID)})
	}
	c.Flush()
	return c.Error()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func kinds(counts []ledger.KindCount) string {
	var out []string
	for _, k := range counts {
		out = append(out, fmt.Sprintf("%s: %d", k.Kind, k.Count))
	}
	return strings.Join(out, ", ")
}

type accountRow struct {
	AccountProject

	Word, Size, Kinds, Collection, Report string
}

type accountPage struct {
	*Account
	Verdict, Class, Bytes, Framebridge string
	Begun, Ended, Written              []string
	Exceptions, Rows                   []accountRow
	MoreRows                           int
}

// AccountHTML writes the page for people: the verdict, the projects that are not simply verified, and then all of them.
func AccountHTML(w io.Writer, r *Account) error {
	clock := &Report{}
	p := accountPage{Account: r, Bytes: Size(r.Sums.BytesDone) + " of " + Size(r.Sums.Bytes), Framebridge: Version(),
		Begun: clock.times(r.Migration.StartedAt), Ended: clock.times(r.Migration.FinishedAt), Written: clock.times(r.GeneratedAt)}
	p.Verdict, p.Class = r.verdict()
	for project, err := range r.Projects {
		if err != nil {
			return err
		}
		line := accountRow{AccountProject: project, Word: projectWord(project.State), Size: Size(project.Counts.BytesDone), Kinds: kinds(project.NotCarried)}
		if id := project.Archive.CollectionID; id != "" {
			line.Collection = r.IconikURL + "/collection/" + id
		}
		if id := project.Archive.ReportAssetID; id != "" {
			line.Report = r.IconikURL + "/asset/" + id
		}
		if project.State != ledger.ProjectVerified && len(p.Exceptions) < pageRows {
			p.Exceptions = append(p.Exceptions, line)
		}
		if len(p.Rows) < pageRows {
			p.Rows = append(p.Rows, line)
		} else {
			p.MoreRows++
		}
	}
	signed := custody.NewWriter(w, r.SigningKey)
	if err := accountTemplate.Execute(signed, p); err != nil {
		return err
	}
	return signed.EndMarkup()
}

func (r *Account) verdict() (words, class string) {
	n, total := r.Sums.Projects, r.Sums.Total()
	switch {
	case r.Migration.Status != ledger.MigrationDone:
		return "Status: " + english.State(string(r.Migration.Status)), "fair"
	case n[ledger.ProjectVerified] == total:
		return "All projects are archived and verified", "good"
	case n[ledger.ProjectVerified]+n[ledger.ProjectExceptions] == total:
		return "All projects are archived and verified, some with exceptions", "fair"
	}
	return "Not complete", "bad"
}

//go:embed account.html
var accountSource string

var accountTemplate = template.Must(template.New("account").Parse(styleSource + accountSource))
