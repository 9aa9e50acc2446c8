package iconik

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/framebridge/framebridge/clients/rest"
)

// Field is a metadata field. FieldType is string, text, date, datetime, float, integer, boolean, url, email, ….
type Field struct {
	Name      string `json:"name"`
	Label     string `json:"label"`
	FieldType string `json:"field_type"`
	Multi     bool   `json:"multi,omitempty"`

	Options []FieldOption `json:"options,omitempty"` // for drop_down
}

// View is an ordered set of fields.
type View struct {
	ID          string      `json:"id,omitempty"`
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	ViewFields  []ViewField `json:"view_fields"`
}

// ViewField is a field's place in a view.
type ViewField struct {
	Name     string `json:"name"`
	Label    string `json:"label,omitempty"`
	ReadOnly bool   `json:"read_only,omitempty"`
	Required bool   `json:"required,omitempty"`
}

// Field wraps GET metadata/v1/fields/{name}/.
func (s *MetadataService) Field(ctx context.Context, name string) (*Field, error) {
	var f Field
	if err := s.c.get(ctx, "get field", path("metadata/v1/fields", name), nil, &f); err != nil {
		return nil, err
	}
	return &f, nil
}

// CreateField wraps POST metadata/v1/fields/.
func (s *MetadataService) CreateField(ctx context.Context, f Field) (*Field, error) {
	var out Field
	if err := s.c.post(ctx, "create field", path("metadata/v1/fields"), nil, f, &out); err != nil {
		return nil, err
	}
	return s.said(ctx, f.Name, out)
}

// UpdateField wraps PATCH metadata/v1/fields/{name}/. A field's name and type cannot be changed.
func (s *MetadataService) UpdateField(ctx context.Context, f Field) (*Field, error) {
	var out Field
	body := map[string]any{"label": f.Label, "field_type": f.FieldType, "multi": f.Multi, "options": f.Options} // the name is read only
	if err := s.c.do(ctx, "update field", "PATCH", path("metadata/v1/fields", f.Name), nil, body, &out); err != nil {
		return nil, err
	}
	return s.said(ctx, f.Name, out)
}

// said returns the field that a response shows, or reads it if the response shows none: its type must be known to write values.
func (s *MetadataService) said(ctx context.Context, name string, answer Field) (*Field, error) {
	if answer.Name == "" || answer.FieldType == "" {
		return s.Field(ctx, name)
	}
	return &answer, nil
}

// Views wraps GET metadata/v1/views/. It is documented without pages. If the response has some, Views reads all of them.
func (s *MetadataService) Views(ctx context.Context) ([]View, error) {
	const op = "list views"
	return rest.Collect(numbered(ctx, op, func(ctx context.Context, page int) (envelope[row[View]], error) {
		q := url.Values{}
		if page > 1 {
			q.Set("page", strconv.Itoa(page))
		}
		var e envelope[row[View]]
		err := s.c.get(ctx, op, path("metadata/v1/views"), q, &e)
		return e, err
	}))
}

// CreateView wraps POST metadata/v1/views/.
func (s *MetadataService) CreateView(ctx context.Context, v View) (*View, error) {
	var out View
	err := s.c.post(ctx, "create view", path("metadata/v1/views"), nil, v, &out)
	return made(&out, out.ID, "create view", err)
}

type fieldValues struct {
	FieldValues []fieldValue `json:"field_values"`
}

type fieldValue struct {
	Value any `json:"value"`
}

func body(values map[string][]string) map[string]any {
	out := map[string]fieldValues{}
	for name, list := range values {
		v := fieldValues{FieldValues: []fieldValue{}}
		for _, one := range list {
			v.FieldValues = append(v.FieldValues, fieldValue{one})
		}
		out[name] = v
	}
	return map[string]any{"metadata_values": out}
}

// PutValues wraps PUT metadata/v1/{type}/{id}/views/{view}/. Fields that are not named stay, and an empty list clears a field.
// For an asset, it writes the current version's values. It returns the values that iconik reports to have.
func (s *MetadataService) PutValues(ctx context.Context, objectType, objectID, viewID string, values map[string][]string) (map[string][]string, error) {
	return s.write(ctx, "write metadata", path("metadata/v1", objectType, objectID, "views", viewID), values)
}

// PutSegmentValues wraps PUT metadata/v1/assets/{id}/segments/{segment}/views/{view}/. It returns the values that iconik reports to have.
func (s *MetadataService) PutSegmentValues(ctx context.Context, assetID, segmentID, viewID string, values map[string][]string) (map[string][]string, error) {
	return s.write(ctx, "write segment metadata", path("metadata/v1/assets", assetID, "segments", segmentID, "views", viewID), values)
}

// Values wraps GET metadata/v1/{type}/{id}/views/{view}/. It returns none for an object without values.
func (s *MetadataService) Values(ctx context.Context, objectType, objectID, viewID string) (map[string][]string, error) {
	return s.read(ctx, "read metadata", path("metadata/v1", objectType, objectID, "views", viewID))
}

// SegmentValues wraps GET metadata/v1/assets/{id}/segments/{segment}/views/{view}/. It returns none for a segment without values.
func (s *MetadataService) SegmentValues(ctx context.Context, assetID, segmentID, viewID string) (map[string][]string, error) {
	return s.read(ctx, "read segment metadata", path("metadata/v1/assets", assetID, "segments", segmentID, "views", viewID))
}

// VersionValues wraps GET metadata/v1/assets/{id}/versions/{version}/views/{view}/. It returns none for a version without values.
func (s *MetadataService) VersionValues(ctx context.Context, assetID, versionID, viewID string) (map[string][]string, error) {
	return s.read(ctx, "read a version's metadata", path("metadata/v1/assets", assetID, "versions", versionID, "views", viewID))
}

func (s *MetadataService) read(ctx context.Context, op, path string) (map[string][]string, error) {
	var out struct {
		Values storedValues `json:"metadata_values"`
	}
	err := s.c.get(ctx, op, path, url.Values{}, &out)
	if rest.IsNotFound(err) {
		return map[string][]string{}, nil
	}
	return out.Values.lists(), err
}

// write ignores a response that it does not understand, because the values were accepted.
func (s *MetadataService) write(ctx context.Context, op, path string, values map[string][]string) (map[string][]string, error) {
	var out struct {
		Values json.RawMessage `json:"metadata_values"`
	}
	if err := s.c.do(ctx, op, "PUT", path, nil, body(values), &out); err != nil {
		return nil, err
	}
	var stored storedValues
	if json.Unmarshal(out.Values, &stored) != nil {
		return nil, nil //nolint:nilerr // it says nothing of them
	}
	return stored.lists(), nil
}

// storedValues are fields with their values, as in iconik's responses.
type storedValues map[string]struct {
	FieldValues []struct {
		Value json.RawMessage `json:"value"`
	} `json:"field_values"`
}

func (v storedValues) lists() map[string][]string {
	out := map[string][]string{}
	for name, f := range v {
		out[name] = []string{}
		for _, one := range f.FieldValues {
			out[name] = append(out[name], Scalar(one.Value))
		}
	}
	return out
}

// Scalar returns a value that may be a string, a number or a boolean as text, with a number as written. It returns "" for null.
func Scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
