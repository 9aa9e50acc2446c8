package config

import (
	"net/url"
	"strings"
	"time"
)

// OpenTelemetry protocols.
const (
	OTLPOverHTTP = "http/protobuf"
	OTLPOverGRPC = "grpc"
)

// Telemetry says where metrics and traces go, apart from the metrics that Prometheus scrapes.
type Telemetry struct {
	OTLP OTLP `yaml:"otlp"`
}

// OTLP is an OpenTelemetry collector. Without an endpoint it is off.
type OTLP struct {
	Endpoint      string            `yaml:"endpoint"`
	Protocol      string            `yaml:"protocol"`
	Headers       map[string]Secret `yaml:"headers"`
	CA            PEM               `yaml:"ca"` // the collector's own, in addition to the system's
	TracesPercent int               `yaml:"traces_percent"`
	Interval      time.Duration     `yaml:"interval"` // of metrics
}

func (o *OTLP) validate(p *Problems) {
	oneOf(p, "telemetry.otlp.protocol", o.Protocol, OTLPOverHTTP, OTLPOverGRPC)
	between(p, "telemetry.otlp.traces_percent", int64(o.TracesPercent), 0, 100)
	atLeast(p, "telemetry.otlp.interval", o.Interval, time.Second)
	if _, err := o.CA.Pool(); err != nil {
		p.add("telemetry.otlp.ca", "%v", err)
	}
	for name := range o.Headers {
		if name == "" || strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) >= 0 {
			p.add("telemetry.otlp.headers", "%q is not a header's name", name)
		}
	}
	if o.Endpoint == "" {
		return
	}
	link(p, "telemetry.otlp.endpoint", o.Endpoint)
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil:
	case u.User != nil || u.RawQuery != "":
		p.add("telemetry.otlp.endpoint", "must contain no password and no query: use telemetry.otlp.headers")
	case u.Scheme == "http" && len(o.Headers) > 0 && !isLoopback(u.Hostname()):
		p.warn("telemetry.otlp.endpoint", "sends telemetry.otlp.headers unencrypted: use https://")
	}
}
