package legacy

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

// An account that was moved to V4, and the API once it is switched off, may refuse with any 4xx. The user's own record is then refused too.
func TestAMovedAccountIsToldFromAMissingRight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asset, me int
		class     rest.Class
		told      bool
	}{
		"moved, 401":      {401, 401, rest.Unauthorized, true},
		"moved, 403":      {403, 403, rest.Unauthorized, true},
		"403, then 401":   {403, 401, rest.Unauthorized, true},
		"switched off":    {404, 404, rest.Unauthorized, true},
		"410":             {410, 410, rest.Unauthorized, true},
		"404, then 400":   {404, 400, rest.Unauthorized, true},
		"422":             {422, 422, rest.Unauthorized, true},
		"a missing right": {403, 200, rest.Forbidden, false},
		"gone":            {404, 200, rest.NotFound, false},
		"at fault":        {422, 200, rest.Permanent, false},
		"nobody knows":    {403, 500, rest.Forbidden, false},
		"not vouched for": {404, 500, rest.Retryable, false},
		"too soon":        {404, 408, rest.Retryable, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // some are tried again after a while
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				status := c.asset
				if r.URL.Path == "/v2/me" {
					status = c.me
				}
				w.WriteHeader(status)
				_, _ = w.Write([]byte(`{}`))
			}))
			defer srv.Close()
			told := false
			p, err := New(config.Frameio{BaseURL: srv.URL, Token: "t"}, WithRefused(func() { told = true }))
			require.NoError(t, err)
			_, err = p.Asset(t.Context(), "a")
			assert.Equal(t, c.class, rest.ClassOf(err), "%v", err)
			_, err = p.CreateComment(t.Context(), "a", frameio.NewComment{Text: "x"})
			assert.Equal(t, c.class, rest.ClassOf(err), "%v", err)
			err = p.Delete(t.Context(), frameio.Asset{ID: "a"})
			assert.Equal(t, c.class == rest.NotFound, err == nil, "only what is gone is deleted already: %v", err)
			assert.Equal(t, c.told, told)
		})
	}
}

// A missing object costs one check of the account, not one per file. After a while the account is checked again.
func TestManyRefusalsCostOneLookAtTheAccount(t *testing.T) {
	t.Parallel()
	looks, moved, now := 0, false, time.Now()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/me" {
			looks++
		}
		if r.URL.Path != "/v2/me" || moved {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	defer srv.Close()
	p, err := New(config.Frameio{BaseURL: srv.URL, Token: "t"}, WithClock(func() time.Time { return now }))
	require.NoError(t, err)
	for range 5 {
		_, err := p.Asset(t.Context(), "a")
		assert.True(t, rest.IsNotFound(err), "%v", err)
	}
	assert.Equal(t, 1, looks)
	now, moved = now.Add(time.Minute), true
	_, err = p.Asset(t.Context(), "a")
	assert.Equal(t, rest.Unauthorized, rest.ClassOf(err), "%v", err)
	assert.Contains(t, err.Error(), movedHint)
}

func TestWhatIsKnownOfAnOriginal(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]frameio.Original{
		`"original":"https://s/x"`:                                                                 frameio.OriginalAvailable,
		`"original":null,"upload_completed_at":null`:                                               frameio.OriginalNeverUploaded,
		`"original":null,"is_session_watermarked":true`:                                            frameio.OriginalWatermarked,
		`"original":"https://s/x","is_session_watermarked":true`:                                   frameio.OriginalWatermarked,
		`"original":"https://s/x","is_session_watermarked":true,"checksums":{"xx_hash":null}`:      frameio.OriginalWatermarked,
		`"original":"https://s/x","is_session_watermarked":true,"checksums":{"xx_hash":"AB"}`:      frameio.OriginalAvailable,
		`"original":null,"user_permissions":{"can_download":false}`:                                frameio.OriginalForbidden,
		`"original":null,"user_permissions":{"can_download":true}`:                                 frameio.OriginalMissing,
		`"original":null,"project":{"archive_status":"standard"}`:                                  frameio.OriginalMissing,
		`"original":null,"archive_status":"archived"`:                                              frameio.OriginalArchived,
		`"original":null,"project":{"archive_status":"unarchiving"}`:                               frameio.OriginalArchived,
		`"original":"https://s/x","asset_type":"stream","project":{"archive_status":"archived"}`:   frameio.OriginalArchived,
		`"original":"https://s/x","asset_type":"document","project":{"archive_status":"archived"}`: frameio.OriginalAvailable,
	} {
		var a asset
		require.NoError(t, json.Unmarshal([]byte(`{"type":"file","upload_completed_at":"2026-01-01T00:00:00Z",`+body+`}`), &a), body)
		assert.Equal(t, want, a.domain().Original, body)
	}
}

// Old projects have bundles, which are documented next to folders: their contents are not silently left out.
func TestABundleIsAFolder(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`[{"id":"b","type":"bundle","_type":"bundle","name":"Dailies"},{"id":"f","type":null,"_type":"file","name":"cut.mov"}]`))
	}))
	defer srv.Close()
	p, err := New(config.Frameio{BaseURL: srv.URL, Token: "t"})
	require.NoError(t, err)
	page, err := p.Children(t.Context(), "root", "")
	require.NoError(t, err)
	kinds := map[string]frameio.AssetKind{}
	for _, a := range page.Items {
		kinds[a.ID] = a.Kind
	}
	assert.Equal(t, map[string]frameio.AssetKind{"b": frameio.KindFolder, "f": frameio.KindFile}, kinds)
}
