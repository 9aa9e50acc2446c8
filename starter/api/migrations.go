package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/untrusted"
	"github.com/framebridge/framebridge/workflows"
)

func (s *Server) migrationRoutes(api *gin.RouterGroup) {
	ask, click := within(readTimeLimit), within(clickTimeLimit)
	controlled := func(acts ...gin.HandlerFunc) []gin.HandlerFunc {
		return append([]gin.HandlerFunc{click, s.knownTenant, s.declared, s.bearer, s.readBody}, acts...)
	}
	started := controlled(s.postMigration)
	started[0] = answeredWithin(planTimeout + time.Minute) // a dry run reads the whole account
	api.GET("/migrations", ask, s.bearer, s.listMigrations)
	api.POST("/migrations", started...)
	api.GET("/migrations/:id", ask, s.bearer, s.getMigration)
	api.GET("/migrations/:id/projects", ask, s.bearer, s.getMigrationProjects)
	api.GET("/migrations/:id/:report", within(writeTimeLimit), s.bearer, s.getMigrationReport)
	for _, verb := range []string{workflows.UpdatePause, workflows.UpdateResume, workflows.UpdateCancel} {
		api.POST("/migrations/:id/"+verb, controlled(anyObject, controlRoute(s, s.migrationOf, func(ctx context.Context, t *config.Tenant, id string) (control.Accepted, error) {
			return s.ControlMigration(ctx, t, id, verb)
		}))...)
	}
	api.POST("/migrations/:id/order", controlled(s.postOrder)...)
	api.POST("/migrations/:id/add", controlled(s.postAdd)...)
}

func (s *Server) migrationOf(c *gin.Context) (ledger.Migration, bool) {
	return rowOf(s, c, "migration", untrusted.UUID, func(ctx context.Context, id string) (ledger.Migration, bool, error) {
		return s.Ledger.Tenant(tenantIn(c).ID).Migration(id).Get(ctx)
	})
}

func (s *Server) getMigration(c *gin.Context) {
	if row, ok := s.migrationOf(c); ok {
		answerRow(s, c, row, s.migrationView)
	}
}

func (s *Server) listMigrations(c *gin.Context) {
	answerPage(s, c, "migrations", s.Ledger.Tenant(tenantIn(c).ID).Migrations, s.migrationView)
}

func (s *Server) migrationView(ctx context.Context, row ledger.Migration) (control.MigrationView, error) {
	return s.MigrationView(ctx, s.MigrationAsItStands(ctx, row))
}

func (s *Server) getMigrationProjects(c *gin.Context) {
	row, ok := s.migrationOf(c)
	if !ok {
		return
	}
	limit, ok := pageLimit(c)
	if !ok {
		return
	}
	list, next, err := s.MigrationProjects(c.Request.Context(), tenantIn(c), row.ID, c.Query("cursor"), limit)
	if err != nil {
		s.listFailed(c, err)
		return
	}
	if list == nil {
		list = []control.MigrationProjectView{}
	}
	c.JSON(http.StatusOK, gin.H{"projects": list, "next": textOrNull(next)})
}

// readAnyJSON reads an optional body.
func readAnyJSON(c *gin.Context, into any) bool {
	return len(bytes.TrimSpace(bodyOf(c))) == 0 || readJSON(c, into)
}

// readJSON reads a body that must be one JSON object with known fields. If it returns false, it has responded.
func readJSON(c *gin.Context, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(bodyOf(c)))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	var kind *json.UnmarshalTypeError
	switch {
	case string(bytes.TrimSpace(bodyOf(c))) == "null": // encoding/json takes it for an object without members
		fail(c, http.StatusBadRequest, "", "the body must be a JSON object")
	case errors.As(err, &kind) && kind.Field != "":
		field := strings.TrimPrefix(kind.Field, "Request.") // the Go type that a migration's body embeds
		fail(c, http.StatusBadRequest, field, field+" cannot be of the type "+kind.Value)
	case errors.As(err, &kind), errors.Is(err, io.EOF):
		fail(c, http.StatusBadRequest, "", "the body must be a JSON object")
	case err != nil:
		field := ""
		if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown { // encoding/json has no error type for this
			field, _ = strconv.Unquote(name)
		}
		fail(c, http.StatusBadRequest, field, "the body does not match what this route expects: "+strings.TrimPrefix(err.Error(), "json: "))
	default:
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			fail(c, http.StatusBadRequest, "", "the body must be a single JSON object")
			return false
		}
		return true
	}
	return false
}

