package legacy

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

// An account that was moved to V4 may refuse with 403 as well as with 401; then it refuses the user's own record, too.
func TestAMovedAccountIsToldFromAMissingRight(t *testing.T) {
	for name, c := range map[string]struct {
		asset, me int
		class     rest.Class
		told      bool
	}{
		"moved, 401":      {401, 401, rest.Unauthorized, true},
		"moved, 403":      {403, 403, rest.Unauthorized, true},
		"403, then 401":   {403, 401, rest.Unauthorized, true},
		"a missing right": {403, 200, rest.Forbidden, false},
		"nobody knows":    {403, 500, rest.Forbidden, false},
	} {
		t.Run(name, func(t *testing.T) {
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
			assert.Equal(t, c.told, told)
		})
	}
}
