package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/config"
)

const (
	maxBody      = 1 << 20
	requestIDKey = "request_id"
	tenantKey    = "tenant"
	bodyKey      = "body"
	planTimeout  = 15 * time.Minute // a dry run of a huge project under Frame.io's limits
)

//go:embed openapi.json
var openAPI []byte

func serveCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "serve",
		Short:   "Serve the HTTP API: webhooks, iconik actions, status and control",
		Example: "  starter serve --config framebridge.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, done, err := open(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer done()
			return s.serve(cmd.Context())
		},
	}
}

func (s *service) serve(ctx context.Context) error {
	l, err := net.Listen("tcp", s.cfg.HTTP.Listen)
	if err != nil {
		return errors.New("http.listen: " + err.Error())
	}
	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	s.log.Info("starter is ready", "listen", s.cfg.HTTP.Listen, "public_url", s.cfg.HTTP.PublicURL)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.log.Info("starter is stopping")
	closing, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return server.Shutdown(closing)
}

// routes builds the API as DESIGN §3.2 fixes it.
func (s *service) routes() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	answers := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_http_answers_total", Help: "Answers of the HTTP API."}, []string{"route", "status"})
	metrics.MustRegister(answers)

	r := gin.New()
	r.HandleMethodNotAllowed = true
	_ = r.SetTrustedProxies(nil)
	r.Use(s.identify, s.observe(answers), gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, v any) {
		s.log.ErrorContext(c, "panic", "request_id", c.GetString(requestIDKey), "panic", v)
		fail(c, http.StatusInternalServerError, "", "something went wrong here; the log has it under this request id")
	}))
	r.NoRoute(func(c *gin.Context) { fail(c, http.StatusNotFound, "", "no such route") })
	r.NoMethod(func(c *gin.Context) { fail(c, http.StatusMethodNotAllowed, "", "no such method on this route") })

	r.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	r.GET("/readyz", s.ready)
	r.GET("/metrics", gin.WrapH(promhttp.HandlerFor(metrics, promhttp.HandlerOpts{})))
	r.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", openAPI) })

	api := r.Group(activities.APIPrefix)
	api.POST("/archive/webhooks/project-updated", s.tenantOf, s.readBody, s.projectUpdated)
	api.POST("/archive/actions/retry", s.tenantOf, s.readBody, s.actionSecret, s.retryAction)
	api.POST("/archive/actions/frameio", s.tenantOf, s.readBody, s.frameioAction)
	api.GET("/archives", s.bearer, s.listArchives)
	api.POST("/archives", s.bearer, s.readBody, s.postArchive)
	api.GET("/archives/:id", s.bearer, s.getArchive)
	api.GET("/archives/:id/items", s.bearer, s.getItems)
	api.GET("/archives/:id/:report", s.bearer, s.getReport)
	api.POST("/archives/:id/retry", s.bearerOrKey("retry"), s.controlRoute(s.retryArchive))
	api.POST("/archives/:id/cancel", s.bearerOrKey("cancel"), s.controlRoute(s.cancelArchive))
	api.POST("/review/webhooks/comments", s.tenantOf, s.readBody, s.commentsWebhook)
	api.POST("/review/webhooks/segments", s.tenantOf, s.readBody, s.actionSecret, s.segmentsWebhook)
	api.POST("/review/actions/send", s.tenantOf, s.readBody, s.actionSecret, s.sendAction)
	for _, verb := range []string{verbExtend, verbStop, verbSync} {
		api.POST("/review/actions/"+verb, s.tenantOf, s.readBody, s.actionSecret, s.controlAction(verb))
		api.POST("/reviews/:id/"+verb, s.bearer, s.readBody, s.postControl(verb))
	}
	api.GET("/reviews", s.bearer, s.listReviews)
	api.GET("/reviews/:id", s.bearer, s.getReview)
	api.GET("/reviews/:id/:file", s.bearer, s.getComments)
	return r
}

// identify gives each request an id, the caller's where it is a plain one.
func (s *service) identify(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if len(id) < 8 || len(id) > 64 || strings.IndexFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) >= 0 {
		var b [12]byte
		_, _ = rand.Read(b[:])
		id = hex.EncodeToString(b[:])
	}
	c.Set(requestIDKey, id)
	c.Header("X-Request-Id", id)
}

