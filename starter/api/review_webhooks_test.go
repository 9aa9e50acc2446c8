package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
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
