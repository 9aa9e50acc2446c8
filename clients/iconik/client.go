// Package iconik is a client for iconik's API, with one file per service area. Paths are those of the vendor's OpenAPI documents,
// relative to https://HOST/API/. All methods are safe for concurrent use. Every error is a *rest.Error or the context's.
package iconik

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

// sharedLimit is the vendor's rate limit for one set of credentials, across all operations.
var sharedLimit = rest.Limit{Calls: 1000, Window: 20 * time.Second}

const (
	vendor  = "iconik"
	perPage = 100 // the most that every listing accepts
)

// Client calls one iconik domain.
type Client struct {
	rest *rest.Pool
	base string

	ACLs        *ACLsService
	Admin       *AdminService
	Assets      *AssetsService
	Collections *CollectionsService
	Files       *FilesService
	Jobs        *JobsService
	Metadata    *MetadataService
	Search      *SearchService
	Segments    *SegmentsService
	Users       *UsersService
}

type service struct{ c *Client }

type (
	// ACLsService reads and changes who may read what.
	ACLsService service
	// AssetsService creates and reads assets and their versions.
	AssetsService service
	// CollectionsService creates, moves and lists collections.
	CollectionsService service
	// FilesService handles storages, formats, file sets, files and their upload URLs.
	FilesService service
	// JobsService shows work to people.
	JobsService service
	// MetadataService handles fields, views and values.
	MetadataService service
	// SearchService queries the index, which lags behind writes.
	SearchService service
	// SegmentsService handles time-based comments.
	SegmentsService service
	// UsersService finds users.
	UsersService service
)

// Option configures a client.
type Option func(*rest.Config)

// WithHTTPClient sends calls through another HTTP client.
func WithHTTPClient(h *http.Client) Option { return func(c *rest.Config) { c.HTTP = h } }

// WithWatch counts the calls as the tenant's.
func WithWatch(w *rest.Watch, tenant string) Option {
	return func(c *rest.Config) { c.Watch, c.Tenant = w, tenant }
}

// New returns a client for one tenant. Calls are spread over additional credentials, each of which has a limit of its own.
func New(cfg config.Iconik, opts ...Option) (*Client, error) {
	first, err := credential(cfg, cfg.AppID, cfg.AuthToken, "iconik.auth_token", opts)
	if err != nil {
		return nil, err
	}
	var more []*rest.Credential
	for i, c := range cfg.Credentials {
		name := "iconik.credentials." + strconv.Itoa(i)
		other, err := credential(cfg, c.AppID, c.AuthToken, name, append(slices.Clone(opts), func(r *rest.Config) { r.Credential = name }))
		if err != nil {
			return nil, err
		}
		other.Prove = func(ctx context.Context) error { return sameUser(ctx, first, other) }
		more = append(more, other)
	}
	c := &Client{rest: rest.NewPool(first, more...), base: strings.TrimRight(cfg.BaseURL, "/")}
	s := service{c}
	c.Assets, c.Collections, c.Files = (*AssetsService)(&s), (*CollectionsService)(&s), (*FilesService)(&s)
	c.Jobs, c.Metadata, c.Search = (*JobsService)(&s), (*MetadataService)(&s), (*SearchService)(&s)
	c.ACLs = (*ACLsService)(&s)
	c.Admin = (*AdminService)(&s)
	c.Segments, c.Users = (*SegmentsService)(&s), (*UsersService)(&s)
	return c, nil
}

func credential(cfg config.Iconik, app string, token config.Secret, name string, opts []Option) (*rest.Credential, error) {
	rc := rest.Config{
		Vendor:  vendor,
		BaseURL: cfg.BaseURL + "/API", TrailingSlash: true,
		Authorize: func(r *http.Request) {
			r.Header.Set("App-ID", app)
			r.Header.Set("Auth-Token", token.Reveal())
		},
		Budgets: &rest.Budgets{Group: func(string) string { return "all" }, Known: map[string]rest.Limit{"all": sharedLimit}},
		Refine: func(e *rest.Error) {
			switch e.Status {
			case http.StatusUnauthorized:
				e.Hint = "the application token is refused: was it deleted, or its user deactivated?"
			case http.StatusForbidden:
				e.Hint = "the token's user lacks the role or has no access to this object"
			}
		},
	}
	for _, o := range opts {
		o(&rc)
	}
	r, err := rest.New(rc)
	return &rest.Credential{Name: name, Client: r}, err
}

