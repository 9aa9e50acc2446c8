package api

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
)

func TestTheCodecEndpointIsForAdministratorsAndTemporalsUI(t *testing.T) {
	f := newTestServer(t)
	body := `{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"ImtpbSI="}]}`
	resp, _ := f.ask(ask{"POST", "/codec/decode", body, bearer("A")})
	assert.Equal(t, 404, resp.StatusCode, "without keys")

	f.Config().Temporal = config.Temporal{UIURL: "https://temporal.example.com/ui", Codec: config.Codec{Keys: []config.Secret{"a secret of some length"}}}
	f.Config().Tenants[tenantA].APIKeys = []config.APIKey{{Name: "desk", Key: "key of the desk", Role: config.RoleOperator}}
	f.engine, _ = f.routes()
	for _, path := range []string{"/codec/decode", "/codec/encode"} {
		resp, _ = f.ask(ask{"POST", path, body, nil})
		assert.Equal(t, 401, resp.StatusCode)
		resp, _ = f.ask(ask{"POST", path, body, bearer("the desk")})
		assert.Equal(t, 403, resp.StatusCode)
	}
	resp, encoded := f.ask(ask{"POST", "/codec/encode", body, plus(bearer("A"), "Origin", "https://temporal.example.com")})
	require.Equal(t, 200, resp.StatusCode, encoded)
	assert.Equal(t, "https://temporal.example.com", resp.Header.Get("Access-Control-Allow-Origin"))
	payload := encoded["payloads"].([]any)[0].(map[string]any)
	assert.NotEqual(t, "ImtpbSI=", payload["data"])
	secret := `{"payloads":[{"metadata":{"encoding":"` + payload["metadata"].(map[string]any)["encoding"].(string) + `","encryption-key-id":"` +
		payload["metadata"].(map[string]any)["encryption-key-id"].(string) + `"},"data":"` + payload["data"].(string) + `"}]}`
	resp, decoded := f.ask(ask{"POST", "/codec/decode", secret, plus(bearer("A"), "Origin", "https://elsewhere.example.com")})
	require.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "ImtpbSI=", decoded["payloads"].([]any)[0].(map[string]any)["data"])
	assert.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
	resp, _ = f.ask(ask{"OPTIONS", "/codec/decode", "", map[string]string{"Origin": "https://temporal.example.com"}})
	assert.Equal(t, 204, resp.StatusCode)
	assert.Contains(t, resp.Header.Get("Access-Control-Allow-Headers"), "Authorization")

	f.Config().HTTP.InternalListen = "127.0.0.1:0"
	f.engine, _ = f.routes()
	resp, _ = f.ask(ask{"POST", "/codec/decode", secret, bearer("A")})
	assert.Equal(t, 404, resp.StatusCode, "the outside has none then")
}
