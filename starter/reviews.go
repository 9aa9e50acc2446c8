package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/export"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// Controls of a review.
const (
	verbExtend = "extend"
	verbStop   = "stop"
	verbSync   = "sync"
)

// startReview starts a review, or joins the one that the same click has started.
func (s *service) startReview(ctx context.Context, t *config.Tenant, row ledger.Review, passphrase string) (accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if passphrase != "" {
		if err := s.ledger.Tenant(t.ID).PutToken(ctx, ledger.PassphraseToken(row.ID), []byte(passphrase)); err != nil {
			return accepted{}, errors.Join(errUnavailable, err)
		}
	}
	have, joined, err := s.ledger.RequestReview(ctx, row, sameClick)
	if err != nil {
		return accepted{}, errors.Join(errUnavailable, err)
	}
	id := workflows.ReviewID(t.ID, have.ID)
	out := accepted{ID: have.ID, WorkflowID: id, Status: "started", URL: s.reviewURL(have.ID)}
	if joined {
		out.Status = "running"
	}
	o := client.StartWorkflowOptions{
		ID: id, TaskQueue: s.cfg().Temporal.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Review in Frame.io " + have.ID,
	}
	if s.attributes.Load() {
		set := []temporal.SearchAttributeUpdate{workflows.AttributeTenant.ValueSet(t.ID), workflows.AttributeStatus.ValueSet("sending")}
		if len(have.ClickedAssets) > 0 {
			set = append(set, workflows.AttributeAsset.ValueSet(have.ClickedAssets[0]))
		}
		o.TypedSearchAttributes = temporal.NewSearchAttributes(set...)
	}
	in := workflows.ReviewInput{ReviewRef: workflows.ReviewRef{Tenant: t.ID, Review: have.ID}}
	err = s.execute(ctx, o, workflows.ReviewName, in)
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &ended) {
		// Nobody works on it then, unless it was started after all: its first step writes its workflow down.
		runs := false
		_, uerr := s.ledger.Tenant(t.ID).Review(have.ID).Update(context.WithoutCancel(ctx), func(r *ledger.Review) {
			if runs = r.WorkflowID != ""; !runs {
				r.Status, r.Reason, r.Click = ledger.ReviewFailed, "Framebridge could not reach Temporal: click again", ""
			}
		})
		if runs && uerr == nil {
			return out, nil
		}
		return out, errors.Join(errUnavailable, err, uerr)
	}
	return out, nil
}

func (s *service) reviewURL(id string) string {
	return routes.Review(s.cfg(), id)
}

// controlReview sends an update to the review's workflow and waits for it.
func (s *service) controlReview(ctx context.Context, t *config.Tenant, id, verb string, until time.Time) (accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	o := client.UpdateWorkflowOptions{WorkflowID: workflows.ReviewID(t.ID, id), WaitForStage: client.WorkflowUpdateStageCompleted}
	switch verb {
	case verbExtend:
		o.UpdateName, o.Args = workflows.UpdateExtend, []any{workflows.ExtendUpdate{ExpiresAt: until.UTC()}}
	case verbStop:
		o.UpdateName = workflows.UpdateStop
	case verbSync: // it may take its time: it is enough that it is accepted
		o.UpdateName, o.WaitForStage = workflows.UpdateSync, client.WorkflowUpdateStageAccepted
	}
	out := accepted{ID: id, WorkflowID: o.WorkflowID, Status: "running", URL: s.reviewURL(id)}
	h, err := s.temporal.UpdateWorkflow(ctx, o)
	if err == nil && verb != verbSync {
		err = h.Get(ctx, nil)
	}
	var gone *serviceerror.NotFound
	var app *temporal.ApplicationError
	switch {
	case err == nil:
		detail := ""
		if verb == verbExtend {
			detail = until.UTC().Format(time.RFC3339)
		}
		return out, s.audit(ctx, t, ledger.AuditEntry{Action: verb, ObjectKind: "review", ObjectID: id, Review: id, Detail: ledger.AuditText(detail)})
	case errors.As(err, &gone):
		return out, &refusal{"the review has ended"}
	case errors.As(err, &app):
		return out, &refusal{app.Message()}
	}
	return out, errors.Join(errUnavailable, err)
}

