package api

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/converter"

	"github.com/framebridge/framebridge/temporalclient"
)

const (
	maxCodecBody   = 16 << 20 // one page of a history
	codecTimeLimit = 30 * time.Second
)

// codecRoutes lets administrators decrypt and encrypt payloads in Temporal's UI and command line. Without keys there are no routes.
func (s *Server) codecRoutes(r *gin.Engine) {
	codec, err := temporalclient.NewCodec(s.Config().Temporal.Codec)
	if err != nil || codec == nil {
		return
	}
	h := converter.NewPayloadCodecHTTPHandler(codec)
	serve := func(c *gin.Context) {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxCodecBody)
		h.ServeHTTP(c.Writer, c.Request)
	}
	for _, path := range []string{"/codec/decode", "/codec/encode"} {
		r.OPTIONS(path, s.allowTemporalUI, func(c *gin.Context) { c.AbortWithStatus(http.StatusNoContent) })
		r.POST(path, answeredWithin(codecTimeLimit), s.allowTemporalUI, s.bearer, serve)
	}
}

// allowTemporalUI lets only pages of the configured UI read the response.
func (s *Server) allowTemporalUI(c *gin.Context) {
	ui, err := url.Parse(s.Config().Temporal.UIURL)
	c.Header("Vary", "Origin")
	if err != nil || ui.Host == "" || c.GetHeader("Origin") != ui.Scheme+"://"+ui.Host {
		return
	}
	c.Header("Access-Control-Allow-Origin", ui.Scheme+"://"+ui.Host)
	c.Header("Access-Control-Allow-Methods", "POST, OPTIONS")
	c.Header("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace, X-CSRF-Token, Caller-Type")
	c.Header("Access-Control-Allow-Credentials", "true")
	c.Header("Access-Control-Max-Age", "600")
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
}
