package api

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/untrusted"
	"github.com/framebridge/framebridge/workflows"
)

const (
	pageDefault = 100
	pageMost    = 1000
)

func (s *Server) archiveOf(c *gin.Context) (ledger.Archive, bool) {
	return rowOf(s, c, "archive", isID, func(ctx context.Context, id string) (ledger.Archive, bool, error) {
		return s.Ledger.Tenant(tenantIn(c).ID).Archive(id).Get(ctx)
	})
}

func (s *Server) getArchive(c *gin.Context) {
	if row, ok := s.archiveOf(c); ok {
		answerRow(s, c, s.AsItStands(c.Request.Context(), row), s.ArchiveView)
	}
}

func (s *Server) listArchives(c *gin.Context) {
	answerPage(s, c, "archives", s.Ledger.Tenant(tenantIn(c).ID).Archives, func(ctx context.Context, row ledger.Archive) (control.ArchiveView, error) {
		if row.Status != ledger.Queued { // the others are few
			row = s.AsItStands(ctx, row)
		}
		return s.ArchiveView(ctx, row)
	})
}

// listFailed responds if a page of a list could not be read.
func (s *Server) listFailed(c *gin.Context, err error) {
	if errors.Is(err, ledger.ErrCursor) {
		fail(c, http.StatusBadRequest, "cursor", "cursor must be the value of next from the previous page")
		return
	}
	s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
}

// isID reports whether a text is empty or can be an ID of Frame.io's or ours.
func isID(text string) bool {
	return text == "" || untrusted.ID("id", text, frameio.IDCharacters) == nil
}