// sameUser returns an error unless two credentials act as the same user: otherwise what one creates would belong to another
// user, and its listings would omit what that user may not read.
func sameUser(ctx context.Context, first, other *rest.Credential) error {
	var users [2]User
	for i, c := range []*rest.Credential{first, other} {
		if _, err := c.Client.Do(ctx, rest.Request{Operation: "current user", Method: http.MethodGet, Path: path("users/v1/users/current")}, &users[i]); err != nil {
			return err
		}
	}
	if users[0].ID != users[1].ID {
		return fmt.Errorf("%w: it belongs to another user, %s", rest.ErrOtherAccess, users[1].Email)
	}
	return nil
}

// OnTakenOut has told called for each credential that is not used for a while, with the reason.
func (c *Client) OnTakenOut(told func(name string, err error)) { c.rest.OnTakenOut(told) }

// Calls returns the number of requests sent.
func (c *Client) Calls() int64 { return c.rest.Calls() }

// AssetURL returns where a person opens an asset.
func (c *Client) AssetURL(id string) string { return c.base + "/asset/" + url.PathEscape(id) }

// CollectionURL returns where a person opens a collection.
func (c *Client) CollectionURL(id string) string { return c.base + "/collection/" + url.PathEscape(id) }

func (c *Client) do(ctx context.Context, op, method, path string, q url.Values, body, out any) error {
	_, err := c.rest.Do(ctx, rest.Request{Operation: op, Method: method, Path: path, Query: q, Body: body}, out)
	return err
}

func (c *Client) get(ctx context.Context, op, path string, q url.Values, out any) error {
	return c.do(ctx, op, http.MethodGet, path, q, nil, out)
}

func (c *Client) post(ctx context.Context, op, path string, q url.Values, body, out any) error {
	return c.do(ctx, op, http.MethodPost, path, q, body, out)
}

// patch wraps a PATCH, which sets what it names and may therefore be sent again.
func (c *Client) patch(ctx context.Context, op, path string, q url.Values, body, out any) error {
	_, err := c.rest.Do(ctx, rest.Request{Operation: op, Method: http.MethodPatch, Path: path, Query: q, Body: body, Idempotent: true}, out)
	return err
}

func (c *Client) delete(ctx context.Context, op, path string, q url.Values, body any) error {
	return c.do(ctx, op, http.MethodDelete, path, q, body, nil)
}

// path joins segments below a service. iconik's paths end with a slash.
func path(service string, segments ...string) string {
	var b strings.Builder
	b.WriteString(service)
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String() + "/"
}

// envelope is the format of every listing.
type envelope[T any] struct {
	Objects []T     `json:"objects"`
	NextURL *string `json:"next_url"`
	Pages   count   `json:"pages"`
	Total   count   `json:"total"`
}

// count is a number that a listing states about itself, or 0 if it states none.
type count int

// UnmarshalJSON treats anything but a number as none, so that the rows are still read.
func (n *count) UnmarshalJSON(raw []byte) error {
	*n = count(max(0, orZero(whole(raw))))
	return nil
}

// hasNext reports whether there are more rows than those read, this page's included: by the link or by the total. Some listings
// have only one of them.
func (e envelope[T]) hasNext(read int) bool {
	return e.NextURL != nil && *e.NextURL != "" || read < int(e.Total)
}

// byPage reads a listing by page numbers to its end. A page beyond the end is a 404.
func byPage[T any](ctx context.Context, c *Client, op, p string, q url.Values) iter.Seq2[T, error] {
	if q.Get("per_page") == "" {
		q = with(q, "per_page", strconv.Itoa(perPage))
	}
	return numbered(ctx, op, func(ctx context.Context, page int) (envelope[row[T]], error) {
		var e envelope[row[T]]
		err := c.get(ctx, op, p, with(q, "page", strconv.Itoa(page)), &e)
		return e, err
	})
}

