// Package acls lets exactly those people read an archive in iconik who may see it in Frame.io. Restricted objects are created so that
// only administrators, Framebridge and the readers of their collection may read them. Everyone else who may is let in afterwards.
package acls

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/readers"
)

// Keeper handles the access to one archive. Its methods are safe for concurrent use.
type Keeper struct {
	*readers.Readers
	Tenant  *tenant.Tenant
	Ledger  ledger.ArchiveLedger
	Project string // the archive's ID
	Log     *slog.Logger
	// Changed is called before the first write.
	Changed func(context.Context) error
	// Audit records the access that people lose.
	Audit func(ctx context.Context, action, text string) error

	mu    sync.Mutex
	rules map[string]access.Rule // by place; nil until they are read
	of    map[string]string      // folder → place

	names    sync.Map                // ID → name in reports
	grants   map[string]access.Grant // by their keys
	refusals map[string]string       // place → why iconik did not let its readers in
	lifted   map[string]access.Grant // grants of rules that are open now, by place
}

// ReadProject records who may see the project, before any of it is created.
func (k *Keeper) ReadProject(ctx context.Context, p frameio.Project) error {
	r, err := k.ProjectRule(ctx, p)
	if err != nil {
		return err
	}
	return k.put(ctx, &r, 0)
}

// ReadFolder records who may see a folder, when its listing begins.
func (k *Keeper) ReadFolder(ctx context.Context, f ledger.Folder, scan int) (ledger.Folder, error) {
	if f.ParentID == "" {
		return f, nil // the project itself
	}
	above, err := k.rule(ctx, f.Access)
	if err != nil {
		return f, err
	}
	r, own, err := k.FolderRule(ctx, above, f.SourceID, f.Path)
	if err != nil || !own {
		return f, err
	}
	f.Access = f.SourceID
	if err := k.put(ctx, &r, scan); err != nil {
		return f, err
	}
	return f, k.Ledger.SetFolderAccess(ctx, f.SourceID, f.Access)
}

// Child returns the place whose rule applies to a folder listed under another one, as far as the folder's own row tells.
func (k *Keeper) Child(ctx context.Context, above ledger.Folder, child frameio.Asset, place string, scan int) (string, error) {
	if !child.TeamOnly || k.Mode() != access.Source {
		return above.Access, nil
	}
	up, err := k.rule(ctx, above.Access)
	if err != nil {
		return "", err
	}
	r, own := up.TeamOnly(child.ID, place)
	if !own {
		return above.Access, nil
	}
	return child.ID, k.put(ctx, &r, scan)
}

// put resolves a rule and records it.
func (k *Keeper) put(ctx context.Context, r *access.Rule, scan int) error {
	if err := k.Resolve(ctx, r); err != nil {
		return err
	}
	doc, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := k.Ledger.PutAccess(ctx, r.Source, ledger.AccessRule, scan, string(doc)); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rules != nil {
		k.rules[r.Source] = *r
	}
	return nil
}

// all returns the recorded rules by place.
func (k *Keeper) all(ctx context.Context) (map[string]access.Rule, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rules != nil {
		return k.rules, nil
	}
	rows, err := k.Ledger.Access(ctx)
	if err != nil {
		return nil, err
	}
	rules := map[string]access.Rule{}
	for _, row := range rows {
		var r access.Rule
		if row.Part == ledger.AccessRule && json.Unmarshal([]byte(row.Doc), &r) == nil {
			rules[row.Source] = r
		}
	}
	k.rules, k.of = rules, map[string]string{}
	return rules, nil
}

// readOnce reads the project's rule if none is recorded, because an older release began this run.
func (k *Keeper) readOnce(ctx context.Context) error {
	rules, err := k.all(ctx)
	if err != nil {
		return err
	}
	k.mu.Lock()
	_, ok := rules[k.Project]
	k.mu.Unlock()
	if ok {
		return nil
	}
	p, err := k.Tenant.Frameio.Project(ctx, k.Project)
	if err != nil {
		return err
	}
	return k.ReadProject(ctx, p)
}

