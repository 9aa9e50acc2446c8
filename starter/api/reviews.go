package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/starter/control"
)

func (s *Server) reviewOf(c *gin.Context) (ledger.Review, bool) {
	if !isID(c.Param("id")) {
		fail(c, http.StatusNotFound, "id", "no such review")
		return ledger.Review{}, false
	}
	row, ok, err := s.Ledger.Tenant(tenantIn(c).ID).Review(c.Param("id")).Get(c.Request.Context())
	switch {
	case err != nil:
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
	case !ok:
		fail(c, http.StatusNotFound, "id", "no such review")
	}
	return row, ok && err == nil
}

func (s *Server) getReview(c *gin.Context) {
	row, ok := s.reviewOf(c)
	if !ok {
		return
	}
	v, err := s.ReviewView(c.Request.Context(), s.ReviewAsItStands(c.Request.Context(), row))
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	c.JSON(http.StatusOK, v)
}

func (s *Server) listReviews(c *gin.Context) {
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	rows, next, err := s.Ledger.Tenant(tenantIn(c).ID).Reviews(c.Request.Context(), c.Query("cursor"), limit)
	if err != nil {
		s.listFailed(c, err)
		return
	}
	list := []control.ReviewView{}
	for _, r := range rows {
		v, err := s.ReviewView(c.Request.Context(), r)
		if err != nil {
			s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
			return
		}
		list = append(list, v)
	}
	c.JSON(http.StatusOK, gin.H{"reviews": list, "next": textOrNull(next)})
}

// postControl is extend, stop or sync by the API.
func (s *Server) postControl(verb string) gin.HandlerFunc {
	return func(c *gin.Context) {
		row, ok := s.reviewOf(c)
		if !ok {
			return
		}
		t := tenantIn(c)
		var until time.Time
		if verb == control.VerbExtend {
			var in struct {
				ExpiresAt string `json:"expires_at"`
			}
			if err := json.Unmarshal(bodyOf(c), &in); err != nil {
				fail(c, http.StatusBadRequest, "", `the body must be JSON: {"expires_at": "2026-12-24T18:00:00Z"}`)
				return
			}
			if in.ExpiresAt == "" {
				fail(c, http.StatusUnprocessableEntity, "expires_at", "expires_at must be a date, or a date with a time")
				return
			}
			var wrong *control.FieldError
			if until, wrong = control.ParseExpiry(in.ExpiresAt, time.Now(), 0, t.Review.Longest); wrong != nil {
				fail(c, http.StatusUnprocessableEntity, "expires_at", wrong.Problem)
				return
			}
		}
		out, err := s.ControlReview(c.Request.Context(), t, row.ID, verb, until)
		if err != nil {
			field := ""
			if verb == control.VerbExtend {
				field = "expires_at"
			}
			s.failWith(c, err, field)
			return
		}
		c.Set("workflow_id", out.WorkflowID)
		c.JSON(http.StatusAccepted, out)
	}
}

// clips gathers a review's comments for editors, one clip for each asset with the comments of all its versions' files.
func (s *Server) clips(ctx context.Context, row ledger.Review, onlyAsset string) ([]export.Clip, error) {
	assets, err := s.Ledger.Tenant(row.Tenant).Review(row.ID).Assets(ctx)
	if err != nil {
		return nil, err
	}
	comments, err := s.Ledger.Tenant(row.Tenant).Review(row.ID).Comments(ctx, 0)
	if err != nil {
		return nil, err
	}
	var out []export.Clip
	for _, a := range assets {
		if onlyAsset != "" && a.AssetID != onlyAsset || a.FileID == "" {
			continue
		}
		clip := export.Clip{Name: a.Name, AssetID: a.AssetID, Rate: a.Rate(), StartTimecode: a.StartTimecode, Frames: a.Frames,
			Audio: strings.HasPrefix(a.MediaType, "audio/")}
		for _, m := range comments {
			if m.N == a.N && !m.Deleted && !m.Older {
				clip.Comments = append(clip.Comments, export.Comment{ID: m.ID, Parent: m.ParentID, Author: cmp.Or(m.Author, m.Email), Email: m.Email, Text: m.Text,
					Frame: m.Frame, Frames: m.Frames, Page: m.Page, Completed: m.Completed, Drawn: m.Drawn, CreatedAt: m.CreatedAt})
			}
		}
		out = append(out, clip)
	}
	return out, nil
}

// getComments writes a review's comments as editors need them.
func (s *Server) getComments(c *gin.Context) {
	row, ok := s.reviewOf(c)
	if !ok {
		return
	}
	kind, found := strings.CutPrefix(c.Param("file"), "comments.")
	if !found {
		fail(c, http.StatusNotFound, "", "no such route")
		return
	}
	format, found := export.Find(kind)
	if !found {
		fail(c, http.StatusNotFound, "", "comments come as comments.csv, .json, .edl, .fcpxml, .xml, .txt or .otio")
		return
	}
	clips, err := s.clips(c.Request.Context(), row, c.Query("asset"))
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	var b bytes.Buffer
	err = format.Write(&b, row.Title, clips)
	if errors.Is(err, export.ErrTooLong) {
		fail(c, http.StatusUnprocessableEntity, "asset", err.Error()+" with ?asset=")
		return
	}
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	name := mapping.SafeFileName(cmp.Or(row.Title, row.ID)) + "." + format.Extension
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	c.Data(http.StatusOK, format.MediaType, b.Bytes())
}
