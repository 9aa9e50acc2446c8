package comparing

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// WantedFields are an item's fields as the archive writes them. What Frame.io fills in by itself it may change at any time: that
// is no work by itself, and not compared. copied are those that the copy of its bytes adds.
func WantedFields(ctx context.Context, t *tenant.Tenant, it ledger.Item, copied map[string]string) ([]Field, error) {
	view, err := t.View(ctx, mapping.ArchiveView)
	if err != nil {
		return nil, err
	}
	var values map[string]string
	if err := json.Unmarshal(it.Fields, &values); err != nil {
		return nil, fault.System("fields of file %s in the ledger: %v", it.SourceID, err)
	}
	maps.Copy(values, copied)
	var out []Field
	for _, f := range mapping.ArchiveFields {
		out = append(out, Field{View: view, Name: f.Name, Label: f.Label, Type: f.Type, Values: []string{values[f.Name]}})
	}
	var custom []mapping.SourceField
	if len(it.Custom) > 0 {
		if err := json.Unmarshal(it.Custom, &custom); err != nil {
			return nil, fault.System("fields of file %s in the ledger: %v", it.SourceID, err)
		}
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
		if fitted, ok := f.ValuesFor(target); ok && !f.BuiltIn && targets.Refused[name] == "" {
			out = append(out, Field{View: targets.ID, Name: name, Label: f.Name, Type: target.Type, Values: fitted})
		}
	}
	return out, nil
}
