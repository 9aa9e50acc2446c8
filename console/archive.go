package console

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

const (
	exceptionsShown = 20
	timelineShown   = 50
	notCarriedShown = 50

	differencesShown = 50
	stepPatience     = 250 * time.Millisecond // longest a page waits for a step; an unresponsive worker must not hold it up
)

// itemLine is one file of an archive.
type itemLine struct {
	ID, Path, Version, Size, Why, Fault, Checksum, Comments string
	Badge                                                   page.Badge
	Frameio, Iconik                                         string
	Retry                                                   bool
}

type archiveBody struct {
	Row     archiveRow
	Run     int
	Figures figures
	Step    string
	Facts   []fact
	Links   []namedLink
	Reports []namedLink
	Stuck   []stuckLine

	Exceptions     []itemLine
	MoreExceptions string // address of the full list
	Failures       []ledger.Failure
	Differences    []ledger.Difference
	MoreDifferent  bool
	NotCarried     []ledger.NotCarried
	NotCarriedOf   []ledger.KindCount
	Access         *report.Access
	Timeline       []timelineLine

	Items   []itemLine
	Filters []filterLink
	State   string
	Search  string
	Next    string

	CanRetry, CanCancel, CanMove, CanPlan bool
	Frees                                 bool // its files in Frame.io may be deleted, or have been
}

type fact struct{ Name, Text string }

type namedLink struct{ Text, URL string }

type stuckLine struct {
	What, Reason string
	Since        page.Moment
}

// archiveNow is an archive with its current figures.
type archiveNow struct {
	row     ledger.Archive
	totals  ledger.Totals
	figures figures
}

func (a archiveNow) state(temporal bool) live.State {
	s := live.State{Values: map[string]string{}}
	if a.figures.Shown {
		a.figures.values(a.row.ID, s.Values)
	}
	s.Version = live.VersionOf(a.row.Status, a.row.Reason, a.row.Run, a.row.QueuePosition, a.row.Stuck, a.row.ReportAssetID, a.row.FinishedAt,
		a.totals.Failed, a.totals.Skipped, a.totals.FailedOthers, a.figures.Counting, temporal)
	return s
}

func (c *console) archiveFigures(ctx context.Context, h ledger.TenantLedger, id string) (archiveNow, error) {
	row, ok, err := h.Archive(id).Get(ctx)
	if err != nil || !ok {
		return archiveNow{}, err
	}
	row = c.asItStands(ctx, row)
	t, known, err := c.totals.of(ctx, row)
	now := archiveNow{row, t, figuresOf(row, t, c.Now())}
	if !known {
		now.figures = figures{Counting: true}
	}
	return now, err
}

// asItStands checks an unfinished archive against Temporal, if Temporal responds.
func (c *console) asItStands(ctx context.Context, row ledger.Archive) ledger.Archive {
	if row.Status.Ended() || !c.temporal.Ready(ctx) {
		return row
	}
	return c.Actions.AsItStands(ctx, row)
}

// archivePage shows one archive, problems first.
func (c *console) archivePage(w http.ResponseWriter, r *http.Request, v visit) {
	now, err := c.archiveFigures(r.Context(), v.ledger, r.PathValue("id"))
	switch {
	case err != nil:
		c.failed(w, r, err)
		return
	case now.row.ID == "":
		c.problem(w, r, http.StatusNotFound, "There is no such archive.")
		return
	}
	row := now.row
	p := c.in(r, v, "archives", nameOf(row))
	p.Topic, p.Version = "archive/"+row.ID, now.state(c.temporal.Ready(r.Context())).Version
	b := archiveBody{Row: c.archiveRow(row), Run: row.Run, Figures: now.figures, Links: c.archiveLinks(v.tenant, row)}
	b.Facts = archiveFacts(row, now.totals)
	b.CanRetry = row.Status.Ended() || row.Status == ledger.Waiting
	b.CanPlan = row.Status.Ended()
	b.Frees = row.Status == ledger.Verified || row.Status == ledger.VerifiedWithExceptions
	b.CanCancel, b.CanMove = !row.Status.Ended(), row.Status == ledger.Queued
	for _, s := range row.Stuck {
		b.Stuck = append(b.Stuck, stuckLine{redact.Scrub(s.What), page.Sentence(s.Reason), c.moment(s.Since)})
	}
	if !row.Status.Ended() && p.Warning == "" {
		ctx, cancel := context.WithTimeout(r.Context(), stepPatience)
		b.Step, _ = c.Actions.Step(ctx, v.tenant, row.ID) // without it, the ledger's status is enough
		cancel()
	}
	if row.Status.Ended() || now.totals.Items > 0 || now.figures.Counting {
		chain, err := report.HasChain(r.Context(), v.ledger.Archive(row.ID), row.ID)
		if err != nil {
			c.failed(w, r, err)
			return
		}
		for _, form := range report.Forms {
			if form.File == report.ChainFile && !chain {
				continue
			}
			b.Reports = append(b.Reports, namedLink{form.Title, p.Path + "archives/" + url.PathEscape(row.ID) + "/" + form.File})
		}
	}
	if err := c.fillArchive(r, v, p.Path+"archives/"+url.PathEscape(row.ID), now, &b); err != nil {
		c.failed(w, r, err)
		return
	}
	p.Body = b
	c.show(w, r, http.StatusOK, "archive", p)
}

