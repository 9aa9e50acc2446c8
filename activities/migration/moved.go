package migration

import (
	"context"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// place is how people identify a project.
type place struct{ team, name string }

// followMoved lets projects that Frame.io no longer has, and of which nothing was archived yet, continue as the projects that
// were added in their place, because an account migration has given all of them new IDs. If two have the same name, it does not
// guess. An archive finds by itself what it has begun to copy.
func (m *migration) followMoved(ctx context.Context) error {
	t, err := m.Tenant(m.ref.Tenant)
	if err != nil || m.row.Generation != "" && !frameio.Migrated(t.Frameio, m.row.Generation) {
		return err
	}
	gone, added := map[place][]string{}, map[place][]string{}
	for p, err := range m.ledger.AllProjects(ctx) {
		if err != nil {
			return err
		}
		if p.State != ledger.ProjectQueued && p.State != ledger.ProjectFailed {
			continue
		}
		row, known, err := m.archiveLedger(p.ID).Get(ctx)
		if err != nil {
			return err
		}
		at := place{p.Team, p.Name}
		switch {
		case row.RootID != "" || row.ContinuedAs != "":
		case p.State == ledger.ProjectQueued:
			added[at] = append(added[at], p.ID)
		case known && row.Status.Ended():
			gone[at] = append(gone[at], p.ID)
		}
	}
	for at, ids := range gone {
		if len(ids) != 1 || len(added[at]) != 1 {
			continue
		}
		if err := m.continueAs(ctx, ids[0], added[at][0]); err != nil {
			return err
		}
	}
	return nil
}

// continueAs records that a project has a new ID, unless Frame.io still knows the old one.
func (m *migration) continueAs(ctx context.Context, from, to string) error {
	t, err := m.Tenant(m.ref.Tenant)
	if err != nil {
		return err
	}
	switch _, err := t.Frameio.Project(ctx, from); {
	case rest.IsNotFound(err) || rest.ClassOf(err) == rest.Permanent: // for example because it is not a valid ID on the new API
	case rest.ClassOf(err) == rest.Forbidden:
		return nil
	default:
		return err
	}
	_, err = m.archiveLedger(from).Update(ctx, func(r *ledger.Archive) {
		r.ContinuedAs, r.Reason = to, "continues as project "+to+", which Frame.io has in its place"
	})
	return err
}
