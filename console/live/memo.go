package live

import (
	"context"
	"sync"
	"time"
)

const mostMemos = 500

// Memo lets pages that are requested at about the same time share what was read for the first of them.
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

// NewMemo returns a Memo that keeps each value for lasts.
func NewMemo[T any](now func() time.Time, lasts time.Duration) *Memo[T] {
	return &Memo[T]{now: now, lasts: lasts, known: map[string]*remembered[T]{}}
}

// Of returns the value of a key and reads it only once in a while, no matter how many callers ask. A caller that cancels does not
// interrupt a read that others wait for.
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

// Forget makes the next call read a key again, for example after an action that it must reflect.
func (m *Memo[T]) Forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, key)
}