// fillArchive reads the problems, what was not carried, the timeline and a page of items.
func (c *console) fillArchive(r *http.Request, v visit, here string, now archiveNow, b *archiveBody) error {
	ctx, h := r.Context(), v.ledger.Archive(now.row.ID)
	q := r.URL.Query()
	retry := now.row.Status.Ended() && v.may(config.RoleOperator)
	wrong, more, err := h.BrowseItems(ctx, ledger.ItemFilter{States: []ledger.ItemState{ledger.ItemFailed}}, 0, exceptionsShown)
	if err != nil {
		return err
	}
	if len(wrong) < exceptionsShown {
		skipped, next, err := h.BrowseItems(ctx, ledger.ItemFilter{States: []ledger.ItemState{ledger.Skipped}}, 0, exceptionsShown-len(wrong))
		if err != nil {
			return err
		}
		wrong, more = append(wrong, skipped...), next
	}
	b.Exceptions = itemLines(v.tenant, wrong, retry)
	if more != 0 {
		b.MoreExceptions = here + "?state=exceptions#files"
	}
	if b.Failures, _, err = h.Failures(ctx, "", exceptionsShown); err != nil {
		return err
	}
	if b.Differences, err = h.Differences(ctx, differencesShown+1); err != nil {
		return err
	}
	if b.MoreDifferent = len(b.Differences) > differencesShown; b.MoreDifferent {
		b.Differences = b.Differences[:differencesShown]
	}
	if b.NotCarriedOf, err = h.NotCarriedCounts(ctx); err != nil {
		return err
	}
	if b.NotCarried, err = h.NotCarried(ctx, notCarriedShown); err != nil {
		return err
	}
	if b.Access, err = report.ReadAccess(ctx, h); err != nil {
		return err
	}
	if b.Timeline, err = c.timeline(ctx, v.ledger, ledger.AuditFilter{Archive: now.row.ID}); err != nil {
		return err
	}
	run := " run " + strconv.Itoa(max(now.row.Run, 1))
	ended := "ended" + run + ": " + page.Labeled(archiveBadges, now.row.Status).Text
	b.Timeline = c.among(b.Timeline, passed{now.row.QueuedAt, "queued" + run}, passed{now.row.StartedAt, "started" + run}, passed{now.row.FinishedAt, ended})
	b.State, b.Search = q.Get("state"), page.Searched(q.Get("q"))
	filter := ledger.ItemFilter{Text: b.Search}
	for _, f := range itemFilters {
		b.Filters = append(b.Filters, filterLink{f.Text, page.Address(here, "state", f.Key, "q", b.Search) + "#files", f.Key == b.State})
		if f.Key == b.State {
			filter.States = f.states
		}
	}
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	items, next, err := h.BrowseItems(ctx, filter, after, rowsShown)
	if err != nil {
		return err
	}
	b.Items = itemLines(v.tenant, items, retry)
	if next != 0 {
		b.Next = page.Address(here, "state", b.State, "q", b.Search, "after", strconv.FormatInt(next, 10)) + "#files"
	}
	return nil
}

