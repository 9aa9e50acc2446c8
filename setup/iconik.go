package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/mapping"
)

const vendorIconik = "iconik"

// aclActions is the object type of custom actions in access lists.
const aclActions = "custom_actions"

func (p *planner) planIconik(ctx context.Context) error {
	if err := p.chooseGroups(ctx); err != nil {
		return err
	}
	if err := p.noteStorage(ctx); err != nil {
		return err
	}
	if err := p.planFields(ctx); err != nil {
		return err
	}
	if err := p.planViews(ctx); err != nil {
		return err
	}
	if err := p.planButtons(ctx); err != nil {
		return err
	}
	return p.planSegmentsHook(ctx)
}

// chooseGroups sets the groups that are named, or those of the last run, or those that a person chooses. Without any, iconik shows
// the actions only to administrators.
func (p *planner) chooseGroups(ctx context.Context) error {
	if len(p.Setup.Groups) == 0 && (p.Choose == nil || len(p.record.Groups) > 0 || len(p.record.Objects) > 0) {
		p.groups = p.record.Groups
		return nil
	}
	groups, err := p.Iconik.Admin.Groups(ctx)
	if err != nil {
		return err
	}
	var all []Option
	for _, g := range groups {
		all = append(all, Option{g.ID, g.Name})
	}
	var chosen []Option
	switch {
	case len(p.Setup.Groups) > 0:
		chosen, err = pick("group", p.Setup.Groups, all)
	case len(all) > 0:
		chosen, err = p.Choose("iconik groups that can use the actions", all)
	}
	if err != nil {
		return err
	}
	for _, o := range chosen {
		p.groups = append(p.groups, o.ID)
	}
	if !sameSet(p.groups, p.record.Groups) {
		p.plan.before = append(p.plan.before, p.remember(func(r *Record) { r.Groups = p.groups }))
	}
	return nil
}

// noteStorage adds a note that lists the storages to choose from if none matches or the configured one does not exist.
func (p *planner) noteStorage(ctx context.Context) error {
	var err error
	id := p.Tenant.Iconik.StorageID
	if id == "" {
		_, err = p.Iconik.Files.MatchingStorage(ctx, "FILES")
	} else {
		_, err = p.Iconik.Files.Storage(ctx, id)
	}
	if !rest.IsNotFound(err) {
		return err
	}
	storages, err := p.Iconik.Admin.Storages(ctx, "FILES")
	if err != nil {
		return err
	}
	var all []Option
	for _, st := range storages {
		all = append(all, Option{st.ID, st.Name})
	}
	p.plan.Notes = append(p.plan.Notes, "iconik has no matching storage for originals: set tenants."+p.Tenant.ID+".iconik.storage_id to one of these: "+list(all))
	return nil
}

func (p *planner) planFields(ctx context.Context) error {
	fields, _ := Fields()
	for _, f := range append(fields, offered(p.Tenant.Review)...) {
		have, err := p.Iconik.Admin.FieldDefinition(ctx, f.Name)
		if err != nil {
			return err
		}
		p.add(p.fieldChange(f, have))
	}
	return nil
}

func (p *planner) fieldChange(f mapping.Field, have *iconik.FieldDefinition) Change {
	c := Change{Op: Keep, Vendor: vendorIconik, Kind: IconikField, Name: f.Name}
	options := fieldOptions[f.Name]
	if have == nil {
		c.Op, c.Details = Create, []string{"type: " + f.Type}
		want := iconik.FieldDefinition{Field: iconik.Field{Name: f.Name, Label: f.Label, FieldType: f.Type}, Options: options}
		c.do = p.tracked(IconikField, f.Name, "", func(ctx context.Context) (string, error) {
			return f.Name, p.Iconik.Admin.CreateField(ctx, want)
		})
		return c
	}
	c.ID = f.Name
	if !Fits(have.FieldType, f.Type) {
		c.Note = fmt.Sprintf("has type %s instead of %s, and iconik does not allow changing it: delete the field in iconik if it is empty", have.FieldType, f.Type)
	}
	merged := slices.Clone(have.Options)
	for _, o := range options {
		if !slices.ContainsFunc(merged, func(h iconik.FieldOption) bool { return h.Value == o.Value }) {
			merged = append(merged, o)
			c.Details = append(c.Details, "option: "+o.Value)
		}
	}
	var mend func(context.Context) error
	if len(c.Details) > 0 {
		c.Op = Update
		mend = func(ctx context.Context) error { return p.Iconik.Admin.SetFieldOptions(ctx, f.Name, merged) }
	}
	c.do = p.claimed(IconikField, f.Name, "", f.Name, mend)
	return c
}

