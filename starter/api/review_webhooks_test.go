package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// V4's webhook reports the comments of a whole workspace, and Frame.io allows only 100 requests for comments per minute.
func TestACommentOfAnotherProjectCostsNoCall(t *testing.T) {
	const reviews, other = "9e0c41c6-2b52-4d6a-9d0b-5f1ad3b1f0aa", "0b8c0d54-6a7e-4a8f-8a3e-6fd5a2b8f1bb"
	f := newTestServer(t)
	_, _, err := f.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: "r", Status: ledger.ReviewOpen, ProjectID: reviews}, 0)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		project string
		asks    int
	}{
		"of a project without reviews": {`,"project":{"id":"` + other + `"}`, 0},
		"of the project of reviews":    {`,"project":{"id":"` + reviews + `"}`, 1},
		"in other letters":             {`,"project":{"id":"` + strings.ToUpper(reviews) + `"}`, 1},
		"of a project not named":       {``, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f.frameio.comments = 0
			event := `{"type":"comment.created","resource":{"id":"c1"}` + c.project + `}`
			resp, answer := f.ask(ask{"POST", routes.Prefix + "/review/webhooks/comments?tenant-id=" + tenantA, event, signed("new", event, 0)})
			assert.Equal(t, http.StatusOK, resp.StatusCode, "%v", answer)
			assert.Equal(t, "ignored", answer["status"])
			assert.Equal(t, c.asks, f.frameio.comments)
		})
	}
}

// A new comment in iconik wakes each open review of its asset that does not have it yet.
func TestANewCommentWakesTheReviewsThatLackIt(t *testing.T) {
	const asset, segment = "9e0c41c6-2b52-4d6a-9d0b-5f1ad3b1f0aa", "0b8c0d54-6a7e-4a8f-8a3e-6fd5a2b8f1bb"
	f := newTestServer(t)
	for _, id := range []string{"one", "other"} {
		_, _, err := f.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: id, Click: id, Status: ledger.ReviewOpen}, 0)
		require.NoError(t, err)
		_, err = f.Ledger.Tenant(tenantA).Review(id).AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
			return []ledger.ReviewAsset{{AssetID: asset, State: ledger.AssetReady}}
		})
		require.NoError(t, err)
		f.temporal.On("SignalWorkflow", mock.Anything, workflows.ReviewID(tenantA, id), "", workflows.SignalWake, mock.Anything).Return(nil)
	}
	knows := func(review string) {
		require.NoError(t, f.Ledger.Tenant(tenantA).PutReviewComments(t.Context(), ledger.ReviewComment{Review: review, ID: "c", N: 1, IconikID: segment}))
	}
	wakes := func(operation string, wanted ...string) {
		t.Helper()
		f.temporal.Calls = nil
		event := `{"event_type":"segments","operation":"` + operation + `","object_id":"` + segment + `","data":{"asset_id":"` + asset + `"}}`
		resp, answer := f.ask(ask{"POST", routes.Prefix + "/review/webhooks/segments?tenant-id=" + tenantA, event, map[string]string{"X-Framebridge-Secret": "click"}})
		var woken []string
		for _, call := range f.temporal.Calls {
			woken = append(woken, strings.TrimPrefix(call.Arguments.String(1), workflows.ReviewID(tenantA, "")))
		}
		assert.ElementsMatch(t, wanted, woken, "%s: %d %v", operation, resp.StatusCode, answer)
	}
	wakes("create", "one", "other")
	knows("one")
	wakes("create", "other")
	knows("other")
	wakes("create")
	wakes("update", "one", "other")
}
