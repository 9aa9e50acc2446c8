package config

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/redact"
)

const otherTenant = "11111111-2222-4333-8444-555555555555"

// another is the file of a second tenant.
const another = otherTenant + `:
  name: Other
  api_key: a-key-of-the-other-tenant
  frameio: {generation: legacy, token: fio-u-other}
  iconik: {app_id: an-app, auth_token: file:token}
`

// running is a program's configuration in files, with its log.
type running struct {
	*Live
	t   *testing.T
	dir string
	hup chan os.Signal

	mu  sync.Mutex
	log bytes.Buffer
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *running) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func start(t *testing.T) *running {
	t.Helper()
	r := &running{t: t, dir: t.TempDir(), hup: make(chan os.Signal, 1)}
	r.write("framebridge.yaml", least)
	var err error
	r.Live, err = Open(filepath.Join(r.dir, "framebridge.yaml"))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.watch(ctx, r.hup, redact.NewLogger(r, "text", "info")) }()
	t.Cleanup(func() { stop(); <-done })
	return r
}

// write replaces a file atomically, as deployments do.
func (r *running) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(r.t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(r.t, os.Rename(path+".new", path))
}

func (r *running) eventually(is func() bool) {
	r.t.Helper()
	require.Eventually(r.t, is, 20*time.Second, 10*time.Millisecond, "%s", r.logged())
}

func (r *running) has(id string) bool { _, ok := r.Now().Tenant(id); return ok }

// TestTenantsComeChangeAndGoWithoutARestart adds a tenant's own file in a new directory, with a secret in another file.
func TestTenantsComeChangeAndGoWithoutARestart(t *testing.T) {
	r := start(t)
	first := r.Now().Tenants[someTenant]
	r.write("token", "the-iconik-token-of-the-other")
	r.write(tenantDir+"/other.yaml", another)
	r.eventually(func() bool { return r.has(otherTenant) })
	assert.Same(t, first, r.Now().Tenants[someTenant], "who did not change stays the same")
	other := r.Now().Tenants[otherTenant]

	r.write("token", "a-rotated-iconik-token")
	r.eventually(func() bool { return r.Now().Tenants[otherTenant].Iconik.AuthToken.Reveal() == "a-rotated-iconik-token" })
	assert.NotSame(t, other, r.Now().Tenants[otherTenant])
	assert.Equal(t, "the-iconik-token-of-the-other", other.Iconik.AuthToken.Reveal(), "what somebody works with does not change")
	assert.Equal(t, redact.Hidden+" "+redact.Hidden, redact.Scrub("the-iconik-token-of-the-other a-rotated-iconik-token"))

	require.NoError(t, os.Remove(filepath.Join(r.dir, tenantDir, "other.yaml")))
	r.eventually(func() bool { return !r.has(otherTenant) })
	r.eventually(func() bool { return strings.Contains(r.logged(), "its archives and reviews wait until it returns") })
	assert.NotContains(t, r.logged(), "the-iconik-token")
	assert.NotContains(t, r.logged(), "a-rotated")
}

func TestABadFileKeepsTheFormerConfigurationAndNamesAllProblems(t *testing.T) {
	r := start(t)
	was := r.Now()
	r.write("framebridge.yaml", strings.NewReplacer("api_key: the-tenants-api-key", "api_key: short", "app_id:", "app_idd:").Replace(least))
	r.eventually(func() bool { return strings.Contains(r.logged(), "the previous one stays in effect") })
	for _, key := range []string{"api_key: must have", "iconik.app_idd", "iconik.app_id: "} {
		assert.Contains(t, r.logged(), key)
	}
	assert.Same(t, was, r.Now())

	r.write("framebridge.yaml", strings.Replace(least, "Marketing", "Renamed", 1))
	r.eventually(func() bool { return r.Now().Tenants[someTenant].Name == "Renamed" })
}

func TestSIGHUPReadsTheEnvironmentsFilesAgain(t *testing.T) {
	r := start(t)
	r.hup <- os.Interrupt // any signal on this channel
	r.eventually(func() bool { return strings.Contains(r.logged(), "because=SIGHUP") })
}

// TestTheLedgerBesideTheFileIsNoChange: SQLite writes to its files all the time.
func TestTheLedgerBesideTheFileIsNoChange(t *testing.T) {
	l := &Live{path: "/etc/framebridge/framebridge.yaml", named: []string{"/run/secrets/token"}}
	for name, want := range map[string]bool{"framebridge.db": false, "framebridge.db-wal": false, "framebridge.yaml": true, "framebridge.yaml.swp": false, tenantDir: true,
		tenantDir + "/a.yaml": true, tenantDir + "/a.yaml~": false, "..data": true, "../../run/secrets/token": true} {
		assert.Equal(t, want, l.concerns(filepath.Join("/etc/framebridge", name)), name)
	}
}

func TestWhatIsOpenedAtTheStartStays(t *testing.T) {
	r := &running{t: t, dir: t.TempDir()}
	r.write("framebridge.yaml", least)
	live, err := Open(filepath.Join(r.dir, "framebridge.yaml"))
	require.NoError(t, err)
	r.write("framebridge.yaml", least+"temporal: {task_queue: other}\nledger: {dsn: 'sqlite:other.db'}\nhttp: {listen: '127.0.0.1:1', public_url: 'https://new.example.com'}\n")
	c, err := live.Reload()
	require.NoError(t, err)
	assert.Equal(t, []string{"http.listen", "temporal", "ledger"}, c.AtStart)
	assert.Equal(t, "framebridge", live.Now().Temporal.TaskQueue)
	assert.Equal(t, "https://new.example.com", live.Now().HTTP.PublicURL)
	assert.Empty(t, c.Changed)
}

// TestReadersAndReloadsDoNotMeet is for the race detector.
func TestReadersAndReloadsDoNotMeet(t *testing.T) {
	r := &running{t: t, dir: t.TempDir()}
	r.write("framebridge.yaml", least)
	live, err := Open(filepath.Join(r.dir, "framebridge.yaml"))
	require.NoError(t, err)
	var told int
	live.OnChange(func(*Config) { told++ })
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				live.reload(slog.New(slog.DiscardHandler), "test")
			}
		})
		all.Go(func() {
			for range 2000 {
				_, _, ok := live.Now().FindKey("the-tenants-api-key", time.Now())
				assert.True(t, ok)
			}
		})
	}
	all.Wait()
	assert.Equal(t, 80, told)
}