// IsAddress reports whether mail can be sent to an address, by the mailer's own rule.
func IsAddress(text string) bool {
	_, err := mail.ParseAddress(text)
	return err == nil
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func pageLimit(c *gin.Context) (int, bool) {
	text := c.Query("limit")
	if text == "" {
		return pageDefault, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > pageMost {
		fail(c, http.StatusBadRequest, "limit", "limit must be a number from 1 to "+strconv.Itoa(pageMost))
		return 0, false
	}
	return n, true
}

// itemView is an item as the API shows it.
type itemView struct {
	SourceID  string `json:"source_id"`
	Path      string `json:"path"`
	Version   int    `json:"version"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Fault     string `json:"fault,omitempty"`
	Size      int64  `json:"size"`
	Checksum  string `json:"checksum"`
	Rendition string `json:"rendition"`
	Iconik    struct {
		AssetID   string `json:"asset_id"`
		VersionID string `json:"version_id"`
		FileID    string `json:"file_id"`
	} `json:"iconik"`
	Comments int `json:"comments"`

	NotCarried  []notCarriedView `json:"not_carried"`
	Differences []differenceView `json:"differences"`
}

func (s *Server) getItems(c *gin.Context) {
	row, ok := s.archiveOf(c)
	if !ok {
		return
	}
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	after := int64(0)
	if text := c.Query("cursor"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			fail(c, http.StatusBadRequest, "cursor", "cursor must be the value of next from the previous page")
			return
		}
		after = n
	}
	items, next, err := s.Ledger.Tenant(row.Tenant).Archive(row.ID).ItemsPage(c.Request.Context(), after, limit)
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	notCarried, differences := map[string][]ledger.NotCarried{}, map[string][]ledger.Difference{}
	if n := len(items); n > 0 {
		if notCarried, err = s.Ledger.Tenant(row.Tenant).Archive(row.ID).NotCarriedOf(c.Request.Context(), items[0].Seq, items[n-1].Seq); err == nil {
			differences, err = s.Ledger.Tenant(row.Tenant).Archive(row.ID).DifferencesOf(c.Request.Context(), items[0].Seq, items[n-1].Seq)
		}
		if err != nil {
			s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
			return
		}
	}
	list := make([]itemView, len(items))
	for i, it := range items {
		v := itemView{SourceID: it.SourceID, Path: it.Path, Version: it.Version, State: string(it.State), Reason: it.Why(), Fault: it.Fault,
			Size: it.Size, Rendition: it.Rendition, Comments: it.CommentsDone}
		if it.Checksum != "" {
			v.Checksum = "xxh64:" + it.Checksum
		}
		v.Iconik.AssetID, v.Iconik.VersionID, v.Iconik.FileID = it.AssetID, it.VersionID, it.FileID
		v.NotCarried = notCarriedViews(notCarried[it.SourceID])
		v.Differences = differenceViews(differences[it.SourceID])
		list[i] = v
	}
	cursor := ""
	if next != 0 {
		cursor = strconv.FormatInt(next, 10)
	}
	c.JSON(http.StatusOK, gin.H{"items": list, "next": textOrNull(cursor)})
}

// reportKeys returns the public halves of the keys that sign reports, for verifying them.
func (s *Server) reportKeys(c *gin.Context) {
	keys, err := s.Config().Report.SigningKeys()
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	list := []gin.H{}
	for _, key := range keys {
		if public, ok := key.Public().(ed25519.PublicKey); ok {
			list = append(list, gin.H{"id": custody.KeyID(public), "algorithm": custody.Algorithm, "public_key": base64.StdEncoding.EncodeToString(public)})
		}
	}
	c.JSON(http.StatusOK, gin.H{"keys": list})
}

func (s *Server) getReport(c *gin.Context) {
	form, ok := report.FormOf(c.Param("report"))
	if !ok {
		fail(c, http.StatusNotFound, "", "no such route; the reports are report.json, report.csv, report.html, report.mhl and ascmhl_chain.xml")
		return
	}
	row, ok := s.archiveOf(c)
	if !ok {
		return
	}
	_, linked := c.Get(openedKey) // reports opened by a link show pictures; others get saved, and a saved file has none
	rep, err := report.Open(c.Request.Context(), s.Ledger.Tenant(row.Tenant).Archive(row.ID), report.Source{TenantName: tenantIn(c).Name,
		IconikURL: tenantIn(c).Iconik.BaseURL, WorkflowURL: temporalclient.WorkflowURL(s.Config().Temporal, workflows.ArchiveID(row.Tenant, row.ID)), ConsoleURL: routes.ConsoleArchive(s.Config(), row.Tenant, row.ID),
		SigningKey: s.Config().Report.SigningKeyInUse(), Pictures: linked})
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	if rep.Totals.Items == 0 && !row.Status.Ended() {
		fail(c, http.StatusNotFound, "report", "there is no report yet: the archive is "+english.State(string(row.Status)))
		return
	}
	file, err := form.Name(rep)
	if err != nil {
		fail(c, http.StatusNotFound, "report", err.Error())
		return
	}
	s.sendReport(c, form.MediaType, file, "archive", row.ID, func(w io.Writer) error { return form.Render(w, rep) })
}

// sendReport responds with a report and renders it on the fly. of and id say whose it is, for the log.
func (s *Server) sendReport(c *gin.Context, mediaType, file, of, id string, render func(io.Writer) error) {
	c.Header("Content-Type", mediaType)
	c.Header("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": file}))
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'")
	c.Status(http.StatusOK)
	if err := render(c.Writer); err != nil {
		s.Log.ErrorContext(c, "could not finish sending a report", of, id, "error", err)
		panic(http.ErrAbortHandler) // the status has been sent; an unfinished response must not look complete
	}
}

func (s *Server) postArchive(c *gin.Context) {
	var in struct {
		ProjectID   string `json:"project_id"`
		DryRun      bool   `json:"dry_run"`
		RequestedBy string `json:"requested_by"`
	}
	if !readJSON(c, &in) {
		return
	}
	if in.ProjectID = strings.TrimSpace(in.ProjectID); in.ProjectID == "" {
		fail(c, http.StatusUnprocessableEntity, "project_id", "project_id is missing")
		return
	}
	if in.RequestedBy != "" && !IsAddress(in.RequestedBy) {
		fail(c, http.StatusUnprocessableEntity, "requested_by", "requested_by must be an e-mail address")
		return
	}
	t := tenantIn(c)
	p, err := s.Platform(t)
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), clickTimeLimit)
	defer cancel()
	project, err := p.Project(ctx, in.ProjectID)
	if err != nil {
		s.frameioFailed(c, err)
		return
	}
	if in.DryRun { // ends when the caller hangs up or this process stops
		rc := http.NewResponseController(c.Writer)
		_ = rc.SetReadDeadline(time.Time{})
		_ = rc.SetWriteDeadline(time.Now().Add(planTimeout))
		ctx, cancel := context.WithTimeout(c.Request.Context(), planTimeout)
		defer cancel()
		plan, err := s.Plan(ctx, t, project.ID)
		if err != nil {
			s.frameioFailed(c, err)
			return
		}
		c.JSON(http.StatusOK, plan)
		return
	}
	out, err := s.StartArchive(context.WithoutCancel(c.Request.Context()), t, project, in.RequestedBy)
	if err != nil {
		s.failWith(c, err, "project_id")
		return
	}
	c.Set("workflow_id", out.WorkflowID)
	c.JSON(http.StatusAccepted, out)
}

func (s *Server) frameioFailed(c *gin.Context, err error) {
	switch rest.ClassOf(err) {
	case rest.NotFound, rest.Permanent:
		fail(c, http.StatusUnprocessableEntity, "project_id", "no such project, or this tenant's Frame.io token has no access to it")
	case rest.Unauthorized, rest.Forbidden:
		fail(c, http.StatusUnprocessableEntity, "project_id", redact.Scrub(err.Error()))
	default:
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
	}
}

// controlRoute returns the handler of an action on an archive or migration, which rowOf must find first.
func controlRoute[T any](s *Server, rowOf func(*gin.Context) (T, bool), act func(ctx context.Context, t *config.Tenant, id string) (control.Accepted, error)) gin.HandlerFunc {
	return controlPart(s, "id", rowOf, act)
}

// controlPart is like controlRoute for an action on a part, whose field is named in errors.
func controlPart[T any](s *Server, field string, rowOf func(*gin.Context) (T, bool), act func(ctx context.Context, t *config.Tenant, id string) (control.Accepted, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		if _, ok := rowOf(c); !ok {
			return
		}
		out, err := act(c.Request.Context(), tenantIn(c), c.Param("id"))
		if err != nil {
			s.failWith(c, err, field)
			return
		}
		c.Set("workflow_id", out.WorkflowID)
		c.JSON(http.StatusAccepted, out)
	}
}

// notCarriedView is something that an item has in Frame.io but not in iconik.
type notCarriedView struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Size   *int64 `json:"size"` // bytes; null if unknown
	Reason string `json:"reason"`
}

func notCarriedViews(rows []ledger.NotCarried) []notCarriedView {
	out := make([]notCarriedView, len(rows))
	for i, n := range rows {
		out[i] = notCarriedView{n.Kind, n.Name, n.Size, n.Reason}
	}
	return out
}

// differenceView is a property of an item that differs between Frame.io and iconik.
type differenceView struct {
	Kind     string `json:"kind"`
	Property string `json:"property"`
	Name     string `json:"name"` // of the comment or field; empty for the item itself
	Frameio  string `json:"frameio"`
	Iconik   string `json:"iconik"`
}

func differenceViews(rows []ledger.Difference) []differenceView {
	out := make([]differenceView, len(rows))
	for i, d := range rows {
		out[i] = differenceView{string(d.Kind), d.Property, d.Name, d.Frameio, d.Iconik}
	}
	return out
}

// retryItem retries one failed file.
func (s *Server) retryItem(c *gin.Context) {
	item := c.Param("source_id")
	if !isID(item) {
		fail(c, http.StatusNotFound, "source_id", "no such file")
		return
	}
	controlPart(s, "source_id", s.archiveOf, func(ctx context.Context, t *config.Tenant, id string) (control.Accepted, error) {
		return s.RetryItem(ctx, t, id, item)
	})(c)
}

// postPosition moves a queued archive to another position in the queue.
func (s *Server) postPosition(c *gin.Context) {
	var in struct {
		Position int `json:"position"`
	}
	if !readJSON(c, &in) {
		return
	}
	if in.Position < 1 {
		fail(c, http.StatusUnprocessableEntity, "position", "position must be a number, 1 or higher")
		return
	}
	controlRoute(s, s.archiveOf, func(ctx context.Context, t *config.Tenant, id string) (control.Accepted, error) {
		return s.MoveArchive(ctx, t, id, in.Position)
	})(c)
}
