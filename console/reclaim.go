package console

import (
	"cmp"
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

const leftShown = 100 // most remaining files listed, with their reasons

// ReclaimRequest asks to delete in Frame.io what an archive has proven.
type ReclaimRequest struct {
	DryRun  bool
	Name    string   // of the project, as typed by the requester; makes approval by a second person unnecessary
	Accepts []string // kinds of data not carried that may be lost with the files
}

var reclaimBadges = map[ledger.ReclaimStatus]page.Badge{
	ledger.ReclaimExamining: page.Go("Comparing both sides"), ledger.ReclaimWaiting: page.Wait("Waiting for approval"),
	ledger.ReclaimProving: page.Go("Proving each file"), ledger.ReclaimDeleting: page.Go("Deleting in Frame.io"),
	ledger.ReclaimExamined: page.Off("Examined, nothing deleted"), ledger.ReclaimDone: page.Good("Done"), ledger.ReclaimRefused: page.Bad("Refused, nothing deleted"),
	ledger.ReclaimStopped: page.Bad("Stopped"), ledger.ReclaimCancelled: page.Off("Canceled"),
}

// reclaimSteps are the states of files in the page's order.
var reclaimSteps = []struct {
	state ledger.ReclaimFileState
	text  string
}{
	{ledger.ReclaimReady, "Can be freed, bytes not proven yet"}, {ledger.ReclaimProven, "Proven, byte by byte"}, {ledger.ReclaimIntends, "Being deleted"},
	{ledger.ReclaimDeleted, "Deleted in Frame.io"}, {ledger.ReclaimLeft, "Stay in Frame.io"},
}

// reclaimNow is an archive with its last reclaim, if it has had one.
type reclaimNow struct {
	archive ledger.Archive
	known   bool
	row     ledger.Reclaim
	sums    map[ledger.ReclaimFileState]ledger.ReclaimSum
}

func (r reclaimNow) state(temporal bool) live.State {
	return live.State{Version: live.VersionOf(r.archive.Status, r.archive.FinishedAt, r.known, r.row.Run, r.row.Status, r.row.Reason, r.row.Paused, r.row.Certificate,
		r.row.FinishedAt, r.sums, temporal)}
}

func (r reclaimNow) open() bool { return r.known && !r.row.Status.Ended() }

// reclaimNow reads an archive's last reclaim. The result has no archive ID if there is no such archive.
func (c *console) reclaimNow(ctx context.Context, h ledger.TenantLedger, id string) (reclaimNow, error) {
	row, ok, err := h.Archive(id).Get(ctx)
	if err != nil || !ok {
		return reclaimNow{}, err
	}
	now := reclaimNow{archive: row}
	if now.row, now.known, err = h.Archive(id).Reclaim(ctx); err != nil || !now.known {
		return now, err
	}
	now.sums, err = h.Archive(id).ReclaimSums(ctx, now.row.Run)
	return now, err
}

type reclaimBody struct {
	Archive archiveRow
	Known   bool
	Badge   page.Badge
	Paused  bool
	DryRun  bool
	Why     string
	Facts   []fact
	Steps   []reclaimStepLine
	Percent int
	Moving  bool // it is proving or deleting
	Left    []reclaimFileLine
	More    int64
	Links   []namedLink
	Holds   []fact // the conditions, as far as the configuration and the ledger know them
	Off     bool   // archive.reclaim is off
	Audit   []timelineLine

	CanAsk, CanApprove, CanPause, CanResume, CanCancel bool
}

type reclaimStepLine struct {
	Text  string
	Files int64
	Size  string
}

type reclaimFileLine struct{ Path, Size, Why string }

// reclaimPage shows what could be freed in Frame.io, what prevents it, and how a deletion progresses.
func (c *console) reclaimPage(w http.ResponseWriter, r *http.Request, v visit) {
	now, err := c.reclaimNow(r.Context(), v.ledger, r.PathValue("id"))
	switch {
	case err != nil:
		c.failed(w, r, err)
		return
	case now.archive.ID == "":
		c.problem(w, r, http.StatusNotFound, "There is no such archive.")
		return
	}
	p := c.in(r, v, "archives", "Free space in Frame.io")
	p.Topic, p.Version = "reclaim/"+now.archive.ID, now.state(c.temporal.Ready(r.Context())).Version
	b := reclaimBody{Archive: c.archiveRow(now.archive), Known: now.known, Holds: c.mustHold(v.tenant, now.archive), Off: v.tenant.Archive.Reclaim != "allowed"}
	b.CanAsk = !now.open()
	if now.known {
		if err := c.fillReclaim(r.Context(), v, now, &b); err != nil {
			c.failed(w, r, err)
			return
		}
	}
	entries, err := c.timeline(r.Context(), v.ledger, ledger.AuditFilter{Archive: now.archive.ID, Text: "reclaim"})
	if err != nil {
		c.failed(w, r, err)
		return
	}
	b.Audit = entries
	p.Body = b
	c.show(w, r, http.StatusOK, "reclaim", p)
}

func (c *console) fillReclaim(ctx context.Context, v visit, now reclaimNow, b *reclaimBody) error {
	row := now.row
	b.Badge, b.Paused, b.DryRun, b.Why = page.Labeled(reclaimBadges, row.Status), row.Paused, row.DryRun, page.Sentence(row.Reason)
	for _, s := range reclaimSteps {
		if n := now.sums[s.state]; n.Files > 0 {
			b.Steps = append(b.Steps, reclaimStepLine{s.text, n.Files, report.Size(n.Bytes)})
		}
	}
	ready, proven, deleted := now.sums[ledger.ReclaimReady], now.sums[ledger.ReclaimProven], now.sums[ledger.ReclaimDeleted]
	switch row.Status {
	case ledger.ReclaimProving:
		b.Moving, b.Percent = true, page.Percent(proven.Bytes, proven.Bytes+ready.Bytes)
	case ledger.ReclaimDeleting:
		b.Moving, b.Percent = true, page.Percent(deleted.Files, proven.Files+deleted.Files+now.sums[ledger.ReclaimIntends].Files)
	}
	working := now.open() && row.Status != ledger.ReclaimWaiting
	b.CanApprove, b.CanPause, b.CanResume, b.CanCancel = row.Status == ledger.ReclaimWaiting, working && !row.Paused, working && row.Paused, now.open()
	add := func(name, text string) {
		if text != "" {
			b.Facts = append(b.Facts, fact{name, text})
		}
	}
	who := func(a ledger.Actor) string { return cmp.Or(a.Name, a.Key, actors[a.Kind]) }
	add("Requested by", who(row.RequestedBy)+", "+c.moment(row.RequestedAt).Text)
	if row.ApprovedHow != "" {
		add("Approved by", who(row.ApprovedBy)+", "+c.moment(row.ApprovedAt).Text+": "+row.ApprovedHow)
	}
	if len(row.Accepts) > 0 {
		add("Accepted losses", english.Count(len(row.Accepts), "kind")+": "+strings.Join(row.Accepts, ", "))
	}
	if !row.FinishedAt.IsZero() {
		add("Ended", c.moment(row.FinishedAt).Text)
		if deleted.Files > 0 {
			add("All of it can be restored in Frame.io until", c.moment(row.Began().Add(workflows.RestorableFor)).Text)
		}
	}
	certified, known, err := v.ledger.Archive(now.archive.ID).Certified(ctx)
	if err != nil {
		return err
	}
	if known {
		if certified.Run != row.Run {
			add("The certificate is from the deletion on", c.moment(certified.FinishedAt).Text)
		}
		here := Root + v.tenant.ID + "/archives/" + url.PathEscape(now.archive.ID) + "/reclaim/"
		b.Links = append(b.Links, namedLink{"Download the certificate", here + custody.CertificatePage}, namedLink{"For starter verify (JSON)", here + custody.CertificateData},
			namedLink{"Deletion certificate in iconik", page.Web(v.tenant.Iconik.BaseURL + "/asset/" + url.PathEscape(certified.Certificate))})
	}
	left, err := v.ledger.Archive(now.archive.ID).ReclaimFiles(ctx, row.Run, ledger.ReclaimLeft, 0, leftShown)
	for _, f := range left {
		b.Left = append(b.Left, reclaimFileLine{f.Path, report.Size(f.Size), page.Sentence(f.Reason)})
	}
	b.More = now.sums[ledger.ReclaimLeft].Files - int64(len(left))
	return err
}

// certificateFile serves the certificate as stored in iconik. Because it comes from there, it is sent as an attachment, so that
// browsers do not show it as one of our pages.
func (c *console) certificateFile(w http.ResponseWriter, r *http.Request, v visit) {
	file := r.PathValue("file")
	if !slices.Contains(custody.CertificateFiles, file) {
		c.problem(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	body, err := c.Actions.Certificate(r.Context(), v.tenant, r.PathValue("id"), file)
	if c.notDone(w, r, err) {
		return
	}
	defer body.Close()
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(file)))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file}))
	if _, err := io.Copy(w, body); err != nil {
		c.Log.ErrorContext(r.Context(), "could not finish sending a deletion certificate", "error", err)
		panic(http.ErrAbortHandler) // an unfinished response must not look complete
	}
}

