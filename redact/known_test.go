package redact

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestNoKnownSecretComesOut: as text, in an error, in a list, quoted, and if one is the prefix of another.
func TestNoKnownSecretComesOut(t *testing.T) {
	secrets := []string{"plainword", "plainword-and-more", `with "quotes" in\it`, "<angle>&amp", "ünïcödé-geheim", "12345678"}
	Know(secrets...)
	Know("short", "")
	for _, secret := range secrets {
		for _, format := range []string{"json", "text"} {
			var b bytes.Buffer
			log := NewLogger(&b, format, "debug").With("with", secret).WithGroup("g")
			log.Info("message "+secret, "text", secret, "error", errors.New("GET "+secret), "list", []string{secret}, "struct", struct{ S string }{secret},
				"map", map[string]any{"k": secret}, "bytes", []byte("x"))
			for _, form := range []string{secret, strings.Trim(fmt.Sprintf("%q", secret), `"`)} {
				assert.NotContains(t, b.String(), form, format)
			}
			assert.Contains(t, b.String(), "message "+Hidden)
		}
		assert.Equal(t, "a "+Hidden+" b", Scrub("a "+secret+" b"))
	}
	assert.Equal(t, "a short b", Scrub("a short b"))
}

func TestSecretsBecomeKnownWhileOthersLog(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			Know(fmt.Sprintf("a-secret-of-reload-%d", i))
		}
	}()
	for range 100 {
		Scrub("a-secret-of-reload-7")
	}
	<-done
	assert.Equal(t, Hidden, Scrub("a-secret-of-reload-99"))
	assert.Equal(t, Hidden, Scrub("a-secret-of-reload-0"), "what was a secret stays one")
}
