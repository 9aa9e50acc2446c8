package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/routes"
)

// Frame.io does not say whether IDs stay the same when it moves an account to V4. If they change, an archive finds what it has
// already copied by what stays: the names of the workspace and project, then paths, sizes and versions, then what comments say
// and where. It does not guess when things cannot be told apart.

// adoptMigrated checks, when a project is archived here for the first time, whether it was archived before under another ID,
// and if so continues that archive as this one.
func (a *archive) adoptMigrated(ctx context.Context, project frameio.Project) error {
	row, err := a.row(ctx)
	if err != nil || row.CollectionID != "" {
		return err
	}
	found, err := plan.Premigration(ctx, a.planSource(), project)
	if err != nil {
		return err
	}
	switch {
	case len(found) == 0:
		return nil
	case len(found) > 1:
		var ids []string
		for _, r := range found {
			ids = append(ids, r.ID)
		}
		return fault.Content("%s named %q in %q were archived before the account migration (%s), and Framebridge cannot tell which one this is: rename the project in Frame.io to archive it as a new one",
			english.Count(len(found), "project"), mapping.ProjectTitle(project.Name, a.cfg.Archive.TriggerSuffix), project.Team.Name, strings.Join(ids, ", "))
	case !found[0].Status.Ended():
		return fault.Content("an archive of this project is still running under its ID from before the account migration (%s): cancel that archive, then retry this one, which continues where it stopped", found[0].ID)
	}
	if err := a.tenant.Ledger.AdoptArchive(ctx, found[0].ID, row.ID); err != nil {
		return err
	}
	if err := a.adoptTeam(ctx, found[0], project); err != nil {
		return err
	}
	return a.audit(ctx, "goes on with an archive of before the move", found[0].ID)
}

// adoptTeam makes the team's collection that of the workspace with the same name.
func (a *archive) adoptTeam(ctx context.Context, old ledger.Archive, project frameio.Project) error {
	if old.TeamID == project.Team.ID || old.TeamName != project.Team.Name {
		return nil
	}
	return a.tenant.Ledger.RenameLink(ctx, ledger.LinkTeam, old.TeamID, project.Team.ID)
}

// project reads the project. If Frame.io no longer has it, the error is that of noProject.
func (a *archive) project(ctx context.Context) (frameio.Project, error) {
	project, err := a.frameio.Project(ctx, a.ref.Archive)
	if rest.IsNotFound(err) {
		err = a.noProject(ctx)
	}
	return project, err
}

// noProject returns the error for a project that does not exist. It names the project's possible new ID.
func (a *archive) noProject(ctx context.Context) error {
	row, _, err := a.ledger.Get(ctx)
	if err != nil {
		return err
	}
	if row.RootID != "" && frameio.Migrated(a.frameio, row.Generation) { // it was opened once, on the other API
		ids, err := a.projectsNamed(ctx, row.Name)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			return fault.Content("project %q has a new ID since Frame.io's account migration, so this archive cannot continue under the old one. Start an archive of %[2]s (starter archive %[2]s, or POST %[3]s/archives): it continues where this one stopped, and copies nothing twice", row.Name, strings.Join(ids, " or "), routes.Prefix)
		}
	}
	return fault.Content("Frame.io has no project %s, or the token's user has no access to it%s", a.ref.Archive, a.requestedBefore(ctx, row))
}

// requestedBefore returns, for an archive that was never opened, what the project's ID may be now. The archive may have been
// requested before the account was migrated, and have waited since.
func (a *archive) requestedBefore(ctx context.Context, row ledger.Archive) string {
	if row.RootID != "" {
		return ""
	}
	ids, err := a.projectsNamed(ctx, row.Name)
	if err != nil || len(ids) == 0 {
		return ". If Frame.io migrated the account since this archive was requested, the project has a new ID: starter projects lists it; start an archive of that"
	}
	return fmt.Sprintf(". If Frame.io migrated the account since this archive was requested, the project's ID is %s now: start an archive of that (starter archive %[1]s)", strings.Join(ids, " or "))
}

// projectsNamed returns the IDs of the projects with a name, with or without the suffix.
func (a *archive) projectsNamed(ctx context.Context, name string) (ids []string, err error) {
	title := mapping.ProjectTitle(name, a.cfg.Archive.TriggerSuffix)
	if title == "" {
		return nil, nil
	}
	for p, err := range frameio.Rows(ctx, "list projects", a.frameio.Projects) {
		if err != nil {
			return nil, err
		}
		if mapping.ProjectTitle(p.Name, a.cfg.Archive.TriggerSuffix) == title {
			ids = append(ids, p.ID)
		}
	}
	return ids, nil
}