// claimed returns mend, which may be nil if there is nothing to do. If the object's creation got no response, it returns a step
// that records the object first.
func (p *planner) claimed(kind Kind, key, where, id string, mend func(context.Context) error) func(context.Context) error {
	kept, remembered := p.record.Find(kind, key, where)
	if !remembered || kept.ID != "" {
		return mend
	}
	return func(ctx context.Context) error {
		if err := p.made(ctx, Object{Kind: kind, Key: key, Where: where, ID: id}); err != nil || mend == nil {
			return err
		}
		return mend(ctx)
	}
}

// Fits reports whether values of the wanted type can be written into a field. Text fits every kind of text field,
// including those for addresses.
func Fits(have, want string) bool {
	texts := []string{"string", "string_exact", "text", "email", "url"}
	return have == want || slices.Contains(texts, have) && slices.Contains(texts, want)
}

// tracked returns a step that creates an object and records it, before and after.
func (p *planner) tracked(kind Kind, key, where string, create func(ctx context.Context) (id string, err error)) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := p.intend(ctx, kind, key, where); err != nil {
			return err
		}
		id, err := create(ctx)
		if err != nil {
			return err
		}
		return p.made(ctx, Object{Kind: kind, Key: key, Where: where, ID: id})
	}
}

func (p *planner) planViews(ctx context.Context) error {
	have, err := p.Iconik.Metadata.Views(ctx)
	if err != nil {
		return err
	}
	for _, v := range viewsOf(p.Tenant.Review) {
		at := slices.IndexFunc(have, func(h iconik.View) bool { return h.Name == v.Name })
		if at < 0 {
			p.planNewView(v)
			continue
		}
		there := have[at]
		p.views[v.Name] = there.ID
		c := Change{Op: Keep, Vendor: vendorIconik, Kind: IconikView, Name: v.Name, ID: there.ID}
		var missing []iconik.ViewField
		for _, f := range v.Fields {
			if !slices.ContainsFunc(there.ViewFields, func(h iconik.ViewField) bool { return h.Name == f.Name }) {
				missing = append(missing, v.viewField(f))
				c.Details = append(c.Details, "field: "+f.Name)
			}
		}
		var mend func(context.Context) error
		if len(missing) > 0 {
			c.Op = Update
			mend = func(ctx context.Context) error { return p.Iconik.Admin.AddToView(ctx, there.ID, missing) }
		}
		c.do = p.claimed(IconikView, v.Name, "", there.ID, mend)
		p.add(c)
	}
	return nil
}

func (p *planner) planNewView(v ViewSpec) {
	want := iconik.View{Name: v.Name, Description: v.Description}
	for _, f := range v.Fields {
		want.ViewFields = append(want.ViewFields, v.viewField(f))
	}
	p.add(Change{Op: Create, Vendor: vendorIconik, Kind: IconikView, Name: v.Name, Details: []string{english.Count(len(v.Fields), "field")},
		do: p.tracked(IconikView, v.Name, "", func(ctx context.Context) (string, error) {
			made, err := p.Iconik.Metadata.CreateView(ctx, want)
			if err != nil {
				return "", err
			}
			p.views[v.Name] = made.ID
			return made.ID, nil
		})})
}

