// Package readers asks Frame.io who may see what, and finds those people and groups in iconik. It writes nothing.
package readers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

// Readers asks for one tenant, and remembers whom it found. Its methods are safe for concurrent use.
type Readers struct {
	Frameio frameio.Reader
	Iconik  *iconik.Client
	Archive config.Archive

	mu     sync.Mutex
	known  map[string]access.User // by e-mail address; no id: nobody has it
	groups *groups
}

// Mode is archive.access. Where nobody has set it, iconik's default applies.
func (k *Readers) Mode() string {
	if m := k.Archive.Access; m != "" {
		return m
	}
	return access.IconikDefault
}

// ProjectRule reads who may see a project. Nothing is written down.
func (k *Readers) ProjectRule(ctx context.Context, p frameio.Project) (access.Rule, error) {
	mode := k.Mode()
	if mode != access.Source {
		return access.Project(mode, p.ID, p.Name, p.Restricted, nil, ""), nil
	}
	people, unknown, err := k.people(ctx, func(ctx context.Context, cursor string) (frameio.Page[frameio.Member], error) {
		return k.Frameio.Members(ctx, p, cursor)
	})
	if err != nil {
		return access.Rule{}, fmt.Errorf("who may see the project: %w", err)
	}
	r := access.Project(mode, p.ID, p.Name, p.Restricted, people, unknown)
	if !k.Frameio.Capabilities().FolderMembers {
		return r, nil
	}
	root, _, err := k.people(ctx, func(ctx context.Context, cursor string) (frameio.Page[frameio.Member], error) {
		return k.Frameio.FolderMembers(ctx, p.RootID, cursor)
	})
	if err != nil {
		return r, fmt.Errorf("who may see the project's folders: %w", err)
	}
	r.Lists(root)
	return r, nil
}

// people reads a list of people. unknown is why it may not be read.
func (k *Readers) people(ctx context.Context, list func(ctx context.Context, cursor string) (frameio.Page[frameio.Member], error)) (people []access.Person, unknown string, err error) {
	members, err := frameio.All(ctx, "list members", func(m frameio.Member) string { return m.ID + m.Email }, list)
	if why, refused := refusedList(err); refused {
		return nil, why, nil
	}
	for _, m := range members {
		people = append(people, access.Person{ID: m.ID, Name: m.Name, Email: m.Email, Write: m.Write, Team: m.Team})
	}
	return people, "", err
}

// refusedList says that Frame.io will not say who may see something.
func refusedList(err error) (string, bool) {
	var e *rest.Error
	if !errors.As(err, &e) {
		return "", false
	}
	switch e.Class {
	case rest.Forbidden, rest.NotFound, rest.Permanent, rest.Unsupported:
		return "Frame.io does not say who may see it: " + e.Error(), true
	}
	return "", false
}

// FolderRule reads who may see a folder; false where the rule of what is above it holds for it. Nothing is written down.
func (k *Readers) FolderRule(ctx context.Context, above access.Rule, id, place string) (access.Rule, bool, error) {
	if k.Mode() != access.Source || !k.Frameio.Capabilities().FolderMembers {
		return above, false, nil
	}
	people, unknown, err := k.people(ctx, func(ctx context.Context, cursor string) (frameio.Page[frameio.Member], error) {
		return k.Frameio.FolderMembers(ctx, id, cursor)
	})
	if err != nil {
		return above, false, fmt.Errorf("who may see folder %q: %w", place, err)
	}
	if unknown != "" {
		r, own := above.Unknown(id, place, unknown)
		return r, own, nil
	}
	r, own := above.Folder(id, place, people)
	return r, own, nil
}

// groups are those that archive.groups maps, and those of Frame.io that it does not.
type groups struct {
	mapped   []access.Group
	unmapped []string
	self     access.Person // Framebridge's own user in Frame.io
}

// Resolve finds the people and groups of a rule in iconik.
func (k *Readers) Resolve(ctx context.Context, r *access.Rule) error {
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
			found, err := k.Iconik.Users.ByEmail(ctx, email)
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

func (k *Readers) readGroups(ctx context.Context) (*groups, error) {
	me, err := k.Frameio.Me(ctx)
	if err != nil {
		return nil, err
	}
	out := &groups{self: access.Person{ID: me.ID, Name: me.Name, Email: me.Email}}
	theirs, err := frameio.All(ctx, "list groups", func(g frameio.Group) string { return g.ID }, func(ctx context.Context, cursor string) (frameio.Page[frameio.Group], error) {
		return k.Frameio.Groups(ctx, cursor)
	})
	if _, hidden := refusedList(err); err != nil && !hidden {
		return nil, fmt.Errorf("groups of Frame.io: %w", err)
	}
	names := k.Archive.Groups
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
	ours, err := k.Iconik.Admin.Groups(ctx)
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
			members, err := k.Iconik.Users.Members(ctx, g.ID)
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
func (k *Readers) withoutUs(ctx context.Context, users []string) ([]string, error) {
	me, err := k.Iconik.Users.Current(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(users), func(id string) bool { return id == me.ID }), nil
}