// mustHold lists the conditions of a deletion with what is known about each. The examination decides.
func (c *console) mustHold(t *config.Tenant, row ledger.Archive) []fact {
	allowed, signed, proven := "off: an administrator must set archive.reclaim to allowed", "missing: set report.signing_key", "unknown: retry the archive"
	if t.Archive.Reclaim == "allowed" {
		allowed = "allowed"
	}
	if c.Config().Report.SigningKeyInUse() != nil {
		signed = "configured"
	}
	if !row.ProvenSince.IsZero() {
		proven = "complete since " + c.moment(row.ProvenSince).Text
		if grace := t.Archive.ReclaimGrace; grace > 0 {
			proven += "; files stay for " + english.Duration(grace) + " after that"
		}
	}
	compared := "not yet"
	if row.Status.Ended() && !row.FinishedAt.IsZero() {
		compared = c.moment(row.FinishedAt).Ago + "; a deletion needs one at most " + english.Duration(workflows.FreshFor) + " old. To compare again, retry the archive"
	}
	return []fact{{"Configuration", allowed}, {"Archive", page.Labeled(archiveBadges, row.Status).Text}, {"Last comparison of both sides", compared},
		{"Grace period", proven}, {"Signing key for the certificate", signed},
		{"Frame.io", "no changes since then; the examination compares every file, version, comment and field"}, {"Reviews", "no open review shows a file of the project"}}
}

