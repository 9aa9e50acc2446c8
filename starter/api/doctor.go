package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// doctorTimeLimit is how long an examination over HTTP may take: its longest chain of checks, each within its own time.
const doctorTimeLimit = time.Minute

// getDoctor examines the installation and the caller's tenant.
func (s *Server) getDoctor(c *gin.Context) {
	c.JSON(http.StatusOK, s.Examine(c.Request.Context(), tenantIn(c)))
}
