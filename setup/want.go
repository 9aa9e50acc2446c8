package setup

import (
	"net/url"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/mapping"
)

// SecretHeader is the header with the secret of iconik's custom actions and webhooks.
const SecretHeader = "X-Framebridge-Secret" //nolint:gosec // a header's name

// ExtendView is the name of the form for the action that extends a review.
const ExtendView = "Extend a review"

// Hook is a Frame.io webhook that every chosen workspace should have.
type Hook struct {
	Key, Name, Route string
	Events           []string // nil: the API generation's review events
}

// Hooks are Frame.io's webhooks.
var Hooks = []Hook{
	{Key: "archive", Name: "Framebridge archive", Route: "/archive/webhooks/project-updated", Events: []string{"project.updated"}},
	{Key: "comments", Name: "Framebridge reviews", Route: "/review/webhooks/comments"},
}

// FrameioButton is Frame.io's custom action.
var FrameioButton = struct {
	Key, Name, Description, Event, Route string
	Timeout                              int
}{"archive", "Archive to iconik", "Brings the whole project into iconik", "framebridge.archive", "/archive/actions/frameio", 10}

// Button is an iconik custom action. It is created once for each context.
type Button struct {
	Key, Title, Route, View string
	Contexts                []string
}

// Buttons are iconik's custom actions.
var Buttons = []Button{
	{"send", "Framebridge: send to Frame.io", "/review/actions/send", mapping.SendView, reviewContexts},
	{"extend", "Framebridge: extend review", "/review/actions/extend", ExtendView, reviewContexts},
	{"stop", "Framebridge: stop review", "/review/actions/stop", "", reviewContexts},
	{"sync", "Framebridge: sync review now", "/review/actions/sync", "", reviewContexts},
	{"retry", "Framebridge: retry archive", "/archive/actions/retry", "", []string{"COLLECTION"}},
}

var reviewContexts = []string{"ASSET", "BULK", "COLLECTION"}

// SegmentsHook is iconik's webhook.
var SegmentsHook = struct{ Key, Name, Route, EventType, Realm string }{"segments", "Framebridge reviews", "/review/webhooks/segments", "assets", "segments"}

// ViewSpec is a metadata view with its fields.
type ViewSpec struct {
	Name, Description string
	Fields            []mapping.Field
	Form              bool // people fill it in; Framebridge writes the others
}

// Views are iconik's metadata views.
var Views = []ViewSpec{
	{mapping.SendView, "Form for sending assets to Frame.io", mapping.SendFields, true},
	{ExtendView, "Form for extending a review", []mapping.Field{{Name: "framebridge_expires", Label: "Expires", Type: "date"}}, true},
	{mapping.ReviewView, "Written by Framebridge", mapping.ReviewFields, false},
	{mapping.ArchiveView, "Written by Framebridge", mapping.ArchiveFields, false},
	{mapping.CommentView, "Written by Framebridge", mapping.CommentFields, false},
}

// viewField returns a field's definition in a view.
func (v ViewSpec) viewField(f mapping.Field) iconik.ViewField {
	return iconik.ViewField{Name: f.Name, Label: f.Label, ReadOnly: !v.Form, Required: v.Form && f.Name == "framebridge_reviewers"}
}

// fieldOptions are the choices of drop-downs.
var fieldOptions = map[string][]iconik.FieldOption{
	"framebridge_quality": {{Label: "Proxy", Value: "proxy"}, {Label: "Original", Value: "original"}},
}

// offered returns the additional fields that a tenant's configuration offers in the form.
func offered(r config.Review) (out []mapping.Field) {
	if r.ForensicWatermark == "form" {
		out = append(out, mapping.ForensicField)
	}
	if r.DRM == "form" {
		out = append(out, mapping.DRMField)
	}
	return out
}

// viewsOf returns a tenant's views.
func viewsOf(r config.Review) []ViewSpec {
	views := slices.Clone(Views)
	for i := range views {
		if views[i].Name == mapping.SendView {
			views[i].Fields = append(slices.Clone(views[i].Fields), offered(r)...)
		}
	}
	return views
}

// Fields returns all fields of all views, each once, and which of them only forms use.
func Fields() (fields []mapping.Field, formOnly map[string]bool) {
	formOnly = map[string]bool{}
	for _, v := range Views {
		for _, f := range v.Fields {
			only, seen := formOnly[f.Name]
			if !seen {
				fields = append(fields, f)
			}
			formOnly[f.Name] = v.Form && (only || !seen)
		}
	}
	return fields, formOnly
}

// URL returns a route's public URL for a tenant. base is the public URL with the API's prefix.
func URL(base, route, tenant string) string {
	return strings.TrimRight(base, "/") + route + "?" + url.Values{"tenant-id": {tenant}}.Encode()
}
