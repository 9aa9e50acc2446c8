package control

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/clients/rest"
)

func TestBudgetsOfSeveralProcessesAreOne(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	got := mergedBudgets([][]rest.BudgetState{
		{{Vendor: "iconik", Name: "a", Left: 40, Of: 50, Window: time.Second, Refused: rest.BudgetRefusals{Count: 1, Last: now.Add(-time.Hour)}}, {Vendor: "Frame.io", Name: "b"}},
		{{Vendor: "iconik", Name: "a", Left: 3, Of: 50, Window: time.Second, PausedUntil: now.Add(time.Minute), Refused: rest.BudgetRefusals{Count: 2, Last: now}}, {Vendor: "Frame.io", Name: "b", PausedUntil: now.Add(-time.Second)}},
	}, now)
	assert.Equal(t, []rest.BudgetState{{Vendor: "Frame.io", Name: "b"},
		{Vendor: "iconik", Name: "a", Left: 3, Of: 50, Window: time.Second, PausedUntil: now.Add(time.Minute), Refused: rest.BudgetRefusals{Count: 3, Last: now}}}, got)
}
