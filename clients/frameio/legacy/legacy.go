// Package legacy is the adapter for Frame.io's V2 API (api.frame.io/v2), which ends on December 1, 2026.
package legacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/untrusted"
)

// pageSize is requested in every listing. How many rows a page really holds is up to the vendor.
const pageSize = 500

const (
	vendor      = "Frame.io"
	mostCounted = 1e15 // rows or pages, in headers
)

// firstFrame is the number of the first frame in V2's comments.
const firstFrame = 0

// Client implements frameio.Platform on the V2 API.
type Client struct {
	rest *rest.Client
	urls *frameio.URLMemory
	now  func() time.Time

	away sync.Map // by project: projectState

	refused func()
	lives   atomic.Int64 // when the account was last seen on this API, in Unix nanoseconds
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

// WithRefused calls tell when the API rejects the token, as it does once an account has been moved to V4.
func WithRefused(tell func()) Option { return func(_ *rest.Config, c *Client) { c.refused = tell } }

// limits are the limits that the vendor states. The headers of each response correct them.
var limits = map[string]rest.Limit{
	opChildren:      {Calls: 40, Window: time.Minute},
	opAsset:         {Calls: 5, Window: time.Second},
	opComments:      {Calls: 100, Window: time.Minute},
	opProject:       {Calls: 100, Window: time.Minute},
	opPresentations: {Calls: 100, Window: time.Minute},
	opReviewLinks:   {Calls: 100, Window: time.Minute},
	opLinkItems:     {Calls: 100, Window: time.Minute},
	opPresentation:  {Calls: 100, Window: time.Minute},
	opTeam:          {Calls: 100, Window: time.Minute},
	opTeamProjects:  {Calls: 100, Window: time.Minute},
	opTeamMembers:   {Calls: 100, Window: time.Minute},
	opCollaborators: {Calls: 100, Window: time.Minute},
	opCreateAsset:   {Calls: 5, Window: time.Second},
	opComment:       {Calls: 100, Window: time.Minute},
	opSetLabel:      {Calls: 100, Window: time.Minute},
	opCreateComment: {Calls: 100, Window: time.Minute},
	opCreateReply:   {Calls: 100, Window: time.Minute},
	opUpdateComment: {Calls: 100, Window: time.Minute},
	opDeleteComment: {Calls: 100, Window: time.Minute},
	opComplete:      {Calls: 100, Window: time.Minute},
	opUncomplete:    {Calls: 100, Window: time.Minute},
	opCreateLink:    {Calls: 100, Window: time.Minute},
	opReviewLink:    {Calls: 100, Window: time.Minute},
	opUpdateLink:    {Calls: 100, Window: time.Minute},
	opAddToLink:     {Calls: 100, Window: time.Minute},
	opSetLink:       {Calls: 100, Window: time.Minute},
	opAddReviewer:   {Calls: 100, Window: time.Minute},
}

// Operation names, which also identify the rate budgets: Frame.io limits each endpoint separately.
const (
	opMe            = "GET /me"
	opTeams         = "GET /teams"
	opTeam          = "GET /teams/{id}"
	opTeamProjects  = "GET /teams/{id}/projects"
	opProject       = "GET /projects/{id}"
	opAsset         = "GET /assets/{id}" //nolint:gosec // an operation, no credential
	opChildren      = "GET /assets/{id}/children"
	opComments      = "GET /assets/{id}/comments"
	opPresentations = "GET /projects/{id}/presentations"
	opReviewLinks   = "GET /projects/{id}/review_links"
	opLinkItems     = "GET /review_links/{id}/items/shared"
	opPresentation  = "GET /presentations/{id}"
	opTeamMembers   = "GET /teams/{id}/members"
	opCollaborators = "GET /projects/{id}/collaborators"

	opOlderLinkItems = "GET /review_links/{id}/items"
)

// New returns a client for one tenant.
func New(cfg config.Frameio, opts ...Option) (*Client, error) {
	c := &Client{urls: frameio.NewURLMemory(urlFreshFor), now: time.Now}
	token := cfg.Token.Reveal()
	rc := rest.Config{
		Vendor:  vendor,
		BaseURL: cfg.BaseURL + "/v2",
		Authorize: func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
		},
		Budgets:       &rest.Budgets{Known: limits},
		RetryStatuses: []int{http.StatusBadRequest}, // the vendor's own tools retry these
	}
	rc.Refine = func(e *rest.Error) {
		refine(e)
		if e.Operation == opMe && isRefusal(e) { // the user's own record: not a missing permission, the account has moved
			e.Class, e.Hint = rest.Unauthorized, movedHint
		}
		if e.Class == rest.Unauthorized && c.refused != nil {
			c.refused()
		}
	}
	for _, o := range opts {
		o(&rc, c)
	}
	var err error
	c.rest, err = rest.New(rc)
	return c, err
}

const movedHint = "the token is refused: Frame.io supports the legacy API only until December 1, 2026, and a migrated account refuses legacy tokens immediately"

