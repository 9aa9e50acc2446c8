package v4

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

const projectFreshFor = time.Minute // how long a project's status is believed

type projectState struct {
	inactive bool
	at       time.Time
}

// explain says of a file without a link to its original that it is in cold storage, where its project is inactive: what
// the legacy API had archived comes to V4 so. In an active one the link may be null because Frame.io gives the token's user
// the file with a watermark only, or because it is still on its way back.
func (c *Client) explain(ctx context.Context, d *frameio.Asset) error {
	if d.Original != frameio.OriginalMissing || d.ProjectID == "" {
		return nil
	}
	known, ok := c.states.Load(d.ProjectID)
	if !ok || c.now().Sub(known.(projectState).at) > projectFreshFor {
		p, err := one[project](ctx, c, opProject, nil, nil, "projects", d.ProjectID)
		if err != nil && rest.ClassOf(err) != rest.Forbidden && !rest.IsNotFound(err) {
			return err // those two: one who sees a file need not see its project
		}
		known = projectState{p.Status == "inactive", c.now()}
		c.states.Store(d.ProjectID, known)
	}
	if known.(projectState).inactive {
		d.Original = frameio.OriginalArchived
	}
	return nil
}
