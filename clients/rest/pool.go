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
	outFor      = 15 * time.Minute // a credential that was taken out is tried again after
	mostStrikes = 3                // refusals in a row of what the first credential may
)

// Credential calls a vendor as one of several users or tokens, with rate budgets of its own.
type Credential struct {
	Name   string
	Client *Client
	// Send sends a call; nil: the client does.
	Send func(context.Context, Request, any) (*http.Response, error)
	// Prove says, before the first call, whether the credential sees what the first one sees. An error that is not a refusal is
	// asked for again at the next call.
	Prove func(context.Context) error

	mu      sync.Mutex
	proven  bool
	strikes atomic.Int64
	outTill atomic.Int64 // in nanoseconds
}

// ErrOtherAccess says that a credential does not see what the first one sees.
var ErrOtherAccess = errors.New("it does not see what the first credential sees")

func (c *Credential) send(ctx context.Context, r Request, out any) (*http.Response, error) {
	if c.Send != nil {
		return c.Send(ctx, r, out)
	}
	return c.Client.Do(ctx, r, out)
}

func (c *Credential) out(now time.Time) bool { return now.UnixNano() < c.outTill.Load() }

// Pool spreads a vendor's calls over credentials by what is left of their limits. The first is the tenant's own, whose answers
// hold: what another is refused is asked for with it again. It is safe for concurrent use.
type Pool struct {
	all  []*Credential
	told atomic.Pointer[func(name string, err error)]
}

// NewPool makes a pool; more may be none.
func NewPool(first *Credential, more ...*Credential) *Pool {
	first.proven = true
	return &Pool{all: append([]*Credential{first}, more...)}
}

// OnTakenOut is told of each credential that is taken out of the pool for a while, and why.
func (p *Pool) OnTakenOut(told func(name string, err error)) { p.told.Store(&told) }

// Calls counts the requests sent so far.
func (p *Pool) Calls() (n int64) {
	for _, c := range p.all {
		n += c.Client.Calls()
	}
	return n
}

// Idle says that calls of an operation keep no others waiting, with one of the credentials.
func (p *Pool) Idle(operation string) bool {
	now := time.Now()
	for _, c := range p.all {
		if !c.out(now) && c.Client.Idle(operation) {
			return true
		}
	}
	return false
}

// Fetch is the client's: it needs no credential.
func (p *Pool) Fetch(ctx context.Context, operation, address string, most int64) ([]byte, error) {
	return p.all[0].Client.Fetch(ctx, operation, address, most)
}

// Stream is the client's: it needs no credential.
func (p *Pool) Stream(ctx context.Context, operation, address string, most int64) (io.ReadCloser, error) {
	return p.all[0].Client.Stream(ctx, operation, address, most)
}

// Do sends a request with the credential that has most room left.
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
			continue // it was not carried out
		case c != p.all[0] && (e.Class == Forbidden || e.Class == NotFound):
			return p.askFirst(ctx, c, r, out)
		}
		return resp, err
	}
}

// askFirst has the first credential answer what another was refused.
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

// others says that a credential beside this one can be used.
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
		return // told already
	}
	c.strikes.Store(0)
	if told := p.told.Load(); told != nil {
		(*told)(c.Name, err)
	}
}

// prove finds out at its first use whether a credential may be used.
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