// refine adds to an error what it means to the user of this API.
func refine(e *rest.Error) {
	switch e.Status {
	case http.StatusUnauthorized:
		e.Hint = movedHint
	case http.StatusForbidden:
		e.Hint = "the token's user has no access, or the token lacks a scope"
	}
}

// Calls returns the number of requests sent.
func (c *Client) Calls() int64 { return c.rest.Calls() }

// Generation returns the API that this client speaks.
func (c *Client) Generation() frameio.Generation { return frameio.Legacy }

// Capabilities returns what the legacy API can do, and its limits.
func (c *Client) Capabilities() frameio.Capabilities {
	return frameio.Capabilities{Checksums: true, NativeArchive: true, CreateReplies: true, TeamOnlyComments: true, ListLimit: 40,
		WatermarkOnFiles: true, MayMigrate: true, InviteBatch: 1, ShareBatch: 500, CommentPolls: 100}
}

func (c *Client) get(ctx context.Context, op, path string, q url.Values, out any) (*http.Response, error) {
	return c.do(ctx, rest.Request{Operation: op, Method: http.MethodGet, Path: path, Query: q}, out)
}

// livesFor is how long an account is assumed to still be on this API after a check. One check covers many refusals in a row,
// and little is lost if the account moves in that time.
const livesFor = 15 * time.Second

// isRefusal reports whether the API will not carry out the call: a 4xx other than those that pass by themselves.
func isRefusal(e *rest.Error) bool {
	return e.Status >= 400 && e.Status < 500 && e.Class != rest.Retryable && e.Class != rest.Throttled
}

// do sends a call. It is not documented with which status the API refuses an account that was moved to V4, or everybody once it
// is switched off. The user's own record distinguishes that from a missing permission and from a deleted object.
func (c *Client) do(ctx context.Context, r rest.Request, out any) (*http.Response, error) {
	resp, err := c.rest.Do(ctx, r, out)
	var e *rest.Error
	if !errors.As(err, &e) || r.Operation == opMe || e.Class == rest.Unauthorized || !isRefusal(e) {
		return resp, err
	}
	if c.now().Sub(time.Unix(0, c.lives.Load())).Abs() < livesFor {
		return resp, err
	}
	_, merr := c.rest.Do(ctx, rest.Request{Operation: opMe, Method: http.MethodGet, Path: "me"}, nil)
	switch {
	case merr == nil:
		c.lives.Store(c.now().UnixNano())
	case rest.ClassOf(merr) == rest.Unauthorized, e.Class == rest.NotFound: // a 404 proves nothing if the user's record cannot be read either
		return resp, merr
	}
	return resp, err
}