// numbered reads a listing by page numbers.
func numbered[T any](ctx context.Context, op string, get func(ctx context.Context, page int) (envelope[row[T]], error)) iter.Seq2[T, error] {
	counted := 0 // by the previous page
	read := 0
	rows := rest.Pages(ctx, vendor, op, func(r row[T]) string { return r.id }, func(ctx context.Context, cursor string) ([]row[T], string, error) {
		page, _ := strconv.Atoi(cmp.Or(cursor, "1"))
		e, err := get(ctx, page)
		if page > 1 && rest.IsNotFound(err) {
			if page <= counted { // the listing has become shorter or is broken: either way this is not all of it
				return nil, "", &rest.Error{Vendor: vendor, Operation: op, Class: rest.Retryable, Detail: fmt.Sprintf("page %d of %d is missing", page, counted)}
			}
			return nil, "", nil
		}
		if err != nil {
			return nil, "", err
		}
		counted = int(e.Pages)
		read += len(e.Objects)
		switch {
		case counted > rest.MostPages:
			return nil, "", &rest.Error{Vendor: vendor, Operation: op, Class: rest.Permanent, Detail: fmt.Sprintf("the listing says that it has %d pages", counted)}
		case counted > 0 && page >= counted, counted == 0 && (!e.hasNext(read) || len(e.Objects) == 0):
			return e.Objects, "", nil
		}
		return e.Objects, strconv.Itoa(page + 1), nil
	})
	return func(yield func(T, error) bool) {
		for r, err := range rows {
			if !yield(r.value, err) {
				return
			}
		}
	}
}

// row is a row of a listing with what identifies it: its ID or, if it has none, its own text.
type row[T any] struct {
	value T
	id    string
}

func (r *row[T]) UnmarshalJSON(raw []byte) error {
	var key struct {
		ID any `json:"id"`
	}
	_ = json.Unmarshal(raw, &key)
	if r.id, _ = key.ID.(string); r.id == "" {
		r.id = string(raw)
	}
	return json.Unmarshal(raw, &r.value)
}

// orEmpty treats a listing whose first page does not exist as empty: iconik returns 404 for pages beyond the end, and if there
// is nothing to list, that may be the first page. Use it only for listings that belong to no object, or to one that is checked
// separately where it matters.
func orEmpty(err error) error {
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

// byLastID reads a listing that continues after the ID of the last row.
func byLastID[T any](ctx context.Context, c *Client, op, p string, q url.Values, id func(T) string) ([]T, error) {
	q = with(q, "per_page", strconv.Itoa(perPage))
	read := 0
	return rest.Collect(rest.Pages(ctx, vendor, op, id, func(ctx context.Context, last string) ([]T, string, error) {
		query := q
		if last != "" {
			query = with(q, "last_id", last)
		}
		var e envelope[T]
		if err := c.get(ctx, op, p, query, &e); err != nil {
			if last != "" && rest.IsNotFound(err) {
				return nil, "", nil
			}
			return nil, "", err
		}
		read += len(e.Objects)
		switch n := len(e.Objects); {
		case n == 0, id(e.Objects[n-1]) == last: // it begins with the last row, and has no others
			return nil, "", nil
		case n < perPage && !e.hasNext(read):
			return e.Objects, "", nil
		default:
			return e.Objects, id(e.Objects[n-1]), nil
		}
	}))
}

// with adds a value to a copy of a query.
func with(q url.Values, name, value string) url.Values {
	out := clone(q)
	out.Set(name, value)
	return out
}

func clone(q url.Values) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = v
	}
	return out
}

// Time is a date as iconik writes it, with or without a zone.
type Time struct{ time.Time }

// UnmarshalJSON parses a date. Anything else becomes the zero time.
func (t *Time) UnmarshalJSON(raw []byte) error {
	var s string
	_ = json.Unmarshal(raw, &s) // anything but a string is not a date
	t.Time = ParseTime(s)
	return nil
}

// ParseTime parses a date as iconik writes it. It returns the zero time for anything else.
func ParseTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
