package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// inOrder returns the stored parts in order.
func (r *run) inOrder() []Receipt {
	parts := make([]Receipt, 0, len(r.receipts))
	for _, p := range r.receipts {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(x, y Receipt) int { return x.Number - y.Number })
	return parts
}

// settled looks for the whole file when its upload is gone. While nobody can say whether it is there, it does not give up on
// the upload: that would discard the file's record and send every part again.
func (r *run) settled(ctx context.Context, size int64) error {
	done, err := r.job.Sink.Done(ctx, size)
	var classed interface{ Retryable() bool }
	switch {
	case err == nil && done:
		return nil
	case err == nil, errors.As(err, &classed) && !classed.Retryable():
		return errors.Join(ErrUploadGone, err)
	}
	return fmt.Errorf("looking for the whole file, whose upload has ended: %w", err)
}

// restore puts only the parts that the store has lost. It returns ErrUploadGone if it cannot tell which ones those are.
func (r *run) restore(ctx context.Context) error {
	listed, err := r.job.Sink.Listed(ctx)
	switch {
	case errors.Is(err, ErrCannotList), err == nil && (!r.job.Source.Ranges() || r.job.Size < 0):
		return ErrUploadGone
	case errors.Is(err, ErrUploadGone):
		return r.settled(ctx, r.bytes)
	case err != nil:
		return err
	}
	have := map[int]Receipt{}
	for _, p := range listed {
		have[p.Number] = p
	}
	lost := false
	for _, p := range r.inOrder() {
		if h, ok := have[p.Number]; ok && h.Size == p.Size && (h.ETag == "" || h.ETag == p.ETag) {
			continue
		}
		lost = true
		r.mu.Lock()
		delete(r.receipts, p.Number)
		delete(r.listed, p.Number)
		r.bytes -= p.Size
		r.mu.Unlock()
		if err := r.e.memory.Acquire(ctx, r.lasts); err != nil {
			return err
		}
		err := r.part(ctx, p.Number)
		r.e.memory.Release(r.lasts)
		if err != nil {
			return err
		}
	}
	if !lost {
		return ErrUploadGone
	}
	return nil
}
