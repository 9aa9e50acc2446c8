// Package v4 is the adapter for Frame.io's V4 API, the only one after December 1, 2026.
package v4

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
)

const (
	vendorName   = "Frame.io"
	pageSize     = 100 // of most listings
	assetPage    = 500 // of a folder's children
	firstFrame   = 0   // the guide says 1, live data says 0
	kindsKnown   = 200_000
	commentPolls = 100
	urlFreshFor  = 30 * time.Minute // they have been seen to last about an hour
)

// Client implements frameio.Platform on the V4 API.
type Client struct {
	rest   *rest.Client
	pool   *rest.Pool // this client and those of additional credentials
	tokens tokens
	urls   *frameio.URLMemory
	now    func() time.Time
	states sync.Map // by project: projectState
	pages  sync.Map // by listing: the page size that fits, if smaller than usual
	people people
	wrote  writers

	mu      sync.Mutex
	account string // discovered
	wanted  string // configured
	me      *frameio.User
	kinds   map[string]frameio.AssetKind // of IDs seen: routes differ by kind
}

var _ frameio.Platform = (*Client)(nil)

// Option configures a client.
type Option func(*rest.Config, *Client)

// WithHTTPClient sends calls through another HTTP client.
func WithHTTPClient(h *http.Client) Option { return func(c *rest.Config, _ *Client) { c.HTTP = h } }

// WithWatch counts the calls as the tenant's.
func WithWatch(w *rest.Watch, tenant string) Option {
	return func(c *rest.Config, _ *Client) { c.Watch, c.Tenant = w, tenant }
}

// WithStore stores rotating tokens where all workers find them.
func WithStore(s TokenStore) Option { return func(_ *rest.Config, c *Client) { c.tokens.store = s } }

// New returns a client for one tenant.
func New(cfg config.Frameio, opts ...Option) (*Client, error) {
	c := &Client{now: time.Now, urls: frameio.NewURLMemory(urlFreshFor), wanted: cfg.AccountID, kinds: map[string]frameio.AssetKind{}, tokens: newTokens(cfg)}
	rc := rest.Config{Vendor: vendorName, BaseURL: cfg.BaseURL + "/v4", IDs: frameio.IDCharacters, Budgets: &rest.Budgets{Known: limits}, Refine: func(e *rest.Error) { refine(e, c.tokens.static) }}
	rc.Sign = func(ctx context.Context, r *http.Request) error { return c.tokens.sign(ctx, r) }
	for _, o := range opts {
		o(&rc, c)
	}
	if rc.HTTP != nil {
		c.tokens.http = rc.HTTP
	}
	c.tokens.http = rc.Watch.Around(c.tokens.http, rc.Tenant, adobeName, opToken)
	var err error
	if c.rest, err = rest.New(rc); err != nil {
		return nil, err
	}
	return c, c.openPool(cfg, opts)
}

func refine(e *rest.Error, static bool) {
	switch e.Status {
	case http.StatusUnauthorized:
		e.Hint = "the token is refused: it needs the scopes openid, AdobeID, email, profile, offline_access and additional_info.roles, or frame.s2s.all for server-to-server"
	case http.StatusForbidden:
		if static && (e.Operation == opAccounts || e.Operation == opMe) { // not a missing permission: the token is not for this API
			e.Hint = "accounts managed in Adobe's Admin Console do not accept a developer token alone: use an Adobe sign-in (frameio.ims), or a client that Frame.io support sets up for the token (frameio.service_client)"
			break
		}
		e.Hint = "the user or service account lacks the role, the V4 product profile, or the permission to download"
	case http.StatusConflict:
		if !strings.HasPrefix(e.Operation, http.MethodGet+" ") { // something else is changing what this call would change
			e.Class = rest.Retryable
		}
	}
	if e.Status >= 500 && e.RetryAfter == 0 {
		e.RetryAfter = 30 * time.Second // the vendor's advice
	}
}

// Calls returns the number of requests sent.
func (c *Client) Calls() int64 { return c.pool.Calls() }

