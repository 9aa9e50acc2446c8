package console

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
)

const auditPageRows = 500 // rows of an export read at once

type auditBody struct {
	Rows                             []timelineLine
	Text, Who, Action, Since, Until  string
	Next, CSV, JSONL                 string
	Filtered, Later                  bool
	DayWrong                         bool
	ArchiveFilter, ReviewFilter, All string
}

// auditFilter reads a filter from the query.
func auditFilter(q url.Values) (ledger.AuditFilter, auditBody) {
	b := auditBody{Text: page.Searched(q.Get("q")), Who: page.Searched(q.Get("who")), Action: page.Searched(q.Get("action")), Since: q.Get("since"), Until: q.Get("until"),
		ArchiveFilter: page.Searched(q.Get("archive")), ReviewFilter: page.Searched(q.Get("review"))}
	f := ledger.AuditFilter{Text: b.Text, Actor: b.Who, Action: b.Action, Archive: b.ArchiveFilter, Review: b.ReviewFilter}
	day := func(text *string) (t time.Time) {
		if *text == "" {
			return t
		}
		t, err := time.Parse(time.DateOnly, *text)
		if err != nil {
			*text, b.DayWrong = "", true
		}
		return t
	}
	f.Since, f.Until = day(&b.Since), day(&b.Until)
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1) // include the last day itself
	}
	b.Filtered = f != ledger.AuditFilter{}
	return f, b
}

func (b auditBody) address(path string, more ...string) string {
	return page.Address(path, append([]string{"q", b.Text, "who", b.Who, "action", b.Action, "since", b.Since, "until", b.Until, "archive", b.ArchiveFilter, "review",
		b.ReviewFilter}, more...)...)
}

// auditPage shows who did what, newest first.
func (c *console) auditPage(w http.ResponseWriter, r *http.Request, v visit) {
	p := c.in(r, v, "audit", "Audit")
	f, b := auditFilter(r.URL.Query())
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	entries, err := v.ledger.AuditNewest(r.Context(), f, before, rowsShown)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	named := names{}
	for _, e := range entries {
		l := c.auditLine(e)
		if name := named.of(r.Context(), v.ledger, e); name != "" {
			l.Object = name
		}
		b.Rows = append(b.Rows, l)
	}
	b.Later = before > 0
	if len(entries) == rowsShown {
		b.Next = b.address(p.Path+"audit", "before", strconv.FormatInt(entries[len(entries)-1].Seq, 10))
	}
	b.CSV, b.JSONL, b.All = b.address(p.Path+"audit/audit.csv"), b.address(p.Path+"audit/audit.jsonl"), p.Path+"audit"
	p.Body = b
	c.show(w, r, http.StatusOK, "audit", p)
}

// names caches the names of archives and reviews, by the IDs in the audit.
type names map[string]string

// of returns the name of an entry's archive or review, or "" if it has none or cannot be read now.
func (n names) of(ctx context.Context, h ledger.TenantLedger, e ledger.AuditEntry) string {
	key := e.Archive + "/" + e.Review
	if name, known := n[key]; known || key == "/" || e.ObjectKind == "file" {
		return name
	}
	name := ""
	if e.Archive != "" {
		if row, ok, err := h.Archive(e.Archive).Get(ctx); ok && err == nil {
			name = "archive of “" + nameOf(row) + "”"
		}
	} else if row, ok, err := h.Review(e.Review).Get(ctx); ok && err == nil {
		name = "review “" + titleOf(row) + "”"
	}
	n[key] = name
	return name
}

// auditFile exports the entries that match the filter, in order. JSONL includes each entry's hash, so that the export can be verified.
func (c *console) auditFile(w http.ResponseWriter, r *http.Request, v visit) {
	f, _ := auditFilter(r.URL.Query())
	name := r.PathValue("file")
	var write func(ledger.AuditEntry) error
	flush := func() error { return nil }
	switch name {
	case "audit.jsonl":
		w.Header().Set("Content-Type", "application/jsonl")
		f.WithErasures = true
		write = func(e ledger.AuditEntry) error { return json.NewEncoder(w).Encode(e) }
	case "audit.csv":
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		out := csv.NewWriter(w)
		_ = out.Write([]string{"number", "time", "actor", "name", "address", "key", "action", "object", "object_id", "archive", "review", "reason", "detail", "hash"})
		write = func(e ledger.AuditEntry) error {
			cells := []string{strconv.FormatInt(e.Seq, 10), e.At.UTC().Format(time.RFC3339), e.Actor.Kind, e.Actor.Name, e.Actor.Address, e.Actor.Key,
				e.Action, e.ObjectKind, e.ObjectID, e.Archive, e.Review, e.Reason, string(e.Detail), e.Hash}
			for i := range cells {
				cells[i] = export.Cell(cells[i])
			}
			return out.Write(cells)
		}
		flush = func() error { out.Flush(); return out.Error() }
	default:
		c.problem(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	for after := int64(0); ; {
		entries, err := v.ledger.AuditPage(r.Context(), f, after, auditPageRows)
		for i := 0; i < len(entries) && err == nil; i++ {
			after, err = entries[i].Seq, write(entries[i])
		}
		if err == nil && len(entries) < auditPageRows {
			err = flush()
			entries = nil
		}
		if err != nil {
			c.Log.ErrorContext(r.Context(), "could not finish sending the audit", "error", err)
			panic(http.ErrAbortHandler)
		}
		if entries == nil {
			return
		}
	}
}
