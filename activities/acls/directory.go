package acls

import (
	"context"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/clients/rest"
)

// nameOf returns the name of an iconik user or group in reports.
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

// refused reports whether iconik refuses to do something with one object.
func refused(err error) bool {
	switch rest.ClassOf(err) {
	case rest.Permanent, rest.NotFound, rest.Forbidden:
		return err != nil
	}
	return false
}