// rule returns the rule of a place; "" is the project. A place without a known rule is closed, unless iconik's default applies.
func (k *Keeper) rule(ctx context.Context, place string) (access.Rule, error) {
	if k.Mode() == access.IconikDefault {
		return access.Rule{Source: place, Mode: k.Mode(), Open: true}, nil
	}
	if err := k.readOnce(ctx); err != nil {
		return access.Rule{}, err
	}
	rules, err := k.all(ctx)
	if err != nil {
		return access.Rule{}, err
	}
	if place == "" {
		place = k.Project
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := rules[place]
	if !ok {
		return access.Rule{Source: place, Mode: k.Mode(), Why: "nothing is known of who may see it"}, nil
	}
	return r, nil
}

// Restricted reports whether some place of the archive has readers of its own.
func (k *Keeper) Restricted(ctx context.Context) (bool, error) {
	if k.Mode() == access.IconikDefault {
		return false, nil
	}
	if err := k.readOnce(ctx); err != nil {
		return true, err
	}
	rules, err := k.all(ctx)
	if err != nil {
		return true, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range rules {
		if !r.Open {
			return true, nil
		}
	}
	return false, nil
}

// PlaceOf returns the place whose rule applies to what is in a folder.
func (k *Keeper) PlaceOf(ctx context.Context, folder string) (string, error) {
	if restricted, err := k.Restricted(ctx); err != nil || !restricted {
		return "", err
	}
	k.mu.Lock()
	place, ok := k.of[folder]
	k.mu.Unlock()
	if ok {
		return place, nil
	}
	place, _, err := k.Ledger.FolderAccess(ctx, folder)
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	k.of[folder] = place
	k.mu.Unlock()
	return place, nil
}

// Closed reports whether iconik's default access does not apply to a place.
func (k *Keeper) Closed(ctx context.Context, place string) (bool, error) {
	if k.Mode() == access.IconikDefault {
		return false, nil
	}
	r, err := k.rule(ctx, place)
	return !r.Open, err
}

// HidesTeamOnly reports whether somebody outside the team may read a place in iconik.
func (k *Keeper) HidesTeamOnly(ctx context.Context, place string) (bool, error) {
	if k.Mode() != access.Source {
		return false, nil
	}
	r, err := k.rule(ctx, place)
	return r.HidesTeamOnly(), err
}

// Any reports whether something in the archive has, or had, readers of its own.
func (k *Keeper) Any(ctx context.Context) (bool, error) {
	restricted, err := k.Restricted(ctx)
	if err != nil || restricted || k.Mode() == access.IconikDefault {
		return restricted, err
	}
	links, _, err := k.Ledger.Links(ctx, linkAccess, "", 1)
	return len(links) > 0, err
}

// OwnPlace returns the place itself if it has a rule of its own, and "", the project, otherwise.
func (k *Keeper) OwnPlace(ctx context.Context, place string) string {
	if k.Mode() == access.IconikDefault {
		return ""
	}
	rules, err := k.all(ctx)
	if err != nil {
		return place
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := rules[place]; ok {
		return place
	}
	return ""
}

// ClosedPlaces returns the places to which iconik's default access does not apply, except for one place and people's private
// collections. Everyone who may see what is in those can see it in the project.
func (k *Keeper) ClosedPlaces(ctx context.Context, besides string) ([]string, error) {
	if restricted, err := k.Restricted(ctx); err != nil || !restricted {
		return nil, err
	}
	rules, err := k.all(ctx)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []string
	for place, r := range rules {
		if !r.Open && place != besides && r.Kind != access.KindCollection {
			out = append(out, place)
		}
	}
	return out, nil
}

// PutAll records the rule of something that shows content of several places, and returns its place.
func (k *Keeper) PutAll(ctx context.Context, id, kind, name, url string, places []string) (string, error) {
	if k.Mode() == access.IconikDefault {
		return "", nil
	}
	project, err := k.rule(ctx, "")
	if err != nil {
		return "", err
	}
	var of []access.Rule
	for _, p := range places {
		r, err := k.rule(ctx, p)
		if err != nil {
			return "", err
		}
		of = append(of, r)
	}
	r, own := project.All(id, kind, name, of)
	r.URL = url
	return k.putOwn(ctx, id, r, own)
}

// PutPrivate records the rule of a collection that only its creator sees, and returns its place.
func (k *Keeper) PutPrivate(ctx context.Context, id, name string, maker frameio.User) (string, error) {
	project, err := k.rule(ctx, "")
	if err != nil {
		return "", err
	}
	r, own := project.Private(id, name, access.Person{ID: maker.ID, Name: maker.Name, Email: maker.Email, Team: true})
	return k.putOwn(ctx, id, r, own)
}

// putOwn records a place's own rule, or removes it.
func (k *Keeper) putOwn(ctx context.Context, id string, r access.Rule, own bool) (string, error) {
	if own {
		return id, k.put(ctx, &r, 0)
	}
	return "", k.Drop(ctx, id)
}

// Drop removes a place's own rule.
func (k *Keeper) Drop(ctx context.Context, id string) error {
	if k.Mode() == access.IconikDefault {
		return nil
	}
	if err := k.Ledger.DropAccess(ctx, id, ledger.AccessRule); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.rules, id)
	return nil
}
