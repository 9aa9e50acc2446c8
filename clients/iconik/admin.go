package iconik

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/framebridge/framebridge/clients/rest"
)

// AdminService reads and changes what an administrator sets up once: custom actions, webhooks, fields, and who may see them.
type AdminService service

// CustomAction is a button in iconik. It has one context: ASSET, COLLECTION, BULK, ….
type CustomAction struct {
	ID           string            `json:"id,omitempty"`
	Title        string            `json:"title"`
	URL          string            `json:"url"`
	Context      string            `json:"context"`
	Type         string            `json:"type"`
	Headers      map[string]string `json:"headers"`
	AppID        *string           `json:"app_id"`
	MetadataView *string           `json:"metadata_view"`
	Disabled     bool              `json:"disabled"`

	Status    string  `json:"status,omitempty"` // HEALTHY or FAILING; read only
	LastError *string `json:"last_error,omitempty"`
}

// Webhook is an iconik webhook. An empty realm or operation means all.
type Webhook struct {
	ID          string            `json:"id,omitempty"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	EventType   string            `json:"event_type"`
	Realm       *string           `json:"realm"`
	Operation   *string           `json:"operation"`
	URL         string            `json:"url"`
	Status      string            `json:"status"` // ENABLED, DISABLED, FAILING or DELETED
	Headers     map[string]string `json:"headers"`

	LastError     *string `json:"last_error,omitempty"`
	FirstFailedAt *string `json:"first_failed_at,omitempty"`
}

// FieldDefinition is a metadata field with the options of its form.
type FieldDefinition struct {
	Field
	Options []FieldOption `json:"options,omitempty"`
}

// FieldOption is an option of a drop-down.
type FieldOption struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Group is a group of users.
type Group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Account is the account of the token's user.
type Account struct {
	User
	Type         string   `json:"type"` // POWER, STANDARD, BROWSE_ONLY, …
	IsAdmin      bool     `json:"is_admin"`
	IsSuperAdmin bool     `json:"is_super_admin"`
	Groups       []string `json:"groups"`
}

// objects reads a listing without pages. A 404 means that it is empty.
func objects[T any](ctx context.Context, s *AdminService, op, p string) ([]T, error) {
	var e envelope[T]
	if err := s.c.get(ctx, op, p, nil, &e); err != nil {
		return nil, orEmpty(err)
	}
	return e.Objects, nil
}

// CustomActions wraps GET assets/v1/custom_actions/, which has no pages.
func (s *AdminService) CustomActions(ctx context.Context) ([]CustomAction, error) {
	return objects[CustomAction](ctx, s, "list custom actions", path("assets/v1/custom_actions"))
}

// writable returns the action without what only iconik sets.
func (a CustomAction) writable() CustomAction {
	a.ID, a.Status, a.LastError = "", "", nil
	return a
}

// CreateCustomAction wraps POST assets/v1/custom_actions/{context}/.
func (s *AdminService) CreateCustomAction(ctx context.Context, a CustomAction) (*CustomAction, error) {
	var out CustomAction
	err := s.c.post(ctx, "create custom action", path("assets/v1/custom_actions", a.Context), nil, a.writable(), &out)
	return made(&out, out.ID, "create custom action", err)
}

// UpdateCustomAction wraps PATCH assets/v1/custom_actions/{context}/{id}/.
func (s *AdminService) UpdateCustomAction(ctx context.Context, a CustomAction) error {
	return s.c.patch(ctx, "update custom action", path("assets/v1/custom_actions", a.Context, a.ID), nil, a.writable(), nil)
}

// DeleteCustomAction wraps DELETE assets/v1/custom_actions/{context}/{id}/. It is not an error if the action is already gone.
func (s *AdminService) DeleteCustomAction(ctx context.Context, context, id string) error {
	return orEmpty(s.c.delete(ctx, "delete custom action", path("assets/v1/custom_actions", context, id), nil, nil))
}

// Webhooks wraps GET notifications/v1/webhooks/, which has no pages. It omits deleted webhooks.
func (s *AdminService) Webhooks(ctx context.Context) ([]Webhook, error) {
	all, err := objects[Webhook](ctx, s, "list webhooks", path("notifications/v1/webhooks"))
	var out []Webhook
	for _, w := range all {
		if w.Status != StatusDeleted {
			out = append(out, w)
		}
	}
	return out, err
}

func (w Webhook) writable() Webhook {
	w.ID, w.LastError, w.FirstFailedAt = "", nil, nil
	return w
}

// CreateWebhook wraps POST notifications/v1/webhooks/.
func (s *AdminService) CreateWebhook(ctx context.Context, w Webhook) (*Webhook, error) {
	var out Webhook
	err := s.c.post(ctx, "create webhook", path("notifications/v1/webhooks"), nil, w.writable(), &out)
	return made(&out, out.ID, "create webhook", err)
}

// UpdateWebhook wraps PUT notifications/v1/webhooks/{id}/, which replaces the webhook. There is no PATCH.
func (s *AdminService) UpdateWebhook(ctx context.Context, w Webhook) error {
	return s.c.do(ctx, "update webhook", http.MethodPut, path("notifications/v1/webhooks", w.ID), nil, w.writable(), nil)
}

// DeleteWebhook wraps DELETE notifications/v1/webhooks/{id}/. It is not an error if the webhook is already gone.
func (s *AdminService) DeleteWebhook(ctx context.Context, id string) error {
	return orEmpty(s.c.delete(ctx, "delete webhook", path("notifications/v1/webhooks", id), nil, nil))
}

// FieldDefinition wraps GET metadata/v1/fields/{name}/. It returns nil if there is no such field.
func (s *AdminService) FieldDefinition(ctx context.Context, name string) (*FieldDefinition, error) {
	var f FieldDefinition
	err := s.c.get(ctx, "get field", path("metadata/v1/fields", name), nil, &f)
	if rest.IsNotFound(err) {
		return nil, nil //nolint:nilnil // the contract
	}
	if err != nil {
		return nil, err
	}
	return &f, nil
}

// CreateField wraps POST metadata/v1/fields/.
func (s *AdminService) CreateField(ctx context.Context, f FieldDefinition) error {
	return s.c.post(ctx, "create field", path("metadata/v1/fields"), nil, f, nil)
}

// SetFieldOptions wraps PUT metadata/v1/fields/{name}/. It sends the field as it is, with other options.
func (s *AdminService) SetFieldOptions(ctx context.Context, name string, options []FieldOption) error {
	present := map[string]json.RawMessage{}
	if err := s.c.get(ctx, "get field", path("metadata/v1/fields", name), nil, &present); err != nil {
		return err
	}
	raw, err := json.Marshal(options)
	if err != nil {
		return err
	}
	present["options"] = raw
	for k, v := range present {
		if string(v) == "null" {
			delete(present, k)
		}
	}
	for _, k := range []string{"date_created", "date_modified", "mapped_field_name", "name"} { // read only
		delete(present, k)
	}
	return s.c.do(ctx, "update field", http.MethodPut, path("metadata/v1/fields", name), nil, present, nil)
}

// DeleteField wraps DELETE metadata/v1/fields/{name}/. It is not an error if the field is already gone.
func (s *AdminService) DeleteField(ctx context.Context, name string) error {
	return orEmpty(s.c.delete(ctx, "delete field", path("metadata/v1/fields", name), nil, nil))
}

// DeleteView wraps DELETE metadata/v1/views/{id}/. It is not an error if the view is already gone.
func (s *AdminService) DeleteView(ctx context.Context, id string) error {
	return orEmpty(s.c.delete(ctx, "delete view", path("metadata/v1/views", id), nil, nil))
}

// Groups wraps GET users/v1/groups/, or GET users/v1/groups/basic/ if the token lacks the role for the first.
func (s *AdminService) Groups(ctx context.Context) ([]Group, error) {
	var all []Group
	read := func(service string) (err error) {
		all, err = rest.Collect(byPage[Group](ctx, s.c, "list groups", path(service), nil))
		return orEmpty(err)
	}
	err := read("users/v1/groups")
	if err != nil && rest.ClassOf(err) == rest.Forbidden {
		err = read("users/v1/groups/basic")
	}
	return all, err
}

// Storages wraps GET files/v1/storages/ for one purpose.
func (s *AdminService) Storages(ctx context.Context, purpose string) ([]Storage, error) {
	all, err := rest.Collect(byPage[Storage](ctx, s.c, "list storages", path("files/v1/storages"), url.Values{"purpose": {purpose}}))
	all = slices.DeleteFunc(all, func(st Storage) bool { return st.Purpose != purpose })
	return all, orEmpty(err)
}

// Readers wraps GET acls/v1/acl/{type}/{id}/ and returns the groups that may read the object.
func (s *AdminService) Readers(ctx context.Context, objectType, id string) ([]string, error) {
	var v struct {
		Groups []struct {
			ID          string   `json:"group_id"`
			Permissions []string `json:"permissions"`
		} `json:"groups_acl"`
	}
	if err := s.c.get(ctx, "read acl", path("acls/v1/acl", objectType, id), nil, &v); err != nil {
		return nil, err
	}
	var out []string
	for _, g := range v.Groups {
		for _, p := range g.Permissions {
			if p == "read" {
				out = append(out, g.ID)
			}
		}
	}
	return out, nil
}

// AllowReaders wraps PUT acls/v1/acl/{type}/. It lets groups read an object, in addition to those that already may.
func (s *AdminService) AllowReaders(ctx context.Context, objectType, id string, groups []string) error {
	return s.c.do(ctx, "write acl", http.MethodPut, path("acls/v1/acl", objectType), nil,
		map[string]any{"object_keys": []string{id}, "permissions": []string{"read"}, "group_ids": groups, "mode": "APPEND"}, nil)
}

// Account wraps GET users/v1/users/current/, with what an administrator needs to know.
func (s *AdminService) Account(ctx context.Context) (*Account, error) {
	var a Account
	if err := s.c.get(ctx, "current user", path("users/v1/users/current"), nil, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// Roles wraps GET users/v1/users/current/roles/. It returns the names of the token user's roles.
func (s *AdminService) Roles(ctx context.Context) ([]string, error) {
	return objects[string](ctx, s, "current roles", path("users/v1/users/current/roles"))
}

// DomainStatus wraps GET auth/v1/auth/token/. It returns ACTIVE, WARNING, FROZEN, DEACTIVATED, or "" if iconik does not say,
// with iconik's message.
func (s *AdminService) DomainStatus(ctx context.Context) (status, message string, err error) {
	var v struct {
		Status  string  `json:"system_domain_status"`
		Message *string `json:"system_domain_warning_message"`
	}
	if err := s.c.get(ctx, "check token", path("auth/v1/auth/token"), nil, &v); err != nil {
		return "", "", err
	}
	if v.Message != nil {
		message = *v.Message
	}
	return v.Status, message, nil
}

// Probe sends a harmless read and returns its error, which shows whether a role is missing.
func (s *AdminService) Probe(ctx context.Context, service string, q url.Values) error {
	return s.c.get(ctx, "probe "+service, path(service), q, nil)
}

// ofViewFields are what a view itself says about its fields.
var ofViewFields = []string{"name", "label", "required", "read_only", "auto_set", "hide_if_not_set", "options", "source_url"}

// AddToView appends fields to a view and leaves everything else as people have arranged it. It reads and replaces the view with
// GET and PUT metadata/v1/views/{id}/. It reads without merge_fields, to get only what the view itself says about its fields:
// if the fields' own options and labels were written back, they would override those that the fields get later.
func (s *AdminService) AddToView(ctx context.Context, id string, fields []ViewField) error {
	var v struct {
		Name        string           `json:"name"`
		Description *string          `json:"description"`
		Fields      []map[string]any `json:"view_fields"`
	}
	if err := s.c.get(ctx, "get view", path("metadata/v1/views", id), url.Values{"merge_fields": {"false"}}, &v); err != nil {
		return err
	}
	for _, f := range v.Fields {
		_, merged := f["field_type"] // with the field's own definition, which does not belong in a view
		for k, value := range f {
			if value == nil || k == "mapped_field_name" || merged && !slices.Contains(ofViewFields, k) {
				delete(f, k)
			}
		}
	}
	for _, f := range fields {
		add := map[string]any{"name": f.Name, "label": f.Label}
		if f.ReadOnly {
			add["read_only"] = true
		}
		if f.Required {
			add["required"] = true
		}
		v.Fields = append(v.Fields, add)
	}
	return s.c.do(ctx, "update view", http.MethodPut, path("metadata/v1/views", id), nil, v, nil)
}
