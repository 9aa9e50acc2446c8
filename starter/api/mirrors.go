package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/starter/control"
)

func (s *Server) listMirrors(c *gin.Context) {
	list, err := s.Mirrors(c.Request.Context(), tenantIn(c))
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	c.JSON(http.StatusOK, gin.H{"mirrors": list})
}

// postMirror creates a mirror, or changes the one with that name.
func (s *Server) postMirror(c *gin.Context) {
	var in control.Mirror
	if !readAnyJSON(c, &in) {
		return
	}
	v, err := s.StartMirror(c.Request.Context(), tenantIn(c), in)
	if err != nil {
		s.failWith(c, err, "")
		return
	}
	c.JSON(http.StatusOK, v)
}

// controlMirror runs, pauses, resumes or stops the route's mirror.
func (s *Server) controlMirror(do func(ctx context.Context, t *config.Tenant, name, note string) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		var in struct {
			Note string `json:"note"`
		}
		if !readAnyJSON(c, &in) {
			return
		}
		if err := do(c.Request.Context(), tenantIn(c), c.Param("name"), in.Note); err != nil {
			s.failWith(c, err, "name")
			return
		}
		c.JSON(http.StatusAccepted, gin.H{"name": c.Param("name")})
	}
}

func (s *Server) mirrorRoutes(api *gin.RouterGroup) {
	ask, click := within(readTimeLimit), within(clickTimeLimit)
	api.GET("/mirrors", ask, s.bearer, s.listMirrors)
	api.POST("/mirrors", click, s.knownTenant, s.declared, s.bearer, s.readBody, s.postMirror)
	for verb, do := range map[string]func(context.Context, *config.Tenant, string, string) error{
		"pause": s.PauseMirror, "resume": s.ResumeMirror,
		"run":  func(ctx context.Context, t *config.Tenant, name, _ string) error { return s.RunMirror(ctx, t, name) },
		"stop": func(ctx context.Context, t *config.Tenant, name, _ string) error { return s.StopMirror(ctx, t, name) },
	} {
		api.POST("/mirrors/:name/"+verb, click, s.knownTenant, s.declared, s.bearer, s.readBody, s.controlMirror(do))
	}
}