var itemFilters = []struct {
	Key, Text string
	states    []ledger.ItemState
}{
	{"", "All files", nil},
	{"exceptions", "Exceptions", []ledger.ItemState{ledger.ItemFailed, ledger.Skipped}},
	{"failed", "Failed", []ledger.ItemState{ledger.ItemFailed}},
	{"skipped", "Skipped", []ledger.ItemState{ledger.Skipped}},
	{"open", "Not copied yet", []ledger.ItemState{ledger.Pending, ledger.Copying}},
	{"copied", "Copied, not verified yet", []ledger.ItemState{ledger.Copied}},
	{"verified", "Verified", []ledger.ItemState{ledger.ItemVerified}},
}

func itemLines(t *config.Tenant, items []ledger.Item, retry bool) []itemLine {
	out := make([]itemLine, len(items))
	for i, it := range items {
		l := itemLine{ID: it.SourceID, Path: cmp.Or(it.Path, it.Name), Size: report.Size(it.Size), Why: page.Sentence(it.Why()), Fault: faults[it.Fault],
			Badge: page.Labeled(itemBadges, it.State), Retry: retry && it.State == ledger.ItemFailed, Frameio: page.Web(report.FrameioURL(it))}
		if it.Versions > 1 {
			l.Version = "version " + strconv.Itoa(it.Version) + " of " + strconv.Itoa(it.Versions)
		}
		if it.Checksum != "" {
			l.Checksum = "xxh64:" + it.Checksum
		}
		if it.CommentCount > 0 || it.CommentsDone > 0 {
			l.Comments = strconv.Itoa(it.CommentsDone) + " of " + english.Count(max(it.CommentCount, it.CommentsDone), "comment")
		}
		if it.Rendition == "proxy" {
			l.Badge.Text += ", as a proxy"
		}
		if it.AssetID != "" {
			l.Iconik = page.Web(t.Iconik.BaseURL + "/asset/" + url.PathEscape(it.AssetID))
		}
		out[i] = l
	}
	return out
}

func archiveFacts(row ledger.Archive, t ledger.Totals) []fact {
	var out []fact
	add := func(name, text string) {
		if text != "" {
			out = append(out, fact{name, text})
		}
	}
	add("Workspace", row.TeamName)
	add("Requested by", row.TriggeredBy.For(row.Asked()...))
	if t.Items > 0 {
		parts := []string{english.Count(t.Verified, "file") + " verified"}
		for _, p := range []struct {
			n    int64
			what string
		}{{t.Copied, "copied and not verified yet"}, {t.Copying, "being copied"}, {t.Pending, "pending"}, {t.Skipped, "skipped"}, {t.Failed, "failed"}} {
			if p.n > 0 {
				parts = append(parts, strconv.FormatInt(p.n, 10)+" "+p.what)
			}
		}
		add("Files", strings.Join(parts, ", "))
		add("Size", report.Size(t.BytesDone)+" of "+report.Size(t.Bytes)+" in iconik")
		if t.BytesSkipped > 0 {
			add("Left in Frame.io", report.Size(t.BytesSkipped)+" of skipped files")
		}
		add("Comments", strconv.FormatInt(t.CommentsDone, 10)+" of "+english.Count(max(t.Comments, t.CommentsDone), "comment")+" in iconik")
	}
	if row.Shares > 0 {
		add("Shares", strconv.Itoa(row.SharesDone)+" of "+strconv.Itoa(row.Shares))
	}
	if row.MigrationNote != "" {
		add("Account migration", row.MigrationNote)
	}
	return out
}

func (c *console) archiveLinks(t *config.Tenant, row ledger.Archive) []namedLink {
	var out []namedLink
	add := func(text, to string) {
		if to = page.Web(to); to != "" {
			out = append(out, namedLink{text, to})
		}
	}
	add("Project in Frame.io", row.ProjectURL)
	if row.CollectionID != "" {
		add("Collection in iconik", t.Iconik.BaseURL+"/collection/"+url.PathEscape(row.CollectionID))
	}
	if row.ReportAssetID != "" {
		add("Report in iconik", t.Iconik.BaseURL+"/asset/"+url.PathEscape(row.ReportAssetID))
	}
	add("Workflow in Temporal", temporalclient.WorkflowURL(c.Config().Temporal, workflows.ArchiveID(t.ID, row.ID)))
	return out
}

