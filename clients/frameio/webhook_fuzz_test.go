package frameio

import (
	"testing"
	"time"
)

// Only what was signed with the secret is accepted, in its only spelling, and an event names what it is about.
func FuzzWebhook(f *testing.F) {
	f.Add([]byte(`{"type":"comment.created","resource":{"id":"a","type":"comment"},"project":{"id":"p"},"team":{"id":"t"}}`), "1764000000", "v0=00")
	f.Add([]byte(`{"type":"project.updated","resource":{"id":"a"},"workspace":null}`), "-1", "V0=")
	f.Add([]byte(`{"type":5,"resource":[]}`), "9223372036854775807", "")
	f.Add([]byte("\xff{"), "", "v0=")
	f.Fuzz(func(t *testing.T, body []byte, timestamp, signature string) {
		const secret = "the-secret-of-a-webhook"
		now := time.Unix(1764000000, 0)
		err := VerifySignature([]string{"", secret}, timestamp, signature, body, now)
		if signed := signature == Sign(secret, timestamp, body); err == nil && !signed {
			t.Fatalf("%q is taken", signature)
		}
		if e, err := ParseEvent(body); err == nil && (e.Type == "" || e.ResourceID == "") {
			t.Fatalf("%+v", e)
		}
	})
}