// Generation returns the API that this client speaks.
func (c *Client) Generation() frameio.Generation { return frameio.V4 }

// Capabilities returns what V4 can do, and its limits.
func (c *Client) Capabilities() frameio.Capabilities {
	return frameio.Capabilities{SharesOnly: true, FolderMembers: true, ListLimit: 100, InviteBatch: 10, ShareBatch: 100, CommentPolls: commentPolls}
}

// do sends one call.
func (c *Client) do(ctx context.Context, op, path string, q url.Values, body, out any) error {
	return c.send(ctx, rest.Request{Operation: op, Path: path, Query: q, Body: body}, out)
}

// send sends a call, through the pool of credentials if they share it.
func (c *Client) send(ctx context.Context, r rest.Request, out any) error {
	r.Method, _, _ = strings.Cut(r.Operation, " ")
	if r.Body != nil {
		r.Body = map[string]any{"data": r.Body}
	}
	do := c.sendAs
	if spread[r.Operation] {
		do = c.pool.Do
	}
	_, err := do(ctx, r, out)
	return err
}

// sendAs sends a call with the client's own credential. If the token has just expired, it fetches a new one and repeats the
// call once, unless r.Sending is set: such a call must not be repeated, and its error is returned.
func (c *Client) sendAs(ctx context.Context, r rest.Request, out any) (*http.Response, error) {
	var used string
	resp, err := c.rest.Do(withUsed(ctx, &used), r, out)
	if rest.ClassOf(err) == rest.Unauthorized && err != nil && c.tokens.renew(used) && r.Sending == nil {
		resp, err = c.rest.Do(withUsed(ctx, &used), r, out)
	}
	if err == nil {
		c.tokens.accepted(used)
	}
	return resp, err
}

// in returns a path below the account's.
func (c *Client) in(ctx context.Context, segments ...string) (string, error) {
	account, err := c.accountID(ctx)
	if err != nil {
		return "", err
	}
	path := "accounts/" + url.PathEscape(account)
	for _, s := range segments {
		path += "/" + url.PathEscape(s)
	}
	return path, nil
}

// accountID returns the configured account, or the only one that the token sees.
func (c *Client) accountID(ctx context.Context) (string, error) {
	c.mu.Lock()
	id := c.account
	c.mu.Unlock()
	if c.wanted != "" {
		return c.wanted, nil
	}
	if id != "" {
		return id, nil
	}
	var out struct {
		Data []struct {
			ID   string `json:"id"`
			Name string `json:"display_name"`
		} `json:"data"`
	}
	err := c.do(ctx, opAccounts, "accounts", url.Values{"page_size": {"100"}}, nil, &out)
	if err == nil && out.Data == nil {
		err = frameio.NoData(opAccounts)
	}
	if err != nil {
		return "", err
	}
	if len(out.Data) != 1 {
		var names []string
		for _, a := range out.Data {
			names = append(names, a.Name+" ("+a.ID+")")
		}
		return "", &rest.Error{Vendor: "Frame.io", Operation: opAccounts, Class: rest.Permanent, Detail: "the token sees " + english.Count(len(out.Data), "account") + ": " + strings.Join(names, ", "),
			Hint: "set frameio.account_id; accounts that are not on V4 yet do not appear here"}
	}
	c.mu.Lock()
	c.account = out.Data[0].ID
	c.mu.Unlock()
	return out.Data[0].ID, nil
}

