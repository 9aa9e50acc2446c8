package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
)

func TestNotifyTestTriesEveryChannel(t *testing.T) {
	v := newVendors(t)
	text, code := v.run(t, "", "notify", "test")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, text, "no channel is configured")

	var mu sync.Mutex
	got := map[string]string{}
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path] = string(body)
		if strings.HasPrefix(r.URL.Path, "/teams") {
			w.WriteHeader(http.StatusGone)
		}
	}))
	defer hooks.Close()
	server, err := mailtest.Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	before, err := os.ReadFile(v.config)
	require.NoError(t, err)
	write := func(teams string) {
		require.NoError(t, os.WriteFile(v.config, []byte(string(before)+`    archive: {notify: [ops@example.com]}
    review: {notify: [OPS@example.com, post@example.com]}
    notify: {slack_url: "`+hooks.URL+`/slack/secret-one", `+teams+`webhook: {url: "`+hooks.URL+`/hook/secret-two", secret: a secret that signs events}, events: [archive.failed]}
mail: {smtp_url: "`+server.URL()+`", from: "framebridge@example.com"}
`), 0o600))
	}
	write(`teams_url: "` + hooks.URL + `/teams/secret-three", `)
	text, code = v.run(t, "", "notify", "test", "--tenant", "Marketing")
	assert.Equal(t, exitFailed, code, text)
	for _, line := range []string{"slack    delivered  HTTP 200", "teams    failed     HTTP 410 Gone", "webhook  delivered  HTTP 200", "mail     delivered  ops@example.com, post@example.com"} {
		assert.Contains(t, text, line)
	}
	assert.NotContains(t, text, "secret-")
	assert.Contains(t, got["/hook/secret-two"], `"type":"notify.test"`)
	assert.Contains(t, got["/slack/secret-one"], `"blocks"`)
	require.Len(t, server.Messages(), 1)

	write("")
	text, code = v.run(t, "", "notify", "test", "--json")
	assert.Zero(t, code, text)
	assert.Contains(t, text, `"channel": "teams"`)
	assert.Contains(t, text, `"status": "off"`)
}
