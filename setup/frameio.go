package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
)

const vendorFrameio = "Frame.io"

// chooseWorkspaces returns the workspaces to set up: those named, those of the last run, those chosen by a person, or all.
func (p *planner) chooseWorkspaces(ctx context.Context) ([]Option, error) {
	teams, err := p.Frameio.Workspaces(ctx)
	if err != nil {
		return nil, err
	}
	var all []Option
	for _, t := range teams {
		all = append(all, Option{t.ID, t.Name})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: the token cannot see any workspace in Frame.io: give its user or service account access to one", ErrChoice)
	}
	if len(p.Setup.Workspaces) > 0 {
		return pick("workspace", p.Setup.Workspaces, all)
	}
	var before []Option
	for _, o := range all {
		if slices.Contains(p.record.Workspaces, o.ID) {
			before = append(before, o)
		}
	}
	switch {
	case len(before) > 0:
		return before, nil
	case len(all) == 1 || p.Choose == nil:
		return all, nil
	}
	return p.Choose("workspaces", all)
}

func (p *planner) planFrameio(ctx context.Context) error {
	workspaces, err := p.chooseWorkspaces(ctx)
	if err != nil {
		return err
	}
	chosen := slices.Clone(p.record.Workspaces)
	for _, w := range workspaces {
		if !slices.Contains(chosen, w.ID) {
			chosen = append(chosen, w.ID)
		}
	}
	if !slices.Equal(chosen, p.record.Workspaces) {
		p.plan.before = append(p.plan.before, p.remember(func(r *Record) { r.Workspaces = chosen }))
	}
	caps := p.Frameio.InstallCapabilities()
	for _, w := range workspaces {
		have, err := p.Frameio.Webhooks(ctx, w.ID)
		if err != nil {
			return err
		}
		for _, want := range Hooks {
			p.planHook(w, want, have, caps)
		}
		if !caps.Actions {
			continue
		}
		actions, err := p.Frameio.Actions(ctx, w.ID)
		if err != nil {
			return err
		}
		p.planFrameioAction(w, actions)
	}
	return nil
}

func (p *planner) configuredSecrets() []string {
	var out []string
	for _, s := range p.Tenant.Frameio.WebhookSecrets {
		out = append(out, s.Reveal())
	}
	return out
}

// planHook plans the changes to one webhook of one workspace.
func (p *planner) planHook(w Option, want Hook, have []frameio.Webhook, caps frameio.InstallCapabilities) {
	target := frameio.Webhook{WorkspaceID: w.ID, Name: want.Name, URL: URL(p.Base, want.Route, p.Tenant.ID), Events: want.Events}
	if target.Events == nil {
		target.Events = caps.ReviewEvents
	}
	c := Change{Vendor: vendorFrameio, Kind: FrameioWebhook, Name: want.Name, Where: w.Name}
	kept, remembered := p.record.Find(FrameioWebhook, want.Key, w.ID)
	at := slices.IndexFunc(have, func(h frameio.Webhook) bool { return remembered && kept.ID == h.ID })
	if at < 0 {
		at = bestMatch(have, target.URL)
	}
	if at < 0 {
		c.Op, c.Details = Create, []string{"URL: " + target.URL, "events: " + strings.Join(target.Events, ", ")}
		c.do = p.createHook(want.Key, target, "")
		p.add(c)
		return
	}
	there := have[at]
	target.ID, c.ID = there.ID, there.ID
	c.Details = differs("URL", there.URL, target.URL)
	if !sameSet(there.Events, target.Events) {
		c.Details = append(c.Details, differs("events", strings.Join(there.Events, ", "), strings.Join(target.Events, ", "))...)
	}
	known := remembered && kept.ID == there.ID && kept.Secret != ""
	adopt := !known && there.Secret != "" && !slices.Contains(p.configuredSecrets(), there.Secret)
	byHand := !known && !adopt && (there.Secret != "" || len(p.Tenant.Frameio.WebhookSecrets) > 0) && !(remembered && kept.ID == "")
	switch {
	case !known && !adopt && !byHand:
		c.Op, c.Details = Replace, append(c.Details, "secret: the existing webhook's secret is unknown")
		c.do = p.createHook(want.Key, target, there.ID)
	case !there.Active && !caps.Enable:
		c.Op, c.Details = Replace, append(c.Details, "it is off, and this API cannot turn it on")
		c.do = p.createHook(want.Key, target, there.ID)
	default:
		p.mendHook(&c, want.Key, there, target, adopt)
		if byHand {
			c.Note = "created by hand: its secret must be in frameio.webhook_secrets"
		}
	}
	p.add(c)
}

// bestMatch returns the index of a webhook with exactly this URL, preferably one that is on, or -1 if there is none.
func bestMatch(have []frameio.Webhook, url string) int {
	at := -1
	for i, h := range have {
		if h.URL == url && (at < 0 || h.Active && !have[at].Active) {
			at = i
		}
	}
	return at
}

