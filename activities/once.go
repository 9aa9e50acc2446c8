package activities

import (
	"context"
	"errors"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// How long after a write whose answer was lost the other side may still not show it.
const storeSettle = 2 * time.Second // lists that iconik serves from its store

// creation is an object to be made in iconik exactly once, although iconik has no idempotency keys: the ledger holds
// the intent before the POST and the id after it, and an intent without an id is looked for before it is tried again.
type creation struct {
	kind     ledger.LinkKind
	sourceID string
	parent   string // the iconik object that will hold it
	hash     string // of the content
	// look finds what a former attempt has made; "" for nothing.
	look func(context.Context) (string, error)
	// settle is how long look may be blind for a fresh object.
	settle time.Duration
	// lookFirst asks iconik although the ledger knows no attempt: for objects that others may have made.
	lookFirst bool
	make      func(context.Context) (string, error)
	// discard, where set, takes back what make has made when another attempt was faster.
	discard func(context.Context, string) error
	// owner is the archive or review that it is made for; wrote, where set, is told before the first write.
	owner string
	wrote func(context.Context) error
}

// once is makeOnce for this archive.
func (a *archive) once(ctx context.Context, c creation) (id string, made bool, err error) {
	c.owner, c.wrote = a.ref.Archive, a.wrote
	return a.makeOnce(ctx, c)
}

// makeOnce returns the object's id and whether this call made it.
func (t *tenant) makeOnce(ctx context.Context, c creation) (id string, made bool, err error) {
	link, isNew, err := t.Ledger.Intend(ctx, t.cfg.ID, ledger.Link{Kind: c.kind, SourceID: c.sourceID, Archive: c.owner, Parent: c.parent, IntendedAt: time.Now(), Hash: c.hash})
	if err != nil {
		return "", false, err
	}
	if link.TargetID != "" {
		return link.TargetID, false, nil
	}
	if c.look != nil && (!isNew || c.lookFirst) {
		until := link.IntendedAt.Add(c.settle)
		if isNew {
			until = time.Now()
		}
		id, err = settleLook(ctx, until, c.look)
		if err != nil {
			return "", false, err
		}
		if id != "" {
			id, err = t.Ledger.Claim(ctx, t.cfg.ID, c.kind, c.sourceID, id, c.hash)
			return id, false, err
		}
	}
	if c.wrote != nil {
		if err := c.wrote(ctx); err != nil {
			return "", false, err
		}
	}
	// The other side may be blind for as long again after each attempt, and an attempt may have waited for its turn.
	attempt := func(again bool) (string, error) {
		if again {
			if err := t.Ledger.IntendAgain(ctx, t.cfg.ID, c.kind, c.sourceID, time.Now()); err != nil {
				return "", err
			}
		}
		id, err := c.make(ctx)
		if rest.IsUncertain(err) {
			err = errors.Join(err, t.Ledger.IntendAgain(context.WithoutCancel(ctx), t.cfg.ID, c.kind, c.sourceID, time.Now()))
		}
		return id, err
	}
	id, err = attempt(!isNew)
	if rest.IsUncertain(err) && ctx.Err() == nil && c.look != nil {
		// The answer was lost. Looking at once spares the whole activity another attempt.
		found, lerr := settleLook(ctx, time.Now().Add(c.settle), c.look)
		switch {
		case lerr != nil:
			return "", false, errors.Join(err, lerr)
		case found != "":
			id, err = found, nil
		default:
			id, err = attempt(true)
		}
	}
	if err != nil {
		if !rest.IsUncertain(err) && ctx.Err() == nil {
			// Certainly not made: the next attempt need not look for it.
			if ferr := t.Ledger.GiveUp(ctx, t.cfg.ID, c.kind, c.sourceID); ferr != nil {
				return "", false, ferr
			}
		}
		return "", false, err
	}
	holds, err := t.Ledger.Claim(ctx, t.cfg.ID, c.kind, c.sourceID, id, c.hash)
	if err != nil || holds == id {
		return id, true, err
	}
	// An attempt that was given up for dead has made another one, which the rest is built on.
	t.Log.WarnContext(ctx, "made twice by two attempts", "kind", c.kind, "source", c.sourceID, "stays", holds, "left", id)
	if c.discard != nil {
		if err := c.discard(ctx, id); err != nil {
			return "", false, err
		}
	}
	return holds, false, nil
}

// settleLook looks until something is found or the other side must show everything made before.
func settleLook(ctx context.Context, until time.Time, look func(context.Context) (string, error)) (string, error) {
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 4*time.Second) {
		last := time.Now().After(until)
		id, err := look(ctx)
		if err != nil || id != "" || last {
			return id, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(wait):
		}
	}
}
