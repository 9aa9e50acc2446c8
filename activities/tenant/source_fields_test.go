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

// Workers create and extend views concurrently: every field that one of them relies on is in the one view, and none counts as
// refused because another worker was faster.
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

// A worker runs for weeks, and people delete views in that time: they are created again, with everything that is written to them.
func TestADeletedViewIsMadeAgain(t *testing.T) {
	sim, err := iconiksim.New(iconiksim.Options{AppID: "app", Token: "token", IndexDelay: -1})
	require.NoError(t, err)
	vendor := httptest.NewServer(sim.Handler())
	defer vendor.Close()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	client, err := iconik.New(config.Iconik{BaseURL: vendor.URL, AppID: "app", AuthToken: "token"})
	require.NoError(t, err)
	worker := New(&config.Tenant{ID: "t"}, book, nil, client, nil, slog.Default())
	worker.views.Lasts = time.Nanosecond
	wanted := func(name string) []Wanted {
		return []Wanted{{Target: mapping.TargetField{Name: name, Label: name, Type: "text"}}}
	}
	ids := func() (archive, fields string) {
		archive, err := worker.View(t.Context(), mapping.ArchiveView)
		require.NoError(t, err)
		for _, name := range []string{"frameio_1", "frameio_2"} {
			v, err := worker.FieldsView(t.Context(), wanted(name))
			require.NoError(t, err)
			require.Empty(t, v.Refused)
			fields = v.ID
		}
		return archive, fields
	}
	archive, fields := ids()
	again, sameFields := ids()
	require.Equal(t, []string{archive, fields}, []string{again, sameFields})
	for _, id := range []string{archive, fields} {
		sim.ChangeDoc("views", id, func(map[string]any) bool { return false })
	}
	archive, fields = ids()
	require.NotEqual(t, []string{again, sameFields}, []string{archive, fields})
	views := map[string]int{}
	for _, v := range sim.Docs("views") {
		views[v["id"].(string)] = len(v["view_fields"].([]any))
	}
	require.Equal(t, map[string]int{archive: len(mapping.ArchiveFields), fields: 3}, views)
}

// A view that a field is added to has its fields as they are defined: an option that one of them gets later can be written.
func TestAViewKeepsNoOptionsOfItsOwn(t *testing.T) {
	sim, err := iconiksim.New(iconiksim.Options{AppID: "app", Token: "token", IndexDelay: -1})
	require.NoError(t, err)
	vendor := httptest.NewServer(sim.Handler())
	defer vendor.Close()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	client, err := iconik.New(config.Iconik{BaseURL: vendor.URL, AppID: "app", AuthToken: "token"})
	require.NoError(t, err)
	worker := New(&config.Tenant{ID: "t"}, book, nil, client, nil, slog.Default())
	look := func(options ...string) []Wanted {
		return []Wanted{{Target: mapping.TargetField{Name: "frameio_look", Label: "Look", Type: "drop_down", Options: options}}}
	}
	var view *FieldsView
	for _, want := range [][]Wanted{look("day"), {{Target: mapping.TargetField{Name: "frameio_slate", Label: "Slate", Type: "string"}}}, look("day", "night")} {
		view, err = worker.FieldsView(t.Context(), want)
		require.NoError(t, err)
	}
	asset, err := client.Assets.Create(t.Context(), iconik.AssetRequest{Title: "Take"})
	require.NoError(t, err)
	_, err = client.Metadata.PutValues(t.Context(), "assets", asset.ID, view.ID, map[string][]string{"frameio_look": {"night"}})
	require.NoError(t, err)
}
