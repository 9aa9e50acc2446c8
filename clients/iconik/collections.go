package iconik

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/framebridge/framebridge/clients/rest"
)

// Collection is a folder of assets and collections.
type Collection struct {
	ID            string   `json:"id"`
	Title         string   `json:"title"`
	ParentID      string   `json:"parent_id"`
	ExternalID    string   `json:"external_id"`
	Status        string   `json:"status"`
	CreatedByUser string   `json:"created_by_user"`
	InCollections []string `json:"in_collections"`
}

// CollectionRequest is the body of Create.
type CollectionRequest struct {
	Title      string `json:"title"`
	ParentID   string `json:"parent_id,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	IsRoot     *bool  `json:"is_root,omitempty"`
	// Access says who may read the collection from the moment it exists, besides its creator and administrators.
	Access NewAccess `json:"-"`
}

// Create wraps POST assets/v1/collections/.
func (s *CollectionsService) Create(ctx context.Context, req CollectionRequest) (*Collection, error) {
	if req.ParentID == "" && req.IsRoot == nil {
		root := true
		req.IsRoot = &root
	}
	var c Collection
	err := s.c.post(ctx, "create collection", path("assets/v1/collections"), req.Access.query(false), req, &c)
	return made(&c, c.ID, "create collection", err)
}

// Get wraps GET assets/v1/collections/{id}/.
func (s *CollectionsService) Get(ctx context.Context, id string) (*Collection, error) {
	var c Collection
	if err := s.c.get(ctx, "get collection", path("assets/v1/collections", id), nil, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// CollectionPatch changes the fields that are set. iconik's schema always requires the title.
type CollectionPatch struct {
	Title      string  `json:"title,omitempty"`
	ParentID   *string `json:"parent_id,omitempty"`
	ExternalID string  `json:"external_id,omitempty"`
}

// Update wraps PATCH assets/v1/collections/{id}/. A new parent moves the collection.
func (s *CollectionsService) Update(ctx context.Context, id string, p CollectionPatch) (*Collection, error) {
	q := url.Values{}
	if p.ParentID != nil {
		q.Set("change_parent_mode", "move")
	}
	var c Collection
	if err := s.c.patch(ctx, "update collection", path("assets/v1/collections", id), q, p, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// Delete wraps DELETE assets/v1/collections/{id}/.
func (s *CollectionsService) Delete(ctx context.Context, id string) error {
	return s.c.delete(ctx, "delete collection", path("assets/v1/collections", id), nil, nil)
}

// Add wraps POST assets/v1/collections/{id}/contents/. objectType is assets or collections.
func (s *CollectionsService) Add(ctx context.Context, id, objectType, objectID string) error {
	body := map[string]string{"object_id": objectID, "object_type": objectType}
	return s.c.post(ctx, "add to collection", path("assets/v1/collections", id, "contents"), nil, body, nil)
}

// Remove wraps DELETE assets/v1/collections/{id}/contents/{type}/{object}/: the object itself stays.
func (s *CollectionsService) Remove(ctx context.Context, id, objectType, objectID string) error {
	return s.c.delete(ctx, "remove from collection", path("assets/v1/collections", id, "contents", objectType, objectID), nil, nil)
}

// Object is an asset or collection as the index has it.
type Object struct {
	ID            string   `json:"id"`
	ObjectType    string   `json:"object_type"`
	Title         string   `json:"title"`
	Status        string   `json:"status"`
	Type          string   `json:"type"`
	ExternalID    string   `json:"external_id"`
	ParentID      string   `json:"parent_id"`
	CreatedByUser string   `json:"created_by_user"`
	InCollections []string `json:"in_collections"`

	Metadata map[string]any `json:"metadata"` // of an asset's current version: each is a value or a list of values
	Versions []Version      `json:"versions"`
}

// AllContents wraps GET assets/v1/collections/{id}/contents/, page by page. It reads the index. A collection that does not
// exist has no contents, because the first page of an empty one may not exist either. Use Get to tell them apart.
func (s *CollectionsService) AllContents(ctx context.Context, id, objectTypes string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range byPage[Object](ctx, s.c, "list collection", path("assets/v1/collections", id, "contents"), url.Values{"object_types": {objectTypes}}) {
			if rest.IsNotFound(err) || !yield(o, err) {
				return
			}
		}
	}
}

// made returns an error for a response to a POST that does not say what was created. The object may exist all the same.
func made[T any](v *T, id, op string, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, &rest.Error{Vendor: "iconik", Operation: op, Status: http.StatusOK, Class: rest.Retryable, Uncertain: true, Detail: "the response contains no ID"}
	}
	return v, nil
}
