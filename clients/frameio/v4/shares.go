package v4

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

type share struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Access     string  `json:"access"`
	ShortURL   string  `json:"short_url"`
	Enabled    *flag   `json:"enabled"`
	Expiration instant `json:"expiration"`
	CreatedAt  instant `json:"created_at"`
	Watermark  *flag   `json:"watermark_enabled"`
	Downloads  *flag   `json:"downloading_enabled"`

	CollectionID *string `json:"collection_id"`
}

func (s share) domain(raw json.RawMessage) frameio.Share {
	d := frameio.Share{ID: s.ID, Kind: frameio.ShareV4, Name: s.Name, URL: s.ShortURL, Active: s.Enabled == nil || bool(*s.Enabled), ExpiresAt: s.Expiration.Time, CreatedAt: s.CreatedAt.Time,
		Watermark: frameio.WatermarkUnknown, CollectionID: text(s.CollectionID), Settings: map[string]any{}, Access: frameio.AccessPublic,
		Downloads: s.Downloads != nil && bool(*s.Downloads)}
	if s.Access == string(frameio.AccessSecure) {
		d.Access = frameio.AccessSecure
	}
	if s.Watermark != nil {
		d.Watermark = frameio.WatermarkOff
		if *s.Watermark {
			d.Watermark = frameio.WatermarkOn
		}
	}
	var all map[string]any
	if json.Unmarshal(raw, &all) == nil {
		for k, v := range all {
			switch k {
			case "id", "name", "short_url", "created_at", "passphrase":
			default:
				if v != nil {
					d.Settings[k] = v
				}
			}
		}
		for _, name := range []string{"url", "share_url"} { // the documented field may be null
			if address, ok := all[name].(string); ok && d.URL == "" {
				d.URL = address
			}
		}
		if p, ok := all["passphrase"].(string); ok && p != "" {
			d.Settings["has_password"], d.HasPassphrase = true, true
		}
	}
	return d
}

func readShare(raw json.RawMessage) frameio.Share {
	var s share
	_ = json.Unmarshal(raw, &s) // what cannot be decoded stays empty, and an empty ID is refused
	return s.domain(raw)
}

// Shares wraps GET ~/projects/{id}/shares. One call a page.
func (c *Client) Shares(ctx context.Context, projectID, cursor string) (frameio.Page[frameio.Share], error) {
	rows, next, err := list[json.RawMessage](ctx, c, opShares, nil, pageSize, cursor, "projects", projectID, "shares")
	return page(rows, next, readShare), err
}

// ShareItems wraps GET ~/shares/{id}/assets, which lists the members and everything below them, one row each: a row whose
// folder or stack is also in the listing is not a member. To tell them apart, it reads all pages.
func (c *Client) ShareItems(ctx context.Context, s frameio.Share, _ string) (frameio.Page[frameio.ShareItem], error) {
	rows, err := c.shareRows(ctx, s.ID)
	if err != nil {
		return frameio.Page[frameio.ShareItem]{}, err
	}
	listed := map[string]bool{}
	for _, r := range rows {
		listed[r.id] = true
	}
	out := frameio.Page[frameio.ShareItem]{}
	for _, r := range rows {
		if !listed[r.parent] {
			out.Items = append(out.Items, frameio.ShareItem{AssetID: r.id, Kind: r.kind})
		}
	}
	return out, nil
}

type shareRow struct {
	id, parent string
	kind       frameio.AssetKind
}

func (c *Client) shareRows(ctx context.Context, id string) ([]shareRow, error) {
	var rows []shareRow
	err := every(ctx, c, opShareAssets, nil, pageSize, func(a asset) string { return a.ID }, func(a asset) {
		rows = append(rows, shareRow{a.ID, text(a.ParentID), frameio.AssetKind(a.Type)})
	}, "shares", id, "assets")
	return rows, err
}

// ShareByID wraps GET ~/shares/{id}.
func (c *Client) ShareByID(ctx context.Context, id string) (frameio.Share, error) {
	raw, err := one[json.RawMessage](ctx, c, opShare, nil, nil, "shares", id)
	if err != nil {
		return frameio.Share{}, err
	}
	return readShare(raw), nil
}

// deleteShare wraps DELETE ~/shares/{id}. The assets that it showed stay.
func (c *Client) deleteShare(ctx context.Context, id string) error {
	path, err := c.in(ctx, "shares", id)
	if err == nil {
		err = c.do(ctx, opDeleteShare, path, nil, nil, nil)
	}
	return err
}

// AddToShare wraps POST ~/shares/{id}/assets, one call per asset, after it has read what is already there. A version of a
// shared stack is shown with the stack.
func (c *Client) AddToShare(ctx context.Context, id string, assetIDs []string) error {
	have := map[string]bool{}
	rows, err := c.shareRows(ctx, id)
	if err != nil && !rest.IsRefused(err) { // adding what is already there is handled too
		return err
	}
	for _, r := range rows {
		have[r.id] = true
	}
	for _, a := range assetIDs {
		if have[a] {
			continue
		}
		if _, err := one[json.RawMessage](ctx, c, opAddToShare, nil, map[string]any{"asset_id": a}, "shares", id, "assets"); err != nil && !already(err) {
			return err
		}
	}
	return nil
}

// already reports whether an asset is in the share: V4's conflict need not say what it conflicts with.
func already(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && (e.Status == http.StatusConflict || strings.Contains(strings.ToLower(e.Detail), "already"))
}

// Invite wraps POST ~/shares/{id}/reviewers, at most 10 addresses.
func (c *Client) Invite(ctx context.Context, id string, emails []string, message string, sending func(context.Context) error) error {
	path, err := c.in(ctx, "shares", id, "reviewers")
	if err != nil {
		return err
	}
	body := map[string]any{"message": message, "reviewers": map[string]any{"emails": emails}}
	return c.send(ctx, rest.Request{Operation: opInvite, Path: path, Body: body, Sending: sending}, nil)
}

// Reviewers wraps GET ~/shares/{id}/reviewers. People are only sent the link to a public share, and it need not list them: an
// empty list means nothing.
func (c *Client) Reviewers(ctx context.Context, id string) (frameio.Reviewers, error) {
	out := frameio.Reviewers{Listed: true}
	for u, err := range rest.Pages(ctx, vendorName, opReviewers, user.key, func(ctx context.Context, cursor string) ([]user, string, error) {
		return list[user](ctx, c, opReviewers, url.Values{}, pageSize, cursor, "shares", id, "reviewers")
	}) {
		if err != nil {
			return out, err
		}
		out.Emails = append(out.Emails, text(u.Email))
		out.People = append(out.People, u.domain())
	}
	if out.Count = len(out.Emails); out.Count == 0 {
		return frameio.Reviewers{Count: -1}, nil
	}
	return out, nil
}
