package iconik

import (
	"context"
	"net/url"

	"github.com/framebridge/framebridge/clients/rest"
)

// Segment is a time-based comment. Times are milliseconds from the version's start.
type Segment struct {
	ID         string   `json:"id"`
	Type       string   `json:"segment_type"`
	Text       string   `json:"segment_text"`
	Checked    bool     `json:"segment_checked"`
	StartMS    *int64   `json:"time_start_milliseconds"`
	EndMS      *int64   `json:"time_end_milliseconds"`
	ParentID   string   `json:"parent_id"`
	VersionID  string   `json:"version_id"`
	UserID     string   `json:"user_id"`
	ExternalID string   `json:"external_id"`
	Status     string   `json:"status"`
	Drawing    *Drawing `json:"drawing"`
	Internal   *bool    `json:"is_internal"`
	Metadata   any      `json:"metadata"`         // in listings, as the index has it
	ShareEmail string   `json:"share_user_email"` // of a guest who came through an iconik share
	FirstName  string   `json:"user_first_name"`
	LastName   string   `json:"user_last_name"`
	User       *User    `json:"user_info"`
	Created    Time     `json:"date_created"`
	Modified   Time     `json:"date_modified"`
}

// SegmentRequest is the body of Create.
type SegmentRequest struct {
	Type       string   `json:"segment_type"`
	Text       string   `json:"segment_text"`
	Checked    bool     `json:"segment_checked,omitempty"`
	StartMS    *int64   `json:"time_start_milliseconds,omitempty"`
	EndMS      *int64   `json:"time_end_milliseconds,omitempty"`
	ParentID   string   `json:"parent_id,omitempty"`
	VersionID  string   `json:"version_id,omitempty"`
	UserID     string   `json:"user_id,omitempty"`
	ExternalID string   `json:"external_id,omitempty"`
	Drawing    *Drawing `json:"drawing,omitempty"`
	Internal   *bool    `json:"is_internal,omitempty"`
}

// Create wraps POST assets/v1/assets/{id}/segments/.
func (s *SegmentsService) Create(ctx context.Context, assetID string, req SegmentRequest) (*Segment, error) {
	var seg Segment
	err := s.c.post(ctx, "create segment", path("assets/v1/assets", assetID, "segments"), nil, req, &seg)
	if err == nil && seg.ID != "" && seg.Type == "" { // it was created, but the response shows no more
		if is, err := s.Get(ctx, assetID, seg.ID); err == nil {
			return is, nil
		}
	}
	return made(&seg, seg.ID, "create segment", err)
}

// SegmentListOptions narrow a listing.
type SegmentListOptions struct {
	Type        string
	VersionID   string
	AllVersions bool
	WithUsers   bool // include the writers' names
}

// List wraps GET assets/v1/assets/{id}/segments/, all pages. It reads the index, which lags behind writes.
func (s *SegmentsService) List(ctx context.Context, assetID string, o SegmentListOptions) ([]Segment, error) {
	q := url.Values{}
	if o.Type != "" {
		q.Set("segment_type", o.Type)
	}
	if o.VersionID != "" {
		q.Set("version_id", o.VersionID)
	}
	if o.AllVersions {
		q.Set("include_all_versions", "true")
	}
	if o.WithUsers {
		q.Set("include_users", "true")
	}
	return rest.Collect(byPage[Segment](ctx, s.c, "list segments", path("assets/v1/assets", assetID, "segments"), q))
}

// Get wraps GET assets/v1/assets/{id}/segments/{segment}/, which reads the store.
func (s *SegmentsService) Get(ctx context.Context, assetID, id string) (*Segment, error) {
	var seg Segment
	if err := s.c.get(ctx, "get segment", path("assets/v1/assets", assetID, "segments", id), nil, &seg); err != nil {
		return nil, err
	}
	return &seg, nil
}

// SegmentPatch changes the fields that are set, and sets the fields that Clear lists by their JSON names to null.
type SegmentPatch struct {
	Clear      []string `json:"-"`
	Text       *string  `json:"segment_text,omitempty"`
	Checked    *bool    `json:"segment_checked,omitempty"`
	StartMS    *int64   `json:"time_start_milliseconds,omitempty"`
	EndMS      *int64   `json:"time_end_milliseconds,omitempty"`
	Drawing    *Drawing `json:"drawing,omitempty"`
	ExternalID *string  `json:"external_id,omitempty"`
	Internal   *bool    `json:"is_internal,omitempty"`
}

// IsEmpty reports whether the patch changes nothing.
func (p SegmentPatch) IsEmpty() bool {
	return len(p.Clear) == 0 && p.Text == nil && p.Checked == nil && p.StartMS == nil && p.EndMS == nil && p.Drawing == nil && p.ExternalID == nil && p.Internal == nil
}

// Update wraps PATCH assets/v1/assets/{id}/segments/{segment}/ and returns the updated segment. If the response does not show it,
// Update reads it: callers compare what the segment has with what it should have.
func (s *SegmentsService) Update(ctx context.Context, assetID, id string, p SegmentPatch) (*Segment, error) {
	body := map[string]any{"segment_type": "COMMENT"}
	set := func(name string, v any, is bool) {
		if is {
			body[name] = v
		}
	}
	set("segment_text", p.Text, p.Text != nil)
	set("segment_checked", p.Checked, p.Checked != nil)
	set("time_start_milliseconds", p.StartMS, p.StartMS != nil)
	set("time_end_milliseconds", p.EndMS, p.EndMS != nil)
	set("drawing", p.Drawing, p.Drawing != nil)
	set("external_id", p.ExternalID, p.ExternalID != nil)
	set("is_internal", p.Internal, p.Internal != nil)
	for _, name := range p.Clear {
		body[name] = nil
	}
	var seg Segment
	if err := s.c.patch(ctx, "update segment", path("assets/v1/assets", assetID, "segments", id), nil, body, &seg); err != nil {
		return nil, err
	}
	if seg.ID == "" || seg.Type == "" {
		return s.Get(ctx, assetID, id)
	}
	return &seg, nil
}

// Delete wraps DELETE assets/v1/assets/{id}/segments/{segment}/.
func (s *SegmentsService) Delete(ctx context.Context, assetID, id string) error {
	return s.c.delete(ctx, "delete segment", path("assets/v1/assets", assetID, "segments", id), nil, nil)
}
