package control

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// MigrationView is a migration as the API shows it.
type MigrationView struct {
	ID       string              `json:"id"`
	TenantID string              `json:"tenant_id"`
	Status   string              `json:"status"`
	Reason   string              `json:"reason"`
	Round    int                 `json:"round"`
	Request  account.Request     `json:"request"`
	Added    []account.Selection `json:"added,omitempty"` // selections whose projects were added later
	Projects ProjectCounts       `json:"projects"`
	Items    ItemCounts          `json:"items"`
	Bytes    Amount              `json:"bytes"`

	Bandwidth   int64      `json:"bandwidth"` // bytes per second at the moment; 0: no limit
	ETA         *time.Time `json:"eta"`
	CreatedAt   time.Time  `json:"created_at"`
	StartedAt   *time.Time `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at"`
	ProjectsURL string     `json:"projects_url"`
	WorkflowID  string     `json:"workflow_id"`
	TemporalURL string     `json:"temporal_url"`
	Iconik      struct {
		ReportAssetID string `json:"report_asset_id"`
	} `json:"iconik"`
}

// ProjectCounts are a migration's projects by state. Running includes those that wait for a person.
type ProjectCounts struct {
	Total                  int64 `json:"total"`
	Queued                 int64 `json:"queued"`
	Running                int64 `json:"running"`
	Waiting                int64 `json:"waiting"`
	Verified               int64 `json:"verified"`
	VerifiedWithExceptions int64 `json:"verified_with_exceptions"`
	Incomplete             int64 `json:"incomplete"`
	Failed                 int64 `json:"failed"`
	Cancelled              int64 `json:"cancelled"`
}

// MigrationView returns what people see of a migration.
func (s *Service) MigrationView(ctx context.Context, row ledger.Migration) (MigrationView, error) {
	sums, err := s.Ledger.Tenant(row.Tenant).Migration(row.ID).Sums(ctx)
	if err != nil {
		return MigrationView{}, err
	}
	n := sums.Projects
	v := MigrationView{
		ID: row.ID, TenantID: row.Tenant, Status: string(row.Status), Reason: row.Reason, Round: row.Round, Bandwidth: row.Bandwidth,
		Projects: ProjectCounts{Total: sums.Total(), Queued: n[ledger.ProjectQueued], Running: n[ledger.ProjectRunning] + n[ledger.ProjectWaiting], Waiting: n[ledger.ProjectWaiting], Verified: n[ledger.ProjectVerified],
			VerifiedWithExceptions: n[ledger.ProjectExceptions], Incomplete: n[ledger.ProjectIncomplete], Failed: n[ledger.ProjectFailed], Cancelled: n[ledger.ProjectCancelled]},
		Items: ItemCounts{Total: sums.Items, Copied: sums.Copied, Verified: sums.Verified, Skipped: sums.Skipped, Failed: sums.Failed}, Bytes: Amount{sums.Bytes, sums.BytesDone},
		ETA: timeOrNull(row.ETA), CreatedAt: row.CreatedAt, StartedAt: timeOrNull(row.StartedAt), FinishedAt: timeOrNull(row.FinishedAt),
		ProjectsURL: routes.Migration(s.Config(), row.ID) + "/projects", WorkflowID: workflows.MigrationID(row.Tenant),
	}
	v.Iconik.ReportAssetID = row.ReportAssetID
	v.TemporalURL = temporalclient.WorkflowURL(s.Config().Temporal, v.WorkflowID)
	if v.Added, err = account.ReadSelections(row.Added); err != nil {
		return v, err
	}
	v.Request, err = account.ReadRequest(row.Request)
	return v, err
}

// MigrationAsItStands returns the row, marked as failed if its workflow ended without recording a result.
func (s *Service) MigrationAsItStands(ctx context.Context, row ledger.Migration) ledger.Migration {
	if row.Status.Ended() {
		return row
	}
	how := ""
	if gone, err := s.isSuperseded(ctx, row); err == nil && gone {
		how = "ended"
	} else {
		how = s.stoppedInTemporal(ctx, workflows.MigrationID(row.Tenant), row.CreatedAt)
	}
	if how != "" {
		row.Status, row.Reason = ledger.MigrationFailed, endedInTemporal(how)
	}
	return row
}

func endedInTemporal(how string) string {
	return "the workflow was " + how + " in Temporal: a new migration continues from what is already in iconik"
}

// isSuperseded reports whether another migration was started after this one, which means that this one has ended.
func (s *Service) isSuperseded(ctx context.Context, row ledger.Migration) (bool, error) {
	newest, _, err := s.Ledger.Tenant(row.Tenant).Migrations(ctx, "", newestMigrations)
	for _, newer := range newest {
		if newer.ID == row.ID {
			return false, err
		}
		if newer.WasStarted() {
			return true, nil
		}
	}
	return false, err
}

// newestMigrations is how many of the newest migrations to search for the running one and any left over when it started.
const newestMigrations = 100

// MigrationProjectView is a project of a migration as the API shows it.
type MigrationProjectView struct {
	Project struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Team string `json:"team"`
	} `json:"project"`
	State      string     `json:"state"`
	Reason     string     `json:"reason"`
	Position   int64      `json:"position"` // among the queued projects, from 1; 0: not queued
	Joined     bool       `json:"joined"`   // its archive was started by somebody else
	Items      ItemCounts `json:"items"`
	Bytes      Amount     `json:"bytes"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	ArchiveURL string     `json:"archive_url"`
}

// MigrationProjects returns a page of a migration's projects, in order, and the cursor of the next page.
func (s *Service) MigrationProjects(ctx context.Context, t *config.Tenant, id, after string, limit int) ([]MigrationProjectView, string, error) {
	m := s.Ledger.Tenant(t.ID).Migration(id)
	rows, next, err := m.Projects(ctx, after, limit)
	if err != nil || len(rows) == 0 {
		return nil, next, err
	}
	place, err := m.QueuedBefore(ctx, rows[0].Position)
	out := make([]MigrationProjectView, len(rows))
	for i, p := range rows {
		c := p.Counts
		v := MigrationProjectView{State: string(p.State), Reason: p.Reason, Joined: p.Joined,
			Items: ItemCounts{Total: c.Items, Copied: c.Copied, Verified: c.Verified, Skipped: c.Skipped, Failed: c.Failed}, Bytes: Amount{c.Bytes, c.BytesDone},
			StartedAt: timeOrNull(p.BegunAt), FinishedAt: timeOrNull(p.EndedAt), ArchiveURL: routes.Archive(s.Config(), p.ID)}
		v.Project.ID, v.Project.Name, v.Project.Team = p.ID, p.Name, p.Team
		if p.State == ledger.ProjectQueued {
			place++
			v.Position = place
		}
		out[i] = v
	}
	return out, next, err
}