// timelineLine is an audit entry in a timeline.
type timelineLine struct {
	At                                            time.Time
	When                                          page.Moment
	Seq                                           int64
	Who, Action, Object, Path, Reason, Text, From string
}

func (c *console) timeline(ctx context.Context, h ledger.TenantLedger, f ledger.AuditFilter) ([]timelineLine, error) {
	entries, err := h.AuditNewest(ctx, f, 0, timelineShown)
	out := make([]timelineLine, len(entries))
	for i, e := range entries {
		out[i] = c.auditLine(e)
		out[i].Who, out[i].Action = atStart(out[i].Who), deed(e)
		if at, err := time.Parse(time.RFC3339, out[i].Text); err == nil {
			out[i].Text = c.moment(at).Text
		}
	}
	return out, err
}

// passed is a step that an object went through by itself, as opposed to what somebody did.
type passed struct {
	at   time.Time
	what string
}

// among merges such steps into a timeline, newest first.
func (c *console) among(lines []timelineLine, all ...passed) []timelineLine {
	for _, p := range all {
		if !p.at.IsZero() {
			lines = append(lines, timelineLine{At: p.at, When: c.moment(p.at), Who: "Framebridge", Action: p.what})
		}
	}
	slices.SortStableFunc(lines, func(a, b timelineLine) int { return b.At.Compare(a.At) })
	return lines
}

func (c *console) auditLine(e ledger.AuditEntry) timelineLine {
	l := timelineLine{At: e.At, When: c.moment(e.At), Seq: e.Seq, Who: cmp.Or(e.Actor.Name, e.Actor.Key, actors[e.Actor.Kind], e.Actor.Kind),
		Action: strings.ReplaceAll(e.Action, "_", " "), From: e.Actor.Address, Reason: redact.Scrub(e.Reason)}
	switch {
	case e.Archive != "":
		l.Object, l.Path = "archive "+e.Archive, "archives/"+url.PathEscape(e.Archive)
	case e.Review != "":
		l.Object, l.Path = "review "+e.Review, "reviews/"+url.PathEscape(e.Review)
	default:
		l.Object = strings.TrimSpace(e.ObjectKind + " " + e.ObjectID)
	}
	if e.ObjectKind != "archive" && e.ObjectKind != "review" && e.ObjectID != "" {
		l.Object = strings.TrimSpace(e.ObjectKind + " " + e.ObjectID)
	}
	var detail map[string]any
	if json.Unmarshal(e.Detail, &detail) == nil {
		if text, ok := detail["text"].(string); ok && len(detail) == 1 {
			l.Text = redact.Scrub(text)
		} else {
			l.Text = redact.Scrub(string(e.Detail))
		}
	}
	return l
}

// actors name who acted if no person's name is known.
var actors = map[string]string{ledger.ActorAPI: "the API", ledger.ActorCommand: "the command line", ledger.ActorConsole: "the console",
	ledger.ActorFrameio: "Frame.io", ledger.ActorIconik: "iconik", ledger.ActorSystem: "Framebridge"}

// reportFile serves the report in one of its forms.
func (c *console) reportFile(w http.ResponseWriter, r *http.Request, v visit) {
	form, ok := report.FormOf(r.PathValue("file"))
	if !ok {
		c.problem(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	rep, err := report.Open(r.Context(), v.ledger.Archive(r.PathValue("id")), report.Source{TenantName: v.tenant.Name, IconikURL: v.tenant.Iconik.BaseURL,
		WorkflowURL: temporalclient.WorkflowURL(c.Config().Temporal, workflows.ArchiveID(v.tenant.ID, r.PathValue("id"))), SigningKey: c.Config().Report.SigningKeyInUse(), Pictures: true})
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if rep == nil {
		c.problem(w, r, http.StatusNotFound, "There is no such archive.")
		return
	}
	name, err := form.Name(rep)
	if err != nil {
		c.problem(w, r, http.StatusNotFound, page.Sentence(err.Error()))
		return
	}
	c.sendReport(w, r, form.MediaType, name, func() error { return form.Render(w, rep) })
}
