package v4

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
)

// F29: an account managed in Adobe's Admin Console accepts a developer token from a client that Frame.io Support has set up.
func TestADeveloperTokenOfAnAdminConsoleAccount(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Frameio-Service-Client") != "post-house" || r.Header.Get("X-Frameio-Legacy-Token-Auth") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, `{"data":[{"id":"acc","display_name":"A"}]}`)
	}))
	defer srv.Close()
	for client, hint := range map[string]string{"post-house": "", "": "frameio.service_client", "another": "frameio.ims"} {
		c, err := New(config.Frameio{BaseURL: srv.URL, Token: "fio-u-x", ServiceClient: client})
		require.NoError(t, err)
		account, err := c.accountID(t.Context())
		if hint != "" {
			require.ErrorContains(t, err, hint)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, "acc", account)
	}
}