// reviewView is a review as the API shows it.
type reviewView struct {
	ID          string            `json:"id"`
	TenantID    string            `json:"tenant_id"`
	Status      string            `json:"status"`
	Reason      string            `json:"reason"`
	Title       string            `json:"title"`
	Access      string            `json:"access"`    // public or secure; empty before the link is made
	Watermark   string            `json:"watermark"` // on, none or unknown
	ShareURL    string            `json:"share_url"`
	ExpiresAt   *time.Time        `json:"expires_at"`
	DeleteAt    *time.Time        `json:"delete_at"`
	Reviewers   []string          `json:"reviewers"`
	RequestedBy ledger.Person     `json:"requested_by"`
	Assets      []reviewAssetView `json:"assets"`
	Comments    reviewComments    `json:"comments"`
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

type reviewComments struct {
	ToIconik  int `json:"to_iconik"`
	ToFrameio int `json:"to_frameio"`
	Open      int `json:"open"`
}

type reviewAssetView struct {
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

func (s *service) reviewView(ctx context.Context, r ledger.Review) (reviewView, error) {
	v := reviewView{ID: r.ID, TenantID: r.Tenant, Status: string(r.Status), Reason: r.Reason, Title: r.Title, Access: r.Access, Watermark: r.Watermark, ShareURL: r.ShareURL, ExpiresAt: timeOrNull(r.ExpiresAt),
		DeleteAt: timeOrNull(r.DeleteAt), Reviewers: r.Reviewers, RequestedBy: r.RequestedBy, Assets: []reviewAssetView{}, Notes: r.Notes,
		Comments:  reviewComments{r.ToIconik, r.ToFrameio, r.OpenComments},
		CreatedAt: timeOrNull(r.CreatedAt), OpenedAt: timeOrNull(r.OpenedAt), EndedAt: timeOrNull(r.EndedAt), LastSyncAt: timeOrNull(r.LastSyncAt), NextSyncAt: timeOrNull(r.NextSyncAt),
		WorkflowID: workflows.ReviewID(r.Tenant, r.ID), JobID: r.JobID}
	if v.Reviewers == nil {
		v.Reviewers = []string{}
	}
	if v.Notes == nil {
		v.Notes = []string{}
	}
	v.TemporalURL = temporalclient.WorkflowURL(s.cfg().Temporal, v.WorkflowID)
	assets, err := s.ledger.Tenant(r.Tenant).Review(r.ID).Assets(ctx)
	for _, a := range assets {
		v.Assets = append(v.Assets, reviewAssetView{IconikAssetID: a.AssetID, FrameioFileID: a.FileID, State: string(a.State), Decision: a.Decision, Title: a.Title,
			VersionID: a.VersionID, Reason: a.Reason, NoWatermark: a.NoWatermark, Size: a.Size, Sent: a.BytesDone})
	}
	return v, err
}

func (s *service) reviewOf(c *gin.Context) (ledger.Review, bool) {
	if !isID(c.Param("id")) {
		fail(c, http.StatusNotFound, "id", "no such review")
		return ledger.Review{}, false
	}
	row, ok, err := s.ledger.Tenant(tenantIn(c).ID).Review(c.Param("id")).Get(c.Request.Context())
	switch {
	case err != nil:
		s.failWith(c, errors.Join(errUnavailable, err), "")
	case !ok:
		fail(c, http.StatusNotFound, "id", "no such review")
	}
	return row, ok && err == nil
}

func (s *service) getReview(c *gin.Context) {
	row, ok := s.reviewOf(c)
	if !ok {
		return
	}
	v, err := s.reviewView(c.Request.Context(), s.reviewAsItStands(c.Request.Context(), row))
	if err != nil {
		s.failWith(c, errors.Join(errUnavailable, err), "")
		return
	}
	c.JSON(http.StatusOK, v)
}

// reviewAsItStands shows a review as failed whose workflow left nothing in the ledger when it ended.
func (s *service) reviewAsItStands(ctx context.Context, row ledger.Review) ledger.Review {
	if !row.Status.Running() {
		return row
	}
	if how := s.stoppedInTemporal(ctx, workflows.ReviewID(row.Tenant, row.ID), row.CreatedAt); how != "" {
		row.Status, row.Reason = ledger.ReviewFailed, "the workflow was "+how+" in Temporal, so nothing is synced, revoked or deleted anymore. Reset the workflow in Temporal to continue, or remove the link and files in Frame.io yourself"
	}
	return row
}

func (s *service) listReviews(c *gin.Context) {
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	rows, next, err := s.ledger.Tenant(tenantIn(c).ID).Reviews(c.Request.Context(), c.Query("cursor"), limit)
	if err != nil {
		s.listFailed(c, err)
		return
	}
	list := []reviewView{}
	for _, r := range rows {
		v, err := s.reviewView(c.Request.Context(), r)
		if err != nil {
			s.failWith(c, errors.Join(errUnavailable, err), "")
			return
		}
		list = append(list, v)
	}
	c.JSON(http.StatusOK, gin.H{"reviews": list, "next": textOrNull(next)})
}

// postControl is extend, stop or sync by the API.
func (s *service) postControl(verb string) gin.HandlerFunc {
	return func(c *gin.Context) {
		row, ok := s.reviewOf(c)
		if !ok {
			return
		}
		t := tenantIn(c)
		var until time.Time
		if verb == verbExtend {
			var in struct {
				ExpiresAt string `json:"expires_at"`
			}
			if err := json.Unmarshal(bodyOf(c), &in); err != nil {
				fail(c, http.StatusBadRequest, "", `the body must be JSON: {"expires_at": "2026-12-24T18:00:00Z"}`)
				return
			}
			if in.ExpiresAt == "" {
				fail(c, http.StatusUnprocessableEntity, "expires_at", "expires_at must be a date, or a date with a time")
				return
			}
			var wrong *formError
			if until, wrong = parseExpiry(in.ExpiresAt, formRules{Now: time.Now(), Longest: t.Review.Longest}); wrong != nil {
				fail(c, http.StatusUnprocessableEntity, "expires_at", wrong.Problem)
				return
			}
		}
		out, err := s.controlReview(c.Request.Context(), t, row.ID, verb, until)
		if err != nil {
			field := ""
			if verb == verbExtend {
				field = "expires_at"
			}
			s.failWith(c, err, field)
			return
		}
		c.Set("workflow_id", out.WorkflowID)
		c.JSON(http.StatusAccepted, out)
	}
}

// clips gathers a review's comments for editors, one clip for each asset with the comments of all its versions' files.
func (s *service) clips(ctx context.Context, row ledger.Review, onlyAsset string) ([]export.Clip, error) {
	assets, err := s.ledger.Tenant(row.Tenant).Review(row.ID).Assets(ctx)
	if err != nil {
		return nil, err
	}
	comments, err := s.ledger.Tenant(row.Tenant).Review(row.ID).Comments(ctx, 0)
	if err != nil {
		return nil, err
	}
	var out []export.Clip
	for _, a := range assets {
		if onlyAsset != "" && a.AssetID != onlyAsset || a.FileID == "" {
			continue
		}
		clip := export.Clip{Name: a.Name, AssetID: a.AssetID, Rate: a.Rate(), StartTimecode: a.StartTimecode, Frames: a.Frames,
			Audio: strings.HasPrefix(a.MediaType, "audio/")}
		for _, m := range comments {
			if m.N == a.N && !m.Deleted && !m.Older {
				clip.Comments = append(clip.Comments, export.Comment{ID: m.ID, Parent: m.ParentID, Author: cmp.Or(m.Author, m.Email), Email: m.Email, Text: m.Text,
					Frame: m.Frame, Frames: m.Frames, Page: m.Page, Completed: m.Completed, Drawn: m.Drawn, CreatedAt: m.CreatedAt})
			}
		}
		out = append(out, clip)
	}
	return out, nil
}

// getComments writes a review's comments as editors need them.
func (s *service) getComments(c *gin.Context) {
	row, ok := s.reviewOf(c)
	if !ok {
		return
	}
	kind, found := strings.CutPrefix(c.Param("file"), "comments.")
	if !found {
		fail(c, http.StatusNotFound, "", "no such route")
		return
	}
	format, found := export.Find(kind)
	if !found {
		fail(c, http.StatusNotFound, "", "comments come as comments.csv, .json, .edl, .fcpxml, .xml, .txt or .otio")
		return
	}
	clips, err := s.clips(c.Request.Context(), row, c.Query("asset"))
	if err != nil {
		s.failWith(c, errors.Join(errUnavailable, err), "")
		return
	}
	var b bytes.Buffer
	err = format.Write(&b, row.Title, clips)
	if errors.Is(err, export.ErrTooLong) {
		fail(c, http.StatusUnprocessableEntity, "asset", err.Error()+" with ?asset=")
		return
	}
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	name := mapping.SafeFileName(cmp.Or(row.Title, row.ID)) + "." + format.Extension
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	c.Data(http.StatusOK, format.MediaType, b.Bytes())
}
