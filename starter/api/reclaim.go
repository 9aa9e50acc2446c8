package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/control"
)

// reclaimRoutes registers the routes that free space in Frame.io. Only administrators' keys may request, approve and control that.
func (s *Server) reclaimRoutes(api *gin.RouterGroup, ask, click gin.HandlerFunc) {
	api.GET("/archives/:id/reclaim", ask, s.bearer, s.getReclaim)
	api.GET("/archives/:id/reclaim/:file", within(writeTimeLimit), s.bearer, s.getCertificate)
	api.POST("/archives/:id/reclaim", click, s.knownTenant, s.declared, s.bearer, s.readBody, s.postReclaim)
	for _, verb := range []string{control.VerbApprove, control.VerbPause, control.VerbResume, control.VerbCancel} {
		api.POST("/archives/:id/reclaim/"+verb, click, s.knownTenant, s.declared, s.bearer, s.readBody, anyObject, controlRoute(s, s.archiveOf, func(ctx context.Context, t *config.Tenant, id string) (control.Accepted, error) {
			return s.ControlReclaim(ctx, t, id, verb)
		}))
	}
}

// postReclaim starts an examination, or a deletion, which needs the project's name or another person's approval.
func (s *Server) postReclaim(c *gin.Context) {
	var in struct {
		DryRun  *bool    `json:"dry_run"`
		Project string   `json:"project"`
		Accept  []string `json:"accept"`
	}
	if !readJSON(c, &in) { // a misspelled dry_run must not delete anything
		return
	}
	row, ok := s.archiveOf(c)
	if !ok {
		return
	}
	dry := in.DryRun == nil && in.Project == "" || in.DryRun != nil && *in.DryRun
	out, err := s.StartReclaim(c.Request.Context(), tenantIn(c), row, control.ReclaimRequest{DryRun: dry, Name: in.Project, Accepts: in.Accept})
	if err != nil {
		s.failWith(c, err, "id")
		return
	}
	c.Set("workflow_id", out.WorkflowID)
	c.JSON(http.StatusAccepted, out)
}

const leftListed = 100 // most remaining files in a response

// getReclaim responds with the last run.
func (s *Server) getReclaim(c *gin.Context) {
	row, ok := s.archiveOf(c)
	if !ok {
		return
	}
	ctx, h := c.Request.Context(), s.Ledger.Tenant(tenantIn(c).ID).Archive(row.ID)
	r, known, err := h.Reclaim(ctx)
	if err == nil && !known {
		fail(c, http.StatusNotFound, "id", "this archive has had no reclaim yet")
		return
	}
	var sums map[ledger.ReclaimFileState]ledger.ReclaimSum
	var left []ledger.ReclaimFile
	if err == nil {
		sums, err = h.ReclaimSums(ctx, r.Run)
	}
	if err == nil {
		left, err = h.ReclaimFiles(ctx, r.Run, ledger.ReclaimLeft, 0, leftListed)
	}
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	files := gin.H{}
	for state, sum := range sums {
		files[string(state)] = gin.H{"files": sum.Files, "bytes": sum.Bytes}
	}
	stays := make([]gin.H, len(left))
	for i, f := range left {
		stays[i] = gin.H{"source_id": f.SourceID, "path": f.Path, "version": f.Version, "size": f.Size, "reason": f.Reason}
	}
	c.JSON(http.StatusOK, gin.H{"run": r.Run, "status": r.Status, "reason": r.Reason, "dry_run": r.DryRun, "paused": r.Paused, "requested_by": r.RequestedBy, "approved_by": r.ApprovedBy, "approved_how": r.ApprovedHow,
		"requested_at": stamp(r.RequestedAt), "approved_at": stamp(r.ApprovedAt), "finished_at": stamp(r.FinishedAt), "files": files, "left": stays, "certificate": r.Certificate})
}

// getCertificate responds with the certificate of the last deletion, as stored in iconik.
func (s *Server) getCertificate(c *gin.Context) {
	row, ok := s.archiveOf(c)
	if !ok {
		return
	}
	file := c.Param("file")
	body, err := s.Certificate(c.Request.Context(), tenantIn(c), row.ID, file)
	switch {
	case errors.Is(err, control.ErrNoCertificate):
		fail(c, http.StatusNotFound, "", err.Error()+"; its files are "+strings.Join(custody.CertificateFiles, " and "))
		return
	case err != nil:
		s.failWith(c, err, "")
		return
	}
	defer body.Close()
	c.Header("Content-Type", mime.TypeByExtension(path.Ext(file)))
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file}))
	c.Header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	c.Status(http.StatusOK)
	if _, err := io.Copy(c.Writer, body); err != nil {
		s.Log.ErrorContext(c, "could not finish sending a deletion certificate", "archive", row.ID, "error", err)
		panic(http.ErrAbortHandler) // the status has been sent; an unfinished response must not look complete
	}
}

// stamp returns a pointer to a time, or nil for the zero time.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
