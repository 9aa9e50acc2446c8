// Package api serves all of Framebridge's HTTP: webhooks, actions, the API and the console. Package control
// does what the requests ask for.
package api

import (
	"context"
	_ "embed"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/framebridge/framebridge/console"
	"github.com/framebridge/framebridge/health"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/version"
)

const (
	maxBody      = 1 << 20
	requestIDKey = "request_id"
	tenantKey    = "tenant"
	bodyKey      = "body"
	meteredKey   = "metered"
	planTimeout  = 15 * time.Minute // a dry run of a huge project under Frame.io's rate limits

	webhookTimeout = 4 * time.Second  // Frame.io waits 5 s, and sends again what was refused by then
	clickTimeLimit = 8 * time.Second  // iconik waits 10 s
	readTimeLimit  = 20 * time.Second // a page from the ledger
	writeTimeLimit = 10 * time.Minute // a report of a huge project for a slow client
	slowReader     = 10 * time.Second // to read a response
)

//go:embed openapi.json
var openAPI []byte

// Server serves vendors' webhooks and actions, API clients, and people at the console.
type Server struct {
	*control.Service

	// Metrics is where the server registers its metrics. If nil, it uses a registry of its own.
	Metrics *prometheus.Registry
	// Tracers traces requests. If nil, there are no traces.
	Tracers trace.TracerProvider

	counts counts
	door   *door
	desk   *signin.Desk
	thumbs *console.Thumbs
	stop   context.Context //nolint:containedctx // ends what outlives a request of the console
	notes  atomic.Int32    // notes about what vendors sent that are being written to the ledger
}

// New returns a server for what the service can do.
func New(s *control.Service) *Server { return &Server{Service: s} }

// routes builds the public API, and the internal health checks, metrics and codec. Without an internal
// listener, both are the same engine.
func (s *Server) routes() (public, internal *gin.Engine) {
	gin.SetMode(gin.ReleaseMode)
	metrics := s.Metrics
	if metrics == nil {
		metrics = prometheus.NewRegistry()
	}
	if s.Tracers == nil {
		s.Tracers = noop.NewTracerProvider()
	}
	s.counts = newCounts()
	metrics.MustRegister(s.counts.answers, s.counts.seconds, s.counts.lag, ledgerMetrics{s}, s.Ledger.Metrics(), s.Watch)
	s.door = newDoor()

	public = s.engine()
	s.apiRoutes(public)
	s.peopleRoutes(public)
	if internal = public; s.Config().HTTP.InternalListen != "" {
		internal = s.engine()
	}
	s.internalRoutes(internal, metrics)
	s.codecRoutes(internal)
	return public, internal
}

// engine returns an engine with the middleware that all requests need and responses for unknown routes.
func (s *Server) engine() *gin.Engine {
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false // webhooks do not follow redirects
	r.RemoteIPHeaders = []string{"X-Forwarded-For"}
	_ = r.SetTrustedProxies(ownNetworks)
	r.Use(s.identify, s.observe, s.securityHeaders, s.recovered, s.releaseBody)
	r.NoRoute(func(c *gin.Context) { fail(c, http.StatusNotFound, "", "no such route") })
	r.NoMethod(func(c *gin.Context) { fail(c, http.StatusMethodNotAllowed, "", "no such method on this route") })
	return r
}

func (s *Server) internalRoutes(r *gin.Engine, metrics prometheus.Gatherer) {
	r.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok", "version": version.Get().String()}) })
	checks := &health.Checks{Temporal: s.Temporal, Namespace: func() string { return s.Config().Temporal.Namespace }, Ledger: s.Ledger, Log: s.Log}
	r.GET("/readyz", func(c *gin.Context) {
		states, status := checks.Ask(c.Request.Context())
		c.JSON(status, states)
	})
	r.GET("/metrics", gin.WrapH(promhttp.HandlerFor(metrics, promhttp.HandlerOpts{})))
	r.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", openAPI) })
}

// apiRoutes registers what vendors and API clients call. The cheapest checks come first: tenant, declared size, type, API key,
// size, signature or secret, body, meaning.
func (s *Server) apiRoutes(r *gin.Engine) {
	r.GET("/report-keys", within(readTimeLimit), s.reportKeys)
	api := r.Group(routes.Prefix)
	hook, click, ask := within(webhookTimeout), within(clickTimeLimit), within(readTimeLimit)
	api.POST("/archive/webhooks/project-updated", hook, s.tenantOf, s.noteReceived, s.declared, s.readBody, s.projectUpdated)
	api.POST("/archive/actions/retry", click, s.tenantOf, s.noteReceived, s.declared, s.readBody, s.actionSecret, s.retryAction)
	api.POST("/archive/actions/frameio", hook, s.tenantOf, s.noteReceived, s.declared, s.readBody, s.frameioAction)
	api.GET("/doctor", within(doctorTimeLimit), s.bearer, s.getDoctor)
	api.GET("/deliveries", within(writeTimeLimit), s.bearer, s.getDeliveries)
	api.GET("/audit", within(writeTimeLimit), s.bearer, s.getAudit)
	api.GET("/archives", ask, s.bearer, s.listArchives)
	api.POST("/archives", answeredWithin(planTimeout+time.Minute), s.knownTenant, s.declared, s.bearer, s.readBody, s.postArchive)
	api.GET("/archives/:id", ask, s.bearer, s.getArchive)
	api.GET("/archives/:id/items", ask, s.bearer, s.getItems)
	api.GET("/archives/:id/failures", ask, s.bearer, s.getFailures)
	api.GET("/archives/:id/:report", within(writeTimeLimit), s.bearer, s.getReport)
	api.POST("/archives/:id/retry", click, s.bearerOrKey("retry"), controlRoute(s, s.archiveOf, s.RetryArchive))
	api.POST("/archives/:id/cancel", click, s.bearerOrKey("cancel"), controlRoute(s, s.archiveOf, s.CancelArchive))
	api.POST("/archives/:id/items/:source_id/retry", click, s.knownTenant, s.declared, s.bearer, s.readBody, anyObject, s.retryItem)
	api.POST("/archives/:id/position", click, s.knownTenant, s.declared, s.bearer, s.readBody, s.postPosition)
	s.reclaimRoutes(api, ask, click)
	api.POST("/review/webhooks/comments", hook, s.tenantOf, s.noteReceived, s.declared, s.readBody, s.commentsWebhook)
	api.POST("/review/webhooks/segments", click, s.tenantOf, s.noteReceived, s.declared, s.readBody, s.actionSecret, s.segmentsWebhook)
	api.POST("/review/actions/send", click, s.tenantOf, s.noteReceived, s.declared, s.readBody, s.actionSecret, s.sendAction)
	for _, verb := range []string{control.VerbExtend, control.VerbStop, control.VerbSync} {
		api.POST("/review/actions/"+verb, click, s.tenantOf, s.noteReceived, s.declared, s.readBody, s.actionSecret, s.controlAction(verb))
		api.POST("/reviews/:id/"+verb, click, s.knownTenant, s.declared, s.bearer, s.readBody, s.postControl(verb))
	}
	s.mirrorRoutes(api)
	s.migrationRoutes(api)
	api.GET("/reviews", ask, s.bearer, s.listReviews)
	api.GET("/reviews/:id", ask, s.bearer, s.getReview)
	api.GET("/reviews/:id/:file", within(writeTimeLimit), s.bearer, s.getComments)
}