// observe logs and counts. Queries are left out: they can hold a control key.
func (s *service) observe(answers *prometheus.CounterVec) gin.HandlerFunc {
	return func(c *gin.Context) {
		begun := time.Now()
		c.Next()
		route := c.FullPath()
		answers.WithLabelValues(route, http.StatusText(c.Writer.Status())).Inc()
		level := s.log.InfoContext
		if route == "/healthz" || route == "/readyz" || route == "/metrics" {
			level = s.log.DebugContext
		}
		level(c, "answered", "request_id", c.GetString(requestIDKey), "method", c.Request.Method, "path", c.Request.URL.Path,
			"status", c.Writer.Status(), "ms", time.Since(begun).Milliseconds(), "workflow_id", c.GetString("workflow_id"))
	}
}

func (s *service) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c, 3*time.Second)
	defer cancel()
	checks, status := gin.H{"temporal": "ok", "ledger": "ok"}, http.StatusOK
	if _, err := s.temporal.CheckHealth(ctx, nil); err != nil {
		checks["temporal"], status = "unreachable", http.StatusServiceUnavailable
	}
	if err := s.ledger.Ping(ctx); err != nil {
		checks["ledger"], status = "unreachable", http.StatusServiceUnavailable
	}
	c.JSON(status, checks)
}

// tenantOf finds the tenant of a vendor's call by the query.
func (s *service) tenantOf(c *gin.Context) {
	id := c.Query("tenant-id")
	if !isUUID(id) {
		fail(c, http.StatusBadRequest, "tenant-id", "tenant-id must be the tenant's UUID")
		return
	}
	t, ok := s.cfg.Tenant(strings.ToLower(id))
	if !ok {
		fail(c, http.StatusNotFound, "tenant-id", "no such tenant")
		return
	}
	c.Set(tenantKey, t)
}

// readBody reads a capped JSON body: size before type, both before any secret.
func (s *service) readBody(c *gin.Context) {
	if c.Request.ContentLength > maxBody {
		fail(c, http.StatusRequestEntityTooLarge, "", "a body may be 1 MiB at most")
		return
	}
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, maxBody+1))
	switch {
	case err != nil:
		fail(c, http.StatusBadRequest, "", "the body did not arrive whole")
		return
	case len(body) > maxBody:
		fail(c, http.StatusRequestEntityTooLarge, "", "a body may be 1 MiB at most")
		return
	}
	if kind, _, err := mime.ParseMediaType(c.ContentType()); len(bytes.TrimSpace(body)) > 0 && (err != nil || kind != "application/json") {
		fail(c, http.StatusUnsupportedMediaType, "Content-Type", "the body must be application/json")
		return
	}
	c.Set(bodyKey, body)
}

func bodyOf(c *gin.Context) []byte { b, _ := c.Get(bodyKey); raw, _ := b.([]byte); return raw }

func tenantIn(c *gin.Context) *config.Tenant {
	t, _ := c.Get(tenantKey)
	out, _ := t.(*config.Tenant)
	return out
}

// bearer finds the tenant by its API key. Every tenant's key is compared, so that the time taken tells nothing.
func (s *service) bearer(c *gin.Context) {
	key, isBearer := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	var found *config.Tenant
	for _, t := range s.cfg.Tenants {
		have := t.APIKey.Reveal()
		if have != "" && subtle.ConstantTimeCompare([]byte(have), []byte(key)) == 1 {
			found = t
		}
	}
	if !isBearer || found == nil {
		c.Header("WWW-Authenticate", "Bearer")
		fail(c, http.StatusUnauthorized, "Authorization", "send the tenant's api_key as a bearer token")
		return
	}
	if want := c.Query("tenant-id"); want != "" && !strings.EqualFold(want, found.ID) {
		fail(c, http.StatusNotFound, "tenant-id", "the api_key is not of that tenant")
		return
	}
	c.Set(tenantKey, found)
}

// bearerOrKey also lets iconik's job buttons in, whose URL carries a key for just this control.
func (s *service) bearerOrKey(verb string) gin.HandlerFunc {
	return func(c *gin.Context) {
		key := c.Query("key")
		if key == "" {
			s.bearer(c)
			return
		}
		s.tenantOf(c)
		if c.IsAborted() {
			return
		}
		want := activities.ControlKey(tenantIn(c), c.Param("id"), verb)
		if subtle.ConstantTimeCompare([]byte(want), []byte(key)) != 1 {
			fail(c, http.StatusUnauthorized, "key", "the key is not for this archive and control")
		}
	}
}

// actionSecret checks the static header of iconik's custom actions and webhooks.
func (s *service) actionSecret(c *gin.Context) {
	want := tenantIn(c).Iconik.ActionSecret.Reveal()
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(c.GetHeader("X-Framebridge-Secret"))) != 1 {
		fail(c, http.StatusUnauthorized, "X-Framebridge-Secret", "the secret header is missing or wrong")
	}
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if r != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}