// confirmReclaim says what an action on a reclaim will do.
func (c *console) confirmReclaim(w http.ResponseWriter, r *http.Request, v visit) {
	now, err := c.reclaimNow(r.Context(), v.ledger, r.PathValue("id"))
	if err != nil {
		c.failed(w, r, err)
		return
	}
	name, here := nameOf(now.archive), Root+v.tenant.ID+"/archives/"+url.PathEscape(now.archive.ID)+"/reclaim"
	b := confirmation{Action: here + "/do/" + r.PathValue("verb"), Back: here, Role: config.RoleReclaims}
	ready := now.sums[ledger.ReclaimReady]
	deletes := []string{"Framebridge compares both sides in full and reads the stored bytes back. If anything differs, nothing is deleted.",
		"Then the proven files are deleted in Frame.io, one by one; the first surprise stops the deletion. Frame.io can restore them for " + english.Duration(workflows.RestorableFor) + ".",
		"The files' comments go with them. Folders, shares and the project stay. You get a deletion certificate in the project's collection."}
	switch verb := r.PathValue("verb"); {
	case now.archive.ID == "":
		c.problem(w, r, http.StatusNotFound, "There is no such archive.")
		return
	case verb == "examine" && !now.open():
		b.Heading, b.Button = "Examine what could be freed in “"+name+"”?", "Examine"
		b.Says = []string{"Framebridge compares Frame.io, the ledger and the reviews, and shows which files could be deleted and why others stay.", "Nothing is deleted."}
	case verb == "ask" && !now.open():
		b.Heading, b.Button, b.Danger = "Request the deletion of “"+name+"” in Frame.io?", "Request deletion", true
		b.Says = append([]string{"Another administrator has to approve this here. Nothing is deleted until then."}, deletes...)
	case verb == "delete" && !now.open():
		b.Heading, b.Button, b.Danger = "Delete “"+name+"” in Frame.io?", "Delete the proven files", true
		b.Says = append([]string{"Nobody else has to approve this: you type the project's name instead."}, deletes...)
		b.Field = &formField{Name: "name", Label: "Project name, as it is in Frame.io", Type: "text"}
	case verb == "approve" && now.row.Status == ledger.ReclaimWaiting && now.open():
		b.Heading, b.Button, b.Danger = "Approve the deletion of “"+name+"” in Frame.io?", "Approve", true
		who := cmp.Or(now.row.RequestedBy.Name, now.row.RequestedBy.Key, "somebody without a name")
		b.Says = append([]string{"The deletion was requested by " + who + ". Whoever requests a deletion cannot approve it.",
			english.Count(ready.Files, "file") + ", " + report.Size(ready.Bytes) + ", can be deleted."}, deletes...)
	case verb == "pause" && now.open() && !now.row.Paused:
		b.Heading, b.Button, b.Says = "Pause the deletion?", "Pause", []string{"It pauses after the current file. What has been deleted stays deleted."}
	case verb == "resume" && now.open() && now.row.Paused:
		b.Heading, b.Button, b.Says = "Resume the deletion?", "Resume", []string{"It continues with the next file, which is compared once more right before it is deleted."}
	case verb == "cancel" && now.open():
		b.Heading, b.Button, b.Danger = "Cancel the deletion?", "Cancel the deletion", true
		b.Says = []string{"No more files are deleted.", "What has been deleted can be restored in Frame.io for " + english.Duration(workflows.RestorableFor) + "; the certificate lists it."}
	default:
		c.problem(w, r, http.StatusUnprocessableEntity, "This is not possible now: reload the page to see the current status.")
		return
	}
	if verb := r.PathValue("verb"); verb == "ask" || verb == "delete" || verb == "examine" {
		if b.Boxes, err = lossBoxes(r.Context(), v.ledger.Archive(now.archive.ID)); err != nil {
			c.failed(w, r, err)
			return
		}
		b.BoxesSay = "Files with data that exists only in Frame.io stay there, unless you accept its loss:"
	}
	c.confirm(w, r, v, "archives", b)
}

