package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// StoreLag is how long after a write whose answer was lost iconik may not show it in lists that it serves from its store.
const StoreLag = 2 * time.Second

// Creation is an object to be made in iconik exactly once, although iconik has no idempotency keys: the ledger holds
// the intent before the POST and the id after it, and an intent without an id is looked for before it is tried again.
type Creation struct {
	Kind     ledger.LinkKind
	SourceID string
	Parent   string // the iconik object that will hold it
	Hash     string // of the content
	// Find finds what a former attempt has made; "" for nothing.
	Find func(context.Context) (string, error)
	// IndexLag is how long Find may be blind for a fresh object.
	IndexLag time.Duration
	// FindFirst asks iconik although the ledger knows no attempt: for objects that others may have made.
	FindFirst bool
	// Shared: several archives or reviews may want it first, on different workers, and each but one waits. It is looked for first, too.
	Shared bool
	Make   func(context.Context) (string, error)
	// Discard, where set, takes back what Make has made when another attempt was faster.
	Discard func(context.Context, string) error
	// Owner is the archive or review that it is made for; BeforeWrite, where set, is told before the first write.
	Owner       string
	BeforeWrite func(context.Context) error
}

// CreateOnce returns the object's id and whether this call made it.
func (t *Tenant) CreateOnce(ctx context.Context, c Creation) (id string, made bool, err error) {
	if !c.Shared {
		return t.createOnce(ctx, c)
	}
	if link, known, err := t.Ledger.Link(ctx, c.Kind, c.SourceID); err != nil || known && link.TargetID != "" {
		return link.TargetID, false, err
	}
	err = t.Ledger.Alone(ctx, string(c.Kind)+" "+c.SourceID, func(ctx context.Context) (err error) {
		id, made, err = t.createOnce(ctx, c)
		return err
	})
	return id, made, err
}

func (t *Tenant) createOnce(ctx context.Context, c Creation) (id string, made bool, err error) {
	link, isNew, err := t.Ledger.Intend(ctx, ledger.Link{Kind: c.Kind, SourceID: c.SourceID, Archive: c.Owner, Parent: c.Parent, IntendedAt: time.Now(), Hash: c.Hash})
	if err != nil {
		return "", false, err
	}
	if link.TargetID != "" {
		return link.TargetID, false, nil
	}
	if c.Find != nil && (!isNew || c.FindFirst || c.Shared) {
		until := link.IntendedAt.Add(c.IndexLag)
		if isNew {
			until = time.Now()
		}
		id, err = awaitFound(ctx, until, c.Find)
		if err != nil {
			return "", false, err
		}
		if id != "" {
			id, err = t.Ledger.Claim(ctx, c.Kind, c.SourceID, id, c.Hash)
			return id, false, err
		}
	}
	if c.BeforeWrite != nil {
		if err := c.BeforeWrite(ctx); err != nil {
			return "", false, err
		}
	}
	// The other side may be blind for as long again after each attempt, and an attempt may have waited for its turn.
	attempt := func(again bool) (string, error) {
		if again {
			if err := t.Ledger.IntendAgain(ctx, c.Kind, c.SourceID, time.Now()); err != nil {
				return "", err
			}
		}
		id, err := c.Make(ctx)
		if rest.IsUncertain(err) {
			err = errors.Join(err, t.Ledger.IntendAgain(context.WithoutCancel(ctx), c.Kind, c.SourceID, time.Now()))
		}
		return id, err
	}
	id, err = attempt(!isNew)
	if rest.IsUncertain(err) && ctx.Err() == nil && c.Find != nil {
		// The answer was lost. Looking at once spares the whole activity another attempt.
		found, lerr := awaitFound(ctx, time.Now().Add(c.IndexLag), c.Find)
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
			if ferr := t.Ledger.Cancel(ctx, c.Kind, c.SourceID); ferr != nil {
				return "", false, ferr
			}
		}
		return "", false, err
	}
	// Written down also where the attempt was canceled meanwhile: the client waits for a write that is on its way.
	holds, err := t.Ledger.Claim(context.WithoutCancel(ctx), c.Kind, c.SourceID, id, c.Hash)
	if err != nil || holds == id {
		return id, true, err
	}
	// An attempt that was given up for dead has made another one, which the rest is built on.
	t.Log.WarnContext(ctx, "two attempts created the same object", "kind", c.Kind, "source", c.SourceID, "stays", holds, "left", id)
	if c.Discard != nil {
		if err := c.Discard(context.WithoutCancel(ctx), id); err != nil {
			return "", false, err
		}
	}
	return holds, false, nil
}

// UntiedVersion is the first of an asset's versions that the ledger ties to nothing; "" where each is tied. What was put in a deleted one
// would be nowhere to be seen.
func (t *Tenant) UntiedVersion(ctx context.Context, versions []iconik.Version) (string, error) {
	for _, v := range versions {
		if v.Deleted() {
			continue
		}
		if _, tied, err := t.Ledger.LinkByTarget(ctx, ledger.LinkVersion, v.ID); err != nil || !tied {
			return v.ID, err
		}
	}
	return "", nil
}

// awaitFound looks until something is found or the other side must show everything made before.
func awaitFound(ctx context.Context, until time.Time, find func(context.Context) (string, error)) (string, error) {
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 4*time.Second) {
		last := time.Now().After(until)
		id, err := find(ctx)
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
