package v4

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

// Adobe's tokens are JWTs: they all begin alike, and most have the same length. A newly configured one still takes effect.
func TestANewRefreshTokenInTheConfigurationIsUsed(t *testing.T) {
	const first, second, rotated = "eyJhbGciOiJub25lIn0.first-.x", "eyJhbGciOiJub25lIn0.second.x", "eyJhbGciOiJub25lIn0.rotate.x"
	older := fmt.Sprintf("client/%d/eyJhbG", len(first)) // as it was written before
	for name, tt := range map[string]struct {
		from       string // of the stored line
		configured string
		takes      string // the refresh token that Adobe accepts
		asked      []string
		refused    bool
	}{
		"the same":                        {from: first, configured: first, takes: rotated, asked: []string{rotated}},
		"another one":                     {from: first, configured: second, takes: second, asked: []string{second}},
		"kept by an older version":        {from: older, configured: first, takes: rotated, asked: []string{rotated}},
		"another one, by an older one":    {from: older, configured: second, takes: second, asked: []string{rotated, second}},
		"the same, and the kept one void": {from: first, configured: first, takes: "none", asked: []string{rotated, first}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			v := newVendor(t, map[string]http.HandlerFunc{"GET projects": answer(`{"data":[]}`), "POST /ims/token/v3": func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.FormValue("refresh_token"))
				if r.FormValue("refresh_token") != tt.takes {
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
					return
				}
				_, _ = io.WriteString(w, `{"access_token":"a","refresh_token":"r","expires_in":86399}`)
			}})
			ims := func(refresh string) config.IMS {
				return config.IMS{TokenURL: v.url + "/ims/token/v3", ClientID: "client", ClientSecret: "s", RefreshToken: config.Secret(refresh)}
			}
			kept := Tokens{Access: "old", Ends: time.Now().Add(-time.Hour), Refresh: rotated, From: tt.from}
			if tt.from == first {
				kept.From = fingerprint(ims(first))
			}
			raw, err := json.Marshal(kept)
			require.NoError(t, err)
			m := &memory{kept: raw}
			_, err = v.client(t, func(c *config.Frameio) { c.IMS = ims(tt.configured) }, WithStore(m)).Projects(t.Context(), "")
			assert.Equal(t, tt.refused, err != nil && rest.ClassOf(err) == rest.Unauthorized, "%v", err)
			assert.Equal(t, tt.asked, asked)
			if !tt.refused {
				require.NoError(t, json.Unmarshal(m.kept, &kept))
				assert.Equal(t, fingerprint(ims(tt.configured)), kept.From)
				_, ok := LastRefresh(m.kept, ims(tt.configured))
				assert.True(t, ok)
			}
			assert.NotContains(t, string(m.kept), "eyJhbGciOiJub25lIn0.second.x")
		})
	}
}

// Adobe decides how long an access token is valid: a short one is used for most of its life.
func TestAShortAccessTokenIsUsedMoreThanOnce(t *testing.T) {
	for _, life := range []int{60, 300, 86399, 0} {
		n := 0
		v := newVendor(t, map[string]http.HandlerFunc{"GET projects": answer(`{"data":[]}`), "POST /ims/token/v3": func(w http.ResponseWriter, _ *http.Request) {
			n++
			fmt.Fprintf(w, `{"access_token":"a%d","expires_in":%d}`, n, life)
		}})
		m := &memory{}
		for range 2 { // two processes
			c := v.client(t, func(c *config.Frameio) {
				c.IMS = config.IMS{TokenURL: v.url + "/ims/token/v3", ClientID: "client", ClientSecret: "s"}
			}, WithStore(m))
			for range 3 {
				_, err := c.Projects(t.Context(), "")
				require.NoError(t, err)
			}
		}
		assert.Equal(t, 1, n, "%d s", life)
	}
	tk := newTokens(config.Frameio{IMS: config.IMS{ClientID: "client"}})
	for left, good := range map[time.Duration]bool{4 * time.Minute: false, 6 * time.Minute: true} {
		assert.Equal(t, good, tk.usable(Tokens{Access: "a", Ends: time.Now().Add(left)}), "kept without its life, %s left", left)
	}
	assert.False(t, tk.usable(Tokens{Access: "a", Life: time.Minute, Ends: time.Now().Add(5 * time.Second)}))
}
