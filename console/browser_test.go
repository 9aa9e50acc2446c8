//go:build integration

package console

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/chromium"
)

type browser struct {
	t        *testing.T
	ctx      context.Context
	mu       sync.Mutex
	problems []string // reported in the browser's console
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	b := &browser{t: t}
	b.ctx = chromium.Open(t, "the console", 8*time.Minute, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.problems = append(b.problems, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if level := string(e.Entry.Level); level == "error" || level == "warning" {
				b.problems = append(b.problems, e.Entry.Text+" "+e.Entry.URL)
			}
		}
	})
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

// evaluate returns the result of a script in the page.
func evaluate[T any](b *browser, script string) T {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	require.NoError(b.t, err)
	return out
}

func (b *browser) look(width, height int64, scheme string) {
	b.t.Helper()
	chromium.Look(b.ctx, b.t, width, height, scheme)
}

func (b *browser) picture(path string) {
	b.t.Helper()
	chromium.Picture(b.ctx, b.t, path)
}

// said returns the browser's complaints since the last call. They include pages that respond with an error on purpose.
func (b *browser) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.problems
	b.problems = nil
	return slices.DeleteFunc(out, func(s string) bool { return strings.Contains(s, "the server responded with a status of 4") })
}

// axeCore is the source of https://github.com/dequelabs/axe-core, in the file that FRAMEBRIDGE_AXE names: npm pack axe-core,
// axe.min.js. Without it, only the rules in this file apply.
func axeCore(t *testing.T) string {
	t.Helper()
	path := os.Getenv("FRAMEBRIDGE_AXE")
	if path == "" {
		t.Log("NOT TESTED: axe-core, because FRAMEBRIDGE_AXE names no file")
		return ""
	}
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}

// axe returns what axe-core, which must be loaded in the page, finds.
func (b *browser) axe() []string {
	b.t.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`axe.run(document).then(r => r.violations.map(v => v.id + ': ' + v.help + ' ' + v.nodes.slice(0, 2).map(n => n.html.slice(0, 100)).join(' | ')))`, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err)
	return found
}

// tooWide finds the elements that stick out of the page.
const tooWide = `(() => { const w = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= w) return [];
	return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > w + 1).slice(0, 5).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 40)); })()`

// unreachable finds the controls that the tab key cannot reach, or that have no name.
const unreachable = `[...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,summary')].filter(e => e.offsetParent !== null || e.getClientRects().length).filter(e => e.tabIndex < 0 || e.disabled ||
	!(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length))).map(e => e.outerHTML.slice(0, 80))`

// small finds the buttons and navigation links that are too small for a finger.
const small = `[...document.querySelectorAll('button:not(.plain),.button,header nav a')].filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 40).map(e => e.outerHTML.slice(0, 80))`

// faint finds the texts whose contrast with their background is below WCAG's 4.5.
const faint = `(() => { const lum = c => { const f = c.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126*f[0] + 0.7152*f[1] + 0.0722*f[2]; };
	const rgb = s => { const m = s.match(/[\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m.slice(0, 3); };
	const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c) return c; } return [255, 255, 255]; };
	const out = []; const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) { const e = walk.currentNode.parentElement; if (!walk.currentNode.textContent.trim() || !e.getClientRects().length || e.closest('.skip,script,[hidden]')) continue;
		const a = lum(rgb(getComputedStyle(e).color)), b = lum(behind(e)); const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) out.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + walk.currentNode.textContent.trim().slice(0, 30)); }
	return [...new Set(out)].slice(0, 5); })()`

// structure checks what a screen reader needs from a page.
const structure = `(() => { const out = []; const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
	if (new Set(ids).size !== ids.length) out.push('ids are not unique: ' + ids.filter((id, i) => ids.indexOf(id) !== i));
	if (document.querySelectorAll('h1').length !== 1) out.push('h1: ' + document.querySelectorAll('h1').length);
	let last = 0; for (const h of document.querySelectorAll('h1,h2,h3,h4')) { const n = Number(h.tagName[1]); if (n > last + 1) out.push('a heading is skipped before ' + h.textContent); last = n; }
	for (const e of document.querySelectorAll('[aria-labelledby]')) if (!document.getElementById(e.getAttribute('aria-labelledby'))) out.push('no label ' + e.getAttribute('aria-labelledby'));
	for (const e of document.querySelectorAll('input:not([type=hidden]),select')) if (!e.labels.length && !e.getAttribute('aria-label')) out.push('an input has no label: ' + e.name);
	for (const e of document.querySelectorAll('th:not([scope])')) out.push('a heading of a table has no scope');
	for (const e of document.querySelectorAll('img:not([alt])')) out.push('an image has no text');
	if (!document.documentElement.lang || !document.title || !document.querySelector('main')) out.push('language, title or main is missing');
	return out; })()`

// rules are all the rules, by what breaks them.
const rules = `({'scrolls sideways': ` + tooWide + `, 'not for the keyboard': ` + unreachable + `, 'too small for a finger': ` + small + `, 'too faint': ` + faint + `, 'not for a screen reader': ` + structure + `})`

