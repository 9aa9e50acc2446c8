package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/ledger"
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

func (s *service) getFailures(c *gin.Context) {
	row, ok := s.archiveOf(c)
	if !ok {
		return
	}
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	rows, next, err := s.ledger.Tenant(row.Tenant).Archive(row.ID).Failures(c.Request.Context(), c.Query("cursor"), limit)
	if err != nil {
		s.failWith(c, errors.Join(errUnavailable, err), "")
		return
	}
	list := make([]failureView, len(rows))
	for i, f := range rows {
		list[i] = failureView{string(f.Kind), f.SourceID, f.Place, f.Fault, f.Reason, f.URL}
	}
	c.JSON(http.StatusOK, gin.H{"failures": list, "next": textOrNull(next)})
}

// stuckView is what has failed for long and is tried again.
type stuckView struct {
	Since  time.Time `json:"since"`
	What   string    `json:"what"`
	Reason string    `json:"reason"`
}

func stuckViews(rows []ledger.Stuck) []stuckView {
	out := make([]stuckView, len(rows))
	for i, s := range rows {
		out[i] = stuckView{s.Since, s.What, s.Reason}
	}
	return out
}
