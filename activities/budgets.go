package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

const budgetsEvery = 5 * time.Second

// shareBudgets shares with the console what this worker knows of the vendors' limits, whenever that changes. It returns when ctx ends.
func (a *Activities) shareBudgets(ctx context.Context) {
	process, told := "worker-"+uuid.NewString(), map[string][]byte{}
	tick := time.NewTicker(budgetsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.tellBudgets(ctx, process, told)
		}
	}
}

func (a *Activities) tellBudgets(ctx context.Context, process string, told map[string][]byte) {
	for id := range a.config.Now().Tenants {
		known := a.tenants.Watch.Budgets(id)
		if len(known) == 0 {
			continue
		}
		now, err := json.Marshal(known)
		if err != nil || bytes.Equal(now, told[id]) {
			continue
		}
		if err := a.ledger.Tenant(id).ShareBudgets(ctx, process, now); err != nil {
			a.log.DebugContext(ctx, "the vendors' limits could not be shared", "error", err)
			continue
		}
		told[id] = now
	}
}
