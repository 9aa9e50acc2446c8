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
	mostNotes     = 8 // written at once: under a flood some are left out
	noteTimeLimit = 5 * time.Second
)

// received notes what a vendor has sent and what became of it, for the console. It is called where signature or secret
// have been looked at: strangers leave no trace.
func received(c *gin.Context, source, kind, object string) {
	c.Set(receivedKey, ledger.Received{At: time.Now(), Source: source, Kind: kind, Object: object})
}

// became says in words what became of what was received.
func became(c *gin.Context, result string) {
	if v, ok := c.Get(receivedKey); ok {
		r, _ := v.(ledger.Received)
		r.Result = redact.Scrub(result)
		c.Set(receivedKey, r)
	}
}

// noteReceived writes it down beside the answer, which does not wait for it.
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
