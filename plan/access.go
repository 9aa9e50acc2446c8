package plan

import (
	"context"
	"slices"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/workflows"
)

const placesListed = 200

func (p *planning) projectRule(ctx context.Context, project frameio.Project) (access.Rule, error) {
	if p.Access == nil {
		return access.Rule{Open: true, Mode: access.IconikDefault}, nil
	}
	r, err := p.Access.ProjectRule(ctx, project)
	p.rules = append(p.rules, r)
	return r, err
}

// folderRule returns the access rule that applies to a folder.
func (p *planning) folderRule(ctx context.Context, above access.Rule, f frameio.Asset, path string) (access.Rule, error) {
	if p.Access == nil {
		return above, nil
	}
	r, own := above.TeamOnly(f.ID, path)
	if !f.TeamOnly {
		var err error
		if r, own, err = p.Access.FolderRule(ctx, above, f.ID, path); err != nil {
			return r, err
		}
	}
	if own {
		p.rules = append(p.rules, r)
	}
	return r, nil
}

// readers adds to the plan who will see what, before anything is created.
func (p *planning) readers(ctx context.Context, project frameio.Project) error {
	if p.Access == nil {
		return nil
	}
	out := &workflows.PlanAccess{Places: []workflows.PlanPlace{}, Unmapped: []string{}}
	p.plan.Access = out
	if err := p.privateCollections(ctx, project); err != nil {
		return err
	}
	for _, r := range p.rules {
		out.Mode = p.rules[0].Mode
		if err := p.Access.Resolve(ctx, &r); err != nil {
			return err
		}
		for _, u := range r.Unmapped {
			name := u.Name
			if u.Kind == "group" {
				name = "group " + name
			}
			if !slices.Contains(out.Unmapped, name) && len(out.Unmapped) < placesListed {
				out.Unmapped = append(out.Unmapped, name)
			}
		}
		if len(out.Places) == placesListed {
			out.PlacesMore++
			continue
		}
		out.Places = append(out.Places, workflows.PlanPlace{Kind: r.Kind, Place: r.Place, Open: r.Open, Why: r.Why, Readers: append([]string{}, r.Readers...)})
	}
	return nil
}

func (p *planning) privateCollections(ctx context.Context, project frameio.Project) error {
	for c, err := range frameio.RowsOf(ctx, "list collections", p.Frameio.Collections, project.ID) {
		if err != nil {
			return p.refused("", "Collections", "the project's collections", err)
		}
		if !c.Private || c.OfShare {
			continue
		}
		maker := access.Person{ID: c.Creator.ID, Name: c.Creator.Name, Email: c.Creator.Email, Team: true}
		if r, own := p.rules[0].Private(c.ID, "Collections/"+c.Name, maker); own {
			p.rules = append(p.rules, r)
		}
	}
	return nil
}
