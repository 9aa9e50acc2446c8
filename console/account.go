package console

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/workflows"
)

// AccountActions are the console's actions on whole accounts: migrations, mirrors, and deleting what is proven to be archived.
type AccountActions interface {
	// PlanAccount returns what a migration would do. progress is called after each project.
	PlanAccount(ctx context.Context, t *config.Tenant, take account.Selection, progress func(done, of int)) (workflows.AccountPlan, error)
	// StartMigration returns the migration's ID. An *account.FieldError names an invalid field.
	StartMigration(ctx context.Context, t *config.Tenant, asked account.Request, requestedBy string) (string, error)
	// ControlMigration pauses, resumes or cancels a migration, or adds new projects that match its own selection.
	ControlMigration(ctx context.Context, t *config.Tenant, migration, verb string) error
	// OrderMigration moves a queued project to another position; 1 is the next one to start.
	OrderMigration(ctx context.Context, t *config.Tenant, migration, project string, position int) error
	// MigrationAsItStands returns the row, marked as failed if its workflow ended without recording a result.
	MigrationAsItStands(ctx context.Context, row ledger.Migration) ledger.Migration

	Mirrors(ctx context.Context, t *config.Tenant) ([]Mirror, error)
	// StartMirror creates a mirror, or changes the one with that name. An *account.FieldError names an invalid field.
	StartMirror(ctx context.Context, t *config.Tenant, m Mirror) error
	// ControlMirror runs, pauses, resumes or stops a mirror.
	ControlMirror(ctx context.Context, t *config.Tenant, name, verb string) error

	// StartReclaim examines what could be freed, or requests the deletion.
	StartReclaim(ctx context.Context, t *config.Tenant, archive string, asked ReclaimRequest) error
	// ControlReclaim approves, pauses, resumes or cancels a deletion.
	ControlReclaim(ctx context.Context, t *config.Tenant, archive, verb string) error
	// Certificate opens a file of the last deletion's certificate. The caller must close it.
	Certificate(ctx context.Context, t *config.Tenant, archive, file string) (io.ReadCloser, error)
}

const migrationsShown = 10

// accountBody is the account page: what was migrated, and what is kept up to date.
type accountBody struct {
	MaySee     bool // whether the person may see the migrations
	Migrations []migrationRow
	Next       string
	Later      bool
	Mirrors    mirrorList
}

// migrationRow is a migration in a list.
type migrationRow struct {
	ID, What, Why, By, Projects string
	Badge                       page.Badge
	Figures                     figures
	When                        page.Moment
	Took                        string
}

func (c *console) migrationRow(now migrationNow) migrationRow {
	row := now.row
	out := migrationRow{ID: row.ID, What: now.asked.Selection.String(), Why: page.Sentence(row.Reason), By: row.RequestedBy,
		Badge: page.Labeled(migrationBadges, row.Status), Figures: now.figures,
		Projects: projectsText(now.sums), When: c.moment(row.CreatedAt)}
	if !row.FinishedAt.IsZero() {
		out.When, out.Took = c.moment(row.FinishedAt), english.Duration(row.FinishedAt.Sub(row.CreatedAt).Truncate(time.Second))
	}
	return out
}

// accountPage lists the migrations, newest first, and the mirrors.
func (c *console) accountPage(w http.ResponseWriter, r *http.Request, v visit) {
	p := c.in(r, v, "account", "Account")
	after := r.URL.Query().Get("after")
	b := accountBody{MaySee: v.may(config.RoleMigrations), Later: after != ""}
	if b.MaySee {
		rows, next, err := v.ledger.Migrations(r.Context(), after, migrationsShown)
		if err != nil {
			c.failed(w, r, err)
			return
		}
		for _, row := range rows {
			now, err := c.migrationFigures(r.Context(), v.ledger, row)
			if err != nil {
				c.failed(w, r, err)
				return
			}
			b.Migrations = append(b.Migrations, c.migrationRow(now))
		}
		if next != "" {
			b.Next = page.Address(p.Path+"account", "after", next)
		}
	}
	if !b.Later {
		b.Mirrors = c.mirrorsOf(r.Context(), v.tenant)
		s, err := c.accountState(r.Context(), v.tenant.ID)
		if err != nil {
			c.failed(w, r, err)
			return
		}
		p.Topic, p.Version = "account", s.Version
	}
	p.Body = b
	c.show(w, r, http.StatusOK, "account", p)
}

// accountState returns what changes on the account page: the newest migration and the mirrors.
func (c *console) accountState(ctx context.Context, tenant string) (live.State, error) {
	s := live.State{Values: map[string]string{}}
	t, ok := c.Config().Tenant(tenant)
	if !ok {
		return s, nil
	}
	h := c.Ledger.Tenant(tenant)
	row, known, err := h.NewestMigration(ctx)
	if err != nil {
		return s, err
	}
	version := ""
	if known {
		now, err := c.migrationFigures(ctx, h, row)
		if err != nil {
			return s, err
		}
		own := now.state(true)
		s.Values, version = own.Values, own.Version
	}
	s.Version = live.VersionOf(row.ID, version, c.mirrorsOf(ctx, t).seen(), c.temporal.Ready(ctx))
	return s, nil
}

var migrationBadges = map[ledger.MigrationStatus]page.Badge{
	ledger.MigrationPlanning: page.Go("Listing the projects"), ledger.MigrationRunning: page.Go("Running"), ledger.MigrationPaused: page.Wait("Paused"),
	ledger.MigrationScheduled: page.Wait("Waiting for scheduled hours"),
	ledger.MigrationDone:      page.Good("Done"), ledger.MigrationCancelled: page.Off("Canceled"), ledger.MigrationFailed: page.Bad("Failed"),
}

var projectBadges = map[ledger.ProjectState]page.Badge{
	ledger.ProjectQueued: page.Wait("Queued"), ledger.ProjectRunning: page.Go("Running"), ledger.ProjectWaiting: page.Wait("Action needed"),
	ledger.ProjectVerified:   page.Good("Verified"),
	ledger.ProjectExceptions: page.Fair("Verified, with exceptions"), ledger.ProjectIncomplete: page.Bad("Incomplete"), ledger.ProjectFailed: page.Bad("Failed"),
	ledger.ProjectCancelled: page.Off("Canceled"),
}

// projectsText says how many projects have ended, and how many of those are incomplete or failed.
func projectsText(sums ledger.MigrationSums) string {
	n := sums.Projects
	ended := n[ledger.ProjectVerified] + n[ledger.ProjectExceptions] + n[ledger.ProjectIncomplete] + n[ledger.ProjectFailed] + n[ledger.ProjectCancelled]
	text := strconv.FormatInt(ended, 10) + " of " + english.Count(sums.Total(), "project") + " done"
	if bad := n[ledger.ProjectIncomplete] + n[ledger.ProjectFailed]; bad > 0 {
		text += ", " + strconv.FormatInt(bad, 10) + " incomplete or failed"
	}
	return text
}

func migrationPath(v visit, id string) string {
	return Root + v.tenant.ID + "/account/migrations/" + url.PathEscape(id)
}
