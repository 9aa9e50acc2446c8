package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/setup"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/untrusted"
)

// setupSecrets returns the secrets that setup has created for a tenant, in addition to the configured ones.
func (s *Server) setupSecrets(ctx context.Context, t *config.Tenant) (setup.Record, error) {
	r, err := setup.Load(ctx, s.Ledger.Tenant(t.ID))
	if err != nil {
		return r, errors.Join(control.ErrUnavailable, err)
	}
	return r, nil
}

// tenantOf finds the tenant of a vendor's request by its query.
func (s *Server) tenantOf(c *gin.Context) {
	ids := c.QueryArray("tenant-id")
	if len(ids) != 1 || !untrusted.UUID(ids[0]) {
		fail(c, http.StatusBadRequest, "tenant-id", "tenant-id must be the tenant's UUID")
		return
	}
	t, ok := s.Config().Tenant(ids[0])
	if !ok {
		fail(c, http.StatusNotFound, "tenant-id", "no such tenant")
		return
	}
	c.Set(tenantKey, t)
}

// knownTenant checks the tenant if a caller names one in addition to its API key.
func (s *Server) knownTenant(c *gin.Context) {
	if _, named := c.GetQuery("tenant-id"); named {
		s.tenantOf(c)
	}
}

func tenantIn(c *gin.Context) *config.Tenant {
	t, _ := c.Get(tenantKey)
	out, _ := t.(*config.Tenant)
	return out
}

// actsAs records for the audit log who a request is from, and from which address.
func actsAs(c *gin.Context, who ledger.Actor) {
	who.Address = c.ClientIP()
	c.Request = c.Request.WithContext(control.WithActor(c.Request.Context(), who))
}

// bearer finds the tenant by its API key and checks the key's role.
func (s *Server) bearer(c *gin.Context) {
	if s.knownTenant(c); c.IsAborted() {
		return
	}
	named := tenantIn(c)
	scheme, key, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	key = strings.TrimLeft(key, " ") // one space or more, RFC 9110
	if !s.door.failures.wasRight(addressOf(c, "key"), key) && s.tooManyFailures(c, "key") {
		return
	}
	found, opens, ok := s.Config().FindKey(key, time.Now())
	if !strings.EqualFold(scheme, "Bearer") || !ok {
		if t, expired, was := s.Config().FindExpired(key, time.Now()); was {
			s.refused(c, t, expired.Name, "the key expired on "+expired.Expires.Format(time.DateOnly))
		}
		c.Header("WWW-Authenticate", "Bearer")
		s.wrongSecret(c, "key", "Authorization", "the API key is missing, wrong or expired: send it in the Authorization header, after the word Bearer")
		return
	}
	s.door.failures.noteRight(addressOf(c, "key"), key)
	if named != nil && named.ID != found.ID {
		s.refused(c, found, opens.Name, "the key asked for another tenant")
		fail(c, http.StatusNotFound, "tenant-id", "the API key belongs to another tenant")
		return
	}
	if needed := neededRole(c); !opens.Role.Covers(needed) {
		s.refused(c, found, opens.Name, fmt.Sprintf("%s %s needs the role %s; the key has the role %s", c.Request.Method, c.FullPath(), needed, opens.Role))
		fail(c, http.StatusForbidden, "Authorization", fmt.Sprintf("the key %q has the role %s; this needs the role %s", opens.Name, opens.Role, needed))
		return
	}
	c.Set(tenantKey, found)
	actsAs(c, ledger.Actor{Kind: ledger.ActorAPI, Key: opens.Name})
}

// refused records that a key was refused, at most once a minute for the same reason.
func (s *Server) refused(c *gin.Context, t *config.Tenant, key, why string) {
	if !s.door.refusals.Pass(t.ID+"\n"+key+"\n"+c.ClientIP()+"\n"+why, time.Now()) {
		return
	}
	_, err := s.Ledger.AppendAudit(c.Request.Context(), ledger.AuditEntry{Tenant: t.ID, Action: signin.ActionRefused, Reason: why,
		Actor: ledger.Actor{Kind: ledger.ActorAPI, Key: key, Address: c.ClientIP()}})
	if err != nil { // the request is refused all the same
		s.Log.ErrorContext(c, "could not record a refusal", "error", err)
	}
}

// neededRole returns the role that a route requires of a key: a viewer reads, an editor exports, an operator controls.
func neededRole(c *gin.Context) config.Role {
	switch {
	case c.Request.Method != http.MethodGet && strings.Contains(c.FullPath(), "/archives/:id/reclaim"):
		return config.RoleReclaims
	case strings.HasPrefix(c.FullPath(), "/codec/"):
		return config.RoleAdmin
	case strings.HasPrefix(c.FullPath(), routes.Prefix+"/migrations"):
		return config.RoleMigrations
	case c.Request.Method != http.MethodGet, strings.HasSuffix(c.FullPath(), "/deliveries"), strings.HasSuffix(c.FullPath(), "/doctor"):
		return config.RoleOperator
	case strings.HasSuffix(c.FullPath(), "/reviews/:id/:file"):
		return config.RoleEditor
	case strings.HasSuffix(c.FullPath(), "/audit"):
		return config.RoleAdmin
	}
	return config.RoleViewer
}

// same compares a configured secret in a time that reveals nothing about it, not even its length.
func same(secret, given string) bool {
	a, b := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(given))
	return secret != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// bearerOrKey also admits iconik's job buttons, whose URL has a key for just this control. What a button sends
// along is undocumented and not read.
func (s *Server) bearerOrKey(verb string) gin.HandlerFunc {
	return func(c *gin.Context) {
		key, isButton := c.GetQuery("key")
		if !isButton {
			for _, check := range []gin.HandlerFunc{s.knownTenant, s.declared, s.bearer, s.readBody, anyObject} {
				if check(c); c.IsAborted() {
					return
				}
			}
			return
		}
		if s.tenantOf(c); c.IsAborted() {
			return
		}
		// A key is 256 bits that nobody can guess. The right one is always admitted, because many clients share an address such as
		// iconik's.
		if !routes.FitsControl(tenantIn(c), c.Param("id"), verb, key, time.Now()) {
			s.wrongSecret(c, "key", "key", "the key does not belong to this archive and control, or is too old: use the action on the collection")
			return
		}
		actsAs(c, ledger.Actor{Kind: ledger.ActorIconik})
	}
}

// actionSecret checks the static secret header of iconik's custom actions and webhooks.
func (s *Server) actionSecret(c *gin.Context) {
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
