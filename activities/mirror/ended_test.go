package mirror

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

// Whatever becomes of a run's workflow, its beginning and its end are reported once.
func TestTheEndOfARunIsToldOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		out   Outcome
		kind  events.Kind
		title string
		text  string
	}{
		"done":              {Outcome{Result: workflows.MirrorResult{Projects: 3, Verified: 2, Waiting: 1}}, events.MirrorDone, `Done: mirror "nightly" of Acme`, "3 projects: 2 verified, 1 waiting or still running."},
		"a project failed":  {Outcome{Result: workflows.MirrorResult{Projects: 2, Verified: 1, Failed: 1}}, events.MirrorFailed, `Action needed: mirror "nightly" of Acme has failed`, "2 projects: 1 verified, 1 not archived. Each archive's own report says why, but for a project selected by its ID that Frame.io no longer shows; the next run tries them again."},
		"stopped":           {Outcome{Stopped: true}, events.MirrorDone, `Stopped: mirror "nightly" of Acme`, "The mirror was removed while it ran. Archives that it has started continue."},
		"ended in Temporal": {Outcome{Failed: "It was ended in Temporal: Terminated"}, events.MirrorFailed, `Action needed: mirror "nightly" of Acme has failed`, "It was ended in Temporal: Terminated"},
	} {
		t.Run(name, func(t *testing.T) {
			book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
			require.NoError(t, err)
			t.Cleanup(book.Close)
			one := tenant.New(&config.Tenant{ID: "T", Name: "Acme", Notify: config.Notify{SlackURL: "https://slack.example/x"}}, book, nil, nil, nil, slog.New(slog.DiscardHandler))
			a := &Activities{Ledger: book, Tenant: func(string) (*tenant.Tenant, error) { return one, nil }}
			const run = "mirror-run/T/nightly-2026-11-29T02:00:00Z"
			for range 2 { // an attempt that follows one that died
				require.NoError(t, began(t.Context(), one, workflows.MirrorProjectsInput{Tenant: "T", Name: "nightly", Run: run}))
			}
			require.NoError(t, began(t.Context(), one, workflows.MirrorProjectsInput{Tenant: "T"}), "a run of before")
			var end *Outcome
			look := func(context.Context, string) (*Outcome, error) { return end, nil }
			require.NoError(t, a.Ended(t.Context(), "T", look))
			end = &tt.out
			for range 3 {
				require.NoError(t, a.Ended(t.Context(), "T", look))
			}
			another := &Activities{Ledger: book, Tenant: a.Tenant} // after a restart
			require.NoError(t, another.Ended(t.Context(), "T", look))
			all, _, err := one.Ledger.Deliveries(t.Context(), ledger.DeliveryFilter{}, "", 10)
			require.NoError(t, err)
			require.Len(t, all, 2)
			ended, err := one.Ledger.EventsSince(t.Context(), tt.kind, time.Now().Add(-time.Hour))
			require.NoError(t, err)
			require.Len(t, ended, 1)
			assert.Equal(t, []string{tt.title, tt.text}, []string{ended[0].Data.Title, ended[0].Data.Text})
		})
	}
}
