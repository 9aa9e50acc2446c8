package tenant

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/mapping"
)

// FieldsView is the view of Frame.io's fields in iconik, as this process last saw it. It is immutable.
type FieldsView struct {
	ID      string
	Targets map[string]mapping.TargetField // by iconik's name
	Refused map[string]string              // by iconik's name: why the field does not exist

	until time.Time // after this it is read again
}

// covers reports whether the view is current and has every wanted field with its options.
func (v *FieldsView) covers(want []Wanted) bool {
	return v != nil && time.Now().Before(v.until) && !slices.ContainsFunc(want, func(w Wanted) bool {
		t, ok := v.Targets[w.Target.Name]
		return v.Refused[w.Target.Name] == "" && (!ok || !w.Mapped && lacks(t, w.Target))
	})
}

func lacks(have, want mapping.TargetField) bool {
	return have.Type == "drop_down" && slices.ContainsFunc(want.Options, func(o string) bool { return !slices.Contains(have.Options, o) })
}

// Wanted is a field to write values to. Mapped means that the configuration names it and that it is the customer's own.
type Wanted struct {
	Target mapping.TargetField
	Mapped bool
}

// WantedFor returns the iconik field for a Frame.io field.
func (t *Tenant) WantedFor(f mapping.SourceField) Wanted {
	if name := t.Config.Archive.Fields[f.Name]; name != "" {
		return Wanted{Target: mapping.TargetField{Name: name}, Mapped: true}
	}
	return Wanted{Target: f.Target()}
}

// HasFieldsView reports whether this process knows of Frame.io fields in iconik.
func (t *Tenant) HasFieldsView() bool { return t.fields.Load() != nil }

// FieldsView returns the view of Frame.io's fields, creating it and adding the wanted fields as needed.
func (t *Tenant) FieldsView(ctx context.Context, want []Wanted) (*FieldsView, error) {
	if v := t.fields.Load(); v.covers(want) {
		return v, nil
	}
	var v *FieldsView
	err := t.alone(ctx, func(ctx context.Context) (err error) {
		if v = t.fields.Load(); v.covers(want) {
			return nil
		}
		if v, err = t.extendFieldsView(ctx, v, want); err == nil {
			t.fields.Store(v)
		}
		return err
	})
	return v, err
}

func (t *Tenant) extendFieldsView(ctx context.Context, known *FieldsView, want []Wanted) (*FieldsView, error) {
	next := &FieldsView{Targets: map[string]mapping.TargetField{}, Refused: map[string]string{}, until: time.Now().Add(t.views.Lasts)}
	views, err := t.Iconik.Metadata.Views(ctx)
	if err != nil {
		return nil, err
	}
	view := iconik.View{Name: mapping.FieldsView, Description: "Written by Framebridge"}
	if i := slices.IndexFunc(views, func(v iconik.View) bool { return v.Name == mapping.FieldsView }); i >= 0 {
		view = views[i]
	}
	if known != nil && known.ID == view.ID {
		next.keep(known, view)
	}
	if err := t.makeFields(ctx, []mapping.Field{{Name: mapping.FieldsJSON, Label: "Frame.io fields (JSON)", Type: "text"}}); err != nil {
		return nil, err
	}
	all := append([]Wanted{{Target: mapping.TargetField{Name: mapping.FieldsJSON, Label: "Frame.io fields (JSON)", Type: "text"}}}, want...)
	var added []iconik.ViewField
	for _, w := range all {
		has := slices.ContainsFunc(view.ViewFields, func(f iconik.ViewField) bool { return f.Name == w.Target.Name })
		if !has {
			w.Target.Label = ownLabel(view, w.Target)
		}
		field, why, err := t.ensureField(ctx, w)
		if err != nil {
			return nil, err
		}
		if why != "" {
			next.Refused[w.Target.Name] = why
			continue
		}
		next.Targets[w.Target.Name] = targetOf(field)
		if !has {
			f := iconik.ViewField{Name: field.Name, Label: field.Label}
			view.ViewFields, added = append(view.ViewFields, f), append(added, f)
		}
	}
	next.ID = view.ID
	switch {
	case view.ID == "":
		made, err := t.Iconik.Metadata.CreateView(ctx, view)
		if err != nil {
			return nil, err
		}
		next.ID = made.ID
	case len(added) > 0:
		if err := t.Iconik.Admin.AddToView(ctx, view.ID, added); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// keep copies what is known of the fields that are still in the view.
func (v *FieldsView) keep(known *FieldsView, view iconik.View) {
	maps.Copy(v.Refused, known.Refused)
	for _, f := range view.ViewFields {
		if target, ok := known.Targets[f.Name]; ok {
			v.Targets[f.Name] = target
		}
	}
}

// ownLabel tells two fields with the same name apart: the second one's label includes its type and the beginning of its ID.
func ownLabel(view iconik.View, f mapping.TargetField) string {
	if !slices.ContainsFunc(view.ViewFields, func(v iconik.ViewField) bool { return strings.EqualFold(v.Label, f.Label) }) {
		return f.Label
	}
	id := strings.TrimPrefix(f.Name, "frameio_")
	return f.Label + " (" + f.Type + ", " + id[:min(8, len(id))] + ")"
}

// ensureField finds or creates a field and adds the options it lacks. why is set if iconik refuses it for good.
func (t *Tenant) ensureField(ctx context.Context, w Wanted) (field *iconik.Field, why string, err error) {
	field, err = t.Iconik.Metadata.Field(ctx, w.Target.Name)
	switch {
	case rest.IsNotFound(err) && w.Mapped:
		return nil, "iconik has no field " + w.Target.Name + ", which archive.fields names", nil
	case rest.IsNotFound(err):
		field, err = t.createField(ctx, iconik.Field{Name: w.Target.Name, Label: w.Target.Label, FieldType: w.Target.Type, Multi: w.Target.Multi, Options: options(w.Target.Options)})
	case err == nil && !w.Mapped && lacks(targetOf(field), w.Target):
		for _, o := range options(w.Target.Options) {
			if !slices.Contains(field.Options, o) {
				field.Options = append(field.Options, o)
			}
		}
		field, err = t.Iconik.Metadata.UpdateField(ctx, *field)
	}
	if refused(err) {
		return nil, "iconik refuses the field: " + err.Error(), nil
	}
	return field, "", err
}

func options(names []string) []iconik.FieldOption {
	var out []iconik.FieldOption
	for _, n := range names {
		out = append(out, iconik.FieldOption{Label: n, Value: n})
	}
	return out
}

func targetOf(f *iconik.Field) mapping.TargetField {
	t := mapping.TargetField{Name: f.Name, Label: f.Label, Type: f.FieldType, Multi: f.Multi || f.FieldType == "tag_cloud"}
	for _, o := range f.Options {
		t.Options = append(t.Options, o.Value)
	}
	return t
}
