package legacy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

type comment struct {
	ID          string          `json:"id"`
	AssetID     text            `json:"asset_id"`
	ParentID    text            `json:"parent_id"`
	Text        text            `json:"text"`
	Annotation  json.RawMessage `json:"annotation"`
	Timestamp   number          `json:"timestamp"`
	Duration    number          `json:"duration"`
	Page        number          `json:"page"`
	Private     flag            `json:"private"`
	Completed   *flag           `json:"completed"`
	CompletedAt instant         `json:"completed_at"`
	Completer   text            `json:"completer_id"`
	Likes       number          `json:"like_count"`
	Inserted    instant         `json:"inserted_at"`
	Updated     instant         `json:"updated_at"`
	Deleted     instant         `json:"deleted_at"`
	Owner       tolerant[user]  `json:"owner"`
	OwnerID     text            `json:"owner_id"`
	Guest       tolerant[user]  `json:"anonymous_user"`
	Replies     list[comment]   `json:"replies"`
}

func (c comment) domain(fileID string) frameio.Comment {
	d := frameio.Comment{ID: c.ID, FileID: fileID, ParentID: string(c.ParentID), Text: string(c.Text), Completed: c.completed(),
		CompletedAt: c.CompletedAt.Time, CompletedBy: frameio.User{ID: string(c.Completer)}, Likes: int(c.Likes.whole()), TeamOnly: bool(c.Private),
		Annotation: annotation(c.Annotation), CreatedAt: c.Inserted.Time, UpdatedAt: c.Updated.Time}
	if c.Timestamp.set {
		frame := c.Timestamp.whole() - firstFrame
		d.Frame = &frame
		d.Frames = max(0, c.Duration.whole())
	}
	if c.Page.set {
		page := int(c.Page.whole())
		d.Page = &page
	}
	switch guest, owner := c.Guest.value, c.Owner.value; {
	case guest.is():
		d.Author = frameio.Person{ID: string(guest.ID), Name: string(guest.Name), Email: string(guest.Email), Guest: true}
	case owner.is():
		d.Author = frameio.Person{ID: string(owner.ID), Name: string(owner.Name), Email: string(owner.Email)}
	default:
		d.Author = frameio.Person{ID: string(c.OwnerID), Unknown: true}
	}
	return d
}

// completed reports whether the comment is completed: by its own member or, without that, by its time.
func (c comment) completed() bool {
	if c.Completed == nil {
		return c.CompletedAt.said
	}
	return bool(*c.Completed)
}

// annotation returns the drawing's JSON, which may come as a string or as JSON, or "" if it has no shapes.
func annotation(raw json.RawMessage) string {
	drawn := string(bytes.TrimSpace(raw))
	var s string
	if json.Unmarshal(raw, &s) == nil {
		drawn = s
	}
	switch strings.Join(strings.Fields(drawn), "") {
	case "", "null", "[]", "{}":
		return ""
	}
	return drawn
}

// Comments wraps GET /assets/{id}/comments, a flat list of comments and replies. One call for up to 500.
func (c *Client) Comments(ctx context.Context, fileID, cursor string) (frameio.Page[frameio.Comment], error) {
	rows, next, err := listPage[comment](ctx, c, opComments, "assets/"+url.PathEscape(fileID)+"/comments", url.Values{"include": {"user,replies"}}, cursor)
	out := frameio.Page[frameio.Comment]{Next: next}
	seen := map[string]bool{}
	under := map[string]string{} // of nested replies: the listing itself may not say what they reply to
	add := func(row comment) {
		if row.ParentID == "" {
			row.ParentID = text(under[row.ID])
		}
		if !row.Deleted.said && !seen[row.ID] {
			seen[row.ID] = true
			out.Items = append(out.Items, row.domain(fileID))
		}
	}
	var nested func(row comment, do func(reply comment))
	nested = func(row comment, do func(comment)) { // in responses that nest replies instead of listing them
		for _, reply := range row.Replies {
			if under[reply.ID] == "" {
				under[reply.ID] = row.ID
			}
			do(reply)
			nested(reply, do)
		}
	}
	for _, row := range rows {
		nested(row, func(comment) {})
	}
	for _, row := range rows {
		add(row)
	}
	for _, row := range rows {
		nested(row, add)
	}
	return out, err
}

