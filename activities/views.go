package activities

import (
	"context"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/mapping"
)

// viewFields are the fields of each view that is written.
var viewFields = map[string][]mapping.Field{
	mapping.ArchiveView: mapping.ArchiveFields,
	mapping.CommentView: mapping.CommentFields,
	mapping.ReviewView:  mapping.ReviewFields,
}

// view returns the id of one of our metadata views; the view and the fields it lacks are made.
func (t *tenant) view(ctx context.Context, name string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok := t.views[name]; ok {
		return id, nil
	}
	fields := viewFields[name]
	views, err := t.iconik.Metadata.Views(ctx)
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
		if len(missing) > 0 {
			if err := t.makeFields(ctx, fields); err != nil {
				return "", err
			}
			v.ViewFields = append(v.ViewFields, missing...)
			if _, err := t.iconik.Metadata.UpdateView(ctx, v); err != nil {
				return "", err
			}
		}
		t.views[name] = v.ID
		return v.ID, nil
	}
	if err := t.makeFields(ctx, fields); err != nil {
		return "", err
	}
	made, err := t.iconik.Metadata.CreateView(ctx, want)
	if err != nil {
		return "", err
	}
	t.views[name] = made.ID
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

func (t *tenant) makeFields(ctx context.Context, fields []mapping.Field) error {
	for _, f := range fields {
		_, err := t.iconik.Metadata.Field(ctx, f.Name)
		if rest.IsNotFound(err) {
			_, err = t.iconik.Metadata.CreateField(ctx, iconik.Field{Name: f.Name, Label: f.Label, FieldType: f.Type})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// values gives single values the form iconik wants.
func values(m map[string]string) map[string][]string {
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