func (p *planner) planButtons(ctx context.Context) error {
	have, err := p.Iconik.Admin.CustomActions(ctx)
	if err != nil {
		return err
	}
	for _, b := range Buttons {
		for _, where := range b.Contexts {
			if err := p.planButton(ctx, b, where, have); err != nil {
				return err
			}
		}
	}
	return nil
}

// button returns a custom action in the desired state.
func (p *planner) button(b Button, where string) iconik.CustomAction {
	a := iconik.CustomAction{Title: b.Title, URL: URL(p.Base, b.Route, p.Tenant.ID), Context: where, Type: "POST", Headers: map[string]string{SecretHeader: p.secret}}
	if app := p.Tenant.Iconik.AppID; app != "" {
		a.AppID = &app
	}
	return a
}

func (p *planner) planButton(ctx context.Context, b Button, where string, have []iconik.CustomAction) error {
	want := p.button(b, where)
	c := Change{Vendor: vendorIconik, Kind: IconikAction, Name: b.Title, Where: where}
	kept, remembered := p.record.Find(IconikAction, b.Key, where)
	at := slices.IndexFunc(have, func(a iconik.CustomAction) bool { return remembered && kept.ID == a.ID })
	if at < 0 {
		at = slices.IndexFunc(have, func(a iconik.CustomAction) bool { return a.Context == where && a.URL == want.URL })
	}
	if at < 0 {
		c.Op, c.Details = Create, []string{"URL: " + want.URL}
		if b.View != "" {
			c.Details = append(c.Details, "form: "+b.View)
		}
		c.do = p.tracked(IconikAction, b.Key, where, func(ctx context.Context) (string, error) {
			p.useForm(&want, b.View)
			made, err := p.Iconik.Admin.CreateCustomAction(ctx, want)
			if err != nil {
				return "", err
			}
			return made.ID, p.allow(ctx, made.ID, p.groups)
		})
		p.add(c)
		return nil
	}
	there := have[at]
	want.ID, c.ID = there.ID, there.ID
	c.Details = p.buttonDetails(there, want, b.View)
	unseen, err := p.unseenBy(ctx, there.ID)
	if err != nil {
		return err
	}
	for _, g := range unseen {
		c.Details = append(c.Details, "visible to group: "+g)
	}
	switch {
	case there.Disabled:
		c.Op, c.Details = Enable, append(c.Details, "it is turned off")
	case len(c.Details) > 0:
		c.Op = Update
	default:
		c.Op = Keep
	}
	var mend func(context.Context) error
	if c.Op != Keep {
		mend = func(ctx context.Context) error {
			p.useForm(&want, b.View)
			if err := p.Iconik.Admin.UpdateCustomAction(ctx, want); err != nil {
				return err
			}
			return p.allow(ctx, there.ID, unseen)
		}
	}
	c.do = p.claimed(IconikAction, b.Key, where, there.ID, mend)
	p.add(c)
	return nil
}

// useForm sets the view's ID, which is known once the view has been created.
func (p *planner) useForm(a *iconik.CustomAction, view string) {
	if id := p.views[view]; id != "" {
		a.MetadataView = &id
	}
}

// buttonDetails describes the differences, but never shows a secret.
func (p *planner) buttonDetails(have, want iconik.CustomAction, view string) []string {
	out := append(differs("title", have.Title, want.Title), differs("URL", have.URL, want.URL)...)
	if have.Type != "" {
		out = append(out, differs("type", have.Type, want.Type)...)
	}
	if HeaderOf(have.Headers) != p.secret {
		out = append(out, "secret header: different")
	}
	if p.Tenant.Iconik.AppID != "" {
		out = append(out, differs("application", text(have.AppID), text(want.AppID))...)
	}
	if view != "" && (p.views[view] == "" || text(have.MetadataView) != p.views[view]) {
		out = append(out, "form: "+view)
	}
	return out
}

