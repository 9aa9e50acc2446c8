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
	failureRefill = 2 * time.Second // until it may send one more
	maxAddresses  = 8192            // that failures are remembered of
)

// ownNetworks are where a reverse proxy may stand whose X-Forwarded-For is believed. It is used for the limit on
// wrong secrets and for the audit log, and lets nobody in.
var ownNetworks = []string{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"}

// door holds what all requests share: how much of their bodies is in memory, and which addresses send wrong secrets.
type door struct {
	bodies   *semaphore.Weighted
	failures *failures
	refusals signin.Seldom // that are in the audit
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

// sender is an address from which a right key has come.
type sender struct {
	address string
	key     [sha256.Size]byte // its hash
}

func newFailures() *failures {
	return &failures{of: map[string]*rate.Limiter{}, right: map[sender]struct{}{}}
}

// noteRight remembers that a key that is right has come from an address.
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

// wasRight tells whether a key has come from an address and was right. It may not be any longer.
func (f *failures) wasRight(address, key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.right[sender{address, sha256.Sum256([]byte(key))}]
	return known
}

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

// tooManyFailures refuses an address that has sent too many wrong keys, before the next one is looked at. A proxy or an office may be
// the address of many customers: whoever was let in from there with a key is let in with it again, and only new ones wait.
func (s *Server) tooManyFailures(c *gin.Context, kind string) bool {
	wait := s.door.failures.wait(addressOf(c, kind), time.Now())
	if wait > 0 {
		failLater(c, wait)
	}
	return wait > 0
}

// wrongSecret refuses a request for its secret. Vendors call from addresses that they share among all their customers:
// there a right secret is always let in, and only the wrong ones are told to slow down.
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
