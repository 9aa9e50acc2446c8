package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/workflows"
)

// previewTimeout is how long a plan may take to still appear in the form. Frame.io waits 5 s.
const previewTimeout = 3 * time.Second

// frameioAction handles Frame.io's custom action "Archive to iconik". It responds to the click with a form that shows what would happen,
// and the submitted form starts the archive. Frame.io repeats requests that it believes lost, so each interaction starts only one.
func (s *Server) frameioAction(c *gin.Context) {
	t := tenantIn(c)
	if !s.signed(c) {
		return
	}
	// What was clicked does not matter, and its shape is undocumented if there are several objects: only the project counts.
	var in struct {
		Interaction string `json:"interaction_id"`
		Project     struct {
			ID string `json:"id"`
		} `json:"project"`
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(bodyOf(c), &in); err != nil || in.Interaction == "" || in.Project.ID == "" || !isID(in.Interaction) || !isID(in.Project.ID) {
		fail(c, http.StatusBadRequest, "interaction_id", "the body is not a Frame.io custom action")
		return
	}
	received(c, "frameio", "Archive to iconik", in.Project.ID)
	p, err := s.Platform(t)
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	begun := time.Now()
	ctx := c.Request.Context()
	project, err := p.Project(ctx, in.Project.ID)
	switch {
	case s.notShown(ctx, t, "project "+in.Project.ID, err):
		say(c, "No such project", "Framebridge's Frame.io user has no access to this project.")
		return
	case err != nil:
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	if in.Data == nil {
		c.JSON(http.StatusOK, gin.H{"title": "Archive to iconik", "description": s.preview(ctx, t, project, previewTimeout-time.Since(begun)), "fields": []gin.H{{
			"type": "select", "name": "confirm", "label": "Archive this project?", "value": "yes", "options": []gin.H{{"name": "Yes", "value": "yes"}, {"name": "No", "value": "no"}}}}})
		return
	}
	if in.Data["confirm"] != "yes" {
		say(c, "Nothing was started", "The project stays as it is.")
		return
	}
	key := "interaction:" + in.Interaction
	if seen, err := s.Ledger.Tenant(t.ID).Delivered(c.Request.Context(), key); err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	} else if seen {
		say(c, "Already started", "This click already started the archive.")
		return
	}
	out, err := s.StartArchive(ctx, t, project, "")
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	if _, err := s.Ledger.Tenant(t.ID).NoteDelivery(c.Request.Context(), key, time.Now()); err != nil {
		s.Log.WarnContext(c, "could not record a click; if it is repeated, it joins the same archive", "error", err)
	}
	c.Set("workflow_id", out.WorkflowID)
	say(c, "Archive "+out.Status, fmt.Sprintf("Framebridge is archiving “%s” to iconik. Nothing in Frame.io changes.", project.Name))
}

func say(c *gin.Context, title, text string) {
	c.JSON(http.StatusOK, gin.H{"title": title, "description": text})
}

// preview describes the plan, if it is ready in the time left.
func (s *Server) preview(ctx context.Context, t *config.Tenant, project frameio.Project, left time.Duration) string {
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	plan, err := s.Plan(ctx, t, project.ID)
	if err != nil && ctx.Err() == nil {
		return fmt.Sprintf("Framebridge will archive all of “%s” and verify it in iconik. A preview is not available right now.", project.Name)
	}
	if err != nil {
		return fmt.Sprintf("Framebridge will archive all of “%s” and verify it in iconik. The project is too large for a preview here.", project.Name)
	}
	return previewText(project, plan)
}

func previewText(project frameio.Project, plan workflows.Plan) string {
	text := fmt.Sprintf("“%s”: %s, %s. Nothing in Frame.io changes.", project.Name, english.Count(plan.Items, "file"), report.Size(plan.Bytes))
	if n := len(plan.Blockers) + plan.BlockersMore; n > 0 {
		text += fmt.Sprintf(" Files without an original or over the size limit: %d.", n)
	}
	return text
}
