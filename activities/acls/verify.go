package acls

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

const verifyInParallel = 8 // lists read at once

// CheckAbove returns an error if others could read an object the moment it is created, because a collection above it passes its
// readers on to everything in it.
func (k *Keeper) CheckAbove(ctx context.Context, place, collection string) error {
	closed, err := k.Closed(ctx, place)
	if err != nil || !closed || collection == "" {
		return err
	}
	r, err := k.rule(ctx, place)
	if err != nil {
		return err
	}
	me, err := k.Tenant.CurrentUser(ctx)
	if err != nil {
		return err
	}
	list, err := k.Tenant.Iconik.ACLs.Propagating(ctx, collection)
	if err != nil {
		return fmt.Errorf("who may read all that lies above %q in iconik: %w", r.Place, err)
	}
	others, _ := r.Grant.Compare(asEntries(list), me.ID)
	if len(others) == 0 {
		return nil
	}
	var names []string
	for _, e := range others {
		names = append(names, k.nameOf(ctx, e))
	}
	return fault.Content("a collection of iconik above %q lets %s read all of its content, who may not see it in Frame.io: take \"Apply access to all content\" back there (collection %s or above), or set archive.access: iconik_default",
		r.Place, strings.Join(names, ", "), collection)
}

// Found is a difference between who should be able to read a place in iconik and who can.
type Found struct {
	What    string `json:"what"` // added, inherited, missing or refused
	Who     string `json:"who"`
	Objects int    `json:"objects"` // how many are affected
	Example string `json:"example"`
	Mended  bool   `json:"mended,omitempty"`
}

// verification collects what is found for all objects.
type verification struct {
	k    *Keeper
	self string
	mu   sync.Mutex
	at   map[string]map[string]*Found // place → what and who
}

// check aligns the lists of objects with Frame.io and compares them with what they should be. People who were let in or removed
// in iconik are reported, and left as they are unless archive.on_difference is restore.
func (v *verification) check(ctx context.Context, objects []Object) error {
	if err := v.k.Align(ctx, objects); err != nil {
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(verifyInParallel)
	for _, o := range objects {
		group.Go(func() error { return v.one(gctx, o) })
	}
	return group.Wait()
}

func (v *verification) one(ctx context.Context, o Object) error {
	if o.ID == "" || o.gone {
		return nil
	}
	want, kept, err := v.k.wanted(ctx, o)
	if err != nil || !kept {
		return err
	}
	list, err := v.k.Tenant.Iconik.ACLs.List(ctx, o.Type, o.ID)
	if rest.IsNotFound(err) {
		return nil
	}
	if err != nil {
		if refused(err) {
			v.note(o, "refused", fault.Scrubbed(err), false)
			return nil
		}
		return fmt.Errorf("who may read %q in iconik: %w", o.Name, err)
	}
	added, missing := want.Compare(asEntries(list), v.self)
	restore := v.k.Tenant.Config.Archive.OnDifference == "restore"
	if restore {
		if err := v.restore(ctx, o, added, missing, want); err != nil {
			return err
		}
	}
	for _, e := range added {
		what := "added"
		if e.Inherited {
			what = "inherited"
		}
		v.note(o, what, v.k.nameOf(ctx, e), restore && !e.Inherited)
	}
	for _, id := range missing.Users {
		v.note(o, "missing", v.k.nameOf(ctx, access.Entry{ID: id}), restore)
	}
	for _, id := range missing.Groups {
		v.note(o, "missing", v.k.nameOf(ctx, access.Entry{ID: id, Group: true}), restore)
	}
	return nil
}

// restore changes an object's list to what it should be.
func (v *verification) restore(ctx context.Context, o Object, added []access.Entry, missing access.IDs, want access.Grant) error {
	own := slices.DeleteFunc(slices.Clone(added), func(e access.Entry) bool { return e.Inherited })
	if err := v.k.takeOut(ctx, o.Type, []string{o.ID}, idsOf(own)); err != nil {
		return err
	}
	var again access.Grant
	again.Users, again.Groups = map[string]bool{}, map[string]bool{}
	for _, id := range missing.Users {
		again.Users[id] = want.Users[id]
	}
	for _, id := range missing.Groups {
		again.Groups[id] = want.Groups[id]
	}
	_, read, write := access.Grant{}.To(again)
	return v.k.letIn(ctx, o.Type, []string{o.ID}, read, write)
}

func (v *verification) note(o Object, what, who string, mended bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	place := o.Place
	if place == "" {
		place = v.k.Project
	}
	if v.at[place] == nil {
		v.at[place] = map[string]*Found{}
	}
	f := v.at[place][what+who]
	if f == nil {
		f = &Found{What: what, Who: who, Example: o.Name, Mended: mended}
		v.at[place][what+who] = f
	}
	f.Objects++
}

// end records what was found.
func (v *verification) end(ctx context.Context) error {
	v.k.mu.Lock()
	refusals := v.k.refusals
	v.k.mu.Unlock()
	for place, why := range refusals {
		v.note(Object{Place: place}, "refused", why, false)
	}
	rules, err := v.k.all(ctx)
	if err != nil {
		return err
	}
	v.k.mu.Lock()
	var places []string
	for place := range rules {
		places = append(places, place)
	}
	v.k.mu.Unlock()
	for _, place := range places {
		found := v.at[place]
		if len(found) == 0 {
			if err := v.k.Ledger.DropAccess(ctx, place, ledger.AccessFound); err != nil {
				return err
			}
			continue
		}
		var rows []Found
		for _, f := range found {
			rows = append(rows, *f)
		}
		slices.SortFunc(rows, func(x, y Found) int { return strings.Compare(x.What+x.Who, y.What+y.Who) })
		doc, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		if err := v.k.Ledger.PutAccess(ctx, place, ledger.AccessFound, 0, string(doc)); err != nil {
			return err
		}
	}
	return nil
}
