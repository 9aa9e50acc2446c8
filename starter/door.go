package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/framebridge/framebridge/redact"
)

const (
	maxBodies = 64 << 20 // bytes of all bodies that are being worked on; more is answered 503

	failureBurst  = 50              // wrong secrets that an address may send at once
	failureRefill = 2 * time.Second // until it may send one more
	maxAddresses  = 8192            // that failures are remembered of

	longPath, longSegment = 200, 64 // characters of a path that are logged
)

// ownNetworks are where a reverse proxy may stand whose X-Forwarded-For is believed. It is used for the limit on
// wrong secrets and for the audit log, and lets nobody in.
var ownNetworks = []string{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"}

// door holds what all requests share: how much of their bodies is in memory, and which addresses send wrong secrets.
type door struct {
	bodies   *semaphore.Weighted
	failures *failures
}

func newDoor() *door {
	return &door{bodies: semaphore.NewWeighted(maxBodies), failures: newFailures()}
}

// failures counts wrong secrets by address, in bounded memory.
type failures struct {
	mu sync.Mutex
	of map[string]*rate.Limiter
}

func newFailures() *failures { return &failures{of: map[string]*rate.Limiter{}} }

// wait is how long an address has to wait before its next secret is looked at.
func (f *failures) wait(address string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, known := f.of[address]
	if !known {
		return 0
	}
	if left := l.TokensAt(now); left < 1 {
		return time.Duration((1 - left) * float64(failureRefill))
	}
	return 0
}

// note counts a wrong secret. It returns how long the address has to wait for the next one.
func (f *failures) note(address string, now time.Time) time.Duration {
	f.mu.Lock()
	l, known := f.of[address]
	if !known {
		f.makeRoom(now)
		l = rate.NewLimiter(rate.Every(failureRefill), failureBurst)
		f.of[address] = l
	}
	l.AllowN(now, 1)
	f.mu.Unlock()
	return f.wait(address, now)
}

// makeRoom forgets the addresses that have no failures left, and where that is not enough, any.
func (f *failures) makeRoom(now time.Time) {
	if len(f.of) < maxAddresses {
		return
	}
	for address, l := range f.of {
		if l.TokensAt(now) >= failureBurst {
			delete(f.of, address)
		}
	}
	for address := range f.of {
		if len(f.of) < maxAddresses*9/10 {
			return
		}
		delete(f.of, address)
	}
}

// addressOf is what failures are counted by: an IPv4 address, or an IPv6 network of 64 bits, which is one customer's. The
// vendors' machines serve many customers, so theirs are counted apart from API clients'.
func addressOf(c *gin.Context, kind string) string {
	ip, err := netip.ParseAddr(c.ClientIP())
	if err != nil {
		return kind
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return kind + " " + p.String()
		}
	}
	return kind + " " + ip.String()
}

// tooManyFailures refuses an address that has sent too many wrong keys, before the next one is looked at.
func (s *service) tooManyFailures(c *gin.Context, kind string) bool {
	wait := s.door.failures.wait(addressOf(c, kind), time.Now())
	if wait > 0 {
		failLater(c, wait)
	}
	return wait > 0
}

// wrongSecret refuses a request for its secret. Vendors call from addresses that they share among all their customers:
// there a right secret is always let in, and only the wrong ones are told to slow down.
func (s *service) wrongSecret(c *gin.Context, kind, field, detail string) {
	address := addressOf(c, kind)
	before := s.door.failures.wait(address, time.Now())
	if wait := s.door.failures.note(address, time.Now()); before > 0 {
		failLater(c, wait)
		return
	} else if wait > 0 {
		s.log.WarnContext(c, "an address is sending too many wrong secrets", "address", address, "request_id", c.GetString(requestIDKey))
	}
	fail(c, http.StatusUnauthorized, field, detail)
}

func failLater(c *gin.Context, wait time.Duration) {
	c.Header("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	fail(c, http.StatusTooManyRequests, "", "too many wrong secrets from this address: wait, then send the right one")
}

// declared refuses a body for what its headers say, before anything of it is read: size before type.
func (s *service) declared(c *gin.Context) {
	if c.Request.ContentLength > maxBody {
		fail(c, http.StatusRequestEntityTooLarge, "", "the body is larger than 1 MiB")
		return
	}
	if c.Request.ContentLength == 0 {
		return
	}
	if kind, _, err := mime.ParseMediaType(c.ContentType()); err != nil || kind != "application/json" {
		fail(c, http.StatusUnsupportedMediaType, "Content-Type", "the body must be application/json")
	}
}

var errBusy = errors.New("too many request bodies at once")

// meteredBody counts what has been read of a body against what may be in memory of all.
type meteredBody struct {
	io.Reader
	all  *semaphore.Weighted
	held int64
}

func (m *meteredBody) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if !m.all.TryAcquire(int64(n)) {
		return 0, errBusy
	}
	m.held += int64(n)
	return n, err
}

// readBody reads a capped body whose headers have been looked at.
func (s *service) readBody(c *gin.Context) {
	m := &meteredBody{Reader: c.Request.Body, all: s.door.bodies}
	c.Set(meteredKey, m)
	body, err := io.ReadAll(io.LimitReader(m, maxBody+1))
	switch {
	case errors.Is(err, errBusy):
		fail(c, http.StatusServiceUnavailable, "", "the server is busy receiving other requests: try again")
	case err != nil:
		fail(c, http.StatusBadRequest, "", "the body is incomplete")
	case len(body) > maxBody:
		fail(c, http.StatusRequestEntityTooLarge, "", "the body is larger than 1 MiB")
	default:
		c.Set(bodyKey, body)
	}
}

// releaseBody makes room for other bodies when a request is answered.
func (s *service) releaseBody(c *gin.Context) {
	defer func() {
		if v, read := c.Get(meteredKey); read {
			m, _ := v.(*meteredBody)
			s.door.bodies.Release(m.held)
		}
	}()
	c.Next()
}

// securityHeaders are for browsers. Whoever serves a page sets a policy of its own.
func (s *service) securityHeaders(c *gin.Context) {
	for _, h := range [][2]string{
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		{"Cache-Control", "no-store"},
	} {
		c.Header(h[0], h[1])
	}
	if strings.HasPrefix(s.cfg().HTTP.PublicURL, "https://") {
		c.Header("Strict-Transport-Security", "max-age=31536000")
	}
}

// answeredWithin bounds how long an answer may take, with the time that its reader takes.
func answeredWithin(limit time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(limit)) // tests have no connection
	}
}

// loggedPath is a path as logs show it: short, and without what may be a secret. A signed link is one.
func loggedPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch {
		case i == 2 && segments[1] == "l" && segment != "":
			segments = append(segments[:2], redact.Hidden)
			return strings.Join(segments, "/")
		case len(segment) > longSegment:
			segments[i] = fmt.Sprintf("%s…(%d)", cut(segment, 8), len(segment))
		}
	}
	path = redact.Scrub(strings.Join(segments, "/"))
	if len(path) > longPath {
		path = cut(path, longPath) + "…"
	}
	return path
}

// cut shortens a text to as many bytes or a few less, in whole characters.
func cut(text string, n int) string {
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
