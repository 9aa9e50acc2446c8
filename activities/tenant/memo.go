package tenant

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Memo caches values by key. Concurrent callers for the same key share one call, and no caller waits for another key.
type Memo[T any] struct {
	Lasts time.Duration // 0 means the lifetime of the process
	calls singleflight.Group
	found sync.Map // key → found[T]
}

type found[T any] struct {
	value T
	at    time.Time
}

// Get returns the cached value, or what find returns. A caller whose context ends does not cancel the call for the others.
func (m *Memo[T]) Get(ctx context.Context, key string, find func(context.Context) (T, error)) (T, error) {
	if v, ok := m.known(key); ok {
		return v, nil
	}
	var none T
	call := m.calls.DoChan(key, func() (any, error) {
		v, err := find(context.WithoutCancel(ctx))
		if err == nil {
			m.found.Store(key, found[T]{v, time.Now()})
		}
		return v, err
	})
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case r := <-call:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	}
}

// Forget makes the next caller look the value up again.
func (m *Memo[T]) Forget(key string) { m.found.Delete(key) }

func (m *Memo[T]) known(key string) (T, bool) {
	v, ok := m.found.Load(key)
	if !ok {
		var none T
		return none, false
	}
	f := v.(found[T])
	return f.value, m.Lasts == 0 || time.Since(f.at) < m.Lasts
}