// MovedAt asks once, with a developer token, which account is on V4 and since when. The time is zero if Frame.io does not say.
// An error means that V4 does not accept the token, or shows nothing for it.
func MovedAt(ctx context.Context, cfg config.Frameio, opts ...Option) (names string, moved time.Time, err error) {
	cfg.IMS = config.IMS{}
	c, err := New(cfg, opts...)
	if err != nil {
		return "", time.Time{}, err
	}
	var out struct {
		Data []struct {
			ID      string  `json:"id"`
			Name    string  `json:"display_name"`
			MovedAt instant `json:"v4_migrated_at"`
		} `json:"data"`
	}
	if err := c.do(ctx, opAccounts, "accounts", url.Values{"page_size": {"100"}}, nil, &out); err != nil {
		return "", time.Time{}, err
	}
	var found []string
	for _, a := range out.Data { // V4 shows only accounts that are on V4
		if cfg.AccountID != "" && a.ID != cfg.AccountID {
			continue
		}
		if found = append(found, cmp.Or(a.Name, a.ID)); !a.MovedAt.IsZero() {
			moved = a.MovedAt.Time
		}
	}
	switch len(found) {
	case 0:
		return "", time.Time{}, &rest.Error{Vendor: "Frame.io", Operation: opAccounts, Class: rest.NotFound, Detail: "V4 has no such account"}
	case 1:
		return found[0], moved, nil
	}
	return strings.Join(found, ", "), time.Time{}, nil
}

// one reads the data of a single object.
func one[T any](ctx context.Context, c *Client, op string, q url.Values, body any, segments ...string) (T, error) {
	var out struct {
		Data *T `json:"data"`
	}
	path, err := c.in(ctx, segments...)
	if err == nil {
		err = c.do(ctx, op, path, q, body, &out)
	}
	if err == nil && out.Data == nil && body == nil { // for a write, made checks what matters in the response
		err = frameio.NoData(op)
	}
	if out.Data == nil {
		out.Data = new(T)
	}
	return *out.Data, err
}

// list reads one page. Only the cursor is taken from the next page's link: the query is built again each time.
func list[T any](ctx context.Context, c *Client, op string, q url.Values, size int, cursor string, segments ...string) ([]T, string, error) {
	listing := op + " " + strings.Join(segments, "/")
	if smaller, ok := c.pages.Load(listing); ok {
		size = smaller.(int)
	}
	for {
		rows, next, err := listPage[T](ctx, c, op, q, size, cursor, segments...)
		if size == 1 || !errors.Is(err, rest.ErrTooLarge) {
			return rows, next, err
		}
		size /= 2 // a file's metadata contains every option of its fields
		c.pages.Store(listing, size)
	}
}

func listPage[T any](ctx context.Context, c *Client, op string, q url.Values, size int, cursor string, segments ...string) ([]T, string, error) {
	query := url.Values{"page_size": {strconv.Itoa(size)}}
	for k, v := range q {
		query[k] = v
	}
	if cursor != "" {
		query.Set("after", cursor)
	}
	var out struct {
		Data  []T `json:"data"`
		Links struct {
			Next *string `json:"next"`
		} `json:"links"`
	}
	path, err := c.in(ctx, segments...)
	if err == nil {
		err = c.do(ctx, op, path, query, nil, &out)
	}
	switch {
	case err == nil && out.Data == nil:
		return nil, "", frameio.NoData(op)
	case err != nil || text(out.Links.Next) == "":
		return out.Data, "", err
	}
	next, err := url.Parse(strings.ReplaceAll(*out.Links.Next, "+", "%2B")) // a cursor is opaque, perhaps Base64, and contains no spaces
	if err == nil && next.Query().Get("after") != "" && next.Query().Get("after") != cursor {
		return out.Data, next.Query().Get("after"), nil
	}
	// If this were taken for the last page, the rest would silently be missing.
	return nil, "", &rest.Error{Vendor: "Frame.io", Operation: op, Class: rest.Retryable, Detail: "the link to the next page is invalid"}
}

// every calls row for each row of a listing.
func every[T any](ctx context.Context, c *Client, op string, q url.Values, size int, id func(T) string, row func(T), segments ...string) error {
	for r, err := range rest.Pages(ctx, vendorName, op, id, func(ctx context.Context, cursor string) ([]T, string, error) {
		return list[T](ctx, c, op, q, size, cursor, segments...)
	}) {
		if err != nil {
			return err
		}
		row(r)
	}
	return nil
}

