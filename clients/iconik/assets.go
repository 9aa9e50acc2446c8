package iconik

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/framebridge/framebridge/clients/rest"
)

// Asset is an asset with its versions.
type Asset struct {
	ID            string    `json:"id"`
	Title         string    `json:"title"`
	Type          string    `json:"type"`
	Status        string    `json:"status"`
	ExternalID    string    `json:"external_id"`
	CreatedByUser string    `json:"created_by_user"`
	IsOnline      bool      `json:"is_online"`
	Versions      []Version `json:"versions"`
	InCollections []string  `json:"in_collections"`
}

// Version is a version of an asset.
type Version struct {
	ID            string `json:"id"`
	VersionNumber *int   `json:"version_number"`
	Status        string `json:"status"`
	DateCreated   Time   `json:"date_created"`
}

// OlderFirst orders versions by number, or by date if iconik gives no numbers.
func OlderFirst(a, b Version) int {
	if a.VersionNumber != nil && b.VersionNumber != nil {
		return *a.VersionNumber - *b.VersionNumber
	}
	return a.DateCreated.Compare(b.DateCreated.Time)
}

// CurrentVersion returns the newest active version, and false if there is none. iconik does not guarantee the order of the list.
func (a *Asset) CurrentVersion() (Version, bool) {
	var current Version
	found := false
	for _, v := range a.Versions {
		if v.Status != "" && v.Status != "ACTIVE" {
			continue
		}
		if !found || OlderFirst(v, current) > 0 {
			current, found = v, true
		}
	}
	return current, found
}

// AssetRequest is the body of Create.
type AssetRequest struct {
	Title        string `json:"title"`
	Type         string `json:"type,omitempty"` // ASSET, PLACEHOLDER, …
	ExternalID   string `json:"external_id,omitempty"`
	CollectionID string `json:"collection_id,omitempty"` // the asset is put into it
	// Access says who may read the asset from the moment it exists, besides its creator and administrators.
	Access NewAccess `json:"-"`
}

// Create wraps POST assets/v1/assets/. iconik creates the first version together with the asset.
func (s *AssetsService) Create(ctx context.Context, req AssetRequest) (*Asset, error) {
	q := req.Access.query(req.CollectionID != "")
	if req.CollectionID != "" {
		q.Set("assign_to_collection", "true")
	}
	var a Asset
	err := s.c.post(ctx, "create asset", path("assets/v1/assets"), q, req, &a)
	return made(&a, a.ID, "create asset", err)
}

// Get wraps GET assets/v1/assets/{id}/, which reads the store and does not lag.
func (s *AssetsService) Get(ctx context.Context, id string, withCollections bool) (*Asset, error) {
	q := url.Values{}
	if withCollections {
		q.Set("include_collections", "true")
	}
	var a Asset
	if err := s.c.get(ctx, "get asset", path("assets/v1/assets", id), q, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// AssetPatch changes the fields that are set. iconik's schema always requires the title.
type AssetPatch struct {
	Title      string `json:"title,omitempty"`
	Type       string `json:"type,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
}

// Update wraps PATCH assets/v1/assets/{id}/.
func (s *AssetsService) Update(ctx context.Context, id string, p AssetPatch) (*Asset, error) {
	var a Asset
	if err := s.c.patch(ctx, "update asset", path("assets/v1/assets", id), nil, p, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// Delete wraps DELETE assets/v1/assets/{id}/, which moves the asset to the delete queue. It can be restored from there.
func (s *AssetsService) Delete(ctx context.Context, id string) error {
	return s.c.delete(ctx, "delete asset", path("assets/v1/assets", id), nil, nil)
}

// VersionRequest says what a new version copies from the previous one.
type VersionRequest struct {
	CopyMetadata bool `json:"copy_metadata"`
	CopySegments bool `json:"copy_segments"`
}

// CreateVersion wraps POST assets/v1/assets/{id}/versions/. It returns all versions, including the new one.
func (s *AssetsService) CreateVersion(ctx context.Context, assetID string, req VersionRequest) ([]Version, error) {
	var out struct {
		Versions []Version `json:"versions"`
	}
	err := s.c.post(ctx, "create version", path("assets/v1/assets", assetID, "versions"), nil, req, &out)
	return out.Versions, err
}

// DeleteVersion wraps DELETE assets/v1/assets/{id}/versions/{version}/, which includes everything in the version. It can be restored.
func (s *AssetsService) DeleteVersion(ctx context.Context, assetID, versionID string) error {
	return s.c.delete(ctx, "delete version", path("assets/v1/assets", assetID, "versions", versionID), nil, nil)
}

// Approval is what one person has decided about a version: a user of iconik, or a guest by address.
type Approval struct {
	User      userID `json:"user"`
	External  string `json:"external"`
	Status    string `json:"status"` // as in SetApproval, or MIXED
	Changed   Time   `json:"change_date"`
	VersionID string `json:"version_id"`
}

// By returns the user or, for a guest, the address.
func (a Approval) By() string { return cmp.Or(string(a.User), a.External) }

// userID is a user's ID, whether iconik writes it alone or the whole user.
type userID string

// UnmarshalJSON treats anything else as no user.
func (u *userID) UnmarshalJSON(raw []byte) error {
	var user User
	if *u = ""; json.Unmarshal(raw, (*string)(u)) != nil && json.Unmarshal(raw, &user) == nil {
		*u = userID(user.ID)
	}
	return nil
}

// Approvals wraps GET assets/v1/assets/{id}/versions/{version}/approvals/. Its document has no parameters, so pages are asked for
// only if the first one is not all.
func (s *AssetsService) Approvals(ctx context.Context, assetID, versionID string) ([]Approval, error) {
	const op = "list approvals"
	return rest.Collect(numbered(ctx, op, func(ctx context.Context, page int) (envelope[row[Approval]], error) {
		var q url.Values
		if page > 1 {
			q = url.Values{"page": {strconv.Itoa(page)}}
		}
		var e envelope[row[Approval]]
		err := s.c.get(ctx, op, path("assets/v1/assets", assetID, "versions", versionID, "approvals"), q, &e)
		return e, err
	}))
}

// SetApproval wraps PUT assets/v1/assets/{id}/approvals/. Status is N/A, REQUESTED, APPROVED or NOT_APPROVED.
func (s *AssetsService) SetApproval(ctx context.Context, assetID, status string) error {
	return s.c.do(ctx, "set approval", http.MethodPut, path("assets/v1/assets", assetID, "approvals"), nil, map[string]string{"status": status}, nil)
}
