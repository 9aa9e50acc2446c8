package contract

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	v4 "github.com/framebridge/framebridge/clients/frameio/v4"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
)

// paces is how many listings of comments a second V4's simulator gives a tenant with so many credentials after the first burst,
// at 15 times V4's pace.
func paces(t testing.TB, credentials int) (frameio float64) {
	store, err := s3sim.New(s3sim.Options{AccessKey: "key", SecretKey: "secret-of-the-store"})
	require.NoError(t, err)
	more := []string{"second-token", "third-token"}[:credentials-1]
	sim, err := frameiosim.New(frameiosim.Options{Token: token, MoreTokens: more, Objects: store, Signer: store.Presigner("http://store.example"), Generation: "v4", RateLimits: true, Quicker: 15})
	require.NoError(t, err)
	p := sim.AddProject(sim.AddTeam("Harbour Films").ID, "Dailies")
	f, err := sim.AddFile(p.RootID, frameiosim.File{Name: "a.txt", Type: "text/plain", Body: []byte("a")})
	require.NoError(t, err)
	srv := httptest.NewServer(sim.Handler())
	defer srv.Close()
	cfg := config.Frameio{Generation: "v4", BaseURL: srv.URL, Token: token}
	for _, m := range more {
		own := cfg
		own.Token = config.Secret(m)
		cfg.Credentials = append(cfg.Credentials, own)
	}
	fio, err := v4.New(cfg)
	require.NoError(t, err)
	frameio = pace(t, 100*credentials, 200*credentials, func(ctx context.Context) error { _, err := fio.Comments(ctx, f.ID, ""); return err })
	return frameio
}

// pace spends a burst, and measures the calls that follow.
func pace(t testing.TB, burst, calls int, call func(context.Context) error) float64 {
	run := func(n int) {
		var wait sync.WaitGroup
		for w := range 12 {
			wait.Go(func() {
				for i := w; i < n; i += 12 {
					assert.NoError(t, call(context.Background()))
				}
			})
		}
		wait.Wait()
	}
	run(burst)
	began := time.Now()
	run(calls)
	return float64(calls) / time.Since(began).Seconds()
}

// go test ./test/contract -run '^$' -bench ThreeCredentials -benchtime 1x
func BenchmarkThreeCredentials(b *testing.B) {
	for range b.N {
		one, three := paces(b, 1), paces(b, 3)
		fmt.Printf("comment listings a second with one and three credentials: %.0f and %.0f, %.2f times\n", one, three, three/one)
		b.ReportMetric(three/one, "ratio")
	}
}

// A whole archive with three credentials of each vendor; one of each is revoked on the way.
func TestACredentialEndsDuringAnArchive(t *testing.T) {
	t.Parallel()
	set := harnessOptions{generation: "v4", storage: "S3", settings: map[string]any{"bucket": "iconik-files", "path": "media"}, seed: sample(smallRaw), frameio: plain, iconik: plain, objects: plain, tokens: []string{"second-token", "third-token"}}
	b := set.open(t)
	tenant := b.config.Tenants[tenantID]
	for _, m := range set.tokens {
		own := tenant.Frameio
		own.Token, own.Credentials = config.Secret(m), nil
		tenant.Frameio.Credentials = append(tenant.Frameio.Credentials, own)
		tenant.Iconik.Credentials = append(tenant.Iconik.Credentials, config.IconikCredential{AppID: appID, AuthToken: config.Secret(m)})
	}
	b.beforeCompare = func() {
		b.frameio.RevokeToken("third-token")
		b.iconik.RevokeToken("second-token")
	}
	fin := b.archive(t)
	one := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, "v4").archive(t)
	assert.Equal(t, one.Status, fin.Status, fin.Reason)
	assert.Equal(t, one.Counts, fin.Counts)
}
