package acls

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

// groups are those that archive.groups maps, and those of Frame.io that it does not.
type groups struct {
	mapped   []access.Group
	unmapped []string
	self     access.Person // Framebridge's own user in Frame.io
}

// Resolve finds the people and groups of a rule in iconik.
func (k *Keeper) Resolve(ctx context.Context, r *access.Rule) error {
	if r.Open || k.Mode() != access.Source {
		r.Resolve(access.Directory{})
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[string]access.User{}
	}
	d := access.Directory{Users: map[string]access.User{}}
	for _, email := range access.Emails(*r) {
		u, ok := k.known[email]
		if !ok {
			found, err := k.Tenant.Iconik.Users.ByEmail(ctx, email)
			if err != nil {
				return fmt.Errorf("iconik user of %s: %w", email, err)
			}
			if found != nil && (found.Status == "" || found.Status == "ACTIVE") {
				u = access.User{ID: found.ID, Name: found.FullName()}
			}
			k.known[email] = u
		}
		if u.ID != "" {
			d.Users[email] = u
		}
	}
	if k.groups == nil {
		g, err := k.readGroups(ctx)
		if err != nil {
			return err
		}
		k.groups = g
	}
	d.Groups, d.Unmapped, d.Self = k.groups.mapped, k.groups.unmapped, k.groups.self
	r.Resolve(d)
	return nil
}

func (k *Keeper) readGroups(ctx context.Context) (*groups, error) {
	me, err := k.Tenant.Frameio.Me(ctx)
	if err != nil {
		return nil, err
	}
	out := &groups{self: access.Person{ID: me.ID, Name: me.Name, Email: me.Email}}
	theirs, err := frameio.All(ctx, "list groups", func(g frameio.Group) string { return g.ID }, func(ctx context.Context, cursor string) (frameio.Page[frameio.Group], error) {
		return k.Tenant.Frameio.Groups(ctx, cursor)
	})
	if _, hidden := refusedList(err); err != nil && !hidden {
		return nil, fmt.Errorf("groups of Frame.io: %w", err)
	}
	names := k.Tenant.Config.Archive.Groups
	there := map[string]bool{}
	for _, g := range theirs {
		there[g.Name] = true
		if _, ok := names[g.Name]; !ok {
			out.unmapped = append(out.unmapped, g.Name)
		}
	}
	if len(names) == 0 {
		return out, nil
	}
	ours, err := k.Tenant.Iconik.Admin.Groups(ctx)
	if err != nil {
		return nil, fmt.Errorf("groups of iconik: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		g := access.Group{Source: name, Name: names[name]}
		for _, o := range ours {
			if strings.TrimSpace(o.Name) == g.Name {
				g.ID = o.ID
			}
		}
		switch {
		case g.ID == "":
			g.Problem = fmt.Sprintf("iconik has no group %q: its people have access one by one", g.Name)
		case len(theirs) > 0 && !there[name]:
			g.Problem = "Frame.io has no group of this name"
		default:
			members, err := k.Tenant.Iconik.Users.Members(ctx, g.ID)
			if err == nil {
				g.Members, err = k.withoutUs(ctx, members)
			}
			if err != nil {
				return nil, fmt.Errorf("members of iconik's group %q: %w", g.Name, err)
			}
		}
		out.mapped = append(out.mapped, g)
	}
	return out, nil
}

// withoutUs leaves Framebridge's own user out: it may read everything that it makes.
func (k *Keeper) withoutUs(ctx context.Context, users []string) ([]string, error) {
	me, err := k.Tenant.CurrentUser(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(users), func(id string) bool { return id == me.ID }), nil
}

// nameOf is how reports name a user or group of iconik.
func (k *Keeper) nameOf(ctx context.Context, e access.Entry) string {
	if name, ok := k.names.Load(e.ID); ok {
		return name.(string)
	}
	name := k.readName(ctx, e)
	k.names.Store(e.ID, name)
	return name
}

func (k *Keeper) readName(ctx context.Context, e access.Entry) string {
	if e.Group {
		all, err := k.Tenant.Iconik.Admin.Groups(ctx)
		for _, g := range all {
			if err == nil && g.ID == e.ID {
				return "group " + g.Name
			}
		}
		return "group " + e.ID
	}
	u, err := k.Tenant.Iconik.Users.Get(ctx, e.ID)
	if err != nil {
		return "user " + e.ID
	}
	return access.Person{Name: u.FullName(), Email: u.Email}.String()
}

// refused says that iconik will not do something with one object.
func refused(err error) bool {
	switch rest.ClassOf(err) {
	case rest.Permanent, rest.NotFound, rest.Forbidden:
		return err != nil
	}
	return false
}
