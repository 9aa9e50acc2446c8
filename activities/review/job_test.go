package review

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
)

// iconik's documentation says that a job's steps are only read on creation: they are shown all the same.
func TestStepsThatWereNotKeptAreOfferedAgain(t *testing.T) {
	var steps []iconik.Step
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/steps/") {
			var body struct {
				Steps []iconik.Step `json:"steps"`
			}
			assert.NoError(t, json.NewDecoder(r.Body).Decode(&body))
			steps = body.Steps
		}
		assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{"id": "J", "status": "STARTED", "steps": steps}))
	}))
	defer srv.Close()
	r := testReview(t, &folder{}, nil)
	var err error
	r.iconik, err = iconik.New(config.Iconik{BaseURL: srv.URL, AppID: "a", AuthToken: "t"})
	require.NoError(t, err)
	r.row.JobID = "J"
	r.showOpenJob(t.Context())
	require.Len(t, steps, len(reviewSteps))
	ids := map[string]bool{}
	for i, want := range []string{"DONE", "DONE", "IN_PROGRESS"} {
		assert.Equal(t, want, steps[i].Status)
		ids[steps[i].ID] = true
	}
	assert.Len(t, ids, len(reviewSteps))
	before := steps[0].ID
	r.closeJob(t.Context(), "FINISHED", "It has ended.")
	assert.Equal(t, before, steps[0].ID)
	assert.Equal(t, "DONE", steps[2].Status)
}
