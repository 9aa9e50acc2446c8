package notice

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

// The job says what waits, and for what, as soon as the archive waits, however recently it was written.
func TestTheJobSaysWhatWaits(t *testing.T) {
	var said []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var patch struct {
			Message string `json:"message"`
		}
		if r.Method == http.MethodPatch && json.NewDecoder(r.Body).Decode(&patch) == nil {
			said = append(said, patch.Message)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"id":"j","status":"STARTED"}`))
	}))
	defer srv.Close()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	client, err := iconik.New(config.Iconik{BaseURL: srv.URL, AppID: "a", AuthToken: "t"})
	require.NoError(t, err)
	l := book.Tenant("T").Archive("p")
	_, _, err = l.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = l.Update(t.Context(), func(r *ledger.Archive) {
		r.JobID, r.Status, r.Reason = "j", ledger.Waiting, "2 files have no original in Frame.io right now: unarchive the project in Frame.io. Framebridge checks every 15 minutes"
	})
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	job := Job{Tenant: tenant.New(&config.Tenant{ID: "T"}, book, nil, client, nil, log), Ledger: l, Log: log, Buttons: func() map[string]iconik.JobAction { return nil },
		Counts: func(context.Context) (workflows.Counts, error) {
			return workflows.Counts{Items: 5, Copied: 2, Skipped: 1, Waiting: 2, Bytes: 3 << 30, BytesDone: 1 << 30, BytesSkipped: 512 << 20, Comments: 4, CommentsDone: 4}, nil
		}}
	job.ShowProgress(t.Context(), true)
	job.ShowProgress(t.Context(), true)
	job.ShowProgress(t.Context(), false) // just written
	require.Len(t, said, 2)
	assert.Equal(t, "2 files (2.0 GiB) wait. 2 files have no original in Frame.io right now: unarchive the project in Frame.io. Framebridge checks every 15 minutes — "+
		"2 of 5 files (1.0 GiB of 3.0 GiB), 4 of 4 comments, 1 skipped (512.0 MiB), 0 failed", said[0])

	_, err = l.Update(t.Context(), func(r *ledger.Archive) { r.Status, r.Reason = ledger.Running, "" })
	require.NoError(t, err)
	job.ShowProgress(t.Context(), true)
	assert.Equal(t, "2 of 5 files (1.0 GiB of 3.0 GiB), 4 of 4 comments, 1 skipped (512.0 MiB), 0 failed", said[2])
}
