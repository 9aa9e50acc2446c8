package storesim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/storesim"
	"github.com/framebridge/framebridge/sandbox/storesim/exchange"
	"github.com/framebridge/framebridge/test/sinktest"
)

func recorded(t *testing.T, name string) []exchange.Exchange {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	var out []exchange.Exchange
	for line := range bytes.Lines(raw) {
		var e exchange.Exchange
		require.NoError(t, json.Unmarshal(line, &e))
		out = append(out, e)
	}
	return out
}

// sent are the files that the clients sent, each generated once.
func sent() func(int64) []byte {
	made := map[int64][]byte{}
	return func(size int64) []byte {
		if made[size] == nil {
			made[size] = sinktest.File(size)
		}
		return made[size]
	}
}

// TestGoogleClient replays what cloud.google.com/go/storage sent when it uploaded in chunks, with and without refused
// requests. The client accepted each of these answers, and read the file's size and checksum from the last one.
func TestGoogleClient(t *testing.T) {
	t.Parallel()
	var g *storesim.GCS
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.ForClient().ServeHTTP(w, r) }))
	defer srv.Close()
	g = storesim.NewGCS(srv.URL)
	p := &exchange.Player{Base: srv.URL, File: sent()}
	scenario, refused := "", 0
	for _, e := range recorded(t, "gcs.jsonl") {
		if e.Scenario != scenario {
			scenario = e.Scenario
			g.SetFault(exchange.Fault(scenario))
		}
		if e.Status == http.StatusServiceUnavailable {
			refused++
		}
		require.NoError(t, p.Play(e))
	}
	assert.Greater(t, refused, 5)
	for _, name := range []string{exchange.Plain, exchange.Refused} {
		got, ok := g.Object("bucket/file " + name + ".mov")
		require.True(t, ok)
		assert.True(t, bytes.Equal(sinktest.File(exchange.GoogleFile), got))
	}
}

// TestBackblazeClient replays what Backblaze's client sent: a whole file, a large one with the digest at the end of each part,
// and a late part.
func TestBackblazeClient(t *testing.T) {
	t.Parallel()
	var b *storesim.B2
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.ForClient().ServeHTTP(w, r) }))
	defer srv.Close()
	b = storesim.NewB2(srv.URL)
	p := &exchange.Player{Base: srv.URL, File: sent()}
	list := recorded(t, "b2.jsonl")
	for _, e := range list {
		require.NoError(t, p.Play(e))
	}
	assert.Equal(t, http.StatusBadRequest, list[len(list)-1].Status, "the late part was refused")
	small, _ := b.Object(exchange.SmallName)
	assert.Equal(t, sinktest.File(exchange.SmallFile), small)
	large, _ := b.Object("large.mov")
	assert.True(t, bytes.Equal(sinktest.File(exchange.BackblazeFile), large))
}
