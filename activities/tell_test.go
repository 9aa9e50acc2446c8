package activities

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.temporal.io/sdk/activity"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/workflows"
)

// A failing sync is logged once, however often it is retried, and so is its recovery.
func TestASyncThatFailsIsOneLine(t *testing.T) {
	var log strings.Builder
	live := config.Hold(&config.Config{Tenants: map[string]*config.Tenant{"t": {ID: "t", Name: "Acme"}}})
	b := boundary{log: slog.New(slog.NewTextHandler(&log, nil)), config: live}
	in := workflows.SyncInput{ReviewRef: workflows.ReviewRef{Tenant: "t", Review: "r"}}
	info := activity.Info{ScheduledTime: time.Now().Add(-time.Minute)}
	for attempt := range int32(4) {
		info.Attempt = attempt + 1
		b.tellSync(t.Context(), in, info, errors.New("iconik is away"))
	}
	info.Attempt++
	b.tellSync(t.Context(), in, info, nil)
	b.tellSync(t.Context(), in, activity.Info{Attempt: 1}, nil)
	b.tellSync(t.Context(), workflows.Ref{}, activity.Info{Attempt: 1}, errors.New("of an archive"))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	assert.Len(t, lines, 2)
	assert.Contains(t, lines[0], `msg="review sync failed" tenant=Acme review=r reason="iconik is away"`)
	assert.Contains(t, lines[1], `msg="review syncs again" tenant=Acme review=r attempts=5 after=1m0s`)

	log.Reset()
	a := &Activities{log: b.log, config: live}
	a.tellPause("t", "iconik", "GET assets", time.Second)
	assert.Empty(t, log.String(), "the pace of a limit is no news")
	a.tellPause("t", "iconik", "GET assets", 2*time.Minute)
	assert.Contains(t, log.String(), `msg="vendor asks for a pause" tenant=Acme vendor=iconik operation="GET assets" for=2m0s`)
}