// looks are the windows that each page must fit, the narrowest first.
var looks = []struct {
	width, height int64
	scheme        string
}{{360, 740, "light"}, {360, 740, "dark"}, {768, 1024, "dark"}, {768, 1024, "light"}, {1440, 900, "light"}, {1440, 900, "dark"}}

func TestEveryPageInABrowser(t *testing.T) {
	b := openBrowser(t)
	h := filled(t, config.RoleAdmin)
	for i := range 120 { // a queue of thousands is as long as one page of it
		h.archive(t, fmt.Sprintf("more-%03d", i), func(a *ledger.Archive) {
			a.Status, a.Reason, a.FinishedAt = ledger.Verified, "All 12 files are verified.", today
		})
	}
	h.planned(t)
	axe := axeCore(t)
	pictures := os.Getenv("FRAMEBRIDGE_PICTURES") // a folder in which to store a picture of each page
	for i, path := range pagePaths {
		if !strings.HasPrefix(path, "/") {
			path = "/ui/" + acme + "/" + path
		}
		b.look(looks[0].width, looks[0].height, looks[0].scheme)
		b.do(chromedp.Navigate(h.server.URL+path), chromedp.WaitReady("main"))
		if axe != "" {
			evaluate[chromedp.Void](b, axe)
		}
		for _, look := range looks {
			where := fmt.Sprintf("%s at %d px, %s", path, look.width, look.scheme)
			b.look(look.width, look.height, look.scheme)
			for rule, broken := range evaluate[map[string][]string](b, rules) {
				assert.Empty(t, broken, "%s: %s", rule, where)
			}
			if axe != "" {
				assert.Empty(t, b.axe(), "axe finds: %s", where)
			}
			if pictures != "" {
				b.picture(filepath.Join(pictures, fmt.Sprintf("%02d-%d-%s.png", i, look.width, look.scheme)))
			}
		}
		assert.Empty(t, b.said(), "the browser complains: %s", path)
	}
}

// TestTheKeyboardAloneIsEnough goes from the list to the end of an archive without a mouse.
func TestTheKeyboardAloneIsEnough(t *testing.T) {
	b := openBrowser(t)
	h := filled(t, config.RoleOperator)
	const focused = `(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || document.activeElement.Name || '').trim()`
	// tabTo presses the tab key until a control has the focus.
	tabTo := func(want string) {
		for range 150 {
			b.do(chromedp.KeyEvent(kb.Tab))
			if strings.Contains(evaluate[string](b, focused), want) {
				return
			}
		}
		t.Fatalf("the tab key does not reach %q", want)
	}
	// enter presses a button or follows a link, and waits for the next page.
	enter := func(asked string) {
		evaluate[string](b, `document.body.dataset.before = 'yes'`)
		b.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitReady("body:not([data-before]) main"))
		if asked != "" {
			h.actions.mu.Lock()
			defer h.actions.mu.Unlock()
			require.Contains(t, h.actions.asked, asked)
		}
	}
	b.do(chromedp.Navigate(h.server.URL + "/ui/"))
	tabTo("Up: Project queued-2")
	enter("move queued-2 1")
	tabTo("Harbour Lights")
	enter("")
	tabTo("Retry")
	enter("")
	tabTo("Retry the archive")
	enter("retry ended")
	assert.Empty(t, b.said())
}

// TestAnOpenPageCatchesUp changes what a page shows while it is open.
func TestAnOpenPageCatchesUp(t *testing.T) {
	b := openBrowser(t)
	h := filled(t, config.RoleOperator)
	b.do(chromedp.Navigate(h.server.URL+"/ui/"+acme+"/archives"), chromedp.WaitVisible(`[data-live="running.files"]`))
	_, err := h.ledger.Tenant(acme).Archive("running").Update(t.Context(), func(a *ledger.Archive) { a.Name, a.Status = "Renamed meanwhile", ledger.Verifying })
	require.NoError(t, err)
	_, err = chromedp.Run(b.ctx, chromedp.Poll[bool](`document.querySelector('#under-way').textContent.includes('Renamed meanwhile') && document.querySelector('#under-way').textContent.includes('Verifying')`, chromedp.WithPollingTimeout(15*time.Second)))
	require.NoError(t, err)
	assert.Empty(t, b.said())
}

// TestAPageThatCouldNotBeReadIsReadAgain changes nothing else, so that no message follows the one whose page failed to load.
func TestAPageThatCouldNotBeReadIsReadAgain(t *testing.T) {
	b := openBrowser(t)
	h := filled(t, config.RoleOperator)
	b.do(chromedp.Navigate(h.server.URL+"/ui/"+acme+"/archives"), chromedp.WaitVisible(`[data-live="running.files"]`))
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(() => { const whole = window.fetch; window.fetch = () => { window.fetch = whole; return Promise.reject(new Error("away")); }; return true; })()`))
	require.NoError(t, err)
	_, err = h.ledger.Tenant(acme).Archive("running").Update(t.Context(), func(a *ledger.Archive) { a.Name = "Renamed meanwhile" })
	require.NoError(t, err)
	_, err = chromedp.Run(b.ctx, chromedp.Poll[bool](`document.querySelector('#under-way').textContent.includes('Renamed meanwhile')`, chromedp.WithPollingTimeout(time.Minute)))
	require.NoError(t, err)
}
