package control

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// ArchiveView is an archive as the API shows it.
type ArchiveView struct {
	ID       string `json:"id"`
	TenantID string `json:"tenant_id"`
	Project  struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Team string `json:"team"`
	} `json:"project"`
	Status        string      `json:"status"`
	Reason        string      `json:"reason"`
	QueuePosition int         `json:"queue_position"`
	Run           int         `json:"run"`
	Items         ItemCounts  `json:"items"`
	Bytes         BytesAmount `json:"bytes"`
	Comments      Amount      `json:"comments"`
	Presentations Amount      `json:"presentations"`

	NotCarried  []ledger.KindCount `json:"not_carried"`
	Differences []ledger.KindCount `json:"differences"`
	Failures    []ledger.KindCount `json:"failures"` // of objects that are not files
	Stuck       []StuckView        `json:"stuck"`
	Access      AccessView         `json:"access"`

	QueuedAt    *time.Time   `json:"queued_at"`
	StartedAt   *time.Time   `json:"started_at"`
	FinishedAt  *time.Time   `json:"finished_at"`
	WorkflowID  string       `json:"workflow_id"`
	TemporalURL string       `json:"temporal_url"`
	Iconik      IconikObject `json:"iconik"`
}

// ItemCounts are an archive's items by state.
type ItemCounts struct {
	Total    int64 `json:"total"`
	Copied   int64 `json:"copied"`
	Verified int64 `json:"verified"`
	Skipped  int64 `json:"skipped"`
	Failed   int64 `json:"failed"`
}

// Amount is how much of a total is done.
type Amount struct {
	Total int64 `json:"total"`
	Done  int64 `json:"done"`
}

// BytesAmount is an amount of bytes. While an archive copies, it includes the speed.
type BytesAmount struct {
	Amount
	Skipped     int64 `json:"skipped"`                // of files that stay in Frame.io; not in the total
	Rate        int64 `json:"rate,omitempty"`         // bytes per second
	SecondsLeft int64 `json:"seconds_left,omitempty"` // at that rate
}

// IconikObject identifies an archive's objects in iconik.
type IconikObject struct {
	CollectionID  string `json:"collection_id"`
	JobID         string `json:"job_id"`
	ReportAssetID string `json:"report_asset_id,omitempty"`
}

// ArchiveView returns what people see of an archive.
func (s *Service) ArchiveView(ctx context.Context, row ledger.Archive) (ArchiveView, error) {
	t, err := s.Progress(ctx, row)
	if err != nil {
		return ArchiveView{}, err
	}
	v := ArchiveView{
		ID: row.ID, TenantID: row.Tenant, Status: string(row.Status), Reason: row.Reason, QueuePosition: row.QueuePosition, Run: row.Run,
		Items: ItemCounts{Total: t.Items, Copied: t.Copied + t.Verified, Verified: t.Verified, Skipped: t.Skipped, Failed: t.Failed},
		Bytes: BytesAmount{Amount: Amount{t.Bytes, t.BytesDone}, Skipped: t.BytesSkipped}, Comments: Amount{t.Comments, t.CommentsDone}, Presentations: Amount{int64(row.Shares), int64(row.SharesDone)},
		QueuedAt: timeOrNull(row.QueuedAt), StartedAt: timeOrNull(row.StartedAt), FinishedAt: timeOrNull(row.FinishedAt),
		Iconik: IconikObject{CollectionID: row.CollectionID, JobID: row.JobID, ReportAssetID: row.ReportAssetID},
	}
	if v.NotCarried, err = s.Ledger.Tenant(row.Tenant).Archive(row.ID).NotCarriedCounts(ctx); err != nil {
		return ArchiveView{}, err
	}
	if v.NotCarried == nil {
		v.NotCarried = []ledger.KindCount{}
	}
	if v.Differences, err = s.Ledger.Tenant(row.Tenant).Archive(row.ID).DifferenceCounts(ctx); err != nil {
		return ArchiveView{}, err
	}
	if v.Differences == nil {
		v.Differences = []ledger.KindCount{}
	}
	if v.Failures, err = s.Ledger.Tenant(row.Tenant).Archive(row.ID).FailureCounts(ctx); err != nil {
		return ArchiveView{}, err
	}
	if v.Failures == nil {
		v.Failures = []ledger.KindCount{}
	}
	v.Stuck = stuckViews(row.Stuck)
	if v.Access, err = s.accessView(ctx, row); err != nil {
		return ArchiveView{}, err
	}
	rate, left := row.Pace(t, time.Now())
	v.Bytes.Rate, v.Bytes.SecondsLeft = rate, int64(left.Seconds())
	v.Project.ID, v.Project.Name, v.Project.Team = row.ID, row.Name, row.TeamName
	v.WorkflowID = workflows.ArchiveID(row.Tenant, row.ID)
	v.TemporalURL = temporalclient.WorkflowURL(s.Config().Temporal, v.WorkflowID)
	return v, nil
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// AsItStands returns the row, marked as failed if its workflow ended without recording a result. It does not change the ledger,
// because a reset in Temporal continues from there.
func (s *Service) AsItStands(ctx context.Context, row ledger.Archive) ledger.Archive {
	if row.Status.Ended() {
		return row
	}
	if how := s.stoppedInTemporal(ctx, workflows.ArchiveID(row.Tenant, row.ID), row.QueuedAt); how != "" {
		row.Status, row.Reason = ledger.Failed, "the workflow was "+how+" in Temporal: a retry continues from what is already in iconik"
	}
	return row
}

// StuckView is something that has failed for a long time and is still being retried.
type StuckView struct {
	Since  time.Time `json:"since"`
	What   string    `json:"what"`
	Reason string    `json:"reason"`
}

func stuckViews(rows []ledger.Stuck) []StuckView {
	out := make([]StuckView, len(rows))
	for i, s := range rows {
		out[i] = StuckView{s.Since, s.What, s.Reason}
	}
	return out
}

// AccessView is who may read an archive in iconik.
type AccessView struct {
	Mode     string              `json:"mode"`
	Places   []report.AccessRule `json:"places"`
	Unmapped []string            `json:"unmapped"`
}

func (s *Service) accessView(ctx context.Context, row ledger.Archive) (AccessView, error) {
	v := AccessView{Places: []report.AccessRule{}, Unmapped: []string{}}
	if t, ok := s.Config().Tenant(row.Tenant); ok {
		v.Mode = t.Archive.Access
	}
	a, err := report.ReadAccess(ctx, s.Ledger.Tenant(row.Tenant).Archive(row.ID))
	if err != nil || a == nil {
		return v, err
	}
	if a.Mode != "" {
		v.Mode = a.Mode
	}
	v.Places, v.Unmapped = a.Places, a.Unmapped
	return v, nil
}
