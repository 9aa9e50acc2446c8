// Package notice tells people about an archive: by mail, and in its job in iconik.
package notice

import (
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// Where is what a mail says beyond the ledger: addresses with more information, "" if there is none, and whether the originals
// that an archive waits for are in Frame.io's cold storage.
type Where struct {
	Collection, Status, Workflow string
	Cold                         bool
}

// Stuck describes what is stuck, since when and why.
func Stuck(s ledger.Stuck) string {
	return fmt.Sprintf("Stuck since %s while %s: %s", english.Minute(s.Since), s.What, s.Reason)
}

// body describes what happened and what a person can do.
func body(kind string, row ledger.Archive, cold bool) (subject, text string) {
	var b strings.Builder
	switch kind {
	case NotifyStarted:
		subject = fmt.Sprintf("Started: archive of %q", row.Name)
	case workflows.NotifyQueued:
		subject = fmt.Sprintf("Queued: archive of %q", row.Name)
		if row.Name == "" {
			subject = "Queued: archive of a Frame.io project"
		}
		fmt.Fprintf(&b, "Another archive is running. This one is number %d in the queue and starts automatically.\n", max(row.QueuePosition, 1))
	case workflows.NotifyWaiting:
		subject = fmt.Sprintf("Action needed: originals of %q are in cold storage", row.Name)
		if !cold {
			subject = fmt.Sprintf("Action needed: originals of %q are missing", row.Name)
		}
		fmt.Fprintf(&b, "%s\n\nThe archive continues automatically when the originals are back. To archive without them, cancel the archive, set archive.missing_original to proxy, and retry the archive. It then stores proxies instead, and a placeholder for each file without a proxy.\n", row.Reason)
	case workflows.NotifyStuck:
		subject = fmt.Sprintf("Action needed: archive of %q is stuck", row.Name)
		for _, s := range row.Stuck {
			fmt.Fprintf(&b, "%s.\n", Stuck(s))
		}
		b.WriteString("\nFramebridge keeps trying and continues automatically as soon as it can. Other archives run in the meantime. If the reason names a token or a permission, renew it; otherwise check the vendor's status page. If a single object keeps failing, Framebridge gives up on it after 12 hours and names it in the report.\n")
	default:
		switch row.Status {
		case ledger.Verified:
			subject = fmt.Sprintf("Done: %q is archived and verified", row.Name)
		case ledger.VerifiedWithExceptions:
			subject = fmt.Sprintf("Done, with exceptions: %q is archived", row.Name)
		case ledger.Cancelled:
			subject = fmt.Sprintf("Canceled: archive of %q", row.Name)
		default:
			subject = fmt.Sprintf("Action needed: archive of %q is %s", row.Name, row.Status)
		}
		fmt.Fprintf(&b, "%s\n", row.Reason)
	}
	return subject, b.String()
}

// Compose returns a mail with what a person needs: what happened, what they can do, and where to look.
func Compose(kind string, row ledger.Archive, where Where) (subject, text string) {
	var b strings.Builder
	subject, text = body(kind, row, where.Cold)
	b.WriteString(text + "\n")
	if row.ProjectURL != "" {
		fmt.Fprintf(&b, "Project in Frame.io:   %s\n", row.ProjectURL)
	}
	if where.Collection != "" {
		fmt.Fprintf(&b, "Collection in iconik:  %s\n", where.Collection)
	}
	fmt.Fprintf(&b, "Status:                %s\n", where.Status)
	if where.Workflow != "" {
		fmt.Fprintf(&b, "Workflow:              %s\n", where.Workflow)
	}
	return subject, b.String()
}
