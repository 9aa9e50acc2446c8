package health

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/test/logtest"
)

// A probe asks every few seconds: the log has the reason once, and once that it is over.
func TestALedgerThatCannotBeWrittenIsLoggedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	l, err := ledger.Open(t.Context(), "sqlite:"+file)
	require.NoError(t, err)
	defer l.Close()
	quiet := slog.New(slog.DiscardHandler)
	temporal, err := temporalclient.Lazy(config.Temporal{Address: "127.0.0.1:1", Namespace: "default"}, quiet, temporalclient.Watch{})
	require.NoError(t, err)
	defer temporal.Close()
	var log logtest.Text
	checks := &Checks{Temporal: temporal, Namespace: func() string { return "default" }, Ledger: l, Log: slog.New(slog.NewTextHandler(&log, nil))}

	states, _ := checks.Ask(t.Context())
	assert.Equal(t, map[string]string{"temporal": "unreachable", "ledger": "ok"}, states)
	require.NoError(t, os.Rename(file, file+".moved"))
	for range 3 {
		states, status := checks.Ask(t.Context())
		assert.Equal(t, "cannot be written", states["ledger"])
		assert.Equal(t, http.StatusServiceUnavailable, status)
	}
	require.NoError(t, os.Rename(file+".moved", file))
	for range 3 {
		states, _ = checks.Ask(t.Context())
		assert.Equal(t, "ok", states["ledger"])
	}
	assert.Equal(t, 1, strings.Count(log.String(), "the ledger cannot be used"), log.String())
	assert.Contains(t, log.String(), "deleted or replaced")
	assert.Equal(t, 1, strings.Count(log.String(), "the ledger can be used again"))
}
