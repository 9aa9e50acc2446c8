//go:build integration

package console

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// seenAs returns the size of each picture on a page, by its URL, or "" if it is not visible.
const seenAs = `(async () => { const out = {}; for (const e of document.images) { e.scrollIntoView(); e.loading = 'eager'; await e.decode().catch(() => {});
	const b = e.getBoundingClientRect(); out[e.getAttribute('src')] = b.width * b.height ? Math.round(b.width) + 'x' + Math.round(b.height) : ''; } scrollTo(0, 0); return out; })()`

// The report shows pictures in the console. If there is none, and in a saved copy, nothing looks broken.
func TestTheReportInABrowser(t *testing.T) {
	b := openBrowser(t)
	h := serve(t, config.RoleViewer)
	picture := image.NewRGBA(image.Rect(0, 0, 320, 180))
	for i := range 320 * 180 {
		picture.Set(i%320, i/320, color.RGBA{uint8(i % 320 / 2), uint8(i / 320), 160, 255})
	}
	var poster bytes.Buffer
	require.NoError(t, png.Encode(&poster, picture))
	h.actions.poster = poster.Bytes()
	h.archive(t, "p", func(a *ledger.Archive) {
		a.Name, a.Status, a.StartedAt, a.FinishedAt = "Harbour Lights", ledger.VerifiedWithExceptions, today, today
	})
	items := []ledger.Item{{SourceID: "f1", Path: "02 Edit/Trailer v3 FINAL with a name that is longer than a phone is wide.mov", Size: 5 << 30, Checksum: "0123456789abcdef", AssetID: "as-1", VersionID: "ve-1"},
		{SourceID: "f2", Path: "notes.txt", Size: 5, Checksum: "0123456789abcdef", AssetID: "as-2", VersionID: "ve-2"}}
	for i := range items {
		items[i].State, items[i].Rendition = ledger.ItemVerified, "original"
	}
	h.items(t, "p", items...)
	address := h.server.URL + "/ui/" + acme + "/archives/p/report.html"
	_, saved := h.get(t, address[len(h.server.URL):])
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, []byte(saved), 0o600))
	for _, width := range []int64{390, 1280} {
		for from, want := range map[string]map[string]string{address: {"thumbs/f1": "96x54", "thumbs/f2": ""}, "file://" + file: {"thumbs/f1": "", "thumbs/f2": ""}} {
			b.look(width, 800, "light")
			b.do(chromedp.Navigate(from), chromedp.WaitReady("main"))
			got, err := chromedp.Run(b.ctx, chromedp.Evaluate[map[string]string](seenAs, chromedp.EvalAwaitPromise))
			require.NoError(t, err)
			assert.Equal(t, want, got, "%s at %d px", from, width)
			assert.Empty(t, evaluate[[]string](b, tooWide), "%s at %d px", from, width)
			if dir := os.Getenv("FRAMEBRIDGE_PICTURES"); dir != "" {
				b.picture(filepath.Join(dir, fmt.Sprintf("report-%d-%d.png", width, len(from))))
			}
		}
	}
}