// HeaderOf returns the secret header's value, matching its name case-insensitively.
func HeaderOf(headers map[string]string) string {
	for k, v := range headers {
		if strings.EqualFold(k, SecretHeader) {
			return v
		}
	}
	return ""
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// unseenBy returns the chosen groups that do not see an action yet.
func (p *planner) unseenBy(ctx context.Context, id string) ([]string, error) {
	if len(p.groups) == 0 {
		return nil, nil
	}
	readers, err := p.Iconik.Admin.Readers(ctx, aclActions, id)
	if err != nil && !rest.IsNotFound(err) {
		return nil, err
	}
	var out []string
	for _, g := range p.groups {
		if !slices.Contains(readers, g) {
			out = append(out, g)
		}
	}
	return out, nil
}

func (p *planner) allow(ctx context.Context, id string, groups []string) error {
	if len(groups) == 0 {
		return nil
	}
	if err := p.Iconik.Admin.AllowReaders(ctx, aclActions, id, groups); err != nil {
		return fmt.Errorf("the action was created, but its groups cannot see it: %w", err)
	}
	return nil
}

func (p *planner) planSegmentsHook(ctx context.Context) error {
	have, err := p.Iconik.Admin.Webhooks(ctx)
	if err != nil {
		return err
	}
	s := SegmentsHook
	realm := s.Realm
	want := iconik.Webhook{Name: s.Name, EventType: s.EventType, Realm: &realm, URL: URL(p.Base, s.Route, p.Tenant.ID), Status: "ENABLED", Headers: map[string]string{SecretHeader: p.secret}}
	c := Change{Vendor: vendorIconik, Kind: IconikWebhook, Name: s.Name}
	kept, remembered := p.record.Find(IconikWebhook, s.Key, "")
	at := slices.IndexFunc(have, func(w iconik.Webhook) bool { return remembered && kept.ID == w.ID })
	if at < 0 {
		at = slices.IndexFunc(have, func(w iconik.Webhook) bool { return w.URL == want.URL })
	}
	if at < 0 {
		c.Op, c.Details = Create, []string{"URL: " + want.URL, "events: " + s.EventType + ", " + s.Realm}
		c.do = p.tracked(IconikWebhook, s.Key, "", func(ctx context.Context) (string, error) {
			made, err := p.Iconik.Admin.CreateWebhook(ctx, want)
			if err != nil {
				return "", err
			}
			return made.ID, nil
		})
		p.add(c)
		return nil
	}
	p.mendSegmentsHook(c, have[at], want)
	return nil
}

func (p *planner) mendSegmentsHook(c Change, there, want iconik.Webhook) {
	want.ID, c.ID = there.ID, there.ID
	c.Details = append(differs("URL", there.URL, want.URL), differs("event type", there.EventType, want.EventType)...)
	if r := text(there.Realm); r != "" && r != text(want.Realm) {
		c.Details = append(c.Details, differs("realm", r, text(want.Realm))...)
	}
	if op := text(there.Operation); op != "" && op != "all" {
		c.Details = append(c.Details, differs("operation", op, "all")...)
	}
	if HeaderOf(there.Headers) != p.secret {
		c.Details = append(c.Details, "secret header: different")
	}
	c.Op = Keep
	if len(c.Details) > 0 {
		c.Op = Update
	}
	if there.Status == "DISABLED" {
		c.Op, c.Details = Enable, append(c.Details, "iconik turned it off: "+or(text(there.LastError), "no reason given"))
	}
	if there.Name != "" {
		want.Name = there.Name
	}
	var mend func(context.Context) error
	if c.Op != Keep {
		mend = func(ctx context.Context) error { return p.Iconik.Admin.UpdateWebhook(ctx, want) }
	}
	c.do = p.claimed(IconikWebhook, SegmentsHook.Key, "", there.ID, mend)
	p.add(c)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