// mendHook completes the change that brings a webhook with a known secret to the desired state.
func (p *planner) mendHook(c *Change, key string, there, target frameio.Webhook, adopt bool) {
	c.Op = Keep
	if len(c.Details) > 0 {
		c.Op = Update
	}
	if !there.Active {
		c.Op, c.Details = Enable, append(c.Details, "it is turned off")
	}
	if adopt {
		if c.Op == Keep {
			c.Op = Update
		}
		c.Details = append(c.Details, "secret: shown by Frame.io, stored encrypted in the ledger")
	}
	if c.Op == Keep {
		return
	}
	mend := len(c.Details) > 1 || !adopt
	c.do = func(ctx context.Context) error {
		if adopt {
			if err := p.made(ctx, Object{Kind: FrameioWebhook, Key: key, Where: target.WorkspaceID, ID: there.ID, Secret: there.Secret, Adopted: true}); err != nil {
				return err
			}
		}
		if !mend {
			return nil
		}
		return p.Frameio.UpdateWebhook(ctx, target)
	}
}

var errNoSecret = errors.New("Frame.io's response contains no secret")

// createHook returns a step that creates a webhook and stores its secret, and only then deletes the webhook that it
// replaces, so that no event is missed.
func (p *planner) createHook(key string, target frameio.Webhook, replaced string) func(context.Context) error {
	return func(ctx context.Context) error {
		target.ID = ""
		if err := p.intend(ctx, FrameioWebhook, key, target.WorkspaceID); err != nil {
			return err
		}
		out, err := p.Frameio.CreateWebhook(ctx, target.WorkspaceID, target)
		if err != nil {
			return err
		}
		if out.Secret == "" {
			return errNoSecret
		}
		if err := p.made(ctx, Object{Kind: FrameioWebhook, Key: key, Where: target.WorkspaceID, ID: out.ID, Secret: out.Secret}); err != nil {
			return err
		}
		if replaced == "" {
			return nil
		}
		return p.Frameio.DeleteWebhook(ctx, replaced)
	}
}

// planFrameioAction plans the changes to the custom action of one workspace.
func (p *planner) planFrameioAction(w Option, have []frameio.Action) {
	b := FrameioButton
	target := frameio.Action{WorkspaceID: w.ID, Name: b.Name, Description: b.Description, Event: b.Event, Timeout: b.Timeout, URL: URL(p.Base, b.Route, p.Tenant.ID)}
	c := Change{Vendor: vendorFrameio, Kind: FrameioAction, Name: b.Name, Where: w.Name}
	kept, remembered := p.record.Find(FrameioAction, b.Key, w.ID)
	at := slices.IndexFunc(have, func(a frameio.Action) bool { return remembered && kept.ID == a.ID })
	if at < 0 {
		at = slices.IndexFunc(have, func(a frameio.Action) bool { return a.URL == target.URL })
	}
	if at < 0 {
		c.Op, c.Details = Create, []string{"URL: " + target.URL}
		c.do = p.createAction(b.Key, target, "")
		p.add(c)
		return
	}
	there := have[at]
	target.ID, c.ID = there.ID, there.ID
	known := remembered && kept.ID == there.ID && kept.Secret != ""
	byHand := !known && len(p.Tenant.Frameio.WebhookSecrets) > 0 && !(remembered && kept.ID == "")
	c.Details = differs("URL", there.URL, target.URL)
	if there.Timeout != 0 && there.Timeout < target.Timeout {
		c.Details = append(c.Details, differs("timeout", fmt.Sprint(there.Timeout), fmt.Sprint(target.Timeout))...)
	}
	c.do = func(ctx context.Context) error { return p.Frameio.UpdateAction(ctx, target) }
	switch {
	case !known && !byHand:
		c.Op, c.Details = Replace, append(c.Details, "secret: the existing action's secret is unknown")
		c.do = p.createAction(b.Key, target, there.ID)
	case !there.Active:
		c.Op, c.Details = Enable, append(c.Details, "it is turned off")
	case len(c.Details) > 0:
		c.Op = Update
	default:
		c.Op, c.do = Keep, nil
	}
	if byHand {
		c.Note = "created by hand: its secret must be in frameio.webhook_secrets"
	}
	p.add(c)
}

func (p *planner) createAction(key string, target frameio.Action, replaced string) func(context.Context) error {
	return func(ctx context.Context) error {
		target.ID = ""
		if err := p.intend(ctx, FrameioAction, key, target.WorkspaceID); err != nil {
			return err
		}
		out, err := p.Frameio.CreateAction(ctx, target.WorkspaceID, target)
		if err != nil {
			return err
		}
		if out.Secret == "" {
			return errNoSecret
		}
		if err := p.made(ctx, Object{Kind: FrameioAction, Key: key, Where: target.WorkspaceID, ID: out.ID, Secret: out.Secret}); err != nil {
			return err
		}
		if replaced == "" {
			return nil
		}
		return p.Frameio.DeleteAction(ctx, replaced)
	}
}
