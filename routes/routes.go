// Package routes knows the URLs that Framebridge gives out, and the keys in them.
package routes

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/config"
)

// Prefix is the root of all routes for outside callers.
const Prefix = "/api/v1/services/frameio"

// ButtonsLast is how long a button's key is valid. A job's buttons are renewed with every progress update and at its end.
const ButtonsLast = 90 * 24 * time.Hour

// undatedUntil is when older keys without an expiry stop being accepted.
var undatedUntil = time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC)

// ControlKey returns a key that authorizes one control of one archive, without a header, until ButtonsLast from now, because
// iconik's job buttons cannot send headers. It is derived from the current secret.
func ControlKey(t *config.Tenant, archive, verb string, now time.Time) string {
	for _, secret := range buttonSecrets(t) {
		until := strconv.FormatInt(now.Add(ButtonsLast).Unix(), 36)
		return until + "." + controlKey(secret, t, archive, verb, until)
	}
	return ""
}

// FitsControl reports whether a button's key is valid for this archive and control: it must derive from any configured secret and not
// have expired. Keys from before a rotation stay valid as long as the former secret is listed. The time that it takes reveals nothing.
func FitsControl(t *config.Tenant, archive, verb, given string, now time.Time) bool {
	until, mac, dated := strings.Cut(given, ".")
	good := now.Before(undatedUntil)
	if dated {
		end, err := strconv.ParseInt(until, 36, 64)
		good = err == nil && now.Unix() < end
	} else {
		until, mac = "", given
	}
	fits := false
	for _, secret := range buttonSecrets(t) {
		fits = hmac.Equal([]byte(controlKey(secret, t, archive, verb, until)), []byte(mac)) || fits
	}
	return fits && good
}

// buttonSecrets returns the secrets for keys, the current one first. Anyone who knows an api_key may do what a button does.
func buttonSecrets(t *config.Tenant) []string {
	return slices.DeleteFunc(append(t.Iconik.ActionSecret.RevealAll(), t.APIKey.RevealAll()...), func(s string) bool { return s == "" })
}

func controlKey(secret string, t *config.Tenant, archive, verb, until string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("archive:" + t.ID + ":" + archive + ":" + verb))
	if until != "" {
		mac.Write([]byte(":" + until))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// Archive returns the URL of an archive's state and controls.
func Archive(cfg *config.Config, id string) string {
	return cfg.HTTP.PublicURL + Prefix + "/archives/" + url.PathEscape(id)
}

// ConsoleArchive returns the URL of an archive in the console.
func ConsoleArchive(cfg *config.Config, tenant, id string) string {
	return cfg.HTTP.PublicURL + "/ui/" + tenant + "/archives/" + url.PathEscape(id)
}

// ConsoleReview returns the URL of a review in the console.
func ConsoleReview(cfg *config.Config, tenant, id string) string {
	return cfg.HTTP.PublicURL + "/ui/" + tenant + "/reviews/" + url.PathEscape(id)
}

// ArchiveControl returns the URL that a button of an archive's iconik job calls.
func ArchiveControl(cfg *config.Config, t *config.Tenant, archive, verb string) string {
	q := url.Values{"tenant-id": {t.ID}, "key": {ControlKey(t, archive, verb, time.Now())}}
	return Archive(cfg, archive) + "/" + verb + "?" + q.Encode()
}

// Migration returns the URL of a migration's state and controls.
func Migration(cfg *config.Config, id string) string {
	return cfg.HTTP.PublicURL + Prefix + "/migrations/" + url.PathEscape(id)
}

// Review returns the URL of a review's state and controls.
func Review(cfg *config.Config, id string) string {
	return cfg.HTTP.PublicURL + Prefix + "/reviews/" + url.PathEscape(id)
}
