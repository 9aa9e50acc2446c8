package tenant

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/mapping"
)

// FormatOriginal is the name of the format that holds a version's original in iconik.
const FormatOriginal = "ORIGINAL"

// viewFields are the fields of each view that is written.
var viewFields = map[string][]mapping.Field{
	mapping.ArchiveView: mapping.ArchiveFields,
	mapping.CommentView: mapping.CommentFields,
	mapping.ReviewView:  mapping.ReviewFields,
}

// viewMemory is how long views of iconik are believed to be as they were seen: people may delete them, and take fields out.
const viewMemory = 10 * time.Minute

// View returns the id of one of our metadata views; the view and the fields it lacks are made.
func (t *Tenant) View(ctx context.Context, name string) (string, error) {
	return t.views.Get(ctx, name, func(ctx context.Context) (id string, err error) {
		err = t.alone(ctx, func(ctx context.Context) error {
			id, err = t.ensureView(ctx, name)
			return err
		})
		return id, err
	})
}

// alone changes views: iconik replaces one as a whole, so what two workers add at the same time would be lost in part.
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

// missingFields are those of want that a view, perhaps rearranged by people, has not.
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

// createField makes a field. One that somebody made a moment before, or an answer that was lost, is no refusal.
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

// Values gives single values the form iconik wants.
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

// FirstID picks the first row that fits.
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
