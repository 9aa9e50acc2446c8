package api

import (
	"crypto/sha256"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/framebridge/framebridge/signin"
)

const (
	failureBurst  = 50              // wrong secrets that an address may send at once
	failureRefill = 2 * time.Second // until it may send another
	maxAddresses  = 8192            // most addresses whose failures are remembered
)

// ownNetworks are the networks of reverse proxies whose X-Forwarded-For is trusted. It counts only for the limit on wrong secrets
// and for the audit log, never for access.
var ownNetworks = []string{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"}

// door holds what all requests share: how much of their bodies is in memory, and which addresses send wrong secrets.
type door struct {
	bodies   *semaphore.Weighted
	failures *failures
	refusals signin.Seldom // limits how often the same refusal goes into the audit log
}

func newDoor() *door {
	return &door{bodies: semaphore.NewWeighted(maxBodies), failures: newFailures()}
}

// failures counts wrong secrets by address, in bounded memory.
type failures struct {
	mu    sync.Mutex
	of    map[string]*rate.Limiter
	right map[sender]struct{}
}

// sender is an address and a correct key that came from it.
type sender struct {
	address string
	key     [sha256.Size]byte // its hash
}

func newFailures() *failures {
	return &failures{of: map[string]*rate.Limiter{}, right: map[sender]struct{}{}}
}

// noteRight remembers that a correct key has come from an address.
func (f *failures) noteRight(address, key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for known := range f.right {
		if len(f.right) < maxAddresses {
			break
		}
		delete(f.right, known)
	}
	f.right[sender{address, sha256.Sum256([]byte(key))}] = struct{}{}
}

// wasRight reports whether a correct key has come from an address before. The key may have become invalid since.
func (f *failures) wasRight(address, key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.right[sender{address, sha256.Sum256([]byte(key))}]
	return known
}

// wait returns how long an address must wait before its next secret is checked.
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

// note counts a wrong secret. It returns how long the address must wait before the next one.
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

// makeRoom forgets addresses that have no failures left and, if that is not enough, any others.
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

// addressOf returns what failures are counted by: an IPv4 address or a 64-bit IPv6 network, which belongs to one customer. Vendors'
// machines serve many customers, so their failures are counted apart from those of API clients.
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

// tooManyFailures rejects an address that has sent too many wrong keys, before the next one is checked. Many customers may share
// the address of a proxy or an office, so keys that were correct before are still admitted and only new ones wait.
func (s *Server) tooManyFailures(c *gin.Context, kind string) bool {
	wait := s.door.failures.wait(addressOf(c, kind), time.Now())
	if wait > 0 {
		failLater(c, wait)
	}
	return wait > 0
}

// wrongSecret rejects a request for its secret. Vendors call from addresses that all of their customers share, so a correct secret
// is always admitted there, and only wrong ones are told to slow down.
func (s *Server) wrongSecret(c *gin.Context, kind, field, detail string) {
	address := addressOf(c, kind)
	before := s.door.failures.wait(address, time.Now())
	if wait := s.door.failures.note(address, time.Now()); before > 0 {
		failLater(c, wait)
		return
	} else if wait > 0 {
		s.Log.WarnContext(c, "an address is sending too many wrong secrets", "address", address, "request_id", c.GetString(requestIDKey))
	}
	fail(c, http.StatusUnauthorized, field, detail)
}

func failLater(c *gin.Context, wait time.Duration) {
	c.Header("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	fail(c, http.StatusTooManyRequests, "", "too many wrong secrets from this address: wait, then send the right one")
}
