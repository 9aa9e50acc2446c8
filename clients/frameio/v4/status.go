package v4

import (
	"context"
	"net/url"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

// Labels wraps GET ~/files/{id}/metadata. It returns the options of the account's Status field, in its order.
func (c *Client) Labels(ctx context.Context, fileID string) ([]string, error) {
	f, err := c.statusField(ctx, fileID)
	var out []string
	for _, o := range f.options() {
		out = append(out, label(o.Name))
	}
	return out, err
}

// SetLabel wraps PATCH ~/projects/{id}/metadata/values, once the field and the option are known by GET ~/files/{id}/metadata.
func (c *Client) SetLabel(ctx context.Context, projectID, fileID, wanted string) error {
	f, err := c.statusField(ctx, fileID)
	if err != nil {
		return err
	}
	chosen := []string{}
	if o := f.option(wanted); o.ID != "" {
		chosen = append(chosen, o.ID)
	} else if wanted != "none" {
		return &rest.Error{Vendor: vendorName, Operation: opSetFields, Class: rest.Unsupported, Detail: "the Status field has no option " + wanted}
	}
	path, err := c.in(ctx, "projects", projectID, "metadata", "values")
	if err != nil {
		return err
	}
	body := map[string]any{"file_ids": []string{fileID}, "values": []any{map[string]any{"field_definition_id": f.ID, "value": chosen}}}
	return c.do(ctx, opSetFields, path, nil, body, nil)
}

// option returns the option that a status is, or none.
func (f field) option(status string) option {
	for _, o := range f.options() {
		if label(o.Name) == status {
			return o
		}
	}
	return option{}
}

// statusField reads a file's Status field, whether or not the file has a status.
func (c *Client) statusField(ctx context.Context, fileID string) (field, error) {
	type metadata struct {
		Fields []field `json:"metadata"`
	}
	all, err := one[metadata](ctx, c, opFileFields, url.Values{"show_null": {"true"}}, nil, "files", fileID, "metadata")
	if err != nil {
		return field{}, err
	}
	for _, f := range all.Fields {
		if f.fieldType() == frameio.FieldSelect && strings.EqualFold(strings.TrimSpace(f.Name), "Status") && f.ID != "" {
			if f.Mutable != nil && !*f.Mutable {
				return field{}, &rest.Error{Vendor: vendorName, Operation: opFileFields, Class: rest.Unsupported, Detail: "the Status field is read-only"}
			}
			return f, nil
		}
	}
	return field{}, &rest.Error{Vendor: vendorName, Operation: opFileFields, Class: rest.Unsupported, Detail: "the file has no Status field"}
}
