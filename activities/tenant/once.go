package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// StoreLag is how long after a write whose answer was lost iconik may omit the object from lists that it serves from its store.
const StoreLag = 2 * time.Second

// Creation describes an object to create in iconik exactly once, although iconik has no idempotency keys. The ledger holds the
// intent before the POST and the ID after it. An intent without an ID is looked for before it is retried.
type Creation struct {
	Kind     ledger.LinkKind
	SourceID string
	Parent   string // the iconik object that will hold it
	Hash     string // of the content
	// Find returns the ID of what an earlier attempt has created, or "" for nothing.
	Find func(context.Context) (string, error)
	// IndexLag is how long Find may miss a fresh object.
	IndexLag time.Duration
	// FindFirst looks in iconik even if the ledger knows of no attempt, for objects that others may have created.
	FindFirst bool
	// Shared means that several archives or reviews on different workers may want to create the object. All but one of them
	// wait. It also looks first.
	Shared bool
	Make   func(context.Context) (string, error)
	// Discard, if set, removes what Make has created if another attempt was faster.
	Discard func(context.Context, string) error
	// Owner is the archive or review that the object is for. BeforeWrite, if set, is called before the first write.
	Owner       string
	BeforeWrite func(context.Context) error
}

// CreateOnce returns the object's ID and whether this call created it.
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
	// The other side may miss the object for as long after each attempt, and an attempt may have waited for its turn.
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
		// The answer was lost. Looking right away saves another attempt of the whole activity.
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
			// Certainly not created: the next attempt need not look for it.
			if ferr := t.Ledger.Cancel(ctx, c.Kind, c.SourceID); ferr != nil {
				return "", false, ferr
			}
		}
		return "", false, err
	}
	// Record it even if the attempt was canceled: the client waits for a write that is in flight.
	holds, err := t.Ledger.Claim(context.WithoutCancel(ctx), c.Kind, c.SourceID, id, c.Hash)
	if err != nil || holds == id {
		return id, true, err
	}
	// An attempt that was presumed dead has created another one, which everything else refers to.
	t.Log.WarnContext(ctx, "two attempts created the same object", "kind", c.Kind, "source", c.SourceID, "stays", holds, "left", id)
	if c.Discard != nil {
		if err := c.Discard(context.WithoutCancel(ctx), id); err != nil {
			return "", false, err
		}
	}
	return holds, false, nil
}

// UntiedVersion returns the ID of the first of an asset's versions that no link in the ledger refers to, or "" if there is
// none. It skips deleted versions, whose content nobody could see.
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

// awaitFound calls find until something is found, or until the other side must show everything created before.
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
