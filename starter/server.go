package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/setup"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/untrusted"
	"github.com/framebridge/framebridge/version"
)

const (
	maxBody      = 1 << 20
	requestIDKey = "request_id"
	tenantKey    = "tenant"
	bodyKey      = "body"
	meteredKey   = "metered"
	planTimeout  = 15 * time.Minute // a dry run of a huge project under Frame.io's limits

	webhookTimeout = 4 * time.Second  // Frame.io waits 5 s, and sends again what is refused then
	clickTimeLimit = 8 * time.Second  // iconik waits 10 s
	readTimeLimit  = 20 * time.Second // a page from the ledger
	writeTimeLimit = 10 * time.Minute // a report of a huge project for a slow reader
	slowReader     = 10 * time.Second // to take an answer
)

//go:embed openapi.json
var openAPI []byte

// readableByHead answers HEAD wherever GET is answered; net/http leaves the body out.
func readableByHead(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.Clone(r.Context())
			r.Method = http.MethodGet
		}
		h.ServeHTTP(w, r)
	})
}

// routes builds the API as DESIGN §3.2 fixes it, for the outside and for the inside; without an internal listener they
// are one.
func (s *service) routes() (public, internal *gin.Engine) {
	gin.SetMode(gin.ReleaseMode)
	s.metrics = prometheus.NewRegistry()
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	answers := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_http_answers_total", Help: "Responses of the HTTP API."}, []string{"route", "status"})
	s.metrics.MustRegister(answers)
	s.door = newDoor()

	public = s.engine(answers)
	s.apiRoutes(public)
	if internal = public; s.cfg().HTTP.InternalListen != "" {
		internal = s.engine(answers)
	}
	s.internalRoutes(internal)
	s.codecRoutes(internal)
	return public, internal
}

// engine answers what has no route, and does for each request what all of them need.
func (s *service) engine(answers *prometheus.CounterVec) *gin.Engine {
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false // a redirect is no answer to a webhook
	r.RemoteIPHeaders = []string{"X-Forwarded-For"}
	_ = r.SetTrustedProxies(ownNetworks)
	r.Use(s.identify, s.observe(answers), s.securityHeaders, s.recovered, s.releaseBody)
	r.NoRoute(func(c *gin.Context) { fail(c, http.StatusNotFound, "", "no such route") })
	r.NoMethod(func(c *gin.Context) { fail(c, http.StatusMethodNotAllowed, "", "no such method on this route") })
	return r
}

func (s *service) internalRoutes(r *gin.Engine) {
	r.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok", "version": version.Get().String()}) })
	r.GET("/readyz", s.ready)
	r.GET("/metrics", gin.WrapH(promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{})))
	r.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", openAPI) })
}

// apiRoutes are what vendors and API clients call. Refusals come in the order of DESIGN §8.1: tenant, declared size, type,
// API key, size, signature or secret, body, meaning.
func (s *service) apiRoutes(r *gin.Engine) {
	api := r.Group(routes.Prefix)
	hook, click, ask := within(webhookTimeout), within(clickTimeLimit), within(readTimeLimit)
	api.POST("/archive/webhooks/project-updated", hook, s.tenantOf, s.declared, s.readBody, s.projectUpdated)
	api.POST("/archive/actions/retry", click, s.tenantOf, s.declared, s.readBody, s.actionSecret, s.retryAction)
	api.POST("/archive/actions/frameio", hook, s.tenantOf, s.declared, s.readBody, s.frameioAction)
	api.GET("/doctor", within(doctorTimeLimit), s.bearer, s.getDoctor)
	api.GET("/archives", ask, s.bearer, s.listArchives)
	api.POST("/archives", answeredWithin(planTimeout+time.Minute), s.knownTenant, s.declared, s.bearer, s.readBody, s.postArchive)
	api.GET("/archives/:id", ask, s.bearer, s.getArchive)
	api.GET("/archives/:id/items", ask, s.bearer, s.getItems)
	api.GET("/archives/:id/failures", ask, s.bearer, s.getFailures)
	api.GET("/archives/:id/:report", within(writeTimeLimit), s.bearer, s.getReport)
	api.POST("/archives/:id/retry", click, s.bearerOrKey("retry"), s.controlRoute(s.retryArchive))
	api.POST("/archives/:id/cancel", click, s.bearerOrKey("cancel"), s.controlRoute(s.cancelArchive))
	api.POST("/review/webhooks/comments", hook, s.tenantOf, s.declared, s.readBody, s.commentsWebhook)
	api.POST("/review/webhooks/segments", click, s.tenantOf, s.declared, s.readBody, s.actionSecret, s.segmentsWebhook)
	api.POST("/review/actions/send", click, s.tenantOf, s.declared, s.readBody, s.actionSecret, s.sendAction)
	for _, verb := range []string{verbExtend, verbStop, verbSync} {
		api.POST("/review/actions/"+verb, click, s.tenantOf, s.declared, s.readBody, s.actionSecret, s.controlAction(verb))
		api.POST("/reviews/:id/"+verb, click, s.knownTenant, s.declared, s.bearer, s.readBody, s.postControl(verb))
	}
	api.GET("/reviews", ask, s.bearer, s.listReviews)
	api.GET("/reviews/:id", ask, s.bearer, s.getReview)
	api.GET("/reviews/:id/:file", within(writeTimeLimit), s.bearer, s.getComments)
}

