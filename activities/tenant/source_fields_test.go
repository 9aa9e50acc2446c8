package tenant

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/test/emptyledger"
)

// Workers make and extend views side by side: every field that one of them relies on is in the one view, and none is taken
// for refused because another was quicker.
func TestWorkersExtendOneViewTogether(t *testing.T) {
	sim, err := iconiksim.New(iconiksim.Options{AppID: "app", Token: "token", IndexDelay: -1})
	require.NoError(t, err)
	require.NoError(t, sim.AddFault(faults.Fault{Match: "^(POST|PUT) ", Delay: 3 * time.Millisecond})) // in which the others read
	vendor := httptest.NewServer(sim.Handler())
	defer vendor.Close()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()

	const workers, steps = 4, 3
	name := func(n int) string { return fmt.Sprintf("frameio_%d", n) }
	var all sync.WaitGroup
	for w := range workers {
		client, err := iconik.New(config.Iconik{BaseURL: vendor.URL, AppID: "app", AuthToken: "token"})
		require.NoError(t, err)
		worker := New(&config.Tenant{ID: "t"}, book, nil, client, nil, slog.Default())
		all.Go(func() {
			_, err := worker.View(t.Context(), mapping.ArchiveView)
			assert.NoError(t, err)
			for step := range steps {
				var want []Wanted
				for _, n := range []int{step, 100 + w*steps + step} { // one that all want, and one of its own
					want = append(want, Wanted{Target: mapping.TargetField{Name: name(n), Label: name(n), Type: "text"}})
				}
				view, err := worker.FieldsView(t.Context(), want)
				if assert.NoError(t, err) {
					assert.Empty(t, view.Refused)
				}
			}
		})
	}
	all.Wait()

	has := map[string]bool{}
	views := sim.Docs("views")
	require.Len(t, views, 2, "the archive's, and that of the source's fields")
	for _, v := range views {
		for _, f := range v["view_fields"].([]any) {
			has[f.(map[string]any)["name"].(string)] = true
		}
	}
	for w := range workers {
		for step := range steps {
			assert.True(t, has[name(step)] && has[name(100+w*steps+step)], "worker %d, step %d", w, step)
		}
	}
}
