package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command ends with the sign-in, and the browser still receives its page.
func TestTheBrowserIsToldOfTheSignIn(t *testing.T) {
	for range 50 {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		redirect := "http://" + free.Addr().String() + "/callback"
		require.NoError(t, free.Close())
		pages := make(chan string, 1)
		code, err := waitForCode(t.Context(), redirect, "state", strings.NewReader(""), func() {
			go func() {
				resp, err := http.Get(redirect + "?state=state&code=a-code")
				if err != nil {
					pages <- err.Error()
					return
				}
				defer resp.Body.Close()
				page, _ := io.ReadAll(resp.Body)
				pages <- string(page)
			}()
		})
		require.NoError(t, err)
		assert.Equal(t, "a-code", code)
		assert.Equal(t, "Signed in. You can close this page.\n", <-pages)
	}
}
