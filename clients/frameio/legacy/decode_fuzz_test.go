package legacy

import (
	"encoding/json"
	"testing"

	"github.com/framebridge/framebridge/clients/frameio"
)

// Whatever the legacy API answers, the decoded values stay within their bounds.
func FuzzDecoders(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"id":"a","type":"file","filesize":"12","fps":"23.976","frames":1e300,"duration":-4,"label":5,"versions":[]}`,
		`{"id":"c","text":"x","timestamp":"7","duration":1e18,"annotation":"[{}]","owner":null,"inserted_at":"2016-02-03T16:38:46.985Z","replies":[{}]}`,
		`{"id":"s","name":null,"is_active":"true","access_control":[],"has_password":"true","expires_at":"tomorrow","presentation_items":[{"index":"x","asset":5}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a asset
		if json.Unmarshal(raw, &a) == nil {
			if d := a.domain(); d.Frames < 0 || d.Frames > mostWhole || d.Size < -1 || d.Size > mostWhole {
				t.Fatalf("%d frames, %d bytes", d.Frames, d.Size)
			}
		}
		var c comment
		if json.Unmarshal(raw, &c) == nil {
			if d := c.domain("f"); d.Frames < 0 || d.Frame != nil && *d.Frame < 0 {
				t.Fatalf("%+v", d)
			}
		}
		var s share
		if json.Unmarshal(raw, &s) == nil {
			_ = s.domain(frameio.ShareReviewLink, nil)
		}
	})
}