// lossBoxes returns a box for each kind of data not carried whose loss can be accepted.
func lossBoxes(ctx context.Context, h ledger.ArchiveLedger) ([]formBox, error) {
	counts, err := h.NotCarriedCounts(ctx)
	var out []formBox
	for _, k := range counts {
		if workflows.MayBeLost(k.Kind) {
			out = append(out, formBox{"accept", k.Kind, english.Count(k.Count, k.Kind)})
		}
	}
	return out, err
}

func (c *console) controlReclaim(r *http.Request, v visit) (to, done string, err error) {
	ctx, id, verb := r.Context(), r.PathValue("id"), r.PathValue("verb")
	to = "archives/" + url.PathEscape(id) + "/reclaim"
	if err := r.ParseForm(); err != nil {
		return to, "", &Refused{"the form could not be read"}
	}
	accepts := r.PostForm["accept"]
	switch verb {
	case "examine":
		return to, "reclaim-examined", c.Actions.StartReclaim(ctx, v.tenant, id, ReclaimRequest{DryRun: true, Accepts: accepts})
	case "ask":
		return to, "reclaim-asked", c.Actions.StartReclaim(ctx, v.tenant, id, ReclaimRequest{Accepts: accepts})
	case "delete":
		name := r.PostFormValue("name")
		if name == "" {
			return to, "", &Refused{"type the project's name as it is in Frame.io"}
		}
		return to, "reclaim-begun", c.Actions.StartReclaim(ctx, v.tenant, id, ReclaimRequest{Name: name, Accepts: accepts})
	case "approve":
		return to, "reclaim-approved", c.Actions.ControlReclaim(ctx, v.tenant, id, verb)
	case "pause", "resume", "cancel":
		return to, "reclaim-" + verb, c.Actions.ControlReclaim(ctx, v.tenant, id, verb)
	}
	return to, "", &Refused{"there is no such action"}
}
