//go:build integration

package signin

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/test/chromium"
)

// TestSignInInABrowser signs in with a real Chromium, whose cookies, origins and policies no test client has. If
// FRAMEBRIDGE_PICTURES is set to a folder, it stores pictures there.
func TestSignInInABrowser(t *testing.T) {
	h := newHarness(t)
	h.realProvider()
	var mu sync.Mutex
	var said []string
	ctx := chromium.Open(t, "the sign-in", 3*time.Minute, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && !strings.HasSuffix(e.Entry.URL, "/favicon.ico") { // from pages that are not ours
			mu.Lock()
			defer mu.Unlock()
			said = append(said, e.Entry.Text)
		}
	})
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, steps...))
	}
	evaluated := func(script string) string {
		t.Helper()
		out, err := chromedp.Run(ctx, chromedp.Evaluate[string](script))
		require.NoError(t, err)
		return out
	}
	looked := func(name string) {
		t.Helper()
		for _, width := range []int64{360, 768, 1440} {
			for _, scheme := range []string{"light", "dark"} {
				chromium.Look(ctx, t, width, 900, scheme)
				assert.Equal(t, "fits", evaluated(`document.documentElement.scrollWidth <= document.documentElement.clientWidth ? "fits" : "is wider than the window"`), "%s at %d", name, width)
				if folder := os.Getenv("FRAMEBRIDGE_PICTURES"); folder != "" && (width == 360 || scheme == "dark") {
					chromium.Picture(ctx, t, filepath.Join(folder, name+"-"+scheme+".png"))
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		assert.Empty(t, said, "%s: the browser complains", name)
		said = nil
	}

	link := h.url + h.linkTo(config.RoleEditor, 0)
	do(chromedp.Navigate(link))
	looked("sign-in")
	do(chromedp.Click("a.button"))
	do(chromedp.WaitVisible(`input[name="username"]`), chromedp.SendKeys(`input[name="username"]`, "edith"), chromedp.SendKeys(`input[name="password"]`, "verysecure\r"))
	do(chromedp.WaitVisible(".files"))
	assert.Equal(t, link, evaluated("location.href"), "she is where she wanted to go")
	looked("link")

	address, err := OneTimeLink(t.Context(), h.cfg, h.book, "ada", map[string]config.Role{acme: config.RoleAdmin}, h.time())
	require.NoError(t, err)
	do(chromedp.Navigate(address))
	looked("once")
	do(chromedp.Click("button"), chromedp.WaitVisible("pre"))
	assert.Contains(t, evaluated("document.body.textContent"), "ada console")
	do(chromedp.Navigate(h.url+"/ui/people"), chromedp.WaitVisible("section"))
	looked("people")
	do(chromedp.Click(`input[value^="oidc:"] ~ button`), chromedp.WaitVisible(".note"))
	assert.Contains(t, evaluated(`document.querySelector(".note").textContent`), "Edith Cutter was signed out everywhere")
}
