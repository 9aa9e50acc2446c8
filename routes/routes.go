// Package routes knows the addresses that Framebridge gives out, and the keys that are part of them.
package routes

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"github.com/framebridge/framebridge/config"
)

// Prefix is the root of every route that outsiders call.
const Prefix = "/api/v1/services/frameio"

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

// Archive is where an archive's state is read, and where its controls are.
func Archive(cfg *config.Config, id string) string {
	return cfg.HTTP.PublicURL + Prefix + "/archives/" + url.PathEscape(id)
}

// ArchiveControl is what a button of an archive's job in iconik calls.
func ArchiveControl(cfg *config.Config, t *config.Tenant, archive, verb string) string {
	q := url.Values{"tenant-id": {t.ID}, "key": {ControlKey(t, archive, verb)}}
	return Archive(cfg, archive) + "/" + verb + "?" + q.Encode()
}

// Review is where a review's state is read, and where its controls are.
func Review(cfg *config.Config, id string) string {
	return cfg.HTTP.PublicURL + Prefix + "/reviews/" + url.PathEscape(id)
}