// listPage reads one page of a listing: a bare array, with its position in the headers. A page without headers is followed by
// another until one is empty: how full a page may be is not documented, so the number of rows does not mark the end. The cursor
// is a page number, with the fingerprint of the previous page if that had no headers.
func listPage[T any](ctx context.Context, c *Client, op, path string, q url.Values, cursor string) ([]T, string, error) {
	number, before, bare := strings.Cut(cursor, "~")
	page, err := strconv.Atoi(number)
	if err != nil || page < 1 {
		page = 1
	}
	query := url.Values{"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(pageSize)}}
	for k, v := range q {
		query[k] = v
	}
	var rows []row[T]
	resp, err := c.get(ctx, op, path, query, &rows)
	if err == nil && rows == nil {
		err = frameio.NoData(op)
	}
	if bare && rest.IsNotFound(err) { // some listings answer this way beyond the last page
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	values := make([]T, len(rows))
	for i, r := range rows {
		values[i] = r.value
	}
	switch pages := totalPages(resp.Header); {
	case pages > rest.MostPages:
		return nil, "", &rest.Error{Vendor: vendor, Operation: op, Class: rest.Permanent, Detail: fmt.Sprintf("the listing says that it has %d pages", pages)}
	case pages >= page, pages >= 0 && len(rows) == 0: // a page beyond the last one that has rows contradicts the headers
		if page >= pages {
			return values, "", nil
		}
		return values, strconv.Itoa(page + 1), nil
	}
	print := fingerprint(rows)
	switch {
	case len(rows) == 0:
		return nil, "", nil
	case bare && print == before: // it ignores page numbers: everything has been shown
		return nil, "", nil
	}
	return values, strconv.Itoa(page+1) + "~" + print, nil
}

// shown returns an error if the response for a single object has no ID.
func shown(id, op string, err error) error {
	if err == nil && id == "" {
		return frameio.NoData(op)
	}
	return err
}

// totalPages returns the number of pages, or -1 if the headers do not say.
func totalPages(h http.Header) int {
	if pages, ok := untrusted.Count("Total-Pages", h.Get("Total-Pages"), mostCounted); ok {
		return int(pages)
	}
	total, ok := untrusted.Count("Total", h.Get("Total"), mostCounted)
	per, pok := untrusted.Count("Per-Page", h.Get("Per-Page"), mostCounted)
	if !ok || !pok || per < 1 {
		return -1
	}
	return int((total + per - 1) / per)
}

// row is a row of a listing with what identifies it.
type row[T any] struct {
	value T
	id    string
}

func (r *row[T]) UnmarshalJSON(raw []byte) error {
	var key struct {
		ID    text `json:"id"`
		Asset text `json:"asset_id"` // of a link's items, which may have no ID
	}
	_ = json.Unmarshal(raw, &key)
	if r.id = string(key.ID + key.Asset); r.id == "" {
		r.id = string(raw)
	}
	return json.Unmarshal(raw, &r.value)
}

// fingerprint identifies a page, in whatever order its rows come.
func fingerprint[T any](rows []row[T]) string {
	var sum uint64
	for _, r := range rows {
		sum += xxhash.Sum64String(r.id)
	}
	return strconv.FormatUint(sum, 36)
}

// Me wraps GET /me. One call.
func (c *Client) Me(ctx context.Context) (frameio.User, error) {
	var u user
	_, err := c.get(ctx, opMe, "me", nil, &u)
	return u.domain(), shown(string(u.ID), opMe, err)
}

// Projects lists the projects of all teams. The cursor is "<team number>:<page>". It makes one call for the teams, and one for the page.
func (c *Client) Projects(ctx context.Context, cursor string) (frameio.Page[frameio.Project], error) {
	var out frameio.Page[frameio.Project]
	at, page := splitCursor(cursor)
	teams, err := c.teams(ctx)
	if err != nil || at >= len(teams) {
		return out, err
	}
	rows, next, err := listPage[project](ctx, c, opTeamProjects, "teams/"+url.PathEscape(teams[at].ID)+"/projects", url.Values{"filter[archived]": {"all"}}, page)
	if err != nil {
		return out, err
	}
	for _, p := range rows {
		d := p.domain()
		d.Team = teams[at]
		if !p.DeletedAt.said {
			out.Items = append(out.Items, d)
		}
	}
	switch {
	case next != "":
		out.Next = strconv.Itoa(at) + ":" + next
	case at+1 < len(teams):
		out.Next = strconv.Itoa(at+1) + ":1"
	}
	return out, nil
}

func splitCursor(cursor string) (int, string) {
	for i := range cursor {
		if cursor[i] == ':' {
			n, _ := strconv.Atoi(cursor[:i])
			return n, cursor[i+1:]
		}
	}
	return 0, cursor
}

func (c *Client) teams(ctx context.Context) ([]frameio.Team, error) {
	rows, err := rest.Collect(rest.Pages(ctx, vendor, opTeams, func(t team) string { return t.ID }, func(ctx context.Context, cursor string) ([]team, string, error) {
		return listPage[team](ctx, c, opTeams, "teams", nil, cursor)
	}))
	if err != nil {
		return nil, err
	}
	out := make([]frameio.Team, len(rows))
	for i, t := range rows {
		out[i] = frameio.Team{ID: t.ID, Name: string(t.Name)}
	}
	// Sorted, because Projects counts them, and Frame.io may return them in a different order each time.
	slices.SortFunc(out, func(x, y frameio.Team) int { return strings.Compare(x.ID, y.ID) })
	return out, nil
}

// Project wraps GET /projects/{id}, GET /assets/{id} of the root folder if only that says whether the project is private, and GET
// /teams/{id} if the response has no team name. A user invited only to the project may not see the team: the ID then replaces the name.
func (c *Client) Project(ctx context.Context, id string) (frameio.Project, error) {
	var p project
	_, err := c.get(ctx, opProject, "projects/"+url.PathEscape(id), nil, &p)
	if err := shown(p.ID, opProject, err); err != nil {
		return frameio.Project{}, err
	}
	if p.DeletedAt.said {
		return frameio.Project{}, &rest.Error{Vendor: "Frame.io", Operation: opProject, Status: http.StatusNotFound, Class: rest.NotFound, Detail: "the project was deleted"}
	}
	if p.Private == nil && p.rootID() != "" {
		var root asset
		_, err := c.get(ctx, opAsset, "assets/"+url.PathEscape(p.rootID()), nil, &root)
		if err := shown(root.ID, opAsset, err); err != nil {
			return frameio.Project{}, err
		}
		if of := root.Project.value; of != nil {
			p.Private = of.Private
		}
	}
	out := p.domain()
	c.away.Store(p.ID, projectState{out.Archived, c.now()})
	if out.Team.Name == "" && out.Team.ID != "" {
		var t team
		if _, err := c.get(ctx, opTeam, "teams/"+url.PathEscape(out.Team.ID), nil, &t); err != nil && !rest.IsRefused(err) {
			return out, err
		}
		if out.Team.Name = string(t.Name); out.Team.Name == "" {
			out.Team.Name = "Team " + out.Team.ID
		}
	}
	return out, nil
}
