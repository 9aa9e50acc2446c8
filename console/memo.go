package console

import (
	"context"
	"sync"
	"time"
)

const (
	memoLasts = time.Second
	mostMemos = 500
)

// memo lets many pages of one moment share what was read for the first of them.
type memo[T any] struct {
	now func() time.Time

	mu    sync.Mutex
	known map[string]*remembered[T]
}

type remembered[T any] struct {
	once  sync.Once
	at    time.Time
	value T
	err   error
}

func newMemo[T any](now func() time.Time) *memo[T] {
	return &memo[T]{now: now, known: map[string]*remembered[T]{}}
}

// of reads once in a while, however many ask. Who hangs up does not break off what others wait for.
func (m *memo[T]) of(ctx context.Context, key string, read func(context.Context) (T, error)) (T, error) {
	m.mu.Lock()
	have, ok := m.known[key]
	if !ok || m.now().Sub(have.at) >= memoLasts || have.at.After(m.now()) {
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
		m.forget(key)
	}
	return have.value, have.err
}

// forget has a key read anew: something was done that it must show.
func (m *memo[T]) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, key)
}
