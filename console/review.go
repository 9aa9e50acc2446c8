package console

import (
	"cmp"
	"context"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

const (
	commentsShown = 200         // on a review's page; the exports include all
	syncShown     = time.Minute // precision at which an open page shows the last sync
)

type assetLine struct {
	Title, Version, Why, Size, NoWatermark string
	Thumb                                  string // address of its picture
	Badge, Decision                        page.Badge
	Iconik                                 string
	Comments                               int64
	Exports                                []namedLink
}

// commentLine is a comment with its state on each side.
type commentLine struct {
	Asset, At, Who, Text, Made string
	Reply, Guest, Drawn        bool
	Frameio, Iconik            page.Badge
	Why                        string
	When                       page.Moment
}

type reviewBody struct {
	Row          reviewRow
	Facts        []fact
	Links        []namedLink
	Troubles     []fact
	Notes        []string
	Assets       []assetLine
	Reviewers    []string
	Comments     []commentLine
	MoreComments int64
	Search       string
	Exports      []namedLink
	Timeline     []timelineLine

	CanExtend, CanStop, CanSync, CanResend bool
	Sides                                  string // address of the page that shows both vendors' current data
}

func (c *console) reviewState(ctx context.Context, h ledger.TenantLedger, id string) (live.State, error) {
	r, ok, err := h.Review(id).Get(ctx)
	if err != nil || !ok {
		return live.State{}, err
	}
	assets, err := h.Review(id).Assets(ctx)
	return reviewVersion(r, assets, c.temporal.Ready(ctx)), err
}

func reviewVersion(r ledger.Review, assets []ledger.ReviewAsset, temporal bool) live.State {
	r.LastSyncAt, r.NextSyncAt = r.LastSyncAt.Truncate(syncShown), r.NextSyncAt.Truncate(syncShown) // these change constantly
	s := live.State{Values: map[string]string{}}
	seen := []any{r, temporal}
	for _, a := range assets {
		s.Values["asset."+strconv.Itoa(a.N)+".percent"] = strconv.Itoa(page.Percent(a.BytesDone, a.Size))
		seen = append(seen, a.State, a.Reason, a.Decision, a.Title, a.Trouble)
	}
	s.Version = live.VersionOf(seen...)
	return s
}

// reviewPage shows one review.
func (c *console) reviewPage(w http.ResponseWriter, r *http.Request, v visit) {
	ctx, h := r.Context(), v.ledger.Review(r.PathValue("id"))
	row, ok, err := h.Get(ctx)
	if err == nil && !ok {
		c.problem(w, r, http.StatusNotFound, "There is no such review.")
		return
	}
	var assets []ledger.ReviewAsset
	var comments []ledger.ReviewComment
	if err == nil {
		assets, err = h.Assets(ctx)
	}
	if err == nil {
		comments, err = h.Comments(ctx, 0)
	}
	var timeline []timelineLine
	if err == nil {
		timeline, err = c.timeline(ctx, v.ledger, ledger.AuditFilter{Review: row.ID})
	}
	if err != nil {
		c.failed(w, r, err)
		return
	}
	p := c.in(r, v, "reviews", titleOf(row))
	p.Topic, p.Version = "review/"+row.ID, reviewVersion(row, assets, c.temporal.Ready(ctx)).Version
	here := p.Path + "reviews/" + url.PathEscape(row.ID)
	b := reviewBody{Row: c.reviewRow(row), Notes: row.Notes, Reviewers: row.Reviewers,
		Timeline:  c.among(timeline, passed{row.CreatedAt, "started sending the assets"}, passed{row.OpenedAt, "opened the review"}, passed{row.EndedAt, "switched the link off"}),
		Search:    page.Searched(r.URL.Query().Get("q")),
		CanExtend: row.Status.Running(), CanStop: row.Status.Running(), CanSync: row.Status == ledger.ReviewOpen}
	b.CanResend, b.Sides = row.Status == ledger.ReviewOpen && slices.ContainsFunc(assets, failedToSend), here+"/sides"
	b.Facts, b.Links, b.Troubles = c.reviewFacts(row), c.reviewLinks(v, row), reviewTroubles(row, assets)
	if p.Export {
		for _, f := range export.Formats {
			b.Exports = append(b.Exports, namedLink{strings.ToUpper(f.Extension) + " for " + f.For, here + "/comments." + f.Extension})
		}
	}
	b.Assets = assetLines(v, assets, comments)
	b.Comments, b.MoreComments = c.commentLines(assets, comments, b.Search)
	p.Body = b
	c.show(w, r, http.StatusOK, "review", p)
}

func failedToSend(a ledger.ReviewAsset) bool { return a.State == ledger.AssetFailed }

func (c *console) reviewFacts(r ledger.Review) []fact {
	var out []fact
	add := func(name, text string) {
		if text != "" {
			out = append(out, fact{name, text})
		}
	}
	at := func(m page.Moment) string {
		if m.Text == "" {
			return ""
		}
		return m.Text + ", " + m.Ago
	}
	add("Requested by", strings.TrimSpace(cmp.Or(r.RequestedBy.Name, r.RequestedBy.Email)))
	add("Sent", at(c.moment(r.CreatedAt)))
	add("Opened", at(c.moment(r.OpenedAt)))
	if r.Status.Running() {
		add("Expires", at(c.moment(r.ExpiresAt)))
	} else {
		add("Ended", at(c.moment(r.EndedAt)))
	}
	if r.Status != ledger.ReviewDeleted {
		add("Media deleted in Frame.io", at(c.moment(r.DeleteAt)))
	}
	add("Quality", r.Quality)
	add("Who may open the link", map[string]string{"public": "anyone with the link", "secure": "the reviewers, after signing in"}[r.Access])
	add("Watermark", r.Watermark)
	if r.Passphrase {
		add("Passphrase", "yes")
	}
	if r.Download {
		add("Download", "allowed")
	} else {
		add("Download", "not allowed")
	}
	add("Comments", english.Count(r.ToIconik, "comment")+" synced to iconik, "+strconv.Itoa(r.ToFrameio)+" to Frame.io, "+strconv.Itoa(r.OpenComments)+" open")
	add("Last sync", at(c.moment(r.LastSyncAt)))
	if r.Status == ledger.ReviewOpen {
		add("Next sync", at(c.moment(r.NextSyncAt)))
	}
	add("Message", r.Message)
	return out
}

func (c *console) reviewLinks(v visit, r ledger.Review) []namedLink {
	var out []namedLink
	add := func(text, to string) {
		if to = page.Web(to); to != "" {
			out = append(out, namedLink{text, to})
		}
	}
	if r.Status.Running() {
		add("Review in Frame.io", r.ShareURL)
	}
	add("Workflow in Temporal", temporalclient.WorkflowURL(c.Config().Temporal, workflows.ReviewID(v.tenant.ID, r.ID)))
	return out
}

// reviewTroubles lists what is waiting or failed, and why.
func reviewTroubles(r ledger.Review, assets []ledger.ReviewAsset) []fact {
	var out []fact
	if r.Trouble != "" {
		out = append(out, fact{"Sharing", page.Sentence(r.Trouble) + " Framebridge keeps trying."})
	}
	if !r.LinkAbsentSince.IsZero() {
		out = append(out, fact{"Link", "Frame.io has not shown the link since " + english.RecentMinute(r.LinkAbsentSince) + "."})
	}
	for _, a := range assets {
		if a.Trouble != "" && a.State != ledger.AssetReady {
			out = append(out, fact{cmp.Or(a.Title, a.Name), page.Sentence(a.Trouble) + " Framebridge keeps trying."})
		}
		if !a.AbsentSince.IsZero() {
			where := "Frame.io"
			if strings.Contains(a.AbsentFrom, "iconik") {
				where = "iconik"
			}
			out = append(out, fact{cmp.Or(a.Title, a.Name), where + " has not shown it since " + english.RecentMinute(a.AbsentSince) + "."})
		}
	}
	return out
}

func assetLines(v visit, assets []ledger.ReviewAsset, comments []ledger.ReviewComment) []assetLine {
	count := map[int]int64{}
	for _, m := range comments {
		if !m.Deleted && !m.Older {
			count[m.N]++
		}
	}
	out := make([]assetLine, len(assets))
	for i, a := range assets {
		out[i] = assetLine{Title: cmp.Or(a.Title, a.Name, a.AssetID), Why: page.Sentence(a.Reason), Size: report.Size(a.Size), NoWatermark: page.Sentence(a.NoWatermark),
			Badge:    page.Labeled(assetBadges, a.State),
			Decision: page.Labeled(decisionBadges, a.Decision), Comments: count[a.N], Iconik: page.Web(v.tenant.Iconik.BaseURL + "/asset/" + url.PathEscape(a.AssetID))}
		out[i].Thumb = Root + v.tenant.ID + "/reviews/" + url.PathEscape(a.Review) + "/thumbs/" + strconv.Itoa(a.N)
		if a.Size == 0 {
			out[i].Size = ""
		}
		if a.State == ledger.AssetUploading && a.Size > 0 {
			out[i].Size = report.Size(a.BytesDone) + " of " + report.Size(a.Size)
		}
	}
	return out
}

// commentLines returns a review's comments by asset and time, each reply after the comment it answers, and how many more there are.
func (c *console) commentLines(assets []ledger.ReviewAsset, comments []ledger.ReviewComment, search string) ([]commentLine, int64) {
	of := map[int]ledger.ReviewAsset{}
	for _, a := range assets {
		of[a.N] = a
	}
	byID := map[string]ledger.ReviewComment{}
	for _, m := range comments {
		byID[m.ID] = m
	}
	root := func(m ledger.ReviewComment) ledger.ReviewComment {
		for range 50 { // stops at a chain of replies that loops
			parent, ok := byID[m.ParentID]
			if !ok {
				break
			}
			m = parent
		}
		return m
	}
	comments = slices.DeleteFunc(slices.Clone(comments), func(m ledger.ReviewComment) bool {
		return m.Deleted || m.Older || search != "" && !strings.Contains(strings.ToLower(m.Text+" "+m.Author+" "+m.Email), strings.ToLower(search))
	})
	frame := func(m ledger.ReviewComment) int64 {
		if m.Frame == nil {
			return -1
		}
		return *m.Frame
	}
	slices.SortStableFunc(comments, func(a, b ledger.ReviewComment) int {
		ra, rb := root(a), root(b)
		return cmp.Or(cmp.Compare(a.N, b.N), cmp.Compare(frame(ra), frame(rb)), ra.CreatedAt.Compare(rb.CreatedAt), cmp.Compare(ra.ID, rb.ID),
			a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	more := max(len(comments)-commentsShown, 0)
	out := make([]commentLine, 0, min(len(comments), commentsShown))
	for _, m := range comments[:len(comments)-more] {
		a := of[m.N]
		out = append(out, commentLine{Asset: cmp.Or(a.Title, a.Name), At: frameText(a, m), Who: cmp.Or(m.Author, m.Email, "unknown"), Text: m.Text,
			Made:  map[ledger.Origin]string{ledger.FromFrameio: "in Frame.io", ledger.FromIconik: "in iconik"}[m.Origin],
			Reply: m.ParentID != "", Guest: m.Guest, Drawn: m.Drawn, Frameio: side(m, m.FrameioID), Iconik: side(m, m.IconikID), Why: page.Sentence(m.Refused), When: c.moment(m.CreatedAt)})
	}
	return out, int64(more)
}

// side returns the state of a comment on one side.
func side(m ledger.ReviewComment, id string) page.Badge {
	switch {
	case id != "" && m.Completed:
		return page.Good("Done")
	case id != "":
		return page.Good("Present")
	case m.Refused != "":
		return page.Bad("Refused")
	case m.Internal:
		return page.Off("Team only")
	}
	return page.Wait("On its way")
}

func timecode(a ledger.ReviewAsset, frame int64) string {
	rate := a.Rate()
	if rate.Num <= 0 || rate.Den <= 0 {
		return "frame " + strconv.FormatInt(frame, 10)
	}
	first, drop, err := mapping.ParseTimecode(a.StartTimecode, rate)
	if err != nil {
		first, drop = 0, false
	}
	return mapping.Timecode(first+frame, rate, drop)
}

// exportFile serves a review's comments for an editing program.
func (c *console) exportFile(w http.ResponseWriter, r *http.Request, v visit) {
	kind, ok := strings.CutPrefix(r.PathValue("file"), "comments.")
	if !ok {
		c.problem(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	f, err := c.Actions.Export(r.Context(), v.tenant, r.PathValue("id"), kind, r.URL.Query().Get("asset"))
	if c.notDone(w, r, err) {
		return
	}
	w.Header().Set("Content-Type", f.MediaType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	_, _ = w.Write(f.Body)
}
