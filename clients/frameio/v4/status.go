package v4

import (
	"context"
	"encoding/json"
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

// statusField reads a file's Status field, whether or not the file has a status. It asks for the account's fields if the file's do
// not have it with its options.
func (c *Client) statusField(ctx context.Context, fileID string) (field, error) {
	type metadata struct {
		Fields []field `json:"metadata"`
	}
	all, err := one[metadata](ctx, c, opFileFields, url.Values{"show_null": {"true"}}, nil, "files", fileID, "metadata")
	if err != nil {
		return field{}, err
	}
	for _, f := range all.Fields {
		if f.isStatus() && len(f.options()) > 0 {
			return f, f.writable()
		}
	}
	for d, err := range rest.Pages(ctx, vendorName, opFieldDefinitions, definition.key, func(ctx context.Context, cursor string) ([]definition, string, error) {
		return list[definition](ctx, c, opFieldDefinitions, nil, pageSize, cursor, "metadata", "field_definitions")
	}) {
		if err != nil {
			return field{}, err
		}
		if f := d.field(); f.isStatus() {
			return f, f.writable()
		}
	}
	return field{}, &rest.Error{Vendor: vendorName, Operation: opFileFields, Class: rest.Unsupported, Detail: "neither the file nor the account has a Status field"}
}

func (f field) isStatus() bool {
	return f.fieldType() == frameio.FieldSelect && strings.EqualFold(strings.TrimSpace(f.Name), "Status") && f.ID != ""
}

// writable returns an error if nobody can set the field.
func (f field) writable() error {
	if f.Mutable == nil || *f.Mutable {
		return nil
	}
	return &rest.Error{Vendor: vendorName, Operation: opFileFields, Class: rest.Unsupported, Detail: "the Status field is read-only"}
}

// definition is a field of the account.
type definition struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Type          string `json:"field_type"`
	Mutable       *bool  `json:"mutable"`
	Configuration struct {
		Options json.RawMessage `json:"options"`
	} `json:"field_configuration"`
}

func (d definition) key() string { return d.ID }

// field returns the field as a file has it that has no value.
func (d definition) field() field {
	return field{ID: d.ID, Name: d.Name, Type: d.Type, Mutable: d.Mutable, Options: d.Configuration.Options}
}
