package archive

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
)

// Kinds of things that are not carried.
const (
	notField      = "field"
	notSetting    = "share setting"
	notCollection = "collection"
)

// writeCustom writes an item's Frame.io fields to the asset's current version, except those named in left. again means that
// they were written before, perhaps with more.
func (a *archive) writeCustom(ctx context.Context, it ledger.Item, again bool, left []string) (answered map[string][]string, err error) {
	fields, err := comparing.SourceFields(it)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 && !again {
		return nil, nil
	}
	notCarried, answered, err := a.putSourceFields(ctx, "assets", it.AssetID, fields, again, left)
	if err != nil {
		return nil, fmt.Errorf("Frame.io's fields: %w", err)
	}
	if len(notCarried) == 0 && !again {
		return answered, nil
	}
	return answered, a.ledger.SetNotCarried(ctx, it.SourceID, "fields", at(notCarried, it.Path))
}

// changedFields compares an item's previously written fields with what iconik has. left names the fields that somebody has
// changed there. restored lists the changes that are overwritten because they must be restored.
func (a *archive) changedFields(ctx context.Context, it ledger.Item, copied map[string]string) (left []string, restored []ledger.Difference, err error) {
	before := proof.ReadWritten(it.FieldsWritten)
	if it.WrittenHash == "" || !before.Fields {
		return nil, nil, nil
	}
	fields, err := comparing.WantedFields(ctx, a.tenant, it, copied)
	if err != nil {
		return nil, nil, err
	}
	gone, err := comparing.TakenAway(ctx, a.tenant, fields)
	if err != nil {
		return nil, nil, err
	}
	fields = append(fields, gone...)
	stored, err := a.storedFields(fields, func(view string) (map[string][]string, error) {
		return a.iconik.Metadata.Values(ctx, "assets", it.AssetID, view)
	})
	if err != nil {
		return nil, nil, err
	}
	_, keep, again := a.findings.Decide(comparing.CompareFields(fields, comparing.In(stored), before, true))
	for _, f := range comparing.Only(fields, keep) {
		left = append(left, f.Name)
	}
	return left, comparing.FieldDifferences(fields, again), nil
}

// storedFields reads fields from iconik's store, with one call per view.
func (a *archive) storedFields(fields []comparing.Field, read func(view string) (map[string][]string, error)) (map[string][]string, error) {
	stored := map[string][]string{}
	for _, view := range comparing.Views(fields) {
		values, err := read(view)
		if err != nil {
			return nil, err
		}
		maps.Copy(stored, values)
	}
	return stored, nil
}

// at sets the place of all rows.
func at(rows []ledger.NotCarried, place string) []ledger.NotCarried {
	for i := range rows {
		rows[i].Place = place
	}
	return rows
}

// putSourceFields writes fields to an object, and returns those that iconik cannot accept. With again, it clears fields that the object
// had before and the source no longer has. It does not touch the fields named in left. answered is what iconik reports to have stored.
func (a *archive) putSourceFields(ctx context.Context, kind, id string, fields []mapping.SourceField, again bool, left []string) (notCarried []ledger.NotCarried, answered map[string][]string, err error) {
	want := make([]tenant.Wanted, len(fields))
	for i, f := range fields {
		want[i] = a.tenant.WantedFor(f)
	}
	if len(want) == 0 && !a.tenant.HasFieldsView() {
		return nil, nil, nil
	}
	view, err := a.tenant.FieldsView(ctx, want)
	if err != nil {
		return nil, nil, err
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
	for _, name := range left {
		delete(values, name)
	}
	answered, err = a.iconik.Metadata.PutValues(ctx, kind, id, view.ID, values)
	if rest.ClassOf(err) == rest.Permanent && err != nil { // one of the values is refused: keep at least what people need to find them
		notCarried = append(notCarried, ledger.NotCarried{Object: id, Kind: notField, Name: "Frame.io fields", Reason: "iconik refuses the values: " + err.Error() + "; they are kept as JSON"})
		_, err = a.iconik.Metadata.PutValues(ctx, kind, id, view.ID, map[string][]string{mapping.FieldsJSON: values[mapping.FieldsJSON]})
		answered = map[string][]string{}
		for name := range values {
			if name != mapping.FieldsJSON {
				answered[name] = []string{}
			}
		}
	}
	return notCarried, answered, err
}
