package legacy

import (
	"time"

	"github.com/framebridge/framebridge/clients/rest"
)

// WithClock replaces the clock by which cached URLs expire.
func WithClock(now func() time.Time) Option { return func(_ *rest.Config, c *Client) { c.now = now } }
