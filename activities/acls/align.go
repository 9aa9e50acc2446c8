package acls

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// Types of objects that have access lists.
const (
	Assets      = "assets"
	Collections = "collections"
)

// Object is an asset or collection of the archive.
type Object struct {
	Type, ID string
	Place    string // whose rule applies; "" is the project
	Name     string // for people

	gone bool // from Frame.io: nobody else is let in
}

func (o Object) key() string { return o.Type + ":" + o.ID }

const (
	linkAccess ledger.LinkKind = "access"     // object → the key of its grant
	linkSet    ledger.LinkKind = "access set" // key → grant, as JSON
)

// New returns who may read an object of a place from the moment it is created.
func (k *Keeper) New(ctx context.Context, place string, inItsCollection bool) (iconik.NewAccess, error) {
	closed, err := k.Closed(ctx, place)
	switch {
	case err != nil || closed && !inItsCollection:
		return iconik.AccessNobody, err
	case closed:
		return iconik.AccessCollection, nil
	}
	return iconik.AccessDefault, nil
}

// Secure takes charge of the access to an object of a restricted place. If the object was not just created, others may be able
// to read it, and they lose access right away.
func (k *Keeper) Secure(ctx context.Context, o Object, made bool) error {
	closed, err := k.Closed(ctx, o.Place)
	if err != nil || !closed {
		return err
	}
	_, known, err := k.Tenant.Ledger.Link(ctx, linkAccess, o.key())
	if err != nil || known {
		return err
	}
	if made {
		return k.keep(ctx, o, access.Grant{})
	}
	return k.takeOver(ctx, o)
}

// SecureReaders is Secure for objects whose readers are let in right away: what is created in a collection is readable by its readers.
func (k *Keeper) SecureReaders(ctx context.Context, o Object, made bool) error {
	if err := k.Secure(ctx, o, made); err != nil {
		return err
	}
	return k.Align(ctx, []Object{o})
}

// keep records what an object was given.
func (k *Keeper) keep(ctx context.Context, o Object, g access.Grant) error {
	if _, _, err := k.Tenant.Ledger.Intend(ctx, ledger.Link{Kind: linkAccess, SourceID: o.key(), Archive: k.Project, Parent: o.Place, IntendedAt: time.Now()}); err != nil {
		return err
	}
	return k.Tenant.Ledger.CompleteAs(ctx, linkAccess, o.key(), o.ID, g.Key(), cmp.Or(o.Place, k.Project))
}

// placeKept returns the place that an object was in when it was last given its list.
func placeKept(k ledger.Link) string { return cmp.Or(k.Written, k.Parent) }

// takeOver closes an object that Framebridge has not kept closed until now: everybody on its list who may not see it in
// Frame.io is removed and reported.
func (k *Keeper) takeOver(ctx context.Context, o Object) error {
	r, err := k.rule(ctx, o.Place)
	if err != nil {
		return err
	}
	me, err := k.Tenant.CurrentUser(ctx)
	if err != nil {
		return err
	}
	list, err := k.Tenant.Iconik.ACLs.List(ctx, o.Type, o.ID)
	if rest.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("who may read %q in iconik: %w", o.Name, err)
	}
	added, _ := r.Grant.Compare(asEntries(list), me.ID)
	added = slices.DeleteFunc(added, func(e access.Entry) bool { return e.Inherited })
	if len(added) > 0 {
		if err := k.takeOut(ctx, o.Type, []string{o.ID}, idsOf(added)); err != nil {
			return fmt.Errorf("closing %q to those who may not see it in Frame.io: %w", o.Name, err)
		}
		var names []string
		for _, e := range added {
			names = append(names, k.nameOf(ctx, e))
		}
		if err := k.noteRemoved(ctx, r.Source, names); err != nil {
			return err
		}
		if err := k.Audit(ctx, "access removed", fmt.Sprintf("%s: %s", o.Name, strings.Join(names, ", "))); err != nil {
			return err
		}
	}
	return k.keep(ctx, o, access.Grant{})
}

func (k *Keeper) takeOut(ctx context.Context, objectType string, ids []string, who access.IDs) error {
	if who.Empty() {
		return nil
	}
	if err := k.Changed(ctx); err != nil {
		return err
	}
	return k.Tenant.Iconik.ACLs.Remove(ctx, objectType, ids, who.Users, who.Groups)
}

func asEntries(list []iconik.ACLEntry) []access.Entry {
	var out []access.Entry
	for _, e := range list {
		out = append(out, access.Entry{ID: e.ID, Group: e.Group, Inherited: e.Inherited})
	}
	return out
}

