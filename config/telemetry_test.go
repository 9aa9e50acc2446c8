package config

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTelemetryIsOffAndItsHeadersAreSecrets(t *testing.T) {
	c, err := load(t, least)
	require.NoError(t, err)
	assert.Equal(t, OTLP{Protocol: OTLPOverHTTP, TracesPercent: 100, Interval: time.Minute, Headers: map[string]Secret{}}, c.Telemetry.OTLP)

	c, err = load(t, least+`telemetry: {otlp: {endpoint: "http://collector.internal:4318", headers: {Authorization: Bearer of-the-collector}, traces_percent: 5, interval: 10s}}
`)
	require.NoError(t, err)
	o := c.Telemetry.OTLP
	assert.Equal(t, 5, o.TracesPercent)
	require.Len(t, o.Headers, 1)
	for _, v := range o.Headers {
		assert.Equal(t, "Bearer of-the-collector", v.Reveal())
	}
	assert.Contains(t, c.SecretValues(), "Bearer of-the-collector")
	assert.NotContains(t, fmt.Sprintf("%v %+v", o, o), "of-the-collector")
	assert.Contains(t, c.Warnings, "telemetry.otlp.endpoint: sends telemetry.otlp.headers unencrypted: use https://")

	_, err = load(t, least+`telemetry: {otlp: {endpoint: "https://me:pw@collector.internal", protocol: udp, headers: {"a b": x}, ca: none.pem, traces_percent: 101, interval: 1ms}}
`)
	for _, want := range []string{"endpoint: must contain no password", "protocol: ", "headers: ", "ca: ", "traces_percent: ", "interval: "} {
		assert.ErrorContains(t, err, "telemetry.otlp."+want)
	}
}
