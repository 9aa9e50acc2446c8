package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// doctorTimeLimit bounds an examination over HTTP. It allows for the longest chain of checks, each with its own limit.
const doctorTimeLimit = time.Minute

// getDoctor examines the installation and the caller's tenant.
func (s *Server) getDoctor(c *gin.Context) {
	c.JSON(http.StatusOK, s.Examine(c.Request.Context(), tenantIn(c)))
}
