// Package logtest keeps what is logged, including by a server that a test is talking to.
package logtest

import (
	"strings"
	"sync"
)

// Text is a log that can be read while it is written.
type Text struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write adds to the log.
func (t *Text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// String returns everything logged so far. A server logs a request after it has answered.
func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
