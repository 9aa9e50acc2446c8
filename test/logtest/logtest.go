// Package logtest keeps what is logged, also by a server that a test is talking to.
package logtest

import (
	"strings"
	"sync"
)

// Text is a log that may be read while it is written.
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

// String is all that was logged so far. A server logs a request after it has answered it.
func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
