// Package routes knows the addresses that Framebridge gives out, and the keys that are part of them.
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

// Prefix is the root of every route that outsiders call.
const Prefix = "/api/v1/services/frameio"

// ButtonsLast is how long a button's key is good. A job's buttons are renewed whenever its progress is shown, and at its end.
const ButtonsLast = 90 * 24 * time.Hour

// undatedUntil is when keys of before, which have no end of their own, are no longer taken.
var undatedUntil = time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC)

// ControlKey authorizes one control of one archive without a header until ButtonsLast from now: iconik's job buttons cannot
// send any. It is made of the secret in use.
func ControlKey(t *config.Tenant, archive, verb string, now time.Time) string {
	for _, secret := range buttonSecrets(t) {
		until := strconv.FormatInt(now.Add(ButtonsLast).Unix(), 36)
		return until + "." + controlKey(secret, t, archive, verb, until)
	}
	return ""
}

// FitsControl tells whether a button's key is for this archive and control, made of any secret that is configured, and still
// good: buttons of before a rotation stay so for as long as the former secret is in the list. The time it takes tells nothing.
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

// buttonSecrets are what keys are made of, the one in use first. Whoever knows an api_key may do what a button does.
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

// Archive is where an archive's state is read, and where its controls are.
func Archive(cfg *config.Config, id string) string {
	return cfg.HTTP.PublicURL + Prefix + "/archives/" + url.PathEscape(id)
}

// ConsoleArchive is where a person who signs in sees an archive.
func ConsoleArchive(cfg *config.Config, tenant, id string) string {
	return cfg.HTTP.PublicURL + "/ui/" + tenant + "/archives/" + url.PathEscape(id)
}

// ConsoleReview is where a person who signs in sees a review.
func ConsoleReview(cfg *config.Config, tenant, id string) string {
	return cfg.HTTP.PublicURL + "/ui/" + tenant + "/reviews/" + url.PathEscape(id)
}

// ArchiveControl is what a button of an archive's job in iconik calls.
func ArchiveControl(cfg *config.Config, t *config.Tenant, archive, verb string) string {
	q := url.Values{"tenant-id": {t.ID}, "key": {ControlKey(t, archive, verb, time.Now())}}
	return Archive(cfg, archive) + "/" + verb + "?" + q.Encode()
}

// Migration is where a migration's state is read, and where its controls are.
func Migration(cfg *config.Config, id string) string {
	return cfg.HTTP.PublicURL + Prefix + "/migrations/" + url.PathEscape(id)
}

// Review is where a review's state is read, and where its controls are.
func Review(cfg *config.Config, id string) string {
	return cfg.HTTP.PublicURL + Prefix + "/reviews/" + url.PathEscape(id)
}
