package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/starter/control"
)

// signed checks the signature of a request from Frame.io. If it returns false, it has responded.
func (s *Server) signed(c *gin.Context) bool {
	t, body := tenantIn(c), bodyOf(c)
	var secrets []string
	for _, secret := range t.Frameio.WebhookSecrets {
		secrets = append(secrets, secret.Reveal())
	}
	verify := func(secrets []string) error {
		return frameio.VerifySignature(secrets, c.GetHeader("X-Frameio-Request-Timestamp"), c.GetHeader("X-Frameio-Signature"), body, time.Now())
	}
	err := verify(secrets)
	if errors.Is(err, frameio.ErrSignature) { // setup's secrets are in the ledger
		made, lerr := s.setupSecrets(c.Request.Context(), t)
		if lerr != nil {
			s.failWith(c, lerr, "")
			return false
		}
		err = verify(made.FrameioSecrets())
	}
	if err != nil {
		s.wrongSecret(c, "vendor", "X-Frameio-Signature", err.Error())
		return false
	}
	actsAs(c, ledger.Actor{Kind: ledger.ActorFrameio})
	if at, err := strconv.ParseInt(c.GetHeader("X-Frameio-Request-Timestamp"), 10, 64); err == nil {
		s.counts.lag.WithLabelValues(t.ID).Observe(max(0, time.Since(time.Unix(at, 0)).Seconds()))
	}
	return true
}

// signedEvent checks the signature of a Frame.io webhook and parses it. If it returns false, it has responded.
func (s *Server) signedEvent(c *gin.Context) (frameio.Event, bool) {
	if !s.signed(c) {
		return frameio.Event{}, false
	}
	event, err := frameio.ParseEvent(bodyOf(c))
	if err == nil && !(isID(event.ResourceID) && isID(event.ProjectID)) {
		err = errors.New("the body is not a Frame.io event: it contains an invalid ID")
	}
	if err != nil {
		fail(c, http.StatusBadRequest, "", err.Error())
		return event, false
	}
	received(c, "frameio", event.Type, event.ResourceID)
	return event, true
}

// projectUpdated handles Frame.io's webhook. The event is only a hint: it reads the project, whose name decides.
func (s *Server) projectUpdated(c *gin.Context) {
	t := tenantIn(c)
	event, ok := s.signedEvent(c)
	if !ok {
		return
	}
	delivery := c.GetHeader("X-Frameio-Signature")
	if seen, err := s.Ledger.Tenant(t.ID).Delivered(c.Request.Context(), delivery); err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	} else if seen {
		ignored(c, "this delivery was already handled")
		return
	}
	if event.Type != "project.updated" {
		ignored(c, "this route takes project.updated; the webhook also sends "+event.Type)
		return
	}
	if event.ProjectID == "" {
		fail(c, http.StatusBadRequest, "resource.id", "the event has no project")
		return
	}
	p, err := s.Platform(t)
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	project, err := p.Project(c.Request.Context(), event.ProjectID)
	switch {
	case s.notShown(c.Request.Context(), t, "project "+event.ProjectID, err):
		ignored(c, "no such project, or this tenant's Frame.io token has no access to it")
		return
	case err != nil:
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	case !mapping.HasSuffix(project.Name, t.Archive.TriggerSuffix) && !(t.Archive.TriggerInactive && project.Inactive):
		ignored(c, "the project's name does not end with "+t.Archive.TriggerSuffix)
		return
	}
	if why := s.nothingNew(c, t.ID, project); why != "" {
		ignored(c, why)
		return
	}
	out, err := s.StartArchive(c.Request.Context(), t, project, "")
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	if _, err := s.Ledger.Tenant(t.ID).NoteDelivery(c.Request.Context(), delivery, time.Now()); err != nil {
		s.Log.WarnContext(c, "could not record a delivery; if it is repeated, it starts the archive again", "error", err)
	}
	c.Set("workflow_id", out.WorkflowID)
	c.JSON(http.StatusOK, out) // Frame.io's legacy API accepts only 200 as delivered
}

// notShown reports whether Frame.io does not show the object to the tenant's token, and will not however often it sends the webhook:
// the object does not exist, its ID is invalid, or the user has no access. It logs the last two, which an operator may want to know.
func (s *Server) notShown(ctx context.Context, t *config.Tenant, what string, err error) bool {
	var e *rest.Error
	if !errors.As(err, &e) {
		return false
	}
	switch {
	case e.Class == rest.NotFound:
		return true
	case e.Class == rest.Forbidden, e.Class == rest.Permanent && e.Status != 0: // without a response, the setup is at fault
		s.Log.WarnContext(ctx, "ignored an event about something that the token cannot see", "tenant", t.ID, "about", what, "error", err)
		return true
	}
	return false
}

// nothingNew says why a webhook after a verified archive starts none, because the project has not changed since, or returns "".
func (s *Server) nothingNew(c *gin.Context, tenant string, project frameio.Project) string {
	row, ok, err := s.Ledger.Tenant(tenant).Archive(project.ID).Get(c.Request.Context())
	if err != nil || !ok {
		return ""
	}
	if (row.Status == ledger.Verified || row.Status == ledger.VerifiedWithExceptions) && !project.UpdatedAt.After(row.SourceUpdatedAt) {
		return "the project is already archived and has not changed since"
	}
	return ""
}

func ignored(c *gin.Context, reason string) {
	became(c, "ignored: "+reason)
	c.JSON(http.StatusOK, gin.H{"status": "ignored", "reason": reason})
}

// retryAction handles an iconik custom action on a project's collection.
func (s *Server) retryAction(c *gin.Context) {
	in, ok := s.readClick(c)
	if !ok {
		return
	}
	if len(in.CollectionIDs) == 0 {
		fail(c, http.StatusUnprocessableEntity, "collection_ids", "use this action on a project's collection")
		return
	}
	t := tenantIn(c)
	ctx := control.WithPerson(c.Request.Context(), s.clickedBy(c.Request.Context(), t, in))
	for _, id := range in.CollectionIDs {
		link, ok, err := s.Ledger.Tenant(t.ID).LinkByTarget(c.Request.Context(), ledger.LinkProject, id)
		if err != nil {
			s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
			return
		}
		if !ok {
			continue
		}
		out, err := s.RetryArchive(ctx, t, link.SourceID)
		if err != nil {
			s.failWith(c, err, "collection_ids")
			return
		}
		c.Set("workflow_id", out.WorkflowID)
		c.JSON(http.StatusAccepted, out)
		return
	}
	fail(c, http.StatusUnprocessableEntity, "collection_ids", "the collection does not belong to an archived Frame.io project")
}
