package activities

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"github.com/framebridge/framebridge/config"
)

// APIPrefix is the root of every route that outsiders call.
const APIPrefix = "/api/v1/services/frameio"

// ControlKey authorises one control of one archive without a header: iconik's job buttons cannot send any.
func ControlKey(t *config.Tenant, archive, verb string) string {
	secret := t.Iconik.ActionSecret.Reveal()
	if secret == "" {
		secret = t.APIKey.Reveal()
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("archive:" + t.ID + ":" + archive + ":" + verb))
	return hex.EncodeToString(mac.Sum(nil))
}

// controlURL is what a job's button calls.
func (a *archive) controlURL(verb string) string {
	q := url.Values{"tenant-id": {a.cfg.ID}, "key": {ControlKey(a.cfg, a.ref.Archive, verb)}}
	return a.statusURL() + "/" + verb + "?" + q.Encode()
}

func (a *archive) statusURL() string {
	return a.Config.HTTP.PublicURL + APIPrefix + "/archives/" + url.PathEscape(a.ref.Archive)
}

// TemporalURL is where a person sees a workflow; empty without a configured UI.
func TemporalURL(cfg *config.Config, workflowID string) string {
	if cfg.Temporal.UIURL == "" {
		return ""
	}
	return cfg.Temporal.UIURL + "/namespaces/" + url.PathEscape(cfg.Temporal.Namespace) + "/workflows/" + url.PathEscape(workflowID)
}
