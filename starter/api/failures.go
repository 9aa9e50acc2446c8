package api

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/starter/control"
)

// failureView is an object of an archive, other than a file, that failed.
type failureView struct {
	Kind     string `json:"kind"`
	SourceID string `json:"source_id"`
	Place    string `json:"place"`
	Fault    string `json:"fault"`
	Reason   string `json:"reason"`
	URL      string `json:"url"`
}

func (s *Server) getFailures(c *gin.Context) {
	row, ok := s.archiveOf(c)
	if !ok {
		return
	}
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	rows, next, err := s.Ledger.Tenant(row.Tenant).Archive(row.ID).Failures(c.Request.Context(), c.Query("cursor"), limit)
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	list := make([]failureView, len(rows))
	for i, f := range rows {
		list[i] = failureView{string(f.Kind), f.SourceID, f.Place, f.Fault, f.Reason, f.URL}
	}
	c.JSON(http.StatusOK, gin.H{"failures": list, "next": textOrNull(next)})
}
