package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	outFor      = 15 * time.Minute // after which a credential that was taken out is retried
	mostStrikes = 3                // refusals in a row of something that the first credential may do
)

// Credential calls a vendor as one of several users or tokens, each with its own rate budgets.
type Credential struct {
	Name   string
	Client *Client
	// Send sends a call; if nil, Client does.
	Send func(context.Context, Request, any) (*http.Response, error)
	// Prove reports, before the first call, whether the credential sees what the first credential sees. It is called again before
	// the next call if its error is not a refusal.
	Prove func(context.Context) error

	mu      sync.Mutex
	proven  bool
	strikes atomic.Int64
	outTill atomic.Int64 // in nanoseconds
}

// ErrOtherAccess means that a credential does not see what the first one sees.
var ErrOtherAccess = errors.New("it does not see what the first credential sees")

func (c *Credential) send(ctx context.Context, r Request, out any) (*http.Response, error) {
	if c.Send != nil {
		return c.Send(ctx, r, out)
	}
	return c.Client.Do(ctx, r, out)
}

func (c *Credential) out(now time.Time) bool { return now.UnixNano() < c.outTill.Load() }

// Pool spreads a vendor's calls over credentials according to what is left of their limits. The first credential is the tenant's
// own and is authoritative: a call that another one is refused is repeated with it. A Pool is safe for concurrent use.
type Pool struct {
	all  []*Credential
	told atomic.Pointer[func(name string, err error)]
}

// NewPool returns a pool of one or more credentials.
func NewPool(first *Credential, more ...*Credential) *Pool {
	first.proven = true
	return &Pool{all: append([]*Credential{first}, more...)}
}

// OnTakenOut registers a function that is called when a credential is taken out of the pool for a while, with the reason.
func (p *Pool) OnTakenOut(told func(name string, err error)) { p.told.Store(&told) }

// Calls returns the number of requests sent.
func (p *Pool) Calls() (n int64) {
	for _, c := range p.all {
		n += c.Client.Calls()
	}
	return n
}

// Idle reports whether calls of an operation would keep no others waiting with at least one of the credentials.
func (p *Pool) Idle(operation string) bool {
	now := time.Now()
	for _, c := range p.all {
		if !c.out(now) && c.Client.Idle(operation) {
			return true
		}
	}
	return false
}

// Fetch is Client.Fetch, which needs no credential.
func (p *Pool) Fetch(ctx context.Context, operation, address string, most int64) ([]byte, error) {
	return p.all[0].Client.Fetch(ctx, operation, address, most)
}

// Stream is Client.Stream, which needs no credential.
func (p *Pool) Stream(ctx context.Context, operation, address string, most int64) (io.ReadCloser, error) {
	return p.all[0].Client.Stream(ctx, operation, address, most)
}

// Do sends a request with the credential that has the most room left.
func (p *Pool) Do(ctx context.Context, r Request, out any) (*http.Response, error) {
	if len(p.all) == 1 {
		return p.all[0].send(ctx, r, out)
	}
	for {
		c := p.choose(r.Operation)
		if err := p.prove(ctx, c); err != nil {
			if p.all[0].out(time.Now()) {
				return nil, err
			}
			c = p.all[0]
		}
		resp, err := c.send(ctx, r, out)
		var e *Error
		switch {
		case err == nil || !errors.As(err, &e):
			c.strikes.Store(0)
			return resp, err
		case e.Class == Unauthorized && r.Sending == nil && p.others(c):
			p.takeOut(c, err)
			continue // the call was not carried out
		case c != p.all[0] && (e.Class == Forbidden || e.Class == NotFound):
			return p.askFirst(ctx, c, r, out)
		}
		return resp, err
	}
}

// askFirst repeats with the first credential a call that another one was refused.
func (p *Pool) askFirst(ctx context.Context, c *Credential, r Request, out any) (*http.Response, error) {
	resp, err := p.all[0].send(ctx, r, out)
	if err == nil && c.strikes.Add(1) >= mostStrikes {
		p.takeOut(c, ErrOtherAccess)
	}
	return resp, err
}

func (p *Pool) choose(operation string) *Credential {
	now := time.Now()
	best, most := p.all[0], 0.0
	for i, c := range p.all {
		if c.out(now) {
			continue
		}
		if room := c.Client.room(operation); i == 0 || best.out(now) || room > most {
			best, most = c, room
		}
	}
	return best
}

// others reports whether any other credential can be used.
func (p *Pool) others(than *Credential) bool {
	now := time.Now()
	for _, c := range p.all {
		if c != than && !c.out(now) {
			return true
		}
	}
	return false
}

func (p *Pool) takeOut(c *Credential, err error) {
	now := time.Now()
	if till := c.outTill.Load(); now.UnixNano() < till || !c.outTill.CompareAndSwap(till, now.Add(outFor).UnixNano()) {
		return // already reported
	}
	c.strikes.Store(0)
	if told := p.told.Load(); told != nil {
		(*told)(c.Name, err)
	}
}

// prove finds out, before its first call, whether a credential may be used.
func (p *Pool) prove(ctx context.Context, c *Credential) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.proven || c.Prove == nil {
		return nil
	}
	err := c.Prove(ctx)
	if c.proven = err == nil; c.proven {
		return nil
	}
	switch class := ClassOf(err); {
	case errors.Is(err, ErrOtherAccess), class == Unauthorized, class == Forbidden, class == NotFound:
		p.takeOut(c, err)
	}
	return err
}
