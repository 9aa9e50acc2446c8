package comparing

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// ArchiveFields returns the values of mapping.ArchiveFields that the ledger has for an item, by name.
func ArchiveFields(it ledger.Item) (values map[string]string, err error) {
	err = json.Unmarshal(it.Fields, &values)
	return values, unreadable(it, err)
}

// SourceFields returns Frame.io's own fields that the ledger has for an item.
func SourceFields(it ledger.Item) (fields []mapping.SourceField, err error) {
	if len(it.Custom) > 0 {
		err = json.Unmarshal(it.Custom, &fields)
	}
	return fields, unreadable(it, err)
}

func unreadable(it ledger.Item, err error) error {
	if err == nil {
		return nil
	}
	return fault.System("fields of file %s in the ledger: %v", it.SourceID, err)
}

// WantedFields returns an item's fields as the archive writes them. copied holds those that copying its bytes adds.
func WantedFields(ctx context.Context, t *tenant.Tenant, it ledger.Item, copied map[string]string) ([]Field, error) {
	view, err := t.View(ctx, mapping.ArchiveView)
	if err != nil {
		return nil, err
	}
	values, err := ArchiveFields(it)
	if err != nil {
		return nil, err
	}
	maps.Copy(values, copied)
	var out []Field
	for _, f := range mapping.ArchiveFields {
		out = append(out, Field{View: view, Name: f.Name, Label: f.Label, Type: f.Type, Values: []string{values[f.Name]}})
	}
	custom, err := SourceFields(it)
	if err != nil {
		return nil, err
	}
	if len(custom) == 0 {
		return out, nil
	}
	want := make([]tenant.Wanted, len(custom))
	for i, f := range custom {
		want[i] = t.WantedFor(f)
	}
	targets, err := t.FieldsView(ctx, want)
	if err != nil {
		return nil, fmt.Errorf("Frame.io's fields: %w", err)
	}
	for i, f := range custom {
		name := want[i].Target.Name
		target := targets.Targets[name]
		if fitted, ok := f.ValuesFor(target); ok && targets.Refused[name] == "" {
			out = append(out, Field{View: targets.ID, Name: name, Label: f.Name, Type: target.Type, Values: fitted, OfFrameio: f.BuiltIn})
		}
	}
	return append(out, Field{View: targets.ID, Name: mapping.FieldsJSON, Label: "Frame.io fields (JSON)", Type: "text", Values: []string{mapping.SourceFieldsJSON(custom)}, OfFrameio: true}), nil
}

// TakenAway returns the Frame.io fields in iconik that are not wanted for a file: what was written to them is cleared.
func TakenAway(ctx context.Context, t *tenant.Tenant, want []Field) ([]Field, error) {
	if !t.HasFieldsView() {
		return nil, nil
	}
	view, err := t.FieldsView(ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []Field
	for name, target := range view.Targets {
		if strings.HasPrefix(name, "frameio_") && !slices.ContainsFunc(want, func(f Field) bool { return f.Name == name }) {
			out = append(out, Field{View: view.ID, Name: name, Label: target.Label, Type: target.Type})
		}
	}
	return out, nil
}
