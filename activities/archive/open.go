package archive

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/notice"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// OpenArchive reads the project and begins a run of its archive in the ledger.
func (a *Activities) OpenArchive(ctx context.Context, in workflows.OpenArchiveInput) (workflows.OpenArchiveResult, error) {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return workflows.OpenArchiveResult{}, err
	}
	project, err := arc.frameio.Project(ctx, in.Archive)
	if err != nil {
		if rest.IsNotFound(err) {
			return workflows.OpenArchiveResult{}, arc.noProject(ctx)
		}
		return workflows.OpenArchiveResult{}, arc.openingRefused(ctx, err)
	}
	if err := arc.adoptMigrated(ctx, project); err != nil {
		return workflows.OpenArchiveResult{}, err
	}
	if before, err := arc.row(ctx); err != nil {
		return workflows.OpenArchiveResult{}, err
	} else if frameio.Migrated(arc.frameio, before.Generation) {
		if err := arc.adoptTeam(ctx, before, project); err != nil {
			return workflows.OpenArchiveResult{}, err
		}
	}
	row, err := arc.update(ctx, func(r *ledger.Archive) {
		r.Name, r.TeamID, r.TeamName, r.RootID, r.ProjectURL = project.Name, project.Team.ID, project.Team.Name, project.RootID, project.URL
		r.SourceUpdatedAt = project.UpdatedAt
		r.Status, r.Reason, r.QueuePosition = ledger.Planning, "", 0
		r.WorkflowID, r.RunID = in.WorkflowID, in.RunID
		r.StartedAt, r.FinishedAt = time.Now().UTC(), time.Time{}
		r.APICalls, r.MigrationNote, r.Stuck = 0, "", nil
		if r.CollectionID == "" { // nothing exists yet that could have moved
			r.Generation = string(arc.frameio.Generation())
		}
		r.Migrating = frameio.Migrated(arc.frameio, r.Generation)
	})
	if err != nil {
		return workflows.OpenArchiveResult{}, err
	}
	if err := arc.access.ReadProject(ctx, project); err != nil {
		return workflows.OpenArchiveResult{}, err
	}
	if err := arc.resetFailed(ctx, in.Only); err != nil {
		return workflows.OpenArchiveResult{}, err
	}
	told, err := arc.announce(ctx, notice.NotifyStarted, row)
	if err != nil {
		return workflows.OpenArchiveResult{}, err
	}
	arc.tenant.Start(ctx, told)
	return workflows.OpenArchiveResult{
		Project: project.Name, Team: project.Team.Name, Run: row.Run,
		Lanes: arc.cfg.Archive.ItemsInParallel, WaitInterval: arc.cfg.Archive.WaitInterval.String(),
	}, nil
}

// resetFailed lets this run retry failed items: all of them, or those in one range.
func (a *archive) resetFailed(ctx context.Context, only *workflows.Range) error {
	if only == nil {
		return a.ledger.ResetFailed(ctx, ledger.Range{From: 1, To: math.MaxInt64})
	}
	return a.ledger.ResetFailed(ctx, ledger.Range{From: only.From, To: only.To})
}

// openingRefused ends an archive that is opened with a rejected token, so that whoever has just started it learns of it right
// away. If the API rejects tokens once Frame.io migrates the account, and has accepted this one before, the archive instead
// waits like a running one until the configuration names the other API.
func (a *archive) openingRefused(ctx context.Context, err error) error {
	if rest.ClassOf(err) != rest.Unauthorized {
		return err
	}
	if a.frameio.Capabilities().MayMigrate {
		for row, lerr := range a.tenant.Ledger.AllArchives(ctx) {
			if lerr != nil {
				return lerr
			}
			if row.RootID != "" && !frameio.Migrated(a.frameio, row.Generation) {
				return err
			}
		}
	}
	return fault.FailFastOnAuth(err)
}

// PrepareIconik finds or creates what the archive needs in iconik: a storage that accepts uploads, the metadata views, the
// collections down to the project's, and the job that people watch.
func (a *Activities) PrepareIconik(ctx context.Context, ref workflows.Ref) error {
	arc, err := a.archive(ref)
	if err != nil {
		return err
	}
	if _, err := arc.files().Storage(ctx); err != nil {
		return fault.FailFastOnAuth(err)
	}
	for _, view := range []string{mapping.ArchiveView, mapping.CommentView} {
		if _, err := arc.tenant.View(ctx, view); err != nil {
			return fault.FailFastOnAuth(fmt.Errorf("metadata view %q: %w", view, err))
		}
	}
	row, err := arc.row(ctx)
	if err != nil {
		return err
	}
	collection, err := arc.projectCollection(ctx, row)
	if err != nil {
		return err
	}
	if row, err = arc.ledger.Update(ctx, func(r *ledger.Archive) { r.CollectionID = collection }); err != nil {
		return err
	}
	if err := arc.objects.Clear(ctx, ledger.FailedJob); err != nil {
		return err
	}
	failure := ledger.Failure{Kind: ledger.FailedJob, SourceID: row.ID, Place: notice.JobTitle(row), URL: arc.iconik.CollectionURL(collection)}
	opened, err := arc.objects.TryOr(ctx, failure, func() error { return arc.job().Open(ctx, row) })
	if err == nil && !opened { // the previous run's job is not this run's
		_, err = arc.ledger.Update(ctx, func(r *ledger.Archive) { r.JobID = "" })
	}
	return err
}

// projectCollection finds or creates root / team / project.
func (a *archive) projectCollection(ctx context.Context, row ledger.Archive) (string, error) {
	rootTitle := a.cfg.Archive.RootCollection
	for kind, source := range map[ledger.LinkKind]string{ledger.LinkRoot: rootTitle, ledger.LinkTeam: row.TeamID, ledger.LinkProject: row.ID} {
		if err := a.dropStaleLink(ctx, kind, source); err != nil {
			return "", err
		}
	}
	root, _, err := a.createOnce(ctx, tenant.Creation{
		Kind: ledger.LinkRoot, SourceID: rootTitle, IndexLag: a.cfg.Iconik.SettleTime, Shared: true,
		Find: func(ctx context.Context) (string, error) { return a.rootByTitle(ctx, rootTitle) },
		Make: func(ctx context.Context) (string, error) {
			return a.newCollection(ctx, iconik.CollectionRequest{Title: rootTitle, ExternalID: mapping.ExternalID("root", a.ref.Tenant)})
		},
	})
	if err != nil {
		return "", err
	}
	team, err := a.collection(ctx, placement{kind: ledger.LinkTeam, source: row.TeamID, external: mapping.ExternalID("team", row.TeamID), title: row.TeamName, parent: root, shared: true})
	if err != nil {
		return "", err
	}
	return a.collection(ctx, a.projectPlacement(row, team))
}

// projectPlacement returns the project's collection as it should be.
func (a *archive) projectPlacement(row ledger.Archive, team string) placement {
	return placement{kind: ledger.LinkProject, source: row.ID, external: mapping.ExternalID("project", row.ID),
		title: mapping.ProjectTitle(row.Name, a.cfg.Archive.TriggerSuffix), parent: team, shared: true}
}

// rootByTitle finds the root collection, which people or another installation may have created. Its title is its only identity.
func (a *archive) rootByTitle(ctx context.Context, title string) (string, error) {
	found, err := a.iconik.Search.Collections(ctx, title)
	if err != nil {
		return "", err
	}
	for _, o := range found {
		if o.Title == title && !o.Deleted() && o.ParentID == "" && len(o.InCollections) == 0 {
			return o.ID, nil
		}
	}
	return "", nil
}
