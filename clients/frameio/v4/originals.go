package v4

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

const projectFreshFor = time.Minute // how long a project's status is cached

type projectState struct {
	inactive bool
	at       time.Time
}

// explain marks a file without a link to its original as in cold storage if its project is inactive, which is how V4 shows what
// was archived in the legacy API. In an active project, the link may be null because Frame.io gives the token's user only a
// watermarked file, or because the original is still on its way back.
func (c *Client) explain(ctx context.Context, d *frameio.Asset) error {
	if d.Original != frameio.OriginalMissing || d.ProjectID == "" {
		return nil
	}
	known, ok := c.states.Load(d.ProjectID)
	if !ok || c.now().Sub(known.(projectState).at) > projectFreshFor {
		p, err := one[project](ctx, c, opProject, nil, nil, "projects", d.ProjectID)
		if err != nil && rest.ClassOf(err) != rest.Forbidden && !rest.IsNotFound(err) {
			return err // except those two: a user who sees a file need not see its project
		}
		known = projectState{p.Status == "inactive", c.now()}
		c.states.Store(d.ProjectID, known)
	}
	if known.(projectState).inactive {
		d.Original = frameio.OriginalArchived
	}
	return nil
}
