package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"go.temporal.io/api/serviceerror"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/workflows"
)

// commentsWebhook handles Frame.io's events. It wakes the review that owns the file, and the review reads what has happened. A
// delivery that arrives twice wakes it twice, which is harmless.
func (s *Server) commentsWebhook(c *gin.Context) {
	t := tenantIn(c)
	event, ok := s.signedEvent(c)
	if !ok {
		return
	}
	var review string
	var hint workflows.Hint
	var err error
	switch {
	case strings.HasPrefix(event.Type, "comment."):
		var known bool
		review, hint, known, err = s.ownerOfComment(c.Request.Context(), t, event)
		if known && event.Type == "comment.created" {
			ignored(c, "the comment is already synced")
			return
		}
	case strings.HasPrefix(event.Type, "asset."), strings.HasPrefix(event.Type, "file."), strings.HasPrefix(event.Type, "metadata."):
		review, _, err = s.Ledger.Tenant(t.ID).ReviewOfFile(c.Request.Context(), event.ResourceID)
		err = unavailable(err)
	default:
		ignored(c, "this route takes comment and status events; the webhook also sends "+event.Type)
		return
	}
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	if review == "" {
		ignored(c, "no review contains it")
		return
	}
	woken, err := s.wake(c.Request.Context(), t, review, hint)
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	if !woken {
		ignored(c, "the review has ended")
		return
	}
	id := workflows.ReviewID(t.ID, review)
	c.Set("workflow_id", id)
	c.JSON(http.StatusOK, control.Accepted{ID: review, WorkflowID: id, Status: "running", URL: s.ReviewURL(review)})
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(control.ErrUnavailable, err)
}

// ownerOfComment finds the review of a comment: in the ledger if the comment is known, or else by its file, which the event does
// not name. V4's webhook reports the comments of the whole workspace, so projects without a review must not cost an API call.
func (s *Server) ownerOfComment(ctx context.Context, t *config.Tenant, event frameio.Event) (review string, hint workflows.Hint, known bool, err error) {
	commentID := event.ResourceID
	review, file, known, err := s.Ledger.Tenant(t.ID).ReviewOfFrameioComment(ctx, commentID)
	if err != nil || known {
		return review, workflows.Hint{Frameio: file}, known, unavailable(err)
	}
	if isID(event.ProjectID) && event.ProjectID != "" {
		if here, err := s.Ledger.Tenant(t.ID).ReviewsIn(ctx, event.ProjectID); err != nil || !here {
			return "", workflows.Hint{}, false, unavailable(err)
		}
	}
	p, err := s.Platform(t)
	if err != nil {
		return "", workflows.Hint{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, control.StartTimeout)
	defer cancel()
	comment, err := p.Comment(ctx, commentID)
	switch {
	case s.notShown(ctx, t, "comment "+commentID, err):
		return "", workflows.Hint{}, false, nil
	case err != nil:
		return "", workflows.Hint{}, false, unavailable(err)
	}
	review, _, err = s.Ledger.Tenant(t.ID).ReviewOfFile(ctx, comment.FileID)
	return review, workflows.Hint{Frameio: comment.FileID}, false, unavailable(err)
}

// wake signals a running review that something has happened. It reports whether the review is running.
func (s *Server) wake(ctx context.Context, t *config.Tenant, review string, hint workflows.Hint) (bool, error) {
	row, ok, err := s.Ledger.Tenant(t.ID).Review(review).Get(ctx)
	if err != nil || !ok || !row.Status.Running() {
		return false, unavailable(err)
	}
	if row.Status == ledger.ReviewSending { // it reads everything when it opens; until then signals would only fill up its history
		return true, nil
	}
	sends, err := s.sendsMore(ctx, t, review)
	if err != nil || sends { // a sync follows, with the next poll at the latest
		return sends, err
	}
	err = s.Temporal.SignalWorkflow(ctx, workflows.ReviewID(t.ID, review), "", workflows.SignalWake, hint)
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return false, nil
	}
	return err == nil, unavailable(err)
}

// sendsMore reports whether an open review is currently sending further assets.
func (s *Server) sendsMore(ctx context.Context, t *config.Tenant, review string) (bool, error) {
	assets, err := s.Ledger.Tenant(t.ID).Review(review).Assets(ctx)
	return slices.ContainsFunc(assets, func(it ledger.ReviewAsset) bool {
		return it.State == ledger.AssetPending || it.State == ledger.AssetUploading || it.State == ledger.AssetProcessing
	}), unavailable(err)
}

// segmentsWebhook handles iconik's events. It wakes the reviews that show the asset.
func (s *Server) segmentsWebhook(c *gin.Context) {
	var in struct {
		EventType string         `json:"event_type"`
		Operation string         `json:"operation"`
		ObjectID  string         `json:"object_id"`
		Data      map[string]any `json:"data"`
	}
	if err := json.Unmarshal(bodyOf(c), &in); err != nil {
		notIconik(c, err)
		return
	}
	t := tenantIn(c)
	// iconik does not document whose ID the event's object_id is, so try every ID in it.
	var ids []string
	for _, id := range []any{in.Data["asset_id"], in.ObjectID, in.Data["object_id"], in.Data["id"], in.Data["segment_id"]} {
		if text, ok := id.(string); ok && text != "" && isID(text) {
			ids = append(ids, text)
		}
	}
	if len(ids) == 0 {
		fail(c, http.StatusBadRequest, "object_id", "the event has no object")
		return
	}
	received(c, "iconik", strings.TrimSpace(in.EventType+" "+in.Operation), ids[0])
	reviews, hint, synced, err := s.reviewsToWake(c.Request.Context(), t, ids, in.Operation == "create")
	if err != nil {
		s.failWith(c, unavailable(err), "")
		return
	}
	if synced && len(reviews) == 0 {
		ignored(c, "the comment is already synced")
		return
	}
	var last control.Accepted
	for review := range reviews {
		woken, err := s.wake(c.Request.Context(), t, review, hint)
		if err != nil {
			s.failWith(c, err, "")
			return
		}
		if woken {
			id := workflows.ReviewID(t.ID, review)
			last = control.Accepted{ID: review, WorkflowID: id, Status: "running", URL: s.ReviewURL(review)}
		}
	}
	if last.ID == "" {
		ignored(c, "no review is open on that asset")
		return
	}
	c.Set("workflow_id", last.WorkflowID)
	c.JSON(http.StatusAccepted, last)
}

// reviewsToWake returns the reviews that an event in iconik is about, by the IDs in it, and what they are to look at. Reviews that
// already have a comment that was created are left out; synced says that there are such.
func (s *Server) reviewsToWake(ctx context.Context, t *config.Tenant, ids []string, created bool) (reviews map[string]bool, hint workflows.Hint, synced bool, err error) {
	reviews = map[string]bool{}
	for _, id := range ids {
		rows, err := s.Ledger.Tenant(t.ID).ReviewsOfAsset(ctx, id)
		if err != nil {
			return nil, hint, false, err
		}
		for _, r := range rows {
			reviews[r.ID], hint.Asset = true, id
		}
	}
	for _, id := range ids {
		if id != hint.Asset {
			hint.Segment = id
		}
		known, err := s.Ledger.Tenant(t.ID).ReviewsOfSegment(ctx, id)
		if err != nil {
			return nil, hint, false, err
		}
		for _, r := range known {
			hint.Segment = id
			if created {
				synced = true
				delete(reviews, r)
			} else {
				reviews[r] = true
			}
		}
	}
	if hint.Asset == "" {
		hint = workflows.Hint{}
	}
	return reviews, hint, synced, nil
}
