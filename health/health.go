// Package health is what /readyz of both programs answers: whether they reach Temporal, and whether their ledger can be written.
package health

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/temporalclient"
)

// timeLimit is how long both together may take: Kubernetes waits 5 seconds for an answer.
const timeLimit = 3 * time.Second

// Checks are safe for concurrent use.
type Checks struct {
	Temporal  client.Client
	Namespace func() string
	Ledger    *ledger.Ledger
	Log       *slog.Logger

	mu  sync.Mutex
	was error // of the ledger, the last time
}

// Ask returns the state of each in a word or a sentence, and the status to answer with. The log has the reason when the ledger
// can no longer be used, and a line when it can be again.
func (c *Checks) Ask(ctx context.Context) (map[string]string, int) {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	pinged := make(chan error, 1)
	go func() { pinged <- c.Ledger.Ping(ctx) }()
	checks, status := map[string]string{"temporal": "ok", "ledger": "ok"}, http.StatusOK
	if err := temporalclient.Ready(ctx, c.Temporal, c.Namespace()); err != nil {
		checks["temporal"], status = "unreachable", http.StatusServiceUnavailable
		if errors.Is(err, temporalclient.ErrNoNamespace) {
			checks["temporal"] = err.Error()
		}
	}
	err := <-pinged
	if err != nil {
		checks["ledger"], status = "unreachable", http.StatusServiceUnavailable
		if errors.Is(err, ledger.ErrUnwritable) {
			checks["ledger"] = "cannot be written"
		}
	}
	if !errors.Is(err, context.Canceled) { // whoever asked has gone away
		c.note(err)
	}
	return checks, status
}

func (c *Checks) note(err error) {
	c.mu.Lock()
	was := c.was
	c.was = err
	c.mu.Unlock()
	switch {
	case err != nil && was == nil:
		c.Log.Error("the ledger cannot be used: work waits until it can", "error", err)
	case err == nil && was != nil:
		c.Log.Info("the ledger can be used again")
	}
}
