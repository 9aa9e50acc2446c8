package api

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/starter/control"
)

type addressKey struct{}

// peopleRoutes registers what people open in a browser: the console, which requires signing in, and the signed links in mails.
func (s *Server) peopleRoutes(r *gin.Engine) {
	s.desk = signin.New(signin.Deps{Config: s.Config, Ledger: s.Ledger, Log: s.Log,
		Address: func(r *http.Request) string { a, _ := r.Context().Value(addressKey{}).(string); return a }})
	s.thumbs = console.NewThumbs(time.Now)
	toConsole := func(c *gin.Context) { c.Redirect(http.StatusSeeOther, "/ui/") }
	r.GET("/", toConsole)
	r.GET("/ui", toConsole)
	ui := gin.WrapH(s.desk.Handler(asPerson(s.consolePages(s.stopping()))))
	r.GET("/ui/*page", fromBrowser, ui)
	r.POST("/ui/*page", fromBrowser, ui)
	r.GET("/l/:token", within(readTimeLimit), fromBrowser, s.openLink, s.showLinked)
	r.GET("/l/:token/:file", within(writeTimeLimit), fromBrowser, s.openLink, s.loadLinked)
	r.GET("/l/:token/thumbs/:item", within(readTimeLimit), fromBrowser, s.openLink, s.linkedThumb)
}

// fromBrowser keeps the client's address, as the limits and the audit log see it.
func fromBrowser(c *gin.Context) {
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), addressKey{}, c.ClientIP()))
}

// asPerson makes the audit log name the person for the console's actions.
func asPerson(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p, ok := signin.From(r.Context()); ok {
			r = r.WithContext(control.WithActor(r.Context(), p.Actor()))
		}
		next.ServeHTTP(w, r)
	})
}

const openedKey = "opened"

func (s *Server) openLink(c *gin.Context) {
	opened, ok := s.desk.Open(c.Writer, c.Request, c.Param("token"))
	if !ok {
		c.Abort()
		return
	}
	c.Set(openedKey, opened)
	c.Set(tenantKey, opened.Tenant)
}

// linked reads what a link has opened. If that no longer exists, it says so.
func (s *Server) linked(c *gin.Context) (signin.Opened, signin.Page, bool) {
	v, _ := c.Get(openedKey)
	opened, _ := v.(signin.Opened)
	read := s.linkedArchive
	if opened.Kind == ledger.LinkedReview {
		read = s.linkedReview
	}
	page, ok, err := read(c.Request.Context(), opened.Tenant, opened.ID)
	switch {
	case err != nil:
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
	case !ok:
		s.desk.NotThere(c.Writer, c.Request, opened.Kind)
	}
	return opened, page, ok && err == nil
}

func (s *Server) showLinked(c *gin.Context) {
	if opened, page, ok := s.linked(c); ok {
		s.desk.ShowPage(c.Writer, c.Request, opened, page)
	}
}

// loadLinked responds with a file of a link's page, as the API does.
func (s *Server) loadLinked(c *gin.Context) {
	opened, page, ok := s.linked(c)
	if !ok || !s.desk.MayLoad(c.Writer, c.Request, opened, page.Files, c.Param("file")) {
		return
	}
	c.Params = append(c.Params, gin.Param{Key: "id", Value: opened.ID}, gin.Param{Key: "report", Value: c.Param("file")})
	if opened.Kind == ledger.LinkedReview {
		s.getComments(c)
		return
	}
	s.getReport(c)
}

// linkedThumb responds with the picture of a file, for the report of a link's archive.
func (s *Server) linkedThumb(c *gin.Context) {
	v, _ := c.Get(openedKey)
	opened, ok := v.(signin.Opened)
	if !ok || opened.Kind != ledger.LinkedArchive {
		http.NotFound(c.Writer, c.Request)
		return
	}
	s.thumbs.ServeItem(c.Writer, c.Request, opened.Tenant.ID, opened.ID, s.Ledger.Tenant(opened.Tenant.ID).Archive(opened.ID), c.Param("item"), func(ctx context.Context, it ledger.Item) console.File {
		picture, mediaType, err := s.ItemThumbnail(ctx, opened.Tenant, it)
		if err != nil {
			s.Log.DebugContext(ctx, "a file's picture could not be read", "archive", opened.ID, "asset", it.AssetID, "error", err)
		}
		return console.File{MediaType: mediaType, Body: picture}
	})
}

func onDay(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("January 2, 2006, 15:04 UTC")
}

