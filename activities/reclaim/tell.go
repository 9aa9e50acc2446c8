package reclaim

import (
	"context"
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// kindOf returns the event and title for a run's status, or "" if there is none. A finished run is reported together with its certificate.
func kindOf(row ledger.Reclaim, project string) (kind events.Kind, title string) {
	if row.DryRun {
		return "", ""
	}
	switch row.Status {
	case ledger.ReclaimExamining:
		return events.ReclaimAsked, fmt.Sprintf("Asked for: the deletion of %q in Frame.io", project)
	case ledger.ReclaimWaiting:
		return events.ReclaimWaits, fmt.Sprintf("Action needed: the deletion of %q in Frame.io waits for approval", project)
	case ledger.ReclaimProving:
		return events.ReclaimApproved, fmt.Sprintf("Approved: the deletion of %q in Frame.io", project)
	case ledger.ReclaimRefused:
		return events.ReclaimRefused, fmt.Sprintf("Refused: the deletion of %q in Frame.io", project)
	case ledger.ReclaimStopped:
		return events.ReclaimStopped, fmt.Sprintf("Action needed: the deletion of %q in Frame.io has stopped", project)
	case ledger.ReclaimCancelled:
		return events.ReclaimCancelled, fmt.Sprintf("Canceled: the deletion of %q in Frame.io", project)
	case ledger.ReclaimDone:
		if row.Certificate != "" {
			return events.ReclaimDone, fmt.Sprintf("Done: %q is deleted in Frame.io, with a certificate", project)
		}
	}
	return "", ""
}

// tell stores what channels and mail say about a run whose status is about to change, once per status.
func (r *run) tell(ctx context.Context, row ledger.Reclaim) ([]ledger.Delivery, error) {
	kind, title := kindOf(row, r.archive.Name)
	if kind == "" {
		return nil, nil
	}
	p, err := r.progress(ctx, workflows.ReclaimProgress{})
	if err != nil {
		return nil, err
	}
	c := p.Counts
	d := events.Data{Title: title, Text: textOf(kind, row), Object: "reclaim", ObjectID: r.ref.Archive, Name: r.archive.Name, Status: string(row.Status),
		Counts: map[string]int64{"ready": c.Ready, "proven": c.Proven, "deleted": c.Deleted, "deleted_bytes": c.DeletedBytes, "left": c.Left, "left_bytes": c.LeftBytes},
		Facts:  []events.Fact{{Name: "Asked for by", Value: who(row.RequestedBy)}},
		Links:  []events.Link{{Name: "Open in Framebridge", URL: routes.ConsoleArchive(r.steps.Config.Now(), r.ref.Tenant, r.ref.Archive)}}}
	if !row.ApprovedAt.IsZero() {
		d.Facts = append(d.Facts, events.Fact{Name: "Approved by", Value: who(row.ApprovedBy) + ": " + row.ApprovedHow})
	}
	for _, f := range []struct {
		name         string
		files, bytes int64
	}{{"To be deleted", c.Ready + c.Proven, c.ReadyBytes + c.ProvenBytes}, {"Deleted", c.Deleted, c.DeletedBytes}, {"Left in Frame.io", c.Left, c.LeftBytes}} {
		if f.files > 0 {
			d.Facts = append(d.Facts, events.Fact{Name: f.name, Value: english.Count(f.files, "file") + ", " + report.Size(f.bytes)})
		}
	}
	if row.Certificate != "" {
		d.Links = append(d.Links, events.Link{Name: "Deletion certificate", URL: r.iconik.AssetURL(row.Certificate)})
	}
	var asked []string
	for _, a := range []ledger.Actor{row.RequestedBy, row.ApprovedBy} {
		if strings.Contains(a.Name, "@") {
			asked = append(asked, a.Name)
		}
	}
	return r.tenant.Tell(ctx, tenant.Happening{Key: fmt.Sprintf("reclaim:%s:%d:%s", r.ref.Archive, r.ref.Run, row.Status), Kind: kind, Data: d, Owner: r.ref.Archive, Asked: asked})
}

// tellDone reports that a run has ended as planned, with its certificate. Any other end was reported when it happened.
func (r *run) tellDone(ctx context.Context, row ledger.Reclaim) ([]ledger.Delivery, error) {
	if row.Status != ledger.ReclaimDone {
		return nil, nil
	}
	return r.tell(ctx, row)
}

func textOf(kind events.Kind, row ledger.Reclaim) string {
	switch kind {
	case events.ReclaimAsked:
		return "Framebridge compares both sides now. Nothing is deleted before every file is proven to be in iconik and the deletion is approved."
	case events.ReclaimWaits:
		return "Someone other than the requester must approve this within " + english.Duration(workflows.ApprovalPatience) + ", with `starter reclaim approve`. " +
			"By then, both sides must have been compared in the last 24 hours, or the deletion is refused: `starter retry` compares them."
	case events.ReclaimApproved:
		return "Framebridge reads each file back from the storage and compares it once more before it is deleted. `starter reclaim pause` and `cancel` stop it."
	}
	return english.Sentence(row.Reason)
}
