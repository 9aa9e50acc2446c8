//go:build integration

package chromium

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Require is the environment variable that makes a missing browser a failure.
const Require = "FRAMEBRIDGE_REQUIRE_CHROMIUM"

// path returns where the browser is. If there is none, it skips the test of what, or fails it if a browser is required.
func path(t *testing.T, what string) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv(Require) != "" {
		t.Fatal("there is no Chromium on this machine")
	}
	t.Skipf("NOT TESTED: %s in a browser: there is no Chromium on this machine (apt-get install chromium)", what)
	return ""
}

// Open starts a browser with its own profile, which ends with the test or after limit. heard is called with the browser's events.
func Open(t *testing.T, what string, limit time.Duration, heard func(event any)) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path(t, what)), chromedp.NoSandbox, chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(t.TempDir()))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(endAllocator)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	ctx, endTime := context.WithTimeout(ctx, limit)
	t.Cleanup(endTime)
	require.NoError(t, chromedp.Listen(ctx, heard))
	_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	require.NoError(t, err)
	return ctx
}

// Look sets the size of the window and the color scheme.
func Look(ctx context.Context, t *testing.T, width, height int64, scheme string) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height)))
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	require.NoError(t, err)
}

// Picture saves a screenshot of the whole page.
func Picture(ctx context.Context, t *testing.T, file string) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, png, 0o600))
}
