//go:build integration

package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// TestManyReviews measures how long a comment takes with 50 reviews open. FRAMEBRIDGE_LOAD sets how many are opened. It also
// prints what the worker does while nobody comments.
func TestManyReviews(t *testing.T) {
	n := 0
	if _, err := fmt.Sscan(os.Getenv("FRAMEBRIDGE_LOAD"), &n); err != nil {
		t.Skip("a measurement: set FRAMEBRIDGE_LOAD to the number of reviews")
	}
	o := options(t)
	o.RateLimits = os.Getenv("FRAMEBRIDGE_LIMITS") != ""
	o.Review = map[string]string{"poll_interval": "1m"}
	s := open(t, o)
	assets := make([]string, n)
	for i := range assets {
		assets[i] = s.asset(fmt.Sprintf("Clip %d.mov", i))
	}
	for _, a := range assets {
		s.Iconik.Click(s.Actions["ASSET send"], s.Iconik.ServiceUser(), []string{a}, nil, form(nil))
		time.Sleep(50 * time.Millisecond)
	}
	files := map[string]string{}
	require.Eventually(t, func() bool {
		after := ""
		for {
			var out struct {
				Reviews []reviewJSON
				Next    *string
			}
			s.call(http.MethodGet, "/reviews?limit=1000&after="+after, nil, &out)
			for _, r := range out.Reviews {
				if r.Status == "open" {
					files[r.Assets[0].AssetID] = r.Assets[0].FileID
				}
			}
			if out.Next == nil {
				break
			}
			after = *out.Next
		}
		return len(files) == n
	}, 30*time.Minute, 2*time.Second)
	var took []time.Duration
	for range 4 {
		for i, a := range assets[:min(n, 50)] {
			before := len(s.Iconik.Segments(a))
			at := time.Now()
			s.Frameio.Say(frameiosim.Comment{AssetID: files[a], Text: fmt.Sprintf("round %d", i), Timestamp: frames(int64(i))})
			for len(s.Iconik.Segments(a)) == before && time.Since(at) < patience {
				time.Sleep(5 * time.Millisecond)
			}
			took = append(took, time.Since(at))
		}
	}
	slices.Sort(took)
	t.Logf("%d reviews open: a comment takes %s (median), %s (p95), %s (longest)", n, took[len(took)/2].Round(time.Millisecond), took[len(took)*95/100].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	before, calls := cpu(t, s.Worker.Pid()), total(s.Frameio.Calls())+total(s.Iconik.Calls())
	time.Sleep(2 * time.Minute)
	t.Logf("in 2 idle minutes the worker used %.1f %% of a core, %d MiB at most, and %d calls of both vendors", (cpu(t, s.Worker.Pid())-before)/1.2, peak(t, s.Worker.Pid())>>20, total(s.Frameio.Calls())+total(s.Iconik.Calls())-calls)
}

func total(calls map[string]int) (n int) {
	for _, c := range calls {
		n += c
	}
	return n
}

// cpu returns the processor time that a process has used, in seconds.
func cpu(t *testing.T, pid int) float64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	fields := strings.Fields(string(raw[strings.LastIndex(string(raw), ")")+2:]))
	var user, system float64
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	require.NoError(t, err)
	return (user + system) / 100
}

// peak returns a process's peak memory, in bytes.
func peak(t *testing.T, pid int) int64 {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			require.NoError(t, err)
			return kb << 10
		}
	}
	return 0
}
