package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
)

const refusalShown = time.Hour // a limit that refused a call this recently is worth showing

// Budget is a vendor's limit on the tenant's calls.
type Budget struct {
	Vendor, Name string
	Left, Of     float64 // calls; Of is 0 if the vendor has announced no limit
	Window       time.Duration
	PausedUntil  time.Time // zero: not paused
	Refused      int64     // number of 429 responses
	RefusedAt    time.Time
}

type budgetLine struct {
	Vendor, Name, Left, Why string
	Percent                 int
	Paced                   bool
	Badge                   page.Badge
}

// budgetsOf returns the limits that are in use or were hit recently: paused ones first, then those with the least left.
func (c *console) budgetsOf(ctx context.Context, t *config.Tenant) ([]budgetLine, error) {
	all, err := c.Actions.Budgets(ctx, t)
	now := c.Now()
	share := func(b Budget) float64 {
		switch {
		case b.PausedUntil.After(now):
			return -1
		case b.Of > 0:
			return b.Left / b.Of
		}
		return 1
	}
	slices.SortStableFunc(all, func(x, y Budget) int { return cmp.Compare(share(x), share(y)) })
	var out []budgetLine
	for _, b := range all {
		paused, refused := b.PausedUntil.After(now), b.Refused > 0 && now.Sub(b.RefusedAt) < refusalShown
		if b.Of == 0 && !paused && !refused {
			continue
		}
		l := budgetLine{Vendor: b.Vendor, Name: b.Name, Badge: page.Good("Available"), Paced: b.Of > 0}
		if l.Paced {
			l.Left, l.Percent = fmt.Sprintf("%.0f of %.0f calls in %s", b.Left, b.Of, windowText(b.Window)), page.Percent(int64(b.Left), int64(b.Of))
		}
		switch {
		case paused:
			l.Badge, l.Why = page.Bad("Paused"), "The vendor asked for a pause until "+b.PausedUntil.UTC().Format("15:04:05 UTC")+". Work waits and then continues automatically."
		case l.Paced && b.Left < 1:
			l.Badge = page.Wait("Used up")
		}
		if refused {
			l.Why += fmt.Sprintf(" Too many requests (429): %s, the last one %s.", english.Count(b.Refused, "time"), c.moment(b.RefusedAt).Ago)
		}
		out = append(out, l)
	}
	return out, err
}

// windowText formats the window of a limit.
func windowText(d time.Duration) string {
	if d > 0 && d < time.Second {
		return d.String()
	}
	return english.Duration(d)
}
