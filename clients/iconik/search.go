package iconik

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/framebridge/framebridge/clients/rest"
)

// term is an exact condition of a search.
type term struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (s *SearchService) find(ctx context.Context, docType string, terms []term) ([]Object, error) {
	body := map[string]any{
		"doc_types":      []string{docType},
		"query":          "",
		"filter":         map[string]any{"operator": "AND", "terms": terms},
		"include_fields": []string{"id", "title", "object_type", "status", "type", "external_id", "parent_id", "in_collections", "created_by_user"},
	}
	const op = "search"
	all, err := rest.Collect(numbered(ctx, op, func(ctx context.Context, page int) (envelope[row[Object]], error) {
		q := url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(perPage)}, "generate_signed_url": {"false"}, "save_search_history": {"false"}}
		var e envelope[row[Object]]
		// A search writes nothing, so it may be sent again.
		_, err := s.c.rest.Do(ctx, rest.Request{Operation: op, Method: "POST", Path: path("search/v1/search"), Query: q, Body: body, Idempotent: true}, &e)
		return e, err
	}))
	return all, orEmpty(err)
}

// inUse removes deleted objects, which the index still has, and results that do not match the condition.
func inUse(found []Object, fits func(Object) bool) []Object {
	return slices.DeleteFunc(found, func(o Object) bool { return o.Deleted() || !fits(o) })
}

// ByExternalID wraps POST search/v1/search/. docType is assets or collections. It omits deleted objects, which the index still
// has. The index lags behind writes.
func (s *SearchService) ByExternalID(ctx context.Context, docType, externalID string) ([]Object, error) {
	found, err := s.find(ctx, docType, []term{{"external_id", externalID}})
	return inUse(found, func(o Object) bool { return o.ExternalID == externalID }), err
}

// Collections wraps POST search/v1/search/ for collections with exactly this title.
func (s *SearchService) Collections(ctx context.Context, title string) ([]Object, error) {
	found, err := s.find(ctx, "collections", []term{{"title", title}})
	return inUse(found, func(o Object) bool { return o.Title == title }), err
}
