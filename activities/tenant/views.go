package tenant

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/mapping"
)

// FormatOriginal is the name of the iconik format that holds a version's original.
const FormatOriginal = "ORIGINAL"

// viewFields lists the fields of each view that Framebridge writes.
var viewFields = map[string][]mapping.Field{
	mapping.ArchiveView: mapping.ArchiveFields,
	mapping.CommentView: mapping.CommentFields,
	mapping.ReviewView:  mapping.ReviewFields,
}

// viewMemory is how long iconik's views are cached. People may delete them or remove fields.
const viewMemory = 10 * time.Minute

// View returns the ID of one of our metadata views. It creates the view and its fields if they are missing.
func (t *Tenant) View(ctx context.Context, name string) (string, error) {
	return t.views.Get(ctx, name, func(ctx context.Context) (id string, err error) {
		err = t.alone(ctx, func(ctx context.Context) error {
			id, err = t.ensureView(ctx, name)
			return err
		})
		return id, err
	})
}

// alone runs do while nobody else changes views. iconik replaces a view as a whole, so concurrent additions by two workers
// would be partly lost.
func (t *Tenant) alone(ctx context.Context, do func(context.Context) error) error {
	select {
	case t.making <- struct{}{}:
		defer func() { <-t.making }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return t.Ledger.Alone(ctx, "iconik views", do)
}

func (t *Tenant) ensureView(ctx context.Context, name string) (string, error) {
	fields := viewFields[name]
	views, err := t.Iconik.Metadata.Views(ctx)
	if err != nil {
		return "", err
	}
	want := iconik.View{Name: name, Description: "Written by Framebridge"}
	for _, f := range fields {
		want.ViewFields = append(want.ViewFields, iconik.ViewField{Name: f.Name, Label: f.Label, ReadOnly: true})
	}
	for _, v := range views {
		if v.Name != name {
			continue
		}
		missing := missingFields(v, want)
		if len(missing) == 0 {
			return v.ID, nil
		}
		if err := t.makeFields(ctx, fields); err != nil {
			return "", err
		}
		return v.ID, t.Iconik.Admin.AddToView(ctx, v.ID, missing)
	}
	if err := t.makeFields(ctx, fields); err != nil {
		return "", err
	}
	made, err := t.Iconik.Metadata.CreateView(ctx, want)
	if err != nil {
		return "", err
	}
	return made.ID, nil
}

// missingFields returns the fields of want that a view lacks. People may have rearranged the view.
func missingFields(have, want iconik.View) []iconik.ViewField {
	known := map[string]bool{}
	for _, f := range have.ViewFields {
		known[f.Name] = true
	}
	var missing []iconik.ViewField
	for _, f := range want.ViewFields {
		if !known[f.Name] {
			missing = append(missing, f)
		}
	}
	return missing
}

func (t *Tenant) makeFields(ctx context.Context, fields []mapping.Field) error {
	for _, f := range fields {
		_, err := t.Iconik.Metadata.Field(ctx, f.Name)
		if rest.IsNotFound(err) {
			_, err = t.createField(ctx, iconik.Field{Name: f.Name, Label: f.Label, FieldType: f.Type})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// createField creates a field. It returns the existing field if somebody created it a moment before, or if the answer was lost.
func (t *Tenant) createField(ctx context.Context, f iconik.Field) (*iconik.Field, error) {
	made, err := t.Iconik.Metadata.CreateField(ctx, f)
	if err == nil {
		return made, nil
	}
	if found, again := t.Iconik.Metadata.Field(ctx, f.Name); again == nil {
		return found, nil
	}
	return nil, err
}

// Values converts single values to the form that iconik wants.
func Values(m map[string]string) map[string][]string {
	out := make(map[string][]string, len(m))
	for k, v := range m {
		if v == "" {
			out[k] = []string{}
			continue
		}
		out[k] = []string{v}
	}
	return out
}

// FirstID returns the ID of the first row that fits, or "" if there is none.
func FirstID[T any](rows []T, err error, fits func(T) (string, bool)) (string, error) {
	if err != nil && !rest.IsNotFound(err) {
		return "", err
	}
	for _, r := range rows {
		if id, ok := fits(r); ok {
			return id, nil
		}
	}
	return "", nil
}
