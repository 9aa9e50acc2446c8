package control

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

const budgetsFresh = 10 * time.Minute // older reports of a process are left out, because the budgets may have refilled

// Budgets returns the vendors' limits on a tenant's calls. It merges what the workers and this process know of them: the fewest
// calls left, the longest pause, and all refusals.
func (s *Service) Budgets(ctx context.Context, t *config.Tenant) ([]rest.BudgetState, error) {
	shared, err := s.Ledger.Tenant(t.ID).SharedBudgets(ctx, budgetsFresh)
	if err != nil {
		return nil, err
	}
	all := [][]rest.BudgetState{s.Watch.Budgets(t.ID)}
	for _, raw := range shared {
		var known []rest.BudgetState
		if json.Unmarshal([]byte(raw), &known) == nil { // skip those of other versions
			all = append(all, known)
		}
	}
	return mergedBudgets(all, time.Now()), nil
}

func mergedBudgets(all [][]rest.BudgetState, now time.Time) []rest.BudgetState {
	byName := map[[2]string]rest.BudgetState{}
	for _, known := range all {
		for _, b := range known {
			if !b.PausedUntil.After(now) {
				b.PausedUntil = time.Time{}
			}
			key := [2]string{b.Vendor, b.Name}
			have, ok := byName[key]
			if !ok {
				byName[key] = b
				continue
			}
			if have.Of == 0 || b.Of > 0 && b.Left < have.Left {
				have.Left, have.Of, have.Window = b.Left, b.Of, b.Window
			}
			if b.PausedUntil.After(have.PausedUntil) {
				have.PausedUntil = b.PausedUntil
			}
			have.Refused.Count += b.Refused.Count
			if b.Refused.Last.After(have.Refused.Last) {
				have.Refused.Last = b.Refused.Last
			}
			byName[key] = have
		}
	}
	out := make([]rest.BudgetState, 0, len(byName))
	for _, b := range byName {
		out = append(out, b)
	}
	slices.SortFunc(out, func(x, y rest.BudgetState) int {
		return cmp.Or(cmp.Compare(x.Vendor, y.Vendor), cmp.Compare(x.Name, y.Name))
	})
	return out
}
