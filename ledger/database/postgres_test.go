package database

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server that accepts a connection and then says nothing, as behind a firewall that drops packets, holds up no program for long.
func TestAConnectionToPostgreSQLIsNotAwaitedForever(t *testing.T) {
	t.Setenv("PGCONNECT_TIMEOUT", "")
	for dsn, want := range map[string]time.Duration{
		"postgres://framebridge@db.example.com/framebridge":                   connectTimeout,
		"postgres://framebridge@db.example.com/framebridge?connect_timeout=3": 3 * time.Second,
	} {
		cfg, err := postgresConfig(dsn)
		require.NoError(t, err)
		assert.Equal(t, want, cfg.ConnectTimeout, dsn)
	}
}
