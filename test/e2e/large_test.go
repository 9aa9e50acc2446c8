//go:build integration

package e2e

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// TestAFileLargerThanMemoryGoesThrough moves a generated file through worker and Temporal to a store that drops its
// bytes, and kills the worker halfway. FRAMEBRIDGE_LARGE sets the size; 50GiB is the largest that is archived.
func TestAFileLargerThanMemoryGoesThrough(t *testing.T) {
	size := config.Bytes(3 << 30)
	if text := os.Getenv("FRAMEBRIDGE_LARGE"); text != "" {
		var err error
		size, err = config.ParseBytes(text)
		require.NoError(t, err)
	}
	o := options(t)
	o.Discard = true
	s := open(t, o)
	p := s.Frameio.AddProject(s.team, "Long Take")
	_, err := s.Frameio.AddFile(p.RootID, frameiosim.File{Name: "A001_C001.mxf", Type: "application/mxf", Size: int64(size)})
	require.NoError(t, err)
	began := time.Now()
	s.Frameio.Rename(p.ID, "Long Take Archived")
	const part = 16 << 20
	half := int(int64(size) / part / 2)
	patience := time.Minute + time.Duration(int64(size)/(30<<20))*time.Second
	require.Eventually(t, func() bool { return s.Store.AllPuts() >= half }, patience, 50*time.Millisecond, "half of it is stored")
	first := peak(t, s.Worker.Pid())
	s.Worker.Kill()
	require.NoError(t, s.Worker.Start())
	a := s.within(patience, p.ID, ended)
	assert.Equal(t, "verified", a.Status, a.Reason)
	second := peak(t, s.Worker.Pid())
	parts := int((int64(size) + part - 1) / part)
	again := s.Store.AllPuts() - parts
	t.Logf("%d parts in %s, %.0f MB/s; peak memory of the worker %d and %d MiB; %d requests beyond the parts", parts, time.Since(began).Round(time.Second),
		float64(size)/1e6/time.Since(began).Seconds(), first>>20, second>>20, again)
	assert.LessOrEqual(t, first, int64(256<<20))
	assert.LessOrEqual(t, second, int64(256<<20))
	assert.LessOrEqual(t, again, 8+4, "only the parts on their way are sent again, and the report")
}
