// Package routes knows the addresses that Framebridge gives out, and the keys that are part of them.
package routes

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"

	"github.com/framebridge/framebridge/config"
)

// Prefix is the root of every route that outsiders call.
const Prefix = "/api/v1/services/frameio"

// ControlKey authorises one control of one archive without a header: iconik's job buttons cannot send any. It is made of the
// secret in use.
func ControlKey(t *config.Tenant, archive, verb string) string {
	for _, secret := range buttonSecrets(t) {
		return controlKey(secret, t, archive, verb)
	}
	return ""
}

// FitsControl tells whether a button's key is for this archive and control, made of any secret that is configured: buttons
// of before a rotation stay good for as long as the former secret is in the list. The time it takes tells nothing.
func FitsControl(t *config.Tenant, archive, verb, given string) bool {
	fits := false
	for _, secret := range buttonSecrets(t) {
		fits = hmac.Equal([]byte(controlKey(secret, t, archive, verb)), []byte(given)) || fits
	}
	return fits
}

// buttonSecrets are what keys are made of, the one in use first. Whoever knows an api_key may do what a button does.
func buttonSecrets(t *config.Tenant) []string {
	return slices.DeleteFunc(append(t.Iconik.ActionSecret.RevealAll(), t.APIKey.RevealAll()...), func(s string) bool { return s == "" })
}

func controlKey(secret string, t *config.Tenant, archive, verb string) string {
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