func (s *Server) postMigration(c *gin.Context) {
	var in struct {
		account.Request

		DryRun      bool   `json:"dry_run"`
		RequestedBy string `json:"requested_by"`
	}
	if !readJSON(c, &in) {
		return
	}
	if err := in.Validate(); err != nil {
		s.failWith(c, err, "")
		return
	}
	if in.RequestedBy != "" && !IsAddress(in.RequestedBy) {
		fail(c, http.StatusUnprocessableEntity, "requested_by", "requested_by must be an e-mail address")
		return
	}
	if in.DryRun {
		s.planMigration(c, in.Selection)
		return
	}
	out, err := s.StartMigration(context.WithoutCancel(c.Request.Context()), tenantIn(c), in.Request, in.RequestedBy)
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	c.Set("workflow_id", out.WorkflowID)
	c.JSON(http.StatusAccepted, out)
}

// planMigration responds to a dry run.
func (s *Server) planMigration(c *gin.Context, take account.Selection) { // ends when the caller hangs up or this process stops
	rc := http.NewResponseController(c.Writer)
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Now().Add(planTimeout))
	ctx, cancel := context.WithTimeout(c.Request.Context(), planTimeout)
	defer cancel()
	made, err := s.PlanAccount(ctx, tenantIn(c), take, nil)
	var field *account.FieldError
	switch {
	case errors.As(err, &field):
		fail(c, http.StatusUnprocessableEntity, field.Field, field.Error())
	case err != nil:
		s.frameioFailed(c, err)
	default:
		c.JSON(http.StatusOK, made)
	}
}

// postOrder moves a queued project to another position.
func (s *Server) postOrder(c *gin.Context) {
	var in struct {
		ProjectID string `json:"project_id"`
		Position  int    `json:"position"`
	}
	if !readJSON(c, &in) {
		return
	}
	if in.ProjectID == "" || !isID(in.ProjectID) {
		fail(c, http.StatusUnprocessableEntity, "project_id", "project_id must name a project of the migration")
		return
	}
	if in.Position < 1 {
		fail(c, http.StatusUnprocessableEntity, "position", "position must be a number, 1 or higher")
		return
	}
	controlPart(s, "project_id", s.migrationOf, func(ctx context.Context, t *config.Tenant, id string) (control.Accepted, error) {
		return s.OrderMigration(ctx, t, id, in.ProjectID, in.Position)
	})(c)
}

// postAdd adds projects to the list: those that match a selection, or new ones that match the migration's own.
func (s *Server) postAdd(c *gin.Context) {
	var in struct {
		Selection *account.Selection `json:"selection"`
	}
	if !readAnyJSON(c, &in) {
		return
	}
	if _, ok := s.migrationOf(c); !ok {
		return
	}
	out, err := s.AddToMigration(c.Request.Context(), tenantIn(c), c.Param("id"), in.Selection)
	if err != nil {
		s.failWith(c, err, "id")
		return
	}
	c.Set("workflow_id", out.WorkflowID)
	c.JSON(http.StatusAccepted, out)
}

func (s *Server) getMigrationReport(c *gin.Context) {
	form, ok := report.AccountFormOf(c.Param("report"))
	if !ok {
		fail(c, http.StatusNotFound, "", "no such route; the reports are report.json, report.csv, report.html and report.mhl")
		return
	}
	row, ok := s.migrationOf(c)
	if !ok {
		return
	}
	rep, err := report.OpenAccount(c.Request.Context(), s.Ledger.Tenant(row.Tenant), row.ID, report.Source{TenantName: tenantIn(c).Name, IconikURL: tenantIn(c).Iconik.BaseURL,
		SigningKey: s.Config().Report.SigningKeyInUse()})
	if err != nil {
		s.failWith(c, errors.Join(control.ErrUnavailable, err), "")
		return
	}
	s.sendReport(c, form.MediaType, fmt.Sprintf("migration-%s-%s", row.ID, form.File), "migration", row.ID, func(w io.Writer) error { return form.Render(w, rep) })
}