// stillThere returns an error if, in the middle of a run, the account's migration has invalidated the IDs of Frame.io's
// objects, which the step would otherwise take for deleted. probe is a file that the step needs, or empty if it needs none.
func (a *archive) stillThere(ctx context.Context, probe string) error {
	row, err := a.row(ctx)
	if err != nil || row.Migrating || row.RootID == "" || !frameio.Migrated(a.frameio, row.Generation) {
		return err
	}
	_, err = a.project(ctx)
	if err != nil || probe == "" {
		return err
	}
	if _, err = a.frameio.Asset(ctx, probe); rest.IsNotFound(err) {
		return fault.Content("Frame.io's account migration gave the files of project %q new IDs while this archive was running. Retry the archive of %[2]s (starter retry %[2]s, or POST %[3]s/archives): it continues where this run stopped, and copies nothing twice", row.Name, row.ID, routes.Prefix)
	}
	return err
}

// refreshProject detects in the middle of a run that the account was moved. The project's root may then have another ID.
func (a *archive) refreshProject(ctx context.Context, row ledger.Archive) (ledger.Archive, error) {
	if row.Migrating || !frameio.Migrated(a.frameio, row.Generation) {
		return row, nil
	}
	project, err := a.project(ctx)
	if err != nil {
		return row, err
	}
	if err := a.adoptTeam(ctx, row, project); err != nil {
		return row, err
	}
	if err := a.ledger.RestartScan(ctx); err != nil {
		return row, err
	}
	return a.ledger.Update(ctx, func(r *ledger.Archive) {
		r.RootID, r.TeamID, r.TeamName, r.ProjectURL, r.Migrating = project.RootID, project.Team.ID, project.Team.Name, project.URL, true
	})
}

// matchMigratedIDs ties what a scan has seen to what existed before the move.
func (a *archive) matchMigratedIDs(ctx context.Context, scan int) error {
	m, err := a.ledger.MatchMigrated(ctx, scan)
	if err != nil {
		return err
	}
	note := ""
	if n := len(m.Ambiguous); n > 0 {
		slices.Sort(m.Ambiguous)
		note = fmt.Sprintf("%s (one is %q) had several files of the same size, so Framebridge could not match them to what was archived before the account migration and copied them again", english.Count(n, "path"), m.Ambiguous[0])
	}
	if m.Items+m.Folders+len(m.Ambiguous) > 0 {
		detail := english.Count(m.Items, "file") + " and " + english.Count(m.Folders, "folder") + " have other IDs"
		for _, p := range m.Ambiguous {
			detail += "\nambiguous: " + p
		}
		if err := a.audit(ctx, "matched after the move", detail); err != nil {
			return err
		}
	}
	_, err = a.ledger.Update(ctx, func(r *ledger.Archive) {
		r.Generation, r.Migrating, r.MigrationNote = string(a.frameio.Generation()), false, note
	})
	return err
}

// matchMigratedShares ties V4's shares to the collections of the presentations and review links that they were before the move:
// by ID, or by name if the name is unique on both sides.
func (a *archive) matchMigratedShares(ctx context.Context) error {
	if !a.frameio.Capabilities().SharesOnly {
		return nil
	}
	var former []ledger.Link
	for _, kind := range []ledger.LinkKind{ledger.LinkPresentation, ledger.LinkReviewLink} {
		for k, err := range a.ledger.AllLinks(ctx, kind) {
			if err != nil {
				return err
			}
			if k.TargetID != "" {
				former = append(former, k)
			}
		}
	}
	if len(former) == 0 {
		return nil
	}
	title := func(k ledger.Link) string {
		_, t, _ := strings.Cut(k.Hash, "\x00") // placement.hash
		return t
	}
	now, err := a.sharesNow(ctx)
	if err != nil {
		return err
	}
	named := map[string]int{}
	for _, s := range now {
		named[mapping.Title(s.Name)]++
	}
	for _, s := range now {
		name := mapping.Title(s.Name)
		if _, known, err := a.tenant.Ledger.Link(ctx, ledger.LinkShare, s.ID); err != nil {
			return err
		} else if known {
			continue
		}
		var fits []ledger.Link
		for _, k := range former {
			if k.SourceID == s.ID {
				fits = []ledger.Link{k}
				break
			}
			if title(k) == name && named[name] == 1 {
				fits = append(fits, k)
			}
		}
		if len(fits) != 1 {
			continue
		}
		k := fits[0]
		former = slices.DeleteFunc(former, func(f ledger.Link) bool { return f.Kind == k.Kind && f.SourceID == k.SourceID })
		if _, _, err := a.tenant.Ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkShare, SourceID: s.ID, Archive: a.ref.Archive, Parent: k.Parent, IntendedAt: time.Now()}); err != nil {
			return err
		}
		// Without a hash, so that the collection gets the new ID.
		if err := a.tenant.Ledger.Complete(ctx, ledger.LinkShare, s.ID, k.TargetID, ""); err != nil {
			return err
		}
		if err := a.tenant.Ledger.Delete(ctx, k.Kind, k.SourceID); err != nil {
			return err
		}
		if err := a.audit(ctx, "matched after the move", string(k.Kind)+" "+k.SourceID+" is share "+s.ID); err != nil {
			return err
		}
	}
	return nil
}
