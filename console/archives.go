package console

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
)

const (
	rowsShown     = 50 // per page of a list
	runningTotals = 3 * time.Second
	waitingTotals = time.Minute
	mostTotals    = 2000 // most entries remembered

	totalsPatience = 100 * time.Millisecond
	totalsSlots    = 2
	totalsShare    = 50 // totals are kept for this many times as long as they took to read
)

// totals caches what an archive's items add up to. For a large archive that takes longer to read than a page may wait.
type totals struct {
	stop     context.Context //nolint:containedctx // of the process
	progress func(context.Context, ledger.Archive) (ledger.Totals, error)
	now      func() time.Time

	slot  chan struct{} // limits how many are read at once
	mu    sync.Mutex
	known map[string]*knownTotals
}

type knownTotals struct {
	totals  ledger.Totals
	err     error
	state   string // of the archive when the totals were read; "" until then
	until   time.Time
	reading chan struct{} // closed once they are read; nil if nobody is reading
}

// of returns the known totals and, if they are stale, starts reading them again. A page waits a moment for the first totals; known
// is false if that was not enough.
func (t *totals) of(ctx context.Context, row ledger.Archive) (sum ledger.Totals, known bool, err error) {
	key := row.Tenant + "/" + row.ID
	state := fmt.Sprint(row.Run, row.Status, row.FinishedAt, row.ReasonCode)
	t.mu.Lock()
	have, ok := t.known[key]
	if !ok {
		if len(t.known) >= mostTotals {
			clear(t.known)
		}
		have = &knownTotals{}
		t.known[key] = have
	}
	if have.reading == nil && (have.state != state || t.now().After(have.until)) {
		have.reading = make(chan struct{})
		go t.read(row, state, have) //nolint:contextcheck // other pages wait for the answer, too
	}
	reading, fresh := have.reading, have.state == state
	t.mu.Unlock()
	if reading != nil && !fresh {
		select {
		case <-reading:
		case <-time.After(totalsPatience):
		case <-ctx.Done():
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return have.totals, have.state != "", have.err
}

func (t *totals) read(row ledger.Archive, state string, into *knownTotals) {
	t.slot <- struct{}{}
	defer func() { <-t.slot }()
	ctx, cancel := context.WithTimeout(t.stop, time.Minute)
	defer cancel()
	began := time.Now()
	sum, err := t.progress(ctx, row)
	keep := runningTotals
	if row.Status.Ended() || row.Status == ledger.Waiting || row.Status == ledger.Queued {
		keep = waitingTotals
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		into.totals = sum
	}
	into.err, into.state, into.until = err, state, t.now().Add(max(keep, totalsShare*time.Since(began)))
	close(into.reading)
	into.reading = nil
}

// forget makes the next page read an archive's totals again.
func (t *totals) forget(tenant, archive string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, tenant+"/"+archive)
}

// archiveRow is an archive in a list.
type archiveRow struct {
	ID, Name, Team string
	Badge          page.Badge
	Why            string // why it waits, or why it ended as it did
	Position       int
	First, Last    bool // of the queue
	Figures        figures
	When           page.Moment
	Took           string
	Stuck          int64
}

// figures are what changes while an archive runs.
type figures struct {
	Files, Bytes, Rate, Left string
	Percent                  int
	Shown                    bool
	Counting                 bool // a large archive is still being added up
}

func figuresOf(row ledger.Archive, t ledger.Totals, now time.Time) figures {
	f := figures{Shown: t.Items > 0 && !row.Status.Ended()}
	done := t.Copied + t.Verified
	if row.Status == ledger.Verifying {
		f.Files = fmt.Sprintf("%d of %s verified", t.Verified, english.Count(t.Items-t.Skipped, "file"))
		f.Percent = page.Percent(t.Verified, t.Items-t.Skipped-t.Failed)
	} else {
		f.Files = fmt.Sprintf("%d of %s", done, english.Count(t.Items-t.Skipped, "file"))
		f.Percent = page.Percent(t.BytesDone, t.Bytes)
	}
	f.Bytes = report.Size(t.BytesDone) + " of " + report.Size(t.Bytes)
	if rate, left := row.Pace(t, now); rate > 0 {
		f.Rate, f.Left = report.Size(rate)+"/s", page.TimeLeft(left)
	}
	return f
}

// values stores the figures under the names of the places that show them.
func (f figures) values(id string, into map[string]string) {
	into[id+".files"], into[id+".bytes"], into[id+".rate"], into[id+".left"], into[id+".percent"] = f.Files, f.Bytes, f.Rate, f.Left, strconv.Itoa(f.Percent)
}

// openList is what is under way and what waits in the queue.
type openList struct {
	UnderWay, Queue []archiveRow
	Counts          map[ledger.ArchiveStatus]int64
	MoreQueue       bool
}

// Queued returns how many archives wait for their turn.
func (o openList) Queued() int64 { return o.Counts[ledger.Queued] }

// Running returns how many archives have started and not ended.
func (o openList) Running() int64 {
	var n int64
	for status, count := range o.Counts {
		if status != ledger.Queued {
			n += count
		}
	}
	return n
}

func (o openList) state(temporal bool) live.State {
	s := live.State{Values: map[string]string{}}
	var seen []string
	for _, rows := range [][]archiveRow{o.UnderWay, o.Queue} {
		for _, a := range rows {
			seen = append(seen, a.ID, a.Badge.Text, a.Why, a.Name, strconv.Itoa(a.Position), strconv.FormatBool(a.Figures.Shown))
			if a.Figures.Shown {
				a.Figures.values(a.ID, s.Values)
			}
		}
	}
	s.Version = live.VersionOf(seen, o.Counts, temporal)
	return s
}

func (c *console) openArchives(ctx context.Context, tenant string) (openList, error) {
	return c.open.Of(ctx, tenant, func(ctx context.Context) (openList, error) { return c.readOpen(ctx, c.Ledger.Tenant(tenant)) })
}

func (c *console) readOpen(ctx context.Context, h ledger.TenantLedger) (openList, error) {
	var out openList
	running, err := h.UnderWay(ctx, rowsShown)
	if err != nil {
		return out, err
	}
	queue, err := h.Queue(ctx, -1, "", rowsShown+1)
	if err != nil {
		return out, err
	}
	if out.Counts, err = h.OpenArchives(ctx); err != nil {
		return out, err
	}
	patience, cancel := context.WithTimeout(ctx, totalsPatience) // shared by all of them
	defer cancel()
	for _, row := range running {
		a := c.archiveRow(row)
		t, known, err := c.totals.of(patience, row)
		if err != nil {
			return out, err
		}
		if a.Figures = figuresOf(row, t, c.Now()); !known {
			a.Figures = figures{Counting: true}
		}
		out.UnderWay = append(out.UnderWay, a)
	}
	if out.MoreQueue = len(queue) > rowsShown; out.MoreQueue {
		queue = queue[:rowsShown]
	}
	for i, row := range queue {
		a := c.archiveRow(row)
		a.First, a.Last, a.Why = i == 0, i == len(queue)-1 && !out.MoreQueue, queueReason(row, i, running)
		out.Queue = append(out.Queue, a)
	}
	return out, nil
}

// queueReason says why a queued archive has not started.
func queueReason(row ledger.Archive, before int, running []ledger.Archive) string {
	var holder string
	for _, r := range running {
		if r.Status != ledger.Waiting {
			holder = nameOf(r)
			break
		}
	}
	switch {
	case holder == "" && before == 0:
		return "Starts as soon as a worker picks it up."
	case holder == "":
		return "Waiting for " + english.Count(before, "archive") + " ahead of it."
	case before == 0:
		return "Next: starts when “" + holder + "” ends."
	}
	return "Waiting for “" + holder + "” and " + english.Count(before, "archive") + " ahead of it."
}

func nameOf(row ledger.Archive) string {
	if row.Name == "" {
		return "Project " + row.ID
	}
	return row.Name
}

func (c *console) archiveRow(row ledger.Archive) archiveRow {
	a := archiveRow{ID: row.ID, Name: nameOf(row), Team: row.TeamName, Badge: page.Labeled(archiveBadges, row.Status), Why: page.Sentence(row.Reason),
		Position: row.QueuePosition, Stuck: int64(len(row.Stuck))}
	switch {
	case row.Status.Ended() && !row.FinishedAt.IsZero():
		a.When = c.moment(row.FinishedAt)
		if !row.StartedAt.IsZero() {
			a.Took = english.Duration(row.FinishedAt.Sub(row.StartedAt))
		}
	case !row.StartedAt.IsZero():
		a.When = c.moment(row.StartedAt)
	default:
		a.When = c.moment(row.QueuedAt)
	}
	return a
}

// archiveFilters are the filters of the page, with the statuses that each one shows.
var archiveFilters = []struct {
	Key, Text string
	statuses  []ledger.ArchiveStatus
}{
	{"", "All", nil},
	{"open", "Under way", []ledger.ArchiveStatus{ledger.Queued, ledger.Planning, ledger.Running, ledger.Waiting, ledger.Verifying}},
	{"verified", "Verified", []ledger.ArchiveStatus{ledger.Verified}},
	{"exceptions", "With exceptions", []ledger.ArchiveStatus{ledger.VerifiedWithExceptions}},
	{"failed", "Incomplete or failed", []ledger.ArchiveStatus{ledger.Incomplete, ledger.Failed}},
	{"cancelled", "Canceled", []ledger.ArchiveStatus{ledger.Cancelled}},
}

var endedStatuses = []ledger.ArchiveStatus{ledger.Verified, ledger.VerifiedWithExceptions, ledger.Incomplete, ledger.Failed, ledger.Cancelled}

type filterLink struct {
	Text, Path string
	Current    bool
}

type archivesBody struct {
	Open    openList
	Whole   bool // the page shows everything, not a filtered selection
	Rows    []archiveRow
	Filters []filterLink
	Filter  string
	Search  string
	Next    string // address of the next page
	Later   bool   // this is not the first page
}

// archivesPage shows the queue, what is running and what has ended. With a filter or a search, it shows only the matches.
func (c *console) archivesPage(w http.ResponseWriter, r *http.Request, v visit) {
	q := r.URL.Query()
	p := c.in(r, v, "archives", "Archives")
	b := archivesBody{Filter: q.Get("status"), Search: page.Searched(q.Get("q"))}
	statuses := []ledger.ArchiveStatus(nil)
	for _, f := range archiveFilters {
		b.Filters = append(b.Filters, filterLink{f.Text, page.Address(p.Path+"archives", "status", f.Key, "q", b.Search), f.Key == b.Filter})
		if f.Key == b.Filter {
			statuses = f.statuses
		}
	}
	after := q.Get("after")
	b.Later, b.Whole = after != "", b.Filter == "" && b.Search == "" && after == ""
	if b.Filter == "" && b.Search == "" {
		statuses = endedStatuses
	}
	if b.Whole {
		var err error
		if b.Open, err = c.openArchives(r.Context(), v.tenant.ID); err != nil {
			c.failed(w, r, err)
			return
		}
		p.Topic, p.Version = "archives", b.Open.state(c.temporal.Ready(r.Context())).Version
	}
	read := func(ctx context.Context) (archiveRows, error) {
		return c.browseArchives(ctx, v.ledger, ledger.ArchiveFilter{Statuses: statuses, Name: b.Search}, after)
	}
	var found archiveRows
	var err error
	if b.Whole {
		found, err = c.ended.Of(r.Context(), v.tenant.ID, read)
	} else {
		found, err = read(r.Context())
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	if b.Rows = found.rows; found.next != "" {
		b.Next = page.Address(p.Path+"archives", "status", b.Filter, "q", b.Search, "after", found.next)
	}
	p.Body = b
	c.show(w, r, http.StatusOK, "archives", p)
}

// archiveRows is one page of a list.
type archiveRows struct {
	rows []archiveRow
	next string
}

func (c *console) browseArchives(ctx context.Context, h ledger.TenantLedger, f ledger.ArchiveFilter, after string) (archiveRows, error) {
	rows, next, err := h.BrowseArchives(ctx, f, after, rowsShown)
	out := archiveRows{next: next}
	for _, row := range rows {
		out.rows = append(out.rows, c.archiveRow(row))
	}
	return out, err
}
