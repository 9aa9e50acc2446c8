package notice

import (
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

// Kind returns the kind of event for a mail of a kind, or "" if there is none.
func Kind(kind string, status ledger.ArchiveStatus) events.Kind {
	switch kind {
	case workflows.NotifyQueued:
		return events.ArchiveQueued
	case workflows.NotifyWaiting:
		return events.ArchiveWaiting
	case workflows.NotifyStuck:
		return events.ArchiveStuck
	case NotifyStarted:
		return events.ArchiveStarted
	}
	return map[ledger.ArchiveStatus]events.Kind{ledger.Verified: events.ArchiveVerified, ledger.VerifiedWithExceptions: events.ArchiveExceptions,
		ledger.Incomplete: events.ArchiveIncomplete, ledger.Failed: events.ArchiveFailed, ledger.Cancelled: events.ArchiveCancelled}[status]
}

// NotifyStarted is sent to channels, and by mail only on request.
const NotifyStarted = "started"

// Event returns what a mail of a kind says, for channels and programs. where must not contain a link that works without an account.
func Event(kind string, row ledger.Archive, where Where, counts workflows.Counts) events.Data {
	title, text := body(kind, row, where.Cold)
	d := events.Data{Title: title, Text: strings.TrimSpace(text), Object: "archive", ObjectID: row.ID, Name: row.Name, Status: string(row.Status)}
	if row.Status.Ended() {
		d.Changed = &row.Changed
	}
	if counts.Items > 0 {
		d.Counts = map[string]int64{"items": counts.Items, "copied": counts.Copied, "verified": counts.Verified, "skipped": counts.Skipped, "failed": counts.Failed,
			"bytes": counts.Bytes, "bytes_done": counts.BytesDone, "comments": counts.Comments, "comments_done": counts.CommentsDone}
		d.Facts = []events.Fact{
			{Name: "Files", Value: fmt.Sprintf("%d of %d, %d skipped, %d failed", counts.Copied, counts.Items, counts.Skipped, counts.Failed)},
			{Name: "Data", Value: fmt.Sprintf("%s of %s", report.Size(counts.BytesDone), report.Size(counts.Bytes))},
			{Name: "Comments", Value: fmt.Sprintf("%d of %d", counts.CommentsDone, counts.Comments)},
		}
	}
	link := func(name, url string) {
		if url != "" {
			d.Links = append(d.Links, events.Link{Name: name, URL: url})
		}
	}
	link("Open in Framebridge", where.Status)
	link("Open in iconik", where.Collection)
	link("Open in Frame.io", row.ProjectURL)
	link("Open in Temporal", where.Workflow)
	return d
}
