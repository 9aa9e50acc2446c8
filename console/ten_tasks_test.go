//go:build integration

package console

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// hand is a person who has only the console.
type hand struct {
	*browser
	h *harness
}

// click presses the link or button with that name, and waits for the next page.
func (u hand) click(name string) {
	u.t.Helper()
	found, err := chromedp.Run(u.ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(() => { document.body.dataset.before = 'yes'; const e = [...document.querySelectorAll('a[href],button')].filter(e => e.getClientRects().length)
		.find(e => (e.getAttribute('aria-label') || e.textContent).trim() === %q); if (!e) return false; setTimeout(() => e.click(), 0); return true; })()`, name)))
	if err != nil { // the next page was there before the browser reported this as done
		require.ErrorContains(u.t, err, "Inspected target navigated")
		found = true
	}
	require.True(u.t, found, "nothing on the page is called %q", name)
	u.do(chromedp.WaitReady("body:not([data-before]) main"))
}

// fill types into a field.
func (u hand) fill(id, text string) {
	u.t.Helper()
	require.True(u.t, evaluate[bool](u.browser, fmt.Sprintf(`(() => { const e = document.getElementById(%q); if (!e) return false; e.value = %q; return true; })()`, id, text)))
}

// reads waits for a text. It asks repeatedly, because a page that updates itself takes a script that waits in it with it.
func (u hand) reads(text string) {
	u.t.Helper()
	script := fmt.Sprintf(`document.querySelector('main')?.textContent.replace(/\s+/g, ' ').includes(%q) ?? false`, text)
	require.Eventually(u.t, func() bool {
		says, err := chromedp.Run(u.ctx, chromedp.Evaluate[bool](script))
		return err == nil && says
	}, time.Minute, 50*time.Millisecond, "the page does not say %q", text)
}

func (u hand) asked(what string) {
	u.t.Helper()
	u.h.actions.mu.Lock()
	defer u.h.actions.mu.Unlock()
	assert.Contains(u.t, u.h.actions.asked, what)
}

// TestTenTasks does the tasks of the user's manual with the mouse, as an operator who has only the console.
func TestTenTasks(t *testing.T) {
	b, h := openBrowser(t), story(t, config.RoleOperator)
	h.actions.projects = []Project{{ID: "p9", Name: "Night Shift", Team: "Harbour Films", Bytes: 3 << 40, State: "active"}}
	h.items(t, "cold", ledger.Item{SourceID: "o1", Path: "Day 1/cold.mov", Size: 1 << 30, State: ledger.Pending})
	b.look(360, 740, "light")
	u := hand{b, h}
	u.do(chromedp.Navigate(h.server.URL + "/ui/"))

	u.click("Start") // an archive
	u.reads("Night Shift")
	u.fill("q", "night")
	u.click("Search")
	u.click("Night Shift")
	u.reads("3.0 TiB")
	u.click("Start the archive")
	u.asked("start p9")

	u.click("Archives") // another order
	u.click("Move to the top: Trailer 2027")
	u.asked("move Trailer 2027 1")

	u.reads("Waiting for “Harbour Lights” and 1 archive ahead of it.") // why it waits
	u.reads("unarchive the project in Frame.io")

	u.click("The Ferryman") // one file again
	u.click("Retry this file: Cuts/Ferryman v7.mov")
	u.asked("item ferry f1")

	u.fill("q", "mix") // the proof of a file
	u.click("Search")
	u.reads("xxh64:01c3d977f00a6e21")

	u.click("Reviews") // a comment
	u.click("Ferryman, rough cut")
	u.fill("q", "longer")
	u.click("Search")
	u.reads("Can we hold this two seconds longer?")

	u.click("Extend")
	u.fill("expires", "2026-12-20")
	u.click("Set the new expiry")
	u.asked("extend cut 2026-12-20")

	u.click("Stop")
	u.reads("The link is switched off now.")
	u.click("Stop the review")
	u.asked("stop cut")

	u.click("Reviews") // who stopped it
	u.click("Ferryman, assembly")
	u.reads("ellen@harbour.example stopped the review")

	u.click("Setup") // what is wrong
	u.reads("What to do: Run `starter setup`.")
	u.reads("An administrator can sign in to Frame.io on this page.")
	u.reads("Vendors' limits")
	u.click("Check again")
	u.reads("The check was started.")
	assert.Empty(t, b.said())
}

// TestTheTasksOfAWholeAccount does them as two people who have only the console.
func TestTheTasksOfAWholeAccount(t *testing.T) {
	b, h := openBrowser(t), filled(t, config.RoleAdmin)
	h.cfg.Tenants[acme].Archive.Reclaim = "allowed"
	_, err := h.ledger.Tenant(acme).Migration("mig").Update(t.Context(), func(m *ledger.Migration) { m.Status = ledger.MigrationDone })
	require.NoError(t, err)
	b.look(768, 1024, "dark")
	u := hand{b, h}
	u.do(chromedp.Navigate(h.server.URL + "/ui/"))
	u.click("Account")
	u.click("Plan a migration")
	u.click("Plan")
	u.reads("What a migration would do")
	u.click("Start the migration")
	u.asked(`migrate {"selection":{}} pat@acme.example`)
	u.do(chromedp.Navigate(h.server.URL + "/ui/" + acme + "/account"))
	u.click("Pause: nightly")
	u.reads("No run starts until somebody resumes the mirror.")
	u.click("Pause")
	u.asked("mirror pause nightly")
	u.click("Create a mirror")
	u.click("Start the mirror")
	u.asked("mirror nightly daily 02:00 UTC all projects")
	u.click("Archives")
	u.click("Lighthouse")
	u.click("Free space in Frame.io")
	u.click("Approve")
	u.reads("Whoever requests a deletion cannot approve it.")
	u.click("Approve")
	u.asked("reclaim approve proven")
	assert.Empty(t, b.said())
}
