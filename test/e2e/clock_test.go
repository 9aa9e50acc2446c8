//go:build integration

package e2e

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheSandboxsClock moves time on the sandbox's page: the expiry by Framebridge's own extend, the 30 days of retention
// by Temporal's clock.
func TestTheSandboxsClock(t *testing.T) {
	t.Parallel()
	s := open(t, options(t))
	asset := s.asset("Clock <b>.mov")
	r := s.sendReview(form(nil), asset)
	r = s.reviewIs(r.ID, "open")
	page := func(url string) string {
		resp, err := http.Get(url)
		require.NoError(t, err)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(raw)
	}
	press := func(what, origin string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.PageURL+"/reviews/"+r.ID+"/"+what, nil)
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(raw)
	}
	assert.Contains(t, page(s.PageURL), "Jump to the expiry")
	assert.NotContains(t, page(s.PageURL), "Clock <b>")
	code, _ := press("expire", "https://elsewhere.example")
	require.Equal(t, http.StatusForbidden, code, "another site pressed the button")
	_, said := press("delete", s.PageURL)
	require.Contains(t, said, "the review is open", "a review that runs is not deleted")

	_, _ = press("expire", s.PageURL)
	r = s.reviewIs(r.ID, "expired")
	require.WithinDuration(t, time.Now().Add(30*24*time.Hour), r.DeleteAt, time.Minute)
	require.Contains(t, page(r.ShareURL), "This link has expired.")
	require.Len(t, s.Frameio.AssetsOf(s.reviewProject()), 3, "root, folder and file")

	_, _ = press("delete", s.PageURL)
	s.reviewIs(r.ID, "deleted")
	require.Len(t, s.Frameio.AssetsOf(s.reviewProject()), 1, "the root alone")
	s.told("Review expired", "Review media will be deleted", "Review media deleted")
	assert.Contains(t, page(s.PageURL), "Review media will be deleted")
}