// within bounds what an answer may wait for. A caller that hangs up does not break off what it has asked for.
func within(limit time.Duration) gin.HandlerFunc {
	timely := answeredWithin(limit + slowReader)
	return func(c *gin.Context) {
		timely(c)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), limit)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

// recovered turns a panic into an answer, or cuts off one that has begun: it must not look whole.
func (s *service) recovered(c *gin.Context) {
	defer func() {
		switch v := recover(); {
		case v == nil:
		case v == http.ErrAbortHandler: //nolint:errorlint // as net/http does
			panic(v)
		default:
			s.log.ErrorContext(c, "panic", "request_id", c.GetString(requestIDKey), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			if c.Writer.Written() {
				panic(http.ErrAbortHandler)
			}
			fail(c, http.StatusInternalServerError, "", "internal error; the log has the details under this request ID")
		}
	}()
	c.Next()
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
		defer func() {
			route := c.FullPath()
			answers.WithLabelValues(route, strconv.Itoa(c.Writer.Status())).Inc()
			level := s.log.InfoContext
			if route == "/healthz" || route == "/readyz" || route == "/metrics" {
				level = s.log.DebugContext
			}
			level(c, "answered", "request_id", c.GetString(requestIDKey), "method", c.Request.Method, "path", loggedPath(c.Request.URL.Path),
				"status", c.Writer.Status(), "ms", time.Since(begun).Milliseconds(), "workflow_id", c.GetString("workflow_id"))
		}()
		c.Next()
	}
}

func (s *service) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), 3*time.Second)
	defer cancel()
	pinged := make(chan error, 1)
	go func() { pinged <- s.ledger.Ping(ctx) }()
	checks, status := gin.H{"temporal": "ok", "ledger": "ok"}, http.StatusOK
	if err := temporalclient.Ready(ctx, s.temporal, s.cfg().Temporal.Namespace); err != nil {
		checks["temporal"], status = "unreachable", http.StatusServiceUnavailable
		if errors.Is(err, temporalclient.ErrNoNamespace) {
			checks["temporal"] = err.Error()
		}
	}
	if err := <-pinged; err != nil {
		checks["ledger"], status = "unreachable", http.StatusServiceUnavailable
	}
	c.JSON(status, checks)
}

// tenantOf finds the tenant of a vendor's call by the query.
func (s *service) tenantOf(c *gin.Context) {
	ids := c.QueryArray("tenant-id")
	if len(ids) != 1 || !untrusted.UUID(ids[0]) {
		fail(c, http.StatusBadRequest, "tenant-id", "tenant-id must be the tenant's UUID")
		return
	}
	t, ok := s.cfg().Tenant(ids[0])
	if !ok {
		fail(c, http.StatusNotFound, "tenant-id", "no such tenant")
		return
	}
	c.Set(tenantKey, t)
}

