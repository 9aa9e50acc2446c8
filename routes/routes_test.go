package routes

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/config"
)

// TestButtonsOutliveARotation: iconik keeps the button's address for as long as the job.
func TestButtonsOutliveARotation(t *testing.T) {
	const archive = "4bd2e2ac-0000-4000-8000-00000000000a"
	tenant := func(keys, actions config.Secrets) *config.Tenant {
		return &config.Tenant{ID: "t", APIKey: keys, Iconik: config.Iconik{ActionSecret: actions}}
	}
	before := ControlKey(tenant(config.Secrets{"key"}, config.Secrets{"old"}), archive, "retry")
	byKey := ControlKey(tenant(config.Secrets{"key"}, nil), archive, "retry")
	for name, tt := range map[string]struct {
		now   *config.Tenant
		given string
		want  bool
	}{
		"rotated":                     {tenant(config.Secrets{"key"}, config.Secrets{"new", "old"}), before, true},
		"rotation is over":            {tenant(config.Secrets{"key"}, config.Secrets{"new"}), before, false},
		"an action secret came since": {tenant(config.Secrets{"key"}, config.Secrets{"new"}), byKey, true},
		"the api_key was rotated":     {tenant(config.Secrets{"other", "key"}, nil), byKey, true},
		"no secret at all":            {tenant(nil, nil), ControlKey(tenant(nil, nil), archive, "retry"), false},
		"an empty secret":             {tenant(config.Secrets{""}, nil), controlKey("", tenant(nil, nil), archive, "retry"), false},
		"nothing given":               {tenant(config.Secrets{"key"}, config.Secrets{"new"}), "", false},
	} {
		assert.Equal(t, tt.want, FitsControl(tt.now, archive, "retry", tt.given), name)
	}
	assert.False(t, FitsControl(tenant(config.Secrets{"key"}, config.Secrets{"old"}), archive, "cancel", before), "another control")
}
