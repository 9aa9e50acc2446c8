package live

import (
	"context"
	"sync"
	"time"
)

const mostMemos = 500

// Memo lets many pages of one moment share what was read for the first of them.
type Memo[T any] struct {
	now   func() time.Time
	lasts time.Duration

	mu    sync.Mutex
	known map[string]*remembered[T]
}

type remembered[T any] struct {
	once  sync.Once
	at    time.Time
	value T
	err   error
}

// NewMemo remembers each value so long.
func NewMemo[T any](now func() time.Time, lasts time.Duration) *Memo[T] {
	return &Memo[T]{now: now, lasts: lasts, known: map[string]*remembered[T]{}}
}

// Of reads once in a while, however many ask. Who hangs up does not break off what others wait for.
func (m *Memo[T]) Of(ctx context.Context, key string, read func(context.Context) (T, error)) (T, error) {
	m.mu.Lock()
	have, ok := m.known[key]
	if !ok || m.now().Sub(have.at) >= m.lasts || have.at.After(m.now()) {
		if len(m.known) >= mostMemos {
			clear(m.known)
		}
		have = &remembered[T]{at: m.now()}
		m.known[key] = have
	}
	m.mu.Unlock()
	have.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pollPatience)
		defer cancel()
		have.value, have.err = read(ctx)
	})
	if have.err != nil {
		m.Forget(key)
	}
	return have.value, have.err
}

// Forget has a key read anew: something was done that it must show.
func (m *Memo[T]) Forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, key)
}