func idsOf(list []access.Entry) access.IDs {
	var out access.IDs
	for _, e := range list {
		if e.Group {
			out.Groups = append(out.Groups, e.ID)
		} else {
			out.Users = append(out.Users, e.ID)
		}
	}
	return out
}

// step is what is done to all objects that go from one grant to another.
type step struct{ objectType, place, have, want string }

// Align makes the access lists of objects follow who may see them in Frame.io. It first removes those who no longer may, and
// then lets in those who may. Objects with the same change are handled together.
func (k *Keeper) Align(ctx context.Context, objects []Object) error {
	if restricted, err := k.Restricted(ctx); err != nil || !restricted && k.Mode() == access.IconikDefault {
		return err
	}
	steps := map[step][]Object{}
	for _, o := range objects {
		if o.ID == "" {
			continue
		}
		want, kept, err := k.wanted(ctx, o)
		if err != nil {
			return err
		}
		if !kept {
			continue
		}
		link, known, err := k.Tenant.Ledger.Link(ctx, linkAccess, o.key())
		if err != nil {
			return err
		}
		if !known {
			if err := k.takeOver(ctx, o); err != nil {
				return err
			}
			link.Hash = access.Grant{}.Key()
		}
		if link.Hash == want.Key() {
			continue
		}
		if err := k.storeSet(ctx, want); err != nil {
			return err
		}
		s := step{o.Type, o.Place, link.Hash, want.Key()}
		steps[s] = append(steps[s], o)
	}
	for s, of := range steps {
		have, err := k.set(ctx, s.have)
		if err != nil {
			return err
		}
		want, err := k.set(ctx, s.want)
		if err != nil {
			return err
		}
		for batch := range slices.Chunk(of, iconik.ACLBulk) {
			if err := k.apply(ctx, s, batch, have, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// wanted returns what an object's list should be given, and false if iconik's defaults apply to it. An object that was once
// closed and is now open to the project keeps a list: iconik has no call that restores its defaults.
func (k *Keeper) wanted(ctx context.Context, o Object) (access.Grant, bool, error) {
	if o.gone {
		return k.wantedOfGone(ctx, o)
	}
	r, err := k.rule(ctx, o.Place)
	if err != nil || !r.Open {
		return r.Grant, true, err
	}
	_, known, err := k.Tenant.Ledger.Link(ctx, linkAccess, o.key())
	if err != nil || !known {
		return access.Grant{}, false, err
	}
	r.Open = false
	return r.Grant, true, k.resolved(ctx, &r)
}

// wantedOfGone returns what an object that Frame.io no longer has keeps of its list: whoever lost access to its place loses it. It returns
// false if the place is gone, too.
func (k *Keeper) wantedOfGone(ctx context.Context, o Object) (access.Grant, bool, error) {
	link, known, err := k.Tenant.Ledger.Link(ctx, linkAccess, o.key())
	if err != nil || !known || k.OwnPlace(ctx, o.Place) == "" {
		return access.Grant{}, false, err
	}
	have, err := k.set(ctx, link.Hash)
	if err != nil {
		return access.Grant{}, false, err
	}
	o.gone = false
	now, kept, err := k.wanted(ctx, o)
	return have.Within(now), kept, err
}

// resolved fills in the grant of an open rule.
func (k *Keeper) resolved(ctx context.Context, r *access.Rule) error {
	k.mu.Lock()
	g, ok := k.lifted[r.Source]
	k.mu.Unlock()
	if ok {
		r.Grant = g
		return nil
	}
	if err := k.Resolve(ctx, r); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lifted == nil {
		k.lifted = map[string]access.Grant{}
	}
	k.lifted[r.Source] = r.Grant
	return nil
}

func (k *Keeper) storeSet(ctx context.Context, g access.Grant) error {
	key := g.Key()
	k.mu.Lock()
	_, ok := k.grants[key]
	k.mu.Unlock()
	if ok {
		return nil
	}
	raw, err := json.Marshal(g)
	if err != nil {
		return err
	}
	if err := k.Tenant.Ledger.Complete(ctx, linkSet, key, key, string(raw)); err != nil {
		return err
	}
	k.remember(key, g)
	return nil
}

func (k *Keeper) remember(key string, g access.Grant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.grants == nil {
		k.grants = map[string]access.Grant{}
	}
	k.grants[key] = g
}

// set returns a grant by its key.
func (k *Keeper) set(ctx context.Context, key string) (access.Grant, error) {
	k.mu.Lock()
	g, ok := k.grants[key]
	k.mu.Unlock()
	if ok || key == (access.Grant{}).Key() {
		return g, nil
	}
	link, known, err := k.Tenant.Ledger.Link(ctx, linkSet, key)
	if err != nil {
		return g, err
	}
	if !known || json.Unmarshal([]byte(link.Hash), &g) != nil {
		return g, fault.System("the ledger does not know who was given access as %s", key)
	}
	k.remember(key, g)
	return g, nil
}

// apply changes the lists of some objects from one grant to another. If iconik refuses, each list is tried by itself. If nobody
// can be let in, that is noted; if somebody cannot be removed, that is an error.
func (k *Keeper) apply(ctx context.Context, s step, of []Object, have, want access.Grant) error {
	remove, read, write := have.To(want)
	var ids []string
	for _, o := range of {
		ids = append(ids, o.ID)
	}
	one := func(err error) error {
		for _, o := range of {
			if err := k.apply(ctx, s, []Object{o}, have, want); err != nil {
				return err
			}
		}
		return nil
	}
	switch err := k.takeOut(ctx, s.objectType, ids, remove); {
	case err != nil && refused(err) && len(of) > 1:
		return one(err)
	case rest.IsNotFound(err): // deleted in iconik: verification reports it
		return nil
	case err != nil:
		return fmt.Errorf("taking access to %q back: %w", of[0].Name, err)
	}
	if !remove.Empty() {
		if err := k.tellRemoved(ctx, s.place, of, remove, want); err != nil {
			return err
		}
	}
	if err := k.letIn(ctx, s.objectType, ids, read, write); err != nil {
		switch {
		case !refused(err):
			return fmt.Errorf("letting those in who may see %q in Frame.io: %w", of[0].Name, err)
		case len(of) > 1:
			return one(err)
		case rest.IsNotFound(err):
			return nil
		}
		k.Log.WarnContext(ctx, "iconik refuses to give readers access", "archive", k.Project, "object", of[0].key(), "error", fault.Scrubbed(err))
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.refusals == nil {
			k.refusals = map[string]string{}
		}
		k.refusals[s.place] = fault.Scrubbed(err)
		return nil
	}
	for _, o := range of {
		if err := k.keep(ctx, o, want); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) letIn(ctx context.Context, objectType string, ids []string, read, write access.IDs) error {
	for _, part := range []struct {
		who         access.IDs
		permissions []string
	}{{read, []string{iconik.PermissionRead}}, {write, []string{iconik.PermissionRead, iconik.PermissionWrite}}} {
		if part.who.Empty() {
			continue
		}
		if err := k.Changed(ctx); err != nil {
			return err
		}
		if err := k.Tenant.Iconik.ACLs.Allow(ctx, objectType, ids, part.who.Users, part.who.Groups, part.permissions...); err != nil {
			return err
		}
	}
	return nil
}

// tellRemoved reports who lost access, leaving out those who only lost the permission to write.
func (k *Keeper) tellRemoved(ctx context.Context, place string, of []Object, removed access.IDs, want access.Grant) error {
	var names []string
	for _, id := range removed.Users {
		if _, stays := want.Users[id]; !stays {
			names = append(names, k.nameOf(ctx, access.Entry{ID: id}))
		}
	}
	for _, id := range removed.Groups {
		if _, stays := want.Groups[id]; !stays {
			names = append(names, k.nameOf(ctx, access.Entry{ID: id, Group: true}))
		}
	}
	if len(names) == 0 {
		return nil
	}
	if err := k.noteRemoved(ctx, place, names); err != nil {
		return err
	}
	return k.Audit(ctx, "access removed", fmt.Sprintf("%d of %q and others: %s", len(of), of[0].Name, strings.Join(names, ", ")))
}

// noteRemoved adds to the names of those who have lost access to a place.
func (k *Keeper) noteRemoved(ctx context.Context, place string, names []string) error {
	if place == "" {
		place = k.Project
	}
	rows, err := k.Ledger.Access(ctx)
	if err != nil {
		return err
	}
	all := map[string]bool{}
	for _, row := range rows {
		var before []string
		if row.Source == place && row.Part == ledger.AccessRemoved && json.Unmarshal([]byte(row.Doc), &before) == nil {
			for _, n := range before {
				all[n] = true
			}
		}
	}
	for _, n := range names {
		all[n] = true
	}
	doc, err := json.Marshal(slices.Sorted(maps.Keys(all)))
	if err != nil {
		return err
	}
	return k.Ledger.PutAccess(ctx, place, ledger.AccessRemoved, 0, string(doc))
}
