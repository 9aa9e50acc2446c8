package v4

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

// CreateShare wraps POST ~/projects/{id}/shares, for at most 100 assets. Servers from before September 2026 refuse unknown
// fields, and accounts refuse what their plan or policy forbids. CreateShare then repeats the request without what the share
// can do without, one call at a time. It generates a passphrase if the policy requires one and the server does not generate it.
func (c *Client) CreateShare(ctx context.Context, projectID string, n frameio.NewShare) (frameio.Share, error) {
	body := map[string]any{"type": "asset", "name": n.Name, "access": string(frameio.AccessPublic), "downloading_enabled": n.Download}
	if len(n.AssetIDs) > 0 {
		body["asset_ids"] = n.AssetIDs
	}
	if !n.ExpiresAt.IsZero() {
		body["expiration"] = n.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if n.Passphrase != "" {
		body["passphrase"] = n.Passphrase
	}
	if n.Access == frameio.AccessSecure {
		body["access"] = string(frameio.AccessSecure)
	}
	if n.Closed {
		body["enabled"] = false
	}
	for field, on := range map[string]bool{"watermark_enabled": n.Watermark, "forensic_watermark_enabled": n.Forensic, "drm_enabled": n.DRM} {
		if on {
			body[field] = true
		}
	}
	var refused []frameio.Refused
	var first error
	for {
		raw, err := one[json.RawMessage](ctx, c, opCreateShare, nil, body, "projects", projectID, "shares")
		if err == nil {
			d := readShare(raw)
			d.Refused = refused
			return d, frameio.Made(d.ID, opCreateShare, nil)
		}
		r, ok := without(body, n, err)
		if !ok {
			// If the refusal did not say what is wrong, making the share secure was a guess.
			if first != nil && n.Access == frameio.AccessAuto && !rest.IsUncertain(err) && !waits(err) {
				err = first
			}
			return frameio.Share{}, err
		}
		if first == nil {
			first = err
		}
		refused = append(refused, r)
	}
}

// without removes from a request what its refusal is about. It returns false if there is nothing to remove, or if the share must have it.
func without(body map[string]any, n frameio.NewShare, err error) (frameio.Refused, bool) {
	var e *rest.Error
	if !errors.As(err, &e) || e.Class != rest.Permanent && e.Class != rest.Forbidden && e.Class != rest.Unsupported {
		return frameio.Refused{}, false
	}
	said := strings.ToLower(e.Detail)
	about := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(said, w) {
				return true
			}
		}
		return false
	}
	has := func(field string) bool { _, ok := body[field]; return ok }
	why := e.Detail
	if strings.Contains(said, "unexpected field") {
		why = ""
	}
	switch {
	case about("forensic", "drm"):
		return frameio.Refused{}, false
	case about("watermark") && has("watermark_enabled"):
		delete(body, "watermark_enabled")
		return frameio.Refused{What: frameio.RefusedWatermark, Why: why}, !n.MustWatermark
	case about("download") && body["downloading_enabled"] == true:
		body["downloading_enabled"] = false
		return frameio.Refused{What: frameio.RefusedDownload, Why: why}, true
	case about("passphrase", "password") && !has("passphrase"):
		body["passphrase"] = rand.Text()
		return frameio.Refused{What: frameio.RefusedOpen, Why: why}, true
	case refusedField(err, "enabled") && has("enabled"):
		delete(body, "enabled")
		delete(body, "asset_ids")
		return frameio.Refused{What: frameio.RefusedClosed, Why: why}, true
	case n.Access == frameio.AccessAuto && body["access"] == string(frameio.AccessPublic):
		body["access"] = string(frameio.AccessSecure)
		return frameio.Refused{What: frameio.RefusedPublic, Why: why}, true
	}
	return frameio.Refused{}, false
}

// waits reports whether the same request may succeed later.
func waits(err error) bool {
	c := rest.ClassOf(err)
	return c == rest.Retryable || c == rest.Throttled || c == rest.Unauthorized
}

// refusedField reports whether a request was refused because of the field with exactly that name.
func refusedField(err error, name string) bool {
	var e *rest.Error
	return errors.As(err, &e) && e.Class == rest.Permanent && regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(e.Detail)
}

// UpdateShare wraps PATCH ~/shares/{id}. On servers that do not know "enabled", it lets the share expire instead, and it
// deletes a share that cannot be switched off: a link must not stay on.
func (c *Client) UpdateShare(ctx context.Context, id string, ch frameio.ShareChange) error {
	body := map[string]any{}
	if ch.ExpiresAt != nil {
		body["expiration"] = ch.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if ch.Active != nil {
		body["enabled"] = *ch.Active
	}
	if ch.Passphrase != nil {
		body["passphrase"] = nullable(*ch.Passphrase)
	}
	if ch.Download != nil {
		body["downloading_enabled"] = *ch.Download
	}
	_, err := one[json.RawMessage](ctx, c, opUpdateShare, nil, body, "shares", id)
	off := ch.Active != nil && !*ch.Active
	if ch.Active != nil && refusedField(err, "enabled") {
		delete(body, "enabled")
		if off {
			body["expiration"] = c.now().UTC().Format(time.RFC3339)
		}
		if len(body) == 0 {
			return nil
		}
		_, err = one[json.RawMessage](ctx, c, opUpdateShare, nil, body, "shares", id)
	}
	if off && rest.IsRefused(err) && !rest.IsNotFound(err) { // for example because of an expiry that is not in the future
		if gone := c.deleteShare(ctx, id); gone == nil || !rest.IsRefused(gone) {
			return gone
		}
	}
	return err
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
