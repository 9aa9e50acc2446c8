package v4

import (
	"encoding/json"
	"testing"
)

// Whatever V4 answers, the decoded values stay within their bounds.
func FuzzDecoders(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"id":"a","type":"file","file_size":-5,"status":"transcoded","metadata":[{"field_definition_name":"Frame Rate","value":"0/0"},{"field_definition_name":"Duration","value":{}}]}`,
		`{"id":"c","text":"x","timestamp":"00:00:01:00","duration":-1,"annotation":5,"owner":{},"completed_at":"never"}`,
		`{"id":"s","enabled":null,"expiration":"2026-12-01T00:00:00Z","passphrase":"x","access":"secure","watermark_enabled":true}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a asset
		if json.Unmarshal(raw, &a) == nil {
			if d := a.domain(true, nil); d.Frames < 0 {
				t.Fatalf("%d frames", d.Frames)
			}
		}
		var c comment
		if json.Unmarshal(raw, &c) == nil {
			if d := c.domain("f", "", reading{}); d.Frames < 0 || d.Frame != nil && *d.Frame < 0 {
				t.Fatalf("%+v", d)
			}
		}
		if s := readShare(raw); s.Settings["passphrase"] != nil {
			t.Fatal("a passphrase is kept")
		}
		_ = readProject(raw)
	})
}
