// Package iconik is a client of iconik's API, one file for each service area. Paths are those of the vendor's OpenAPI
// documents, relative to https://HOST/API/. All methods are safe for concurrent use; every error is a *rest.Error or
// the context's.
package iconik

import (
	"cmp"
	"context"
	"encoding/json"
	"hash/fnv"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

// The vendor's rate limit, for one set of credentials over all operations.
var sharedLimit = rest.Limit{Calls: 1000, Window: 20 * time.Second}

const (
	vendor  = "iconik"
	perPage = 100 // the most that every listing takes
)

// Client calls one iconik domain.
type Client struct {
	rest *rest.Client
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
	// AssetsService makes and reads assets and their versions.
	AssetsService service
	// CollectionsService makes, moves and lists collections.
	CollectionsService service
	// FilesService handles storages, formats, file sets, files and their upload URLs.
	FilesService service
	// JobsService shows work to people.
	JobsService service
	// MetadataService handles fields, views and values.
	MetadataService service
	// SearchService asks the index, which lags behind writes.
	SearchService service
	// SegmentsService handles time-based comments.
	SegmentsService service
	// UsersService finds users.
	UsersService service
)

// Option changes a client.
type Option func(*rest.Config)

// WithHTTPClient sends calls through another HTTP client.
func WithHTTPClient(h *http.Client) Option { return func(c *rest.Config) { c.HTTP = h } }

// New makes a client for one tenant.
func New(cfg config.Iconik, opts ...Option) (*Client, error) {
	app, token := cfg.AppID, cfg.AuthToken.Reveal()
	rc := rest.Config{
		Vendor:  vendor,
		BaseURL: cfg.BaseURL + "/API", TrailingSlash: true,
		Authorize: func(r *http.Request) {
			r.Header.Set("App-ID", app)
			r.Header.Set("Auth-Token", token)
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
	if err != nil {
		return nil, err
	}
	c := &Client{rest: r, base: strings.TrimRight(cfg.BaseURL, "/")}
	s := service{c}
	c.Assets, c.Collections, c.Files = (*AssetsService)(&s), (*CollectionsService)(&s), (*FilesService)(&s)
	c.Jobs, c.Metadata, c.Search = (*JobsService)(&s), (*MetadataService)(&s), (*SearchService)(&s)
	c.ACLs = (*ACLsService)(&s)
	c.Admin = (*AdminService)(&s)
	c.Segments, c.Users = (*SegmentsService)(&s), (*UsersService)(&s)
	return c, nil
}

// Calls counts the requests sent so far.
func (c *Client) Calls() int64 { return c.rest.Calls() }

// AssetURL is where a person opens an asset.
func (c *Client) AssetURL(id string) string { return c.base + "/asset/" + url.PathEscape(id) }

// CollectionURL is where a person opens a collection.
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

// path joins segments under a service; iconik's paths end with a slash.
func path(service string, segments ...string) string {
	var b strings.Builder
	b.WriteString(service)
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String() + "/"
}

// envelope is the form of every listing.
type envelope[T any] struct {
	Objects []T     `json:"objects"`
	NextURL *string `json:"next_url"`
	Page    int     `json:"page"`
	Pages   int     `json:"pages"`
}

func (e envelope[T]) hasNext() bool { return e.NextURL != nil && *e.NextURL != "" }

// byPage reads a listing by page numbers until its end; a page beyond the end is a 404.
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

// numbered reads a listing by page numbers. One that shows a page twice heeds no page number, or is about to go on for ever.
func numbered[T any](ctx context.Context, op string, get func(ctx context.Context, page int) (envelope[row[T]], error)) iter.Seq2[T, error] {
	before := ""
	return rest.Pages(ctx, vendor, op, func(ctx context.Context, cursor string) ([]T, string, error) {
		page, _ := strconv.Atoi(cmp.Or(cursor, "1"))
		e, err := get(ctx, page)
		if page > 1 && rest.IsNotFound(err) {
			return nil, "", nil
		}
		if err != nil {
			return nil, "", err
		}
		rows, print := values(e.Objects)
		switch {
		case len(rows) == 0:
			return nil, "", nil
		case page > 1 && print == before:
			return nil, "", &rest.Error{Vendor: vendor, Operation: op, Class: rest.Retryable, Detail: "the listing repeats the same page"}
		case e.Pages > 0 && page >= e.Pages, e.Pages <= 0 && !e.hasNext():
			return rows, "", nil
		}
		before = print
		return rows, strconv.Itoa(page + 1), nil
	})
}

// row is a row of a listing, with its own text to tell pages apart.
type row[T any] struct {
	value T
	raw   string
}

func (r *row[T]) UnmarshalJSON(raw []byte) error {
	r.raw = string(raw)
	return json.Unmarshal(raw, &r.value)
}

func values[T any](rows []row[T]) (out []T, print string) {
	h := fnv.New64a()
	for _, r := range rows {
		out = append(out, r.value)
		_, _ = h.Write([]byte(r.raw))
	}
	return out, strconv.FormatUint(h.Sum64(), 36)
}

// orEmpty takes a listing whose first page is not there for an empty one: iconik answers pages beyond the end with a 404,
// and where nothing is listed that may be the first. Only for listings that belong to
// no object, or to one that is asked for itself where it matters.
func orEmpty(err error) error {
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

// byLastID reads a listing that goes on after the id of the last row.
func byLastID[T any](ctx context.Context, c *Client, op, p string, q url.Values, id func(T) string) ([]T, error) {
	q = with(q, "per_page", strconv.Itoa(perPage))
	return rest.Collect(rest.Pages(ctx, vendor, op, func(ctx context.Context, last string) ([]T, string, error) {
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
		switch n := len(e.Objects); {
		case n == 0, id(e.Objects[n-1]) == last: // it begins with the last row, and has no other
			return nil, "", nil
		case n < perPage && !e.hasNext():
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

// UnmarshalJSON takes what is no date for no date.
func (t *Time) UnmarshalJSON(raw []byte) error {
	t.Time = time.Time{}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil //nolint:nilerr // what is no date is no date
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, s); err == nil {
			t.Time = at.UTC()
			return nil
		}
	}
	return nil
}
