package control

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// ReviewView is a review as the API shows it.
type ReviewView struct {
	ID          string            `json:"id"`
	TenantID    string            `json:"tenant_id"`
	Status      string            `json:"status"`
	Reason      string            `json:"reason"`
	Title       string            `json:"title"`
	Access      string            `json:"access"`    // public or secure; empty until the link is created
	Watermark   string            `json:"watermark"` // on, none or unknown
	ShareURL    string            `json:"share_url"`
	ExpiresAt   *time.Time        `json:"expires_at"`
	DeleteAt    *time.Time        `json:"delete_at"`
	Reviewers   []string          `json:"reviewers"`
	RequestedBy ledger.Person     `json:"requested_by"`
	Assets      []ReviewAssetView `json:"assets"`
	Comments    ReviewComments    `json:"comments"`
	Notes       []string          `json:"notes"`
	CreatedAt   *time.Time        `json:"created_at"`
	OpenedAt    *time.Time        `json:"opened_at"`
	EndedAt     *time.Time        `json:"ended_at"`
	LastSyncAt  *time.Time        `json:"last_sync_at"`
	NextSyncAt  *time.Time        `json:"next_sync_at"`
	WorkflowID  string            `json:"workflow_id"`
	TemporalURL string            `json:"temporal_url"`
	JobID       string            `json:"job_id"`
}

// ReviewComments counts a review's comments.
type ReviewComments struct {
	ToIconik  int `json:"to_iconik"`
	ToFrameio int `json:"to_frameio"`
	Open      int `json:"open"`
}

// ReviewAssetView is an asset of a review.
type ReviewAssetView struct {
	IconikAssetID string `json:"iconik_asset_id"`
	FrameioFileID string `json:"frameio_file_id"`
	State         string `json:"state"`
	Decision      string `json:"decision"`
	Title         string `json:"title"`
	VersionID     string `json:"iconik_version_id"`
	Reason        string `json:"reason"`
	NoWatermark   string `json:"no_watermark,omitempty"`
	Size          int64  `json:"size"`
	Sent          int64  `json:"sent"`
}

// ReviewView returns what people see of a review.
func (s *Service) ReviewView(ctx context.Context, r ledger.Review) (ReviewView, error) {
	v := ReviewView{ID: r.ID, TenantID: r.Tenant, Status: string(r.Status), Reason: r.Reason, Title: r.Title, Access: r.Access, Watermark: r.Watermark, ShareURL: r.ShareURL, ExpiresAt: timeOrNull(r.ExpiresAt),
		DeleteAt: timeOrNull(r.DeleteAt), Reviewers: r.Reviewers, RequestedBy: r.RequestedBy, Assets: []ReviewAssetView{}, Notes: r.Notes,
		Comments:  ReviewComments{r.ToIconik, r.ToFrameio, r.OpenComments},
		CreatedAt: timeOrNull(r.CreatedAt), OpenedAt: timeOrNull(r.OpenedAt), EndedAt: timeOrNull(r.EndedAt), LastSyncAt: timeOrNull(r.LastSyncAt), NextSyncAt: timeOrNull(r.NextSyncAt),
		WorkflowID: workflows.ReviewID(r.Tenant, r.ID), JobID: r.JobID}
	if v.Reviewers == nil {
		v.Reviewers = []string{}
	}
	if v.Notes == nil {
		v.Notes = []string{}
	}
	v.TemporalURL = temporalclient.WorkflowURL(s.Config().Temporal, v.WorkflowID)
	assets, err := s.Ledger.Tenant(r.Tenant).Review(r.ID).Assets(ctx)
	for _, a := range assets {
		v.Assets = append(v.Assets, ReviewAssetView{IconikAssetID: a.AssetID, FrameioFileID: a.FileID, State: string(a.State), Decision: a.Decision, Title: a.Title,
			VersionID: a.VersionID, Reason: a.Reason, NoWatermark: a.NoWatermark, Size: a.Size, Sent: a.BytesDone})
	}
	return v, err
}

// ReviewAsItStands returns the row, marked as failed if its workflow ended without recording a result.
func (s *Service) ReviewAsItStands(ctx context.Context, row ledger.Review) ledger.Review {
	if !row.Status.Running() {
		return row
	}
	if how := s.stoppedInTemporal(ctx, workflows.ReviewID(row.Tenant, row.ID), row.CreatedAt); how != "" {
		row.Status, row.Reason = ledger.ReviewFailed, "the workflow was "+how+" in Temporal, so nothing is synced, revoked or deleted. Reset the workflow in Temporal to continue, or remove the link and files in Frame.io yourself"
	}
	return row
}
