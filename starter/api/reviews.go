package api

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/control"
)

func (s *Server) reviewOf(c *gin.Context) (ledger.Review, bool) {
	return rowOf(s, c, "review", isID, func(ctx context.Context, id string) (ledger.Review, bool, error) {
		return s.Ledger.Tenant(tenantIn(c).ID).Review(id).Get(ctx)
	})
}

func (s *Server) getReview(c *gin.Context) {
	if row, ok := s.reviewOf(c); ok {
		answerRow(s, c, s.ReviewAsItStands(c.Request.Context(), row), s.ReviewView)
	}
}

func (s *Server) listReviews(c *gin.Context) {
	answerPage(s, c, "reviews", s.Ledger.Tenant(tenantIn(c).ID).Reviews, s.ReviewView)
}

// postControl extends, stops or syncs a review through the API.
func (s *Server) postControl(verb string) gin.HandlerFunc {
	return func(c *gin.Context) {
		row, ok := s.reviewOf(c)
		if !ok {
			return
		}
		t := tenantIn(c)
		var until time.Time
		if verb != control.VerbExtend {
			if anyObject(c); c.IsAborted() {
				return
			}
		} else {
			var in struct {
				ExpiresAt string `json:"expires_at"`
			}
			if !readJSON(c, &in) {
				return
			}
			if in.ExpiresAt == "" {
				fail(c, http.StatusUnprocessableEntity, "expires_at", "expires_at must be a date, or a date with a time, such as 2026-12-24T18:00:00Z")
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

// getComments exports a review's comments for editors.
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
	f, err := s.Export(c.Request.Context(), row, kind, c.Query("asset"))
	switch {
	case errors.Is(err, control.ErrNoFormat):
		fail(c, http.StatusNotFound, "", "comments come as comments.csv, .json, .edl, .fcpxml, .xml, .txt or .otio")
	case errors.Is(err, control.ErrNoAsset):
		fail(c, http.StatusNotFound, "asset", control.ErrNoAsset.Error()+": its assets are in GET /reviews/{id}")
	case errors.Is(err, export.ErrTooLong):
		fail(c, http.StatusUnprocessableEntity, "asset", export.ErrTooLong.Error()+" with ?asset=")
	case err != nil:
		s.failWith(c, err, "")
	default:
		c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
		c.Data(http.StatusOK, f.MediaType, f.Body)
	}
}
