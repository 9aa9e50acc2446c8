package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/events"
)

// Headers of webhook requests.
const (
	SignatureHeader = "Framebridge-Signature"
	EventHeader     = "Framebridge-Event-Id"
)

// Webhook returns the body for a tenant's own webhook.
func Webhook(e events.Event) ([]byte, error) {
	e.Created = e.Created.UTC()
	return json.Marshal(e)
}

// Sign returns the value of SignatureHeader: the time of the attempt and, for each secret, an HMAC-SHA256 over
// that time, a dot and the body.
func Sign(body []byte, secrets []string, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	parts := []string{"t=" + stamp}
	for _, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s))
		mac.Write([]byte(stamp + "."))
		mac.Write(body)
		parts = append(parts, "v1="+hex.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(parts, ",")
}
