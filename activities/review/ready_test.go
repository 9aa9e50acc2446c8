package review

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// Frame.io may take hours to process a file, but not forever.
func TestAFileThatIsNeverReadyIsGivenUp(t *testing.T) {
	var own *fault.Error
	require.ErrorAs(t, notReady("Take", workflows.ReadyPatience-time.Hour), &own)
	assert.False(t, own.Final)
	require.ErrorAs(t, notReady("Take", workflows.ReadyPatience+time.Hour), &own)
	assert.True(t, own.Final)
	assert.Equal(t, `Frame.io has been processing "Take" for more than 12 hours.`, own.Text)
}

// If Frame.io reports no frame rate, iconik may: from its analysis of the original, or from its proxy.
func TestIconikTellsTheFrameRate(t *testing.T) {
	const original = `{"objects":[{"id":"o","name":"ORIGINAL","status":"ACTIVE","components":[{"type":"AUDIO","metadata":{"framerate":"46.875"}},{"type":"VIDEO","metadata":{"framerate":%}}]}]}`
	for name, c := range map[string]struct {
		formats, proxies string
		want             mapping.Rate
	}{
		"of the original":   {strings.Replace(original, "%", `"23.976"`, 1), `{"objects":[{"id":"p","frame_rate":"25"}]}`, mapping.Rate{Num: 24000, Den: 1001}},
		"as a number":       {strings.Replace(original, "%", `29.97`, 1), `{"objects":[]}`, mapping.Rate{Num: 30000, Den: 1001}},
		"as a fraction":     {strings.Replace(original, "%", `"60000/1001"`, 1), `{"objects":[]}`, mapping.Rate{Num: 60000, Den: 1001}},
		"of the proxy":      {`{"objects":[{"id":"o","name":"ORIGINAL","components":[]}]}`, `{"objects":[{"id":"p","frame_rate":null},{"id":"q","frame_rate":"25.000 FPS"}]}`, mapping.Rate{Num: 25, Den: 1}},
		"of another format": {`{"objects":[{"id":"o","name":"EDIT","components":[{"type":"VIDEO","metadata":{"framerate":"50"}}]}]}`, `{"objects":[]}`, mapping.Rate{}},
		"nobody knows":      {strings.Replace(original, "%", `"variable"`, 1), `{"objects":[]}`, mapping.Rate{}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body := c.formats
				if strings.HasSuffix(r.URL.Path, "/proxies/") {
					body = c.proxies
				}
				_, _ = w.Write([]byte(body))
			}))
			defer srv.Close()
			client, err := iconik.New(config.Iconik{BaseURL: srv.URL, AppID: "a", AuthToken: "t"})
			require.NoError(t, err)
			rate, err := (&tenant.Tenant{Iconik: client}).VersionRate(t.Context(), "A", "V")
			require.NoError(t, err)
			assert.Equal(t, c.want, rate)
		})
	}
}
