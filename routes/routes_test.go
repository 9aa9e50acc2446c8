package routes

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/config"
)

// TestButtonsOutliveARotation: iconik keeps a button's URL for as long as the job.
func TestButtonsOutliveARotation(t *testing.T) {
	const archive = "4bd2e2ac-0000-4000-8000-00000000000a"
	tenant := func(keys, actions config.Secrets) *config.Tenant {
		return &config.Tenant{ID: "t", APIKey: keys, Iconik: config.Iconik{ActionSecret: actions}}
	}
	now := time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)
	before := ControlKey(tenant(config.Secrets{"key"}, config.Secrets{"old"}), archive, "retry", now)
	byKey := ControlKey(tenant(config.Secrets{"key"}, nil), archive, "retry", now)
	for name, tt := range map[string]struct {
		now   *config.Tenant
		given string
		want  bool
	}{
		"rotated":                     {tenant(config.Secrets{"key"}, config.Secrets{"new", "old"}), before, true},
		"rotation is over":            {tenant(config.Secrets{"key"}, config.Secrets{"new"}), before, false},
		"an action secret came since": {tenant(config.Secrets{"key"}, config.Secrets{"new"}), byKey, true},
		"the api_key was rotated":     {tenant(config.Secrets{"other", "key"}, nil), byKey, true},
		"no secret at all":            {tenant(nil, nil), ControlKey(tenant(nil, nil), archive, "retry", now), false},
		"an empty secret":             {tenant(config.Secrets{""}, nil), controlKey("", tenant(nil, nil), archive, "retry", ""), false},
		"nothing given":               {tenant(config.Secrets{"key"}, config.Secrets{"new"}), "", false},
	} {
		assert.Equal(t, tt.want, FitsControl(tt.now, archive, "retry", tt.given, now), name)
	}
	assert.False(t, FitsControl(tenant(config.Secrets{"key"}, config.Secrets{"old"}), archive, "cancel", before, now), "another control")
}

// TestButtonsEnd: a key is valid for its time, which cannot be extended.
func TestButtonsEnd(t *testing.T) {
	const archive = "4bd2e2ac-0000-4000-8000-00000000000a"
	tenant := &config.Tenant{ID: "t", APIKey: config.Secrets{"key"}}
	now := time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)
	key := ControlKey(tenant, archive, "retry", now)
	assert.True(t, FitsControl(tenant, archive, "retry", key, now.Add(ButtonsLast-time.Second)))
	assert.False(t, FitsControl(tenant, archive, "retry", key, now.Add(ButtonsLast)))
	_, mac, _ := strings.Cut(key, ".")
	for _, given := range []string{"zzzzzz." + mac, mac, "." + mac, "-1." + mac} {
		assert.False(t, FitsControl(tenant, archive, "retry", given, now), given)
	}
	undated := controlKey("key", tenant, archive, "retry", "") // from an earlier release
	assert.True(t, FitsControl(tenant, archive, "retry", undated, now))
	assert.False(t, FitsControl(tenant, archive, "retry", undated, undatedUntil))
}