// facts returns a page's lines, without the empty ones.
func facts(all ...signin.Fact) (out []signin.Fact) {
	for _, f := range all {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

func link(label, value, address string) signin.Fact {
	if address == "" {
		return signin.Fact{}
	}
	return signin.Fact{Label: label, Value: value, Address: address}
}

// linkedArchive returns what a link to an archive shows.
func (s *Server) linkedArchive(ctx context.Context, t *config.Tenant, id string) (signin.Page, bool, error) {
	row, ok, err := s.Ledger.Tenant(t.ID).Archive(id).Get(ctx)
	if err != nil || !ok {
		return signin.Page{}, false, err
	}
	v, err := s.ArchiveView(ctx, s.AsItStands(ctx, row))
	if err != nil {
		return signin.Page{}, false, err
	}
	collection := ""
	if ick, err := s.Iconik(t); err == nil && v.Iconik.CollectionID != "" {
		collection = ick.CollectionURL(v.Iconik.CollectionID)
	}
	queued := ""
	if v.QueuePosition > 0 && row.Status == ledger.Queued {
		queued = fmt.Sprintf("number %d", v.QueuePosition)
	}
	page := signin.Page{Kind: "Archive", Title: cmp.Or(v.Project.Name, "Frame.io project "+id), Status: english.State(v.Status), Reason: v.Reason, Facts: facts(
		signin.Fact{Label: "In the queue", Value: queued},
		signin.Fact{Label: "Files", Value: filesOf(v.Items)},
		signin.Fact{Label: "Size", Value: report.Size(v.Bytes.Done) + " of " + report.Size(v.Bytes.Total)},
		signin.Fact{Label: "Comments", Value: fmt.Sprintf("%d of %d", v.Comments.Done, v.Comments.Total)},
		signin.Fact{Label: "Started", Value: onDay(v.StartedAt)},
		signin.Fact{Label: "Finished", Value: onDay(v.FinishedAt)},
		link("Project", "Open in Frame.io", row.ProjectURL),
		link("Collection", "Open in iconik", collection),
	)}
	stuck := signin.List{Title: "Stuck", Columns: []string{"Since", "While", "Reason"}}
	for _, one := range v.Stuck {
		stuck.Rows = append(stuck.Rows, []string{onDay(&one.Since), one.What, one.Reason})
	}
	failed, err := s.filesToMend(ctx, t, id)
	if err != nil {
		return signin.Page{}, false, err
	}
	missing := signin.List{Title: "Not carried over", Columns: []string{"What", "Count"}}
	for _, one := range v.NotCarried {
		missing.Rows = append(missing.Rows, []string{one.Kind, fmt.Sprint(one.Count)})
	}
	for _, l := range []signin.List{stuck, failed, missing} {
		if len(l.Rows) > 0 {
			page.Lists = append(page.Lists, l)
		}
	}
	if v.Items.Total > 0 || row.Status.Ended() {
		page.Files = []signin.File{
			{Name: "report.html", Label: "Report", Role: config.RoleViewer},
			{Name: "report.csv", Label: "Report for spreadsheets (CSV)", Role: config.RoleViewer},
			{Name: "report.json", Label: "Report for programs (JSON)", Role: config.RoleViewer},
			{Name: "report.mhl", Label: "Checksums (ASC MHL)", Role: config.RoleViewer},
		}
	}
	return page, true, nil
}

// filesToMend lists the files that failed or were skipped, as many as fit on a page.
func (s *Server) filesToMend(ctx context.Context, t *config.Tenant, id string) (signin.List, error) {
	list := signin.List{Title: "Files that failed or were skipped", Columns: []string{"File", "State", "Reason"}}
	items, next, err := s.Ledger.Tenant(t.ID).Archive(id).BrowseItems(ctx, ledger.ItemFilter{States: []ledger.ItemState{ledger.ItemFailed, ledger.Skipped}}, 0, linkedRows)
	for _, it := range items {
		list.Rows = append(list.Rows, []string{it.Path, string(it.State), it.Why()})
	}
	list.Others = next != 0
	return list, err
}

func filesOf(n control.ItemCounts) string {
	text := fmt.Sprintf("%d of %s copied, %d verified", n.Copied, english.Count(n.Total, "file"), n.Verified)
	if n.Skipped > 0 {
		text += fmt.Sprintf(", %d skipped", n.Skipped)
	}
	if n.Failed > 0 {
		text += fmt.Sprintf(", %d failed", n.Failed)
	}
	return text
}

// linkedReview returns what a link to a review shows.
func (s *Server) linkedReview(ctx context.Context, t *config.Tenant, id string) (signin.Page, bool, error) {
	row, ok, err := s.Ledger.Tenant(t.ID).Review(id).Get(ctx)
	if err != nil || !ok {
		return signin.Page{}, false, err
	}
	v, err := s.ReviewView(ctx, s.ReviewAsItStands(ctx, row))
	if err != nil {
		return signin.Page{}, false, err
	}
	share := ""
	if row.Status == ledger.ReviewOpen {
		share = v.ShareURL
	}
	page := signin.Page{Kind: "Review", Title: cmp.Or(v.Title, "Review "+id), Status: english.State(v.Status), Reason: v.Reason, Facts: facts(
		link("Review page", "Open in Frame.io", share),
		signin.Fact{Label: "Reviewers", Value: strings.Join(v.Reviewers, ", ")},
		signin.Fact{Label: "Open until", Value: onDay(v.ExpiresAt)},
		signin.Fact{Label: "Media deleted on", Value: onDay(v.DeleteAt)},
		signin.Fact{Label: "Comments", Value: fmt.Sprintf("%d from Frame.io, %d from iconik, %d open", v.Comments.ToIconik, v.Comments.ToFrameio, v.Comments.Open)},
		signin.Fact{Label: "Last sync", Value: onDay(v.LastSyncAt)},
	)}
	assets := signin.List{Title: "Assets", Columns: []string{"Title", "State", "Decision", "Reason"}}
	for i, a := range v.Assets {
		if i == linkedRows {
			assets.More = len(v.Assets) - i
			break
		}
		assets.Rows = append(assets.Rows, []string{cmp.Or(a.Title, a.IconikAssetID), english.State(a.State), a.Decision, cmp.Or(a.Reason, a.NoWatermark)})
	}
	if len(assets.Rows) > 0 {
		page.Lists = append(page.Lists, assets)
	}
	for _, f := range export.Formats {
		page.Files = append(page.Files, signin.File{Name: "comments." + f.Extension, Label: "Comments as " + strings.ToUpper(f.Extension) + ", for " + f.For, Role: config.RoleEditor})
	}
	return page, true, nil
}

const linkedRows = 200 // most rows of a list on a link's page