type share struct {
	ID        string          `json:"id"`
	Name      text            `json:"name"`
	Title     text            `json:"title"`
	ShortURL  text            `json:"short_url"`
	Active    *flag           `json:"is_active"`
	Enabled   *flag           `json:"enabled"`
	ExpiresAt instant         `json:"expires_at"`
	Inserted  instant         `json:"inserted_at"`
	Deleted   instant         `json:"deleted_at"`
	Owner     tolerant[user]  `json:"owner"`
	Items     list[shareItem] `json:"presentation_items"`
	Assets    list[asset]     `json:"assets"`
	AssetID   text            `json:"asset_id"`
	Downloads flag            `json:"enable_downloading"`
	Password  flag            `json:"has_password"`
	Control   tolerant[struct {
		InviteOnly flag `json:"invite_only"`
	}] `json:"access_control"`
}

type shareItem struct {
	Index   number          `json:"index"`
	AssetID text            `json:"asset_id"`
	Asset   tolerant[asset] `json:"asset"`
	Deleted instant         `json:"deleted_at"`
}

func (i shareItem) key() string {
	if a := i.Asset.value; a != nil && i.AssetID == "" {
		return a.ID
	}
	return string(i.AssetID)
}

// settingsKept are the settings kept with an archived share. A passphrase is not among them.
var settingsKept = []string{
	"allow_approvals", "current_version_only", "enable_downloading", "enable_comments", "notify_on_view", "access_control",
	"has_password", "can_download", "layout", "vanity", "view_count", "reviewer_count", "item_count", "password_protected", "description",
	"autoplay", "is_autoplay", "background_color", "color", "format", "include_ext", "include_upload_date", "secure", "style", "text_color", "title", "watermark_user_input",
}

func settings(raw map[string]json.RawMessage) map[string]any {
	out := map[string]any{}
	for _, k := range settingsKept {
		var v any
		if r, ok := raw[k]; ok && json.Unmarshal(r, &v) == nil && v != nil {
			out[k] = v
		}
	}
	if p, ok := raw["password"]; ok && !bytes.Equal(p, []byte("null")) && !bytes.Equal(p, []byte(`""`)) {
		out["has_password"] = true
	}
	return out
}

// Shares lists presentations, then review links. The cursor is "<0 or 1>:<page>". One call a page.
func (c *Client) Shares(ctx context.Context, projectID, cursor string) (frameio.Page[frameio.Share], error) {
	kind, page := splitCursor(cursor)
	op, path, shareKind := opPresentations, "/presentations", frameio.SharePresentation
	if kind == 1 {
		op, path, shareKind = opReviewLinks, "/review_links", frameio.ShareReviewLink
	}
	var out frameio.Page[frameio.Share]
	rows, next, err := listPage[json.RawMessage](ctx, c, op, "projects/"+url.PathEscape(projectID)+path, nil, page)
	if err != nil {
		return out, err
	}
	for _, raw := range rows {
		var s share
		var all map[string]json.RawMessage
		err := errors.Join(json.Unmarshal(raw, &s), json.Unmarshal(raw, &all))
		if err != nil || s.ID == "" { // skipping it would lose it without a word
			return out, &rest.Error{Vendor: vendor, Operation: op, Class: rest.Permanent, Detail: "the response has a row that is no share", Cause: err}
		}
		if s.Deleted.said {
			continue
		}
		out.Items = append(out.Items, s.domain(shareKind, settings(all)))
	}
	switch {
	case next != "" && kind == 0:
		out.Next = "0:" + next
	case next != "":
		out.Next = "1:" + next
	case kind == 0:
		out.Next = "1:1"
	}
	return out, nil
}