// Me wraps GET /v4/me. It makes one call, once.
func (c *Client) Me(ctx context.Context) (frameio.User, error) {
	c.mu.Lock()
	me := c.me
	c.mu.Unlock()
	if me != nil {
		return *me, nil
	}
	var out struct {
		Data user `json:"data"`
	}
	if err := c.do(ctx, opMe, "me", nil, nil, &out); err != nil {
		return frameio.User{}, err
	}
	u := out.Data.domain()
	if u.ID == "" {
		return frameio.User{}, frameio.NoData(opMe)
	}
	c.mu.Lock()
	c.me = &u
	c.mu.Unlock()
	return u, nil
}

type user struct {
	ID    *string `json:"id"`
	Name  *string `json:"name"`
	Email *string `json:"email"`

	AdobeID *string `json:"adobe_user_id"`
}

func (u user) domain() frameio.User {
	return frameio.User{ID: text(u.ID), Name: text(u.Name), Email: text(u.Email)}
}

func (u user) key() string { return text(u.ID) + text(u.Email) }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

type workspace struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (w workspace) key() string { return w.ID }

// Projects wraps GET ~/projects. One call a page.
func (c *Client) Projects(ctx context.Context, cursor string) (frameio.Page[frameio.Project], error) {
	rows, next, err := list[json.RawMessage](ctx, c, opProjects, nil, pageSize, cursor, "projects")
	return page(rows, next, readProject), err
}

func page[T, D any](rows []T, next string, domain func(T) D) frameio.Page[D] {
	out := frameio.Page[D]{Next: next}
	for _, r := range rows {
		out.Items = append(out.Items, domain(r))
	}
	return out
}

// Workspace wraps GET ~/workspaces.
func (c *Client) Workspace(ctx context.Context, idOrName string) (frameio.Team, error) {
	var found []frameio.Team
	for w, err := range rest.Pages(ctx, vendorName, opWorkspaces, workspace.key, func(ctx context.Context, cursor string) ([]workspace, string, error) {
		return list[workspace](ctx, c, opWorkspaces, nil, pageSize, cursor, "workspaces")
	}) {
		if err != nil {
			return frameio.Team{}, err
		}
		if idOrName == "" || w.ID == idOrName || w.Name == idOrName {
			found = append(found, frameio.Team{ID: w.ID, Name: w.Name})
		}
	}
	if len(found) != 1 {
		return frameio.Team{}, &rest.Error{Vendor: "Frame.io", Operation: opWorkspaces, Class: rest.Permanent, Detail: "the token sees " + english.Count(len(found), "workspace") + " that match it",
			Hint: "set frameio.workspace to a workspace's ID"}
	}
	return found[0], nil
}

// ProjectsOf wraps GET ~/workspaces/{id}/projects. One call a page.
func (c *Client) ProjectsOf(ctx context.Context, workspaceID, cursor string) (frameio.Page[frameio.Project], error) {
	rows, next, err := list[json.RawMessage](ctx, c, opWorkspaceProjects, nil, pageSize, cursor, "workspaces", workspaceID, "projects")
	return page(rows, next, readProject), err
}

// CreateProject wraps POST ~/workspaces/{id}/projects.
func (c *Client) CreateProject(ctx context.Context, workspaceID, name string) (frameio.Project, error) {
	raw, err := one[json.RawMessage](ctx, c, opCreateProject, nil, map[string]any{"name": name}, "workspaces", workspaceID, "projects")
	p := readProject(raw)
	return p, frameio.Made(p.ID, opCreateProject, err)
}

// remember records the kind of an ID.
func (c *Client) remember(id string, kind frameio.AssetKind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kinds) >= kindsKnown {
		clear(c.kinds)
	}
	c.kinds[id] = kind
}

func (c *Client) kindOf(id string) frameio.AssetKind {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kinds[id]
}

var errNoAnswer = errors.New("no answer")

// scalar reads a metadata value that may be a text, a number, or a list of options.
func scalar(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		if len(v) > 0 {
			first, err := json.Marshal(v[0])
			if err == nil {
				return scalar(first)
			}
		}
	case map[string]any:
		for _, k := range []string{"display_name", "name", "value", "id"} {
			if s, ok := v[k].(string); ok {
				return s
			}
		}
	}
	return ""
}