// knownTenant checks the tenant where a caller names one beside its API key.
func (s *service) knownTenant(c *gin.Context) {
	if _, named := c.GetQuery("tenant-id"); named {
		s.tenantOf(c)
	}
}

func bodyOf(c *gin.Context) []byte { b, _ := c.Get(bodyKey); raw, _ := b.([]byte); return raw }

func tenantIn(c *gin.Context) *config.Tenant {
	t, _ := c.Get(tenantKey)
	out, _ := t.(*config.Tenant)
	return out
}

// bearer finds the tenant by its API key, and holds the key to its role.
func (s *service) bearer(c *gin.Context) {
	if s.knownTenant(c); c.IsAborted() {
		return
	}
	named := tenantIn(c)
	if s.tooManyFailures(c, "key") {
		return
	}
	scheme, key, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	found, opens, ok := s.cfg().FindKey(key, time.Now())
	if !strings.EqualFold(scheme, "Bearer") || !ok {
		c.Header("WWW-Authenticate", "Bearer")
		s.wrongSecret(c, "key", "Authorization", "the API key is missing, wrong or expired: send it in the Authorization header, after the word Bearer")
		return
	}
	if named != nil && named.ID != found.ID {
		fail(c, http.StatusNotFound, "tenant-id", "the API key belongs to another tenant")
		return
	}
	if needed := neededRole(c); !opens.Role.Covers(needed) {
		fail(c, http.StatusForbidden, "Authorization", fmt.Sprintf("the key %q has the role %s; this needs the role %s", opens.Name, opens.Role, needed))
		return
	}
	c.Set(tenantKey, found)
	actsAs(c, ledger.Actor{Kind: ledger.ActorAPI, Key: opens.Name})
}

// neededRole is what a route's key must be for: a viewer reads, an editor exports, an operator controls.
func neededRole(c *gin.Context) config.Role {
	switch {
	case strings.HasPrefix(c.FullPath(), "/codec/"):
		return config.RoleAdmin
	case c.Request.Method != http.MethodGet:
		return config.RoleOperator
	case strings.HasSuffix(c.FullPath(), "/reviews/:id/:file"):
		return config.RoleEditor
	case strings.HasSuffix(c.FullPath(), "/doctor"):
		return config.RoleAdmin
	}
	return config.RoleViewer
}

// same compares a configured secret in a time that tells nothing of it, its length included.
func same(secret, given string) bool {
	a, b := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(given))
	return secret != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// bearerOrKey also lets iconik's job buttons in, whose URL carries a key for just this control. What a button sends
// along is not documented, and not read.
func (s *service) bearerOrKey(verb string) gin.HandlerFunc {
	return func(c *gin.Context) {
		key, isButton := c.GetQuery("key")
		if !isButton {
			for _, check := range []gin.HandlerFunc{s.knownTenant, s.declared, s.bearer, s.readBody} {
				if check(c); c.IsAborted() {
					return
				}
			}
			return
		}
		if s.tenantOf(c); c.IsAborted() {
			return
		}
		if s.tooManyFailures(c, "key") {
			return
		}
		if !routes.FitsControl(tenantIn(c), c.Param("id"), verb, key, time.Now()) {
			s.wrongSecret(c, "key", "key", "the key does not belong to this archive and control, or is too old: use the action on the collection")
			return
		}
		actsAs(c, ledger.Actor{Kind: ledger.ActorIconik})
	}
}

// actionSecret checks the static header of iconik's custom actions and webhooks.
func (s *service) actionSecret(c *gin.Context) {
	actsAs(c, ledger.Actor{Kind: ledger.ActorIconik})
	given := c.GetHeader(setup.SecretHeader)
	if tenantIn(c).Iconik.ActionSecret.Contains(given) {
		return
	}
	made, err := s.setupSecrets(c.Request.Context(), tenantIn(c))
	switch {
	case err != nil:
		s.failWith(c, err, "")
	case !same(made.ActionSecret, given):
		s.wrongSecret(c, "vendor", "X-Framebridge-Secret", "the secret header is missing or wrong")
	}
}
