package console

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

func TestTheStreamTellsWhatHasChanged(t *testing.T) {
	h := filled(t, config.RoleViewer)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+"/ui/"+acme+"/events?topic=archive/running", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			if data, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				lines <- data
			}
		}
	}()
	first := <-lines
	for !strings.Contains(first, "percent") { // a busy machine has not finished adding up
		first = <-lines
	}
	assert.Contains(t, first, `"running.percent":"50"`)
	_, body := h.get(t, "archives/running")
	_, version, _ := strings.Cut(first, `"version":"`)
	version, _, _ = strings.Cut(version, `"`)
	assert.Contains(t, body, `data-version="`+version+`"`, "a page that has just been read is not read again")
	_, err = h.ledger.Tenant(acme).Archive("running").Update(t.Context(), func(a *ledger.Archive) { a.Status = ledger.Verifying })
	require.NoError(t, err)
	assert.NotContains(t, <-lines, version)
}

// TestAPageThatWasJustReadIsNotReadAgain compares each page's version with the first one in its stream.
func TestAPageThatWasJustReadIsNotReadAgain(t *testing.T) {
	h := filled(t, config.RoleAdmin)
	h.planned(t)
	require.Eventually(t, func() bool { _, body := h.get(t, "setup"); return strings.Contains(body, "Checked") }, 5*time.Second, 10*time.Millisecond)
	for _, path := range []string{"account", "account/migrations/mig", "account/migrations/mig-old", "account/plan", "archives/proven/reclaim", "archives/ended/reclaim", "setup"} {
		_, body := h.get(t, path)
		_, about, _ := strings.Cut(body, `data-topic="`)
		about, _, _ = strings.Cut(about, `"`)
		require.NotEmpty(t, about, path)
		_, version, _ := strings.Cut(body, `data-version="`)
		version, _, _ = strings.Cut(version, `"`)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.server.URL+"/ui/"+acme+"/events?topic="+about, nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		first := ""
		for in := bufio.NewScanner(resp.Body); in.Scan() && first == ""; {
			first, _ = strings.CutPrefix(in.Text(), "data: ")
			if !strings.HasPrefix(in.Text(), "data: ") {
				first = ""
			}
		}
		assert.Contains(t, first, `"version":"`+version+`"`, path)
		cancel()
		_ = resp.Body.Close()
	}
}

// If a task ends while its page is rendered, the page shows the task as it was, and is told that it has ended.
func TestAPageIsOfTheTaskThatItShows(t *testing.T) {
	for path, tt := range map[string]struct {
		before int64 // how often the page reads the clock before it looks at the task
		begin  func(h *harness, wait func())
	}{
		"start/p9": {0, func(h *harness, wait func()) {
			h.actions.plan = func(context.Context) (workflows.Plan, error) {
				wait()
				return workflows.Plan{Project: "Night Shift"}, nil
			}
		}},
		"account/plan": {1, func(h *harness, wait func()) {
			h.actions.accountPlan = func(func(done, of int)) (workflows.AccountPlan, error) { wait(); return workflows.AccountPlan{}, nil }
		}},
	} {
		t.Run(path, func(t *testing.T) {
			h := serve(t, config.RoleOperator)
			h.steady.Store(true) // whether Temporal responds was checked a moment ago
			started, release, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
			tt.begin(h, func() { close(started); <-release })
			h.get(t, path)
			<-started
			var asked atomic.Int64
			onNow := func() {
				switch asked.Add(1) - tt.before {
				case 1: // the page, which has looked at the task
					close(release)
					<-ended
				case 2: // the end of the task
					close(ended)
				}
			}
			h.onNow.Store(&onNow)
			version := func(body string) string {
				_, after, _ := strings.Cut(body, `data-version="`)
				version, _, _ := strings.Cut(after, `"`)
				return version
			}
			_, reading := h.get(t, path)
			require.Contains(t, reading, "so far")
			_, read := h.get(t, path)
			require.NotContains(t, read, "so far")
			assert.NotEqual(t, version(read), version(reading))
		})
	}
}
