package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

const (
	receivedKey   = "received"
	mostNotes     = 8 // written at once; during a flood some are dropped
	noteTimeLimit = 5 * time.Second
)

// received notes for the console what a vendor has sent. Call it only once the signature or secret has been checked, so
// that strangers leave no trace.
func received(c *gin.Context, source, kind, object string) {
	c.Set(receivedKey, ledger.Received{At: time.Now(), Source: source, Kind: kind, Object: object})
}

// became notes in words what became of it.
func became(c *gin.Context, result string) {
	if v, ok := c.Get(receivedKey); ok {
		r, _ := v.(ledger.Received)
		r.Result = redact.Scrub(result)
		c.Set(receivedKey, r)
	}
}

// noteReceived writes the note to the ledger in the background, so that the response does not wait.
func (s *Server) noteReceived(c *gin.Context) {
	c.Next()
	v, ok := c.Get(receivedKey)
	if !ok {
		return
	}
	r, _ := v.(ledger.Received)
	if r.Status = c.Writer.Status(); r.Result == "" {
		r.Result = http.StatusText(r.Status)
		if r.Status < http.StatusBadRequest {
			r.Result = "accepted"
		}
	}
	if s.notes.Add(1) > mostNotes {
		s.notes.Add(-1)
		return
	}
	tenant, ctx := tenantIn(c).ID, context.WithoutCancel(c.Request.Context())
	go func() {
		defer s.notes.Add(-1)
		ctx, cancel := context.WithTimeout(ctx, noteTimeLimit)
		defer cancel()
		if err := s.Ledger.Tenant(tenant).NoteReceived(ctx, r); err != nil {
			s.Log.DebugContext(ctx, "could not record what a vendor sent", "error", err)
		}
	}()
}
