package setup

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// PlanRemoval returns what would be removed: exactly what setup has created. Named workspaces limit it to theirs.
func (s *Setup) PlanRemoval(ctx context.Context) (*Plan, error) {
	p, err := s.planner(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	var all, only []Option
	if teams, err := s.Frameio.Workspaces(ctx); err == nil {
		for _, t := range teams {
			names[t.ID] = t.Name
			all = append(all, Option{t.ID, t.Name})
		}
	} else if len(s.Workspaces) > 0 {
		return nil, err
	}
	if len(s.Workspaces) > 0 {
		if only, err = pick("workspace", s.Workspaces, all); err != nil {
			return nil, err
		}
	}
	_, formOnly := Fields()
	objects := slices.Clone(p.record.Objects)
	slices.SortStableFunc(objects, func(a, b Object) int { return removalOrder(a.Kind) - removalOrder(b.Kind) })
	for _, o := range objects {
		if len(only) > 0 && !slices.ContainsFunc(only, func(w Option) bool { return w.ID == o.Where }) {
			continue
		}
		p.planRemove(o, names[o.Where], formOnly)
	}
	if len(only) == 0 {
		p.plan.after = append(p.plan.after, p.remember(func(r *Record) { r.Workspaces, r.Groups, r.ActionSecret = nil, nil, "" }))
	}
	return p.plan, nil
}

// removalOrder removes callers before forms, and views before their fields.
func removalOrder(k Kind) int {
	return slices.Index([]Kind{FrameioWebhook, FrameioAction, IconikAction, IconikWebhook, IconikView, IconikField}, k)
}

func (p *planner) planRemove(o Object, workspace string, formOnly map[string]bool) {
	c := Change{Op: Remove, Vendor: vendorIconik, Kind: o.Kind, Name: o.Key, Where: o.Where, ID: o.ID}
	if strings.HasPrefix(string(o.Kind), "frameio.") {
		c.Vendor, c.Where = vendorFrameio, or(workspace, o.Where)
	}
	written := slices.ContainsFunc(Views, func(v ViewSpec) bool { return v.Name == o.Key && !v.Form })
	switch {
	case o.Adopted:
		c.Op, c.Note = Keep, "existed before setup"
	case p.InUse && (o.Kind == IconikField && !formOnly[o.Key] || o.Kind == IconikView && written):
		c.Op, c.Note = Keep, "contains values written by archives and reviews"
	case o.ID == "":
		c.Note = "setup was interrupted while creating it"
	}
	if c.Op == Remove {
		c.do = func(ctx context.Context) error {
			if err := p.remove(ctx, o); err != nil {
				return err
			}
			return change(ctx, p.Ledger, func(r *Record) { r.drop(o.Kind, o.Key, o.Where) })
		}
	}
	p.add(c)
}

var errUnknownKind = errors.New("this version does not recognize it")

func (p *planner) remove(ctx context.Context, o Object) error {
	if o.ID == "" {
		return nil
	}
	switch o.Kind {
	case FrameioWebhook:
		return p.Frameio.DeleteWebhook(ctx, o.ID)
	case FrameioAction:
		return p.Frameio.DeleteAction(ctx, o.ID)
	case IconikAction:
		return p.Iconik.Admin.DeleteCustomAction(ctx, o.Where, o.ID)
	case IconikWebhook:
		return p.Iconik.Admin.DeleteWebhook(ctx, o.ID)
	case IconikView:
		return p.Iconik.Admin.DeleteView(ctx, o.ID)
	case IconikField:
		return p.Iconik.Admin.DeleteField(ctx, o.ID)
	}
	return errUnknownKind
}
