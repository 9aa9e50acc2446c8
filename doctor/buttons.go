package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/setup"
)

func (x *exam) readViews() ([]iconik.View, error) {
	return x.views.get(x.base, x.Timeout, x.iconik.Metadata.Views)
}

const fieldsAtOnce = 6

func (x *exam) readFields() (map[string]*iconik.FieldDefinition, error) {
	return x.fields.get(x.base, x.Timeout, func(ctx context.Context) (map[string]*iconik.FieldDefinition, error) {
		wanted, _ := setup.Fields()
		found := make([]*iconik.FieldDefinition, len(wanted))
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(fieldsAtOnce)
		for i, f := range wanted {
			g.Go(func() (err error) {
				found[i], err = x.iconik.Admin.FieldDefinition(ctx, f.Name)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		out := map[string]*iconik.FieldDefinition{}
		for i, f := range wanted {
			out[f.Name] = found[i]
		}
		return out, nil
	})
}

func formChecks() []Definition {
	return []Definition{
		{ID: "iconik.fields", Meaning: "Fields are missing from forms, and Framebridge has nowhere to write some values.", Do: mendBySetup,
			needs: []string{"iconik.token"}, run: func(_ context.Context, x *exam) finding {
				have, err := x.readFields()
				if err != nil {
					return fail("%v", err)
				}
				var missing []string
				for name, f := range have {
					if f == nil {
						missing = append(missing, name)
					}
				}
				slices.Sort(missing)
				if len(missing) > 0 {
					return fail("missing: %s", strings.Join(missing, ", "))
				}
				return ok("all %d exist", len(have))
			}},
		{ID: "iconik.field_types", Meaning: "iconik rejects what Framebridge writes to the field, or the form shows the wrong kind of input.", Do: "iconik does not allow changing a field's type: if the field is empty, delete it in iconik (Admin, Metadata) and run `starter setup`.",
			needs: []string{"iconik.fields"}, run: fieldTypes},
		{ID: "iconik.views", Meaning: "Actions open without a form, and the values that Framebridge writes are not shown.", Do: mendBySetup,
			needs: []string{"iconik.token"}, run: func(_ context.Context, x *exam) finding {
				have, err := x.readViews()
				if err != nil {
					return fail("%v", err)
				}
				var missing []string
				for _, v := range setup.Views {
					if !slices.ContainsFunc(have, func(h iconik.View) bool { return h.Name == v.Name }) {
						missing = append(missing, v.Name)
					}
				}
				if len(missing) > 0 {
					return fail("missing: %s", quoted(missing))
				}
				return ok("all %d exist", len(setup.Views))
			}},
		{ID: "iconik.view_fields", Meaning: "Fields are missing from a form or view.", Do: mendBySetup,
			needs: []string{"iconik.views"}, run: viewFields},
	}
}

func fieldTypes(_ context.Context, x *exam) finding {
	have, _ := x.readFields()
	wanted, _ := setup.Fields()
	var wrong []string
	for _, f := range wanted {
		if h := have[f.Name]; h != nil && !setup.Fits(h.FieldType, f.Type) {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", f.Name, h.FieldType, f.Type))
		}
	}
	return all(wrong, "they match")
}

func viewFields(_ context.Context, x *exam) finding {
	have, _ := x.readViews()
	var wrong []string
	for _, v := range setup.Views {
		at := slices.IndexFunc(have, func(h iconik.View) bool { return h.Name == v.Name })
		for _, f := range v.Fields {
			if at >= 0 && !slices.ContainsFunc(have[at].ViewFields, func(h iconik.ViewField) bool { return h.Name == f.Name }) {
				wrong = append(wrong, fmt.Sprintf("%q is missing %s", v.Name, f.Name))
			}
		}
	}
	return all(wrong, "they have all their fields")
}

func (x *exam) readButtons() ([]iconik.CustomAction, error) {
	return x.buttons.get(x.base, x.Timeout, x.iconik.Admin.CustomActions)
}

func (x *exam) readSegments() ([]iconik.Webhook, error) {
	return x.segments.get(x.base, x.Timeout, x.iconik.Admin.Webhooks)
}

// actionSecrets returns the secrets that iconik's calls may carry.
func (x *exam) actionSecrets() []string {
	var out []string
	for _, s := range []string{x.tenant.Iconik.ActionSecret.Reveal(), x.readRecord().ActionSecret} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// button is a wanted custom action and the existing one. An action with our address takes precedence over others, then one that is
// switched on over one that is off.
type button struct {
	want  setup.Button
	where string
	there *iconik.CustomAction
}

func (x *exam) placedButtons() []button {
	have, _ := x.readButtons()
	var out []button
	for _, want := range setup.Buttons {
		for _, where := range want.Contexts {
			b := button{want: want, where: where}
			best := -1
			for _, a := range have {
				if a.Context != where || !x.calls(a.URL, want.Route) {
					continue
				}
				score := 0
				if a.URL == setup.URL(x.Base, want.Route, x.tenant.ID) {
					score += 2
				}
				if !a.Disabled {
					score++
				}
				if score > best {
					best, b.there = score, &a
				}
			}
			out = append(out, b)
		}
	}
	return out
}

func buttonChecks() []Definition {
	aspect := func(fine string, wrong func(x *exam, b button) string) func(context.Context, *exam) finding {
		return func(_ context.Context, x *exam) finding {
			if _, err := x.readButtons(); err != nil {
				return skip("skipped: it depends on iconik.actions")
			}
			var out []string
			for _, b := range x.placedButtons() {
				if b.there == nil {
					continue
				}
				if why := wrong(x, b); why != "" {
					out = append(out, fmt.Sprintf("%s (%s): %s", b.want.Title, b.where, why))
				}
			}
			return all(out, fine)
		}
	}
	need := []string{"iconik.token"}
	return append([]Definition{
		{ID: "iconik.actions", Meaning: "The button is missing from iconik.", Do: mendBySetup, needs: need, run: func(_ context.Context, x *exam) finding {
			if _, err := x.readButtons(); err != nil {
				return unlisted(err, "iconik.role.can_read_custom_actions")
			}
			var missing []string
			for _, b := range x.placedButtons() {
				if b.there == nil {
					missing = append(missing, fmt.Sprintf("%s (%s)", b.want.Title, b.where))
				}
			}
			if len(missing) > 0 {
				return fail("missing: %s", strings.Join(missing, ", "))
			}
			return ok("all exist")
		}},
		{ID: "iconik.actions.enabled", Meaning: "The button is hidden.", Do: mendBySetup, needs: need, run: aspect("all are turned on", func(_ *exam, b button) string {
			if b.there.Disabled {
				return "it is turned off"
			}
			return ""
		})},
		{ID: "iconik.actions.url", Meaning: "Clicks go to a different address than this installation's.", Do: "Check http.public_url, then run `starter setup`.", needs: need,
			run: aspect("all point here", func(x *exam, b button) string {
				if want := setup.URL(x.Base, b.want.Route, x.tenant.ID); b.there.URL != want {
					return "it points to " + host(b.there.URL) + ", not to " + host(want)
				}
				return ""
			})},
		{ID: "iconik.actions.secret", Meaning: "Framebridge refuses clicks, because their secret header is wrong.", Do: mendBySetup, needs: []string{"iconik.token", "ledger.key_fits"},
			run: aspect("all send a known secret", func(x *exam, b button) string {
				if !slices.Contains(x.actionSecrets(), setup.HeaderOf(b.there.Headers)) {
					return "the header " + setup.SecretHeader + " is missing or different"
				}
				return ""
			})},
		{ID: "iconik.actions.form", Meaning: "The action opens without its form, so nobody can enter reviewers or a date.", Do: mendBySetup, needs: []string{"iconik.views"},
			run: aspect("all have their forms", func(x *exam, b button) string {
				views, _ := x.readViews()
				at := slices.IndexFunc(views, func(v iconik.View) bool { return v.Name == b.want.View })
				if b.want.View != "" && at >= 0 && (b.there.MetadataView == nil || *b.there.MetadataView != views[at].ID) {
					return fmt.Sprintf("its form is not %q", b.want.View)
				}
				return ""
			})},
		{ID: "iconik.actions.application", Meaning: "Framebridge cannot tell who clicked.", Do: mendBySetup, needs: need,
			run: aspect("the application is set", func(x *exam, b button) string {
				if b.there.AppID == nil || *b.there.AppID != x.tenant.Iconik.AppID {
					return "its application is not iconik.app_id"
				}
				return ""
			})},
		{ID: "iconik.actions.healthy", Meaning: "iconik's last call to the action failed, so the action does not work.", Do: "The message comes from iconik. No response: see public_url.reachable. Status 401: the secret is wrong. Status 503: Temporal or the ledger was unreachable. A successful click clears it.", needs: need,
			run: aspect("iconik reports no error", func(_ *exam, b button) string {
				if b.there.Status == "FAILING" {
					return "FAILING: " + words(b.there.LastError)
				}
				return ""
			})},
	}, segmentChecks()...)
}

// unlisted returns the finding for something that cannot be listed. A missing role has a check of its own.
func unlisted(err error, role string) finding {
	if rest.ClassOf(err) == rest.Forbidden {
		return skip("skipped: it depends on %s", role)
	}
	return fail("cannot list them: %v", err)
}

func words(s *string) string {
	if s == nil || *s == "" {
		return "iconik gives no reason"
	}
	return *s
}

// segmentsHook returns the existing webhook in iconik, or nil if there is none.
func (x *exam) segmentsHook() *iconik.Webhook {
	have, _ := x.readSegments()
	var found *iconik.Webhook
	for _, w := range have {
		if x.calls(w.URL, setup.SegmentsHook.Route) && (found == nil || found.Status == "DISABLED" || w.URL == setup.URL(x.Base, setup.SegmentsHook.Route, x.tenant.ID)) {
			found = &w
		}
	}
	return found
}

func segmentChecks() []Definition {
	need := []string{"iconik.webhook"}
	return []Definition{
		{ID: "iconik.webhook", Meaning: "Comments from iconik arrive in Frame.io by polling only, minutes later.", Do: mendBySetup, needs: []string{"iconik.token"}, run: func(_ context.Context, x *exam) finding {
			if _, err := x.readSegments(); err != nil {
				return unlisted(err, "iconik.role.can_read_webhooks")
			}
			if x.segmentsHook() == nil {
				return fail("no webhook for segments")
			}
			return ok("it exists")
		}},
		{ID: "iconik.webhook.enabled", Meaning: "iconik sends nothing. It turns off a webhook that keeps failing for five hours.", Do: mendBySetup, needs: need, run: func(_ context.Context, x *exam) finding {
			if w := x.segmentsHook(); w.Status == "DISABLED" {
				return fail("it is turned off: %s", words(w.LastError))
			}
			return ok("it is turned on")
		}},
		{ID: "iconik.webhook.healthy", Meaning: "iconik's last delivery failed; if deliveries keep failing for five hours, iconik turns off the webhook.", Do: "The message comes from iconik. No response: see public_url.reachable. Status 401: the secret is wrong. Status 503: Temporal or the ledger was unreachable.", needs: need, run: func(_ context.Context, x *exam) finding {
			if w := x.segmentsHook(); w.Status == "FAILING" {
				return fail("FAILING: %s", words(w.LastError))
			}
			return ok("iconik reports no error")
		}},
		{ID: "iconik.webhook.url", Meaning: "iconik's webhook goes to a different address than this installation's.", Do: "Check http.public_url, then run `starter setup`.", needs: need, run: func(_ context.Context, x *exam) finding {
			if w, want := x.segmentsHook(), setup.URL(x.Base, setup.SegmentsHook.Route, x.tenant.ID); w.URL != want {
				return fail("it points to %s, not to %s", host(w.URL), host(want))
			}
			return ok("it points here")
		}},
		{ID: "iconik.webhook.events", Meaning: "iconik does not send all events that Framebridge needs.", Do: mendBySetup, needs: need, run: func(_ context.Context, x *exam) finding {
			w, s := x.segmentsHook(), setup.SegmentsHook
			limited := func(v *string, want string) bool { return v != nil && *v != "" && *v != "all" && *v != want }
			if w.EventType != s.EventType || limited(w.Realm, s.Realm) || limited(w.Operation, "") {
				return fail("it sends %s, realm %s, operation %s", w.EventType, words(w.Realm), words(w.Operation))
			}
			return ok("%s, %s", s.EventType, s.Realm)
		}},
		{ID: "iconik.webhook.secret", Meaning: "Framebridge refuses iconik's webhooks, because their secret header is wrong.", Do: mendBySetup, needs: []string{"iconik.webhook", "ledger.key_fits"}, run: func(_ context.Context, x *exam) finding {
			if !slices.Contains(x.actionSecrets(), setup.HeaderOf(x.segmentsHook().Headers)) {
				return fail("the header %s is missing or different", setup.SecretHeader)
			}
			return ok("it sends a known secret")
		}},
	}
}
