package tenant

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

const (
	stays = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	goes  = "11111111-2222-4333-8444-555555555555"
)

// reloading returns a worker's tenants, read from a file that changes.
func reloading(t *testing.T) (tenants *Tenants, write func(name string, ids ...string)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "framebridge.yaml")
	var live *config.Live
	write = func(name string, ids ...string) {
		text := "tenants:\n"
		for i, id := range ids {
			text += fmt.Sprintf("  %s:\n    name: %s\n    api_key: an-api-key-of-tenant-%d\n    frameio: {generation: legacy, token: fio-u-x}\n    iconik: {app_id: app, auth_token: token}\n", id, name, i)
		}
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		if live != nil {
			_, err := live.Reload()
			require.NoError(t, err)
		}
	}
	write("First", stays, goes)
	var err error
	live, err = config.Open(path)
	require.NoError(t, err)
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	tenants, err = NewTenants(live, book, nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return tenants, write
}

// TestARemovedTenantsWorkWaits: no archive or review ends because somebody edits a file.
func TestARemovedTenantsWorkWaits(t *testing.T) {
	tenants, write := reloading(t)
	_, err := tenants.Get(goes)
	require.NoError(t, err)
	write("First", stays)
	_, err = tenants.Get(goes)
	var waits *fault.Error
	require.ErrorAs(t, err, &waits)
	assert.False(t, waits.Final)
	assert.True(t, waits.Benign)
	assert.Equal(t, absentPatience, waits.RetryIn)
	assert.Contains(t, err.Error(), goes+" is not in this worker's configuration: its work waits")
	write("First", stays, goes)
	_, err = tenants.Get(goes)
	assert.NoError(t, err)
}

func TestAChangedTenantGetsNewClients(t *testing.T) {
	tenants, write := reloading(t)
	first, err := tenants.Get(stays)
	require.NoError(t, err)
	write("First", stays)
	same, err := tenants.Get(stays)
	require.NoError(t, err)
	assert.Same(t, first, same, "nothing has changed in it")
	write("Second", stays)
	changed, err := tenants.Get(stays)
	require.NoError(t, err)
	assert.Equal(t, "Second", changed.Config.Name)
	assert.Equal(t, "First", first.Config.Name, "what is at work goes on with what it began with")
}

func TestTenantsAreUsedWhileTheyChange(t *testing.T) {
	tenants, write := reloading(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				if _, _, err := tenants.GetPlatform(stays); !assert.NoError(t, err) {
					return
				}
			}
		})
	}
	for i := range 20 {
		write(fmt.Sprint("Name ", i), stays)
	}
	all.Wait()
}
