package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/control"
)

const linesType = "application/jsonl"

// getAudit responds with a page of the tenant's audit log or, for log collectors, with all entries after a number, one per line.
func (s *Server) getAudit(c *gin.Context) {
	after := int64(0)
	if text := c.Query("after"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			fail(c, http.StatusBadRequest, "after", "after must be the number of an entry, or the value of next from the previous page")
			return
		}
		after = n
	}
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	filter := ledger.AuditFilter{Archive: c.Query("archive"), Review: c.Query("review"), WithErasures: true}
	if accept := c.GetHeader("Accept"); strings.Contains(accept, linesType) || strings.Contains(accept, "ndjson") {
		s.auditLines(c, filter, after)
		return
	}
	entries, err := s.Ledger.Tenant(tenantIn(c).ID).AuditPage(c.Request.Context(), filter, after, limit)
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	next := (*int64)(nil)
	if len(entries) == limit {
		next = &entries[limit-1].Seq
	}
	if entries == nil {
		entries = []ledger.AuditEntry{}
	}
	c.JSON(http.StatusOK, gin.H{"audit": entries, "next": next})
}

func (s *Server) auditLines(c *gin.Context, filter ledger.AuditFilter, after int64) {
	begun := false
	for {
		entries, err := s.Ledger.Tenant(tenantIn(c).ID).AuditPage(c.Request.Context(), filter, after, pageMost)
		switch {
		case err != nil && !begun:
			s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
			return
		case err != nil:
			s.Log.ErrorContext(c, "could not finish sending the audit log", "error", err)
			panic(http.ErrAbortHandler) // the status has been sent; an unfinished response must not look complete
		case !begun:
			c.Header("Content-Type", linesType)
			c.Status(http.StatusOK)
			begun = true
		}
		for _, e := range entries {
			line, err := json.Marshal(e)
			if err != nil {
				s.Log.ErrorContext(c, "could not send an entry of the audit log, nor those after it", "entry", e.Seq, "error", err)
				panic(http.ErrAbortHandler)
			}
			if _, err := c.Writer.Write(append(line, '\n')); err != nil {
				return // the client is gone
			}
			after = e.Seq
		}
		if len(entries) < pageMost {
			return
		}
	}
}
