package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/framebridge/framebridge/console/live"
)

// events streams changes to what a page shows.
func (c *console) events(w http.ResponseWriter, r *http.Request, v visit) {
	name := r.URL.Query().Get("topic")
	if !knownTopic(name) {
		http.NotFound(w, r)
		return
	}
	c.live.Serve(w, r, live.About(v.tenant.ID, name))
}

func knownTopic(name string) bool {
	kind, id, _ := strings.Cut(name, "/")
	switch kind {
	case "archives", "reviews", "setup", "projects", "account":
		return id == ""
	case "archive", "review", "plan", "sides", "migration", "account-plan", "reclaim":
		return id != "" && len(id) <= 128
	}
	return false
}

// state returns what a topic's pages show now.
func (c *console) state(ctx context.Context, t live.Topic) (live.State, error) {
	kind, id, _ := strings.Cut(t.Name, "/")
	h := c.Ledger.Tenant(t.Tenant)
	switch kind {
	case "archives":
		open, err := c.openArchives(ctx, t.Tenant)
		return open.state(c.temporal.Ready(ctx)), err
	case "archive":
		one, err := c.archiveFigures(ctx, h, id)
		return one.state(c.temporal.Ready(ctx)), err
	case "reviews":
		return c.reviewsState(ctx, h)
	case "review":
		return c.reviewState(ctx, h, id)
	case "setup":
		return c.setupState(ctx, t)
	case "account":
		return c.accountState(ctx, t.Tenant)
	case "migration":
		now, err := c.migrationNow(ctx, h, id)
		return now.state(c.temporal.Ready(ctx)), err
	case "reclaim":
		now, err := c.reclaimNow(ctx, h, id)
		return now.state(c.temporal.Ready(ctx)), err
	}
	return c.tasks.State(t), nil
}
