package api

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"
)

const maxBodies = 64 << 20 // bytes of all bodies in memory; beyond that, requests get a 503

// declared rejects a body by its headers, before any of it is read: first by size, then by type.
func (s *Server) declared(c *gin.Context) {
	if c.Request.ContentLength > maxBody {
		fail(c, http.StatusRequestEntityTooLarge, "", "the body is larger than 1 MiB")
		return
	}
	if c.Request.ContentLength == 0 {
		return
	}
	if kind, _, err := mime.ParseMediaType(c.ContentType()); err != nil || kind != "application/json" {
		fail(c, http.StatusUnsupportedMediaType, "Content-Type", "the body must be application/json")
		return
	}
	if coding := c.GetHeader("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		c.Header("Accept-Encoding", "identity")
		fail(c, http.StatusUnsupportedMediaType, "Content-Encoding", "the body must not be compressed")
	}
}

var errBusy = errors.New("too many request bodies at once")

// meteredBody counts the bytes read of a body against the limit for all bodies in memory.
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

// readBody reads a size-limited body whose headers have been checked.
func (s *Server) readBody(c *gin.Context) {
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

// releaseBody frees a body's share of the limit once the request has been answered.
func (s *Server) releaseBody(c *gin.Context) {
	defer func() {
		if v, read := c.Get(meteredKey); read {
			m, _ := v.(*meteredBody)
			s.door.bodies.Release(m.held)
		}
	}()
	c.Next()
}

// anyObject checks the body of a route that needs none: it is empty or a JSON object, whose members have no meaning.
func anyObject(c *gin.Context) {
	var members map[string]json.RawMessage
	readAnyJSON(c, &members)
}

func bodyOf(c *gin.Context) []byte { b, _ := c.Get(bodyKey); raw, _ := b.([]byte); return raw }