func (s share) domain(kind frameio.ShareKind, settings map[string]any) frameio.Share {
	d := frameio.Share{ID: s.ID, Kind: kind, Name: string(s.Name), URL: string(s.ShortURL), Active: true, ExpiresAt: s.ExpiresAt.Time,
		CreatedAt: s.Inserted.Time, Settings: settings, Access: frameio.AccessPublic, Downloads: bool(s.Downloads), HasPassphrase: bool(s.Password)}
	if c := s.Control.value; c != nil && bool(c.InviteOnly) {
		d.Access = frameio.AccessSecure
	}
	if d.Name == "" {
		d.Name = string(s.Title)
	}
	if string(s.Title) == d.Name {
		delete(settings, "title") // it is the collection's title
	}
	if isNo(s.Active) || isNo(s.Enabled) {
		d.Active = false
	}
	if u := s.Owner.value; u != nil {
		d.Owner = u.domain()
	}
	if kind == frameio.SharePresentation && (s.Items != nil || s.Assets != nil) {
		d.Items = s.shown()
	}
	return d
}

// shown returns what a presentation shows: its items, or else its assets, or else the asset it was created on.
func (s share) shown() []frameio.ShareItem {
	items := shareItems(s.Items)
	if len(items) == 0 {
		for _, a := range s.Assets {
			items = append(items, frameio.ShareItem{AssetID: a.ID, Kind: a.kind()})
		}
	}
	if len(items) == 0 && s.AssetID != "" {
		items = append(items, frameio.ShareItem{AssetID: string(s.AssetID)})
	}
	if items == nil {
		items = []frameio.ShareItem{}
	}
	return items
}

func shareItems(rows []shareItem) []frameio.ShareItem {
	slices.SortStableFunc(rows, func(x, y shareItem) int {
		switch {
		case x.Index.value < y.Index.value:
			return -1
		case x.Index.value > y.Index.value:
			return 1
		}
		return 0
	})
	var out []frameio.ShareItem
	for _, r := range rows {
		item := frameio.ShareItem{AssetID: string(r.AssetID)}
		if a := r.Asset.value; r.Deleted.said || a != nil && a.Deleted.said {
			continue
		} else if a != nil {
			item.Kind = a.kind()
			if item.AssetID == "" {
				item.AssetID = a.ID
			}
		}
		if item.AssetID != "" {
			out = append(out, item)
		}
	}
	return out
}

// ShareItems wraps GET /review_links/{id}/items/shared, or the older /items if that does not exist. Presentations include their
// items, or show them in GET /presentations/{id}.
func (c *Client) ShareItems(ctx context.Context, s frameio.Share, cursor string) (frameio.Page[frameio.ShareItem], error) {
	var out frameio.Page[frameio.ShareItem]
	if s.Kind == frameio.SharePresentation {
		if out.Items = s.Items; s.Items != nil {
			return out, nil
		}
		var p share
		_, err := c.get(ctx, opPresentation, "presentations/"+url.PathEscape(s.ID), nil, &p)
		if err := shown(p.ID, opPresentation, err); err != nil {
			return out, err
		}
		out.Items = p.shown()
		return out, nil
	}
	link := "review_links/" + url.PathEscape(s.ID)
	older, page := splitCursor(cursor)
	var rows []shareItem
	var next string
	var err error
	if older == 0 {
		rows, next, err = listPage[shareItem](ctx, c, opLinkItems, link+"/items/shared", nil, page)
		if rest.IsNotFound(err) && page == "" {
			older = 1
		}
	}
	if older == 1 {
		rows, next, err = listPage[shareItem](ctx, c, opOlderLinkItems, link+"/items", nil, page)
	}
	if out.Items = shareItems(rows); next != "" {
		out.Next = strconv.Itoa(older) + ":" + next
	}
	return out, err
}

// Collections returns none: the legacy API has no collections.
func (c *Client) Collections(context.Context, string, string) (frameio.Page[frameio.Collection], error) {
	return frameio.Page[frameio.Collection]{}, nil
}

// CollectionItems returns nothing: the legacy API has no collections.
func (c *Client) CollectionItems(context.Context, frameio.Collection, frameio.Project) ([]frameio.ShareItem, bool, error) {
	return nil, false, nil
}
