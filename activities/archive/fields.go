package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// Kinds of what is not carried.
const (
	notField      = "field"
	notSetting    = "share setting"
	notCollection = "collection"
)

// writeCustom writes an item's fields of Frame.io to the asset's current version. again: it was written before, perhaps
// with more.
func (a *archive) writeCustom(ctx context.Context, it ledger.Item, again bool) error {
	var fields []mapping.SourceField
	if len(it.Custom) > 0 {
		if err := json.Unmarshal(it.Custom, &fields); err != nil {
			return fault.System("fields of file %s in the ledger: %v", it.SourceID, err)
		}
	}
	if len(fields) == 0 && !again {
		return nil
	}
	notCarried, err := a.putSourceFields(ctx, "assets", it.AssetID, fields, again)
	if err != nil {
		return fmt.Errorf("Frame.io's fields: %w", err)
	}
	if len(notCarried) == 0 && !again {
		return nil
	}
	return a.ledger.SetNotCarried(ctx, it.SourceID, "fields", at(notCarried, it.Path))
}

// at says where things are.
func at(rows []ledger.NotCarried, place string) []ledger.NotCarried {
	for i := range rows {
		rows[i].Place = place
	}
	return rows
}

// putSourceFields writes fields to an object, and returns those that iconik cannot take. Where the object had some before,
// those that are gone are taken out.
func (a *archive) putSourceFields(ctx context.Context, kind, id string, fields []mapping.SourceField, again bool) ([]ledger.NotCarried, error) {
	want := make([]tenant.Wanted, len(fields))
	for i, f := range fields {
		want[i] = a.tenant.WantedFor(f)
	}
	if len(want) == 0 && !a.tenant.HasFieldsView() {
		return nil, nil
	}
	view, err := a.tenant.FieldsView(ctx, want)
	if err != nil {
		return nil, err
	}
	values := map[string][]string{mapping.FieldsJSON: {}}
	if raw := mapping.SourceFieldsJSON(fields); raw != "" {
		values[mapping.FieldsJSON] = []string{raw}
	}
	if again {
		for name := range view.Targets {
			if strings.HasPrefix(name, "frameio_") {
				values[name] = []string{}
			}
		}
	}
	var notCarried []ledger.NotCarried
	for i, f := range fields {
		name := want[i].Target.Name
		fitted, ok := f.ValuesFor(view.Targets[name])
		switch {
		case view.Refused[name] != "":
			notCarried = append(notCarried, ledger.NotCarried{Object: id, Kind: notField, Name: f.Name, Reason: view.Refused[name] + "; the value is kept as JSON"})
			continue
		case !ok:
			notCarried = append(notCarried, ledger.NotCarried{Object: id, Kind: notField, Name: f.Name, Reason: "iconik's field " + name + " of type " + view.Targets[name].Type + " does not take the value; it is kept as JSON"})
			continue
		}
		values[name] = fitted
		if len(f.Unresolved) > 0 {
			notCarried = append(notCarried, ledger.NotCarried{Object: id, Kind: notField, Name: f.Name, Reason: "Frame.io does not say who " + strings.Join(f.Unresolved, ", ") + " is; the id is kept"})
		}
	}
	err = a.iconik.Metadata.PutValues(ctx, kind, id, view.ID, values)
	if rest.ClassOf(err) == rest.Permanent && err != nil { // one of the values is refused: what people need to find them is kept all the same
		notCarried = append(notCarried, ledger.NotCarried{Object: id, Kind: notField, Name: "Frame.io fields", Reason: "iconik refuses the values: " + err.Error() + "; they are kept as JSON"})
		err = a.iconik.Metadata.PutValues(ctx, kind, id, view.ID, map[string][]string{mapping.FieldsJSON: values[mapping.FieldsJSON]})
	}
	return notCarried, err
}
