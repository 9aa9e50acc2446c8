package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
)

var (
	linksOf   = regexp.MustCompile(`(?s)<a ([^>]*)>(.*?)</a>`)
	formsOf   = regexp.MustCompile(`(?s)<form ([^>]*)>(.*?)</form>`)
	buttonsOf = regexp.MustCompile(`(?s)<button([^>]*)>(.*?)</button>`)
	attribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
	tags      = regexp.MustCompile(`<[^>]*>`)
)

func attributesOf(text string) map[string]string {
	out := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(text, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// leadsTo is where each button of the console leads, by its text. A page's "Back" leads to the page before.
var leadsTo = map[string]string{
	"Start an archive": "/start", "Plan a migration": "/account/new", "Create a mirror": "/account/mirrors/new", "Start the mirror": "/account/mirrors", "Plan": "/(start/|account/plan)", "Create a mirror instead": "/account/mirrors/new",
	"Start the migration": "/account/start", "Start the archive": "/start/", "Change": "/account/new", "Go": "/do/resume", "Resume": "/do/resume", "Pause": "/do/pause", "Cancel": "/do/cancel", "Run now": "/do/run", "Look for new projects": "/do/add", "Look for them": "/do/add", "Remove": "/do/stop", "Remove the mirror": "/do/stop",
	"Cancel the migration": "/do/cancel", "Cancel the archive": "/do/cancel", "Cancel the deletion": "/reclaim/do/cancel", "Retry": "/do/retry", "Retry the archive": "/do/retry", "Retry this file": "/items/", "Check for originals now": "/do/retry", "Check now": "/do/retry",
	"Move to the top": "/first", "Move to the top of the queue": "/queue/first", "Up": "/up", "Down": "/down", "Free space in Frame.io": "/reclaim", "Examine": "/reclaim/do/examine", "Request deletion": "/reclaim/do/ask", "Delete by typing the name": "/reclaim/do/delete",
	"Delete the proven files": "/reclaim/do/delete", "Approve": "/reclaim/do/approve", "Sync now": "/do/sync", "Send again": "/do/resend", "Extend": "/do/extend", "Set the new expiry": "/do/extend", "Stop": "/do/stop", "Stop the review": "/do/stop", "Read both sides again": "/sides",
	"Download the certificate": "/reclaim/deletion-certificate.html", "For starter verify (JSON)": "/reclaim/deletion-certificate.json", "Revoke these links": "/ui/links/revoke", "Check again": "/setup", "Sign in to Frame.io": "/setup/sign-in", "Sign in with Adobe": "/setup/sign-in", "Read the list again": "/start", "Try again": "again=1", "Sign out": "/ui/sign-out", "Search": "/", "Back": "/",
	"More files": "after=", "More projects": "after=", "Older archives": "after=", "Older reviews": "after=", "Older entries": "before=", "Older migrations": "after=",
}

// TestEveryButtonLeadsWhereItSays follows all links on all pages and presses all buttons. Each has a name, leads
// where it says, and gets a response.
func TestEveryButtonLeadsWhereItSays(t *testing.T) {
	h := filled(t, config.RoleAdmin)
	h.cfg.Tenants[acme].Archive.Reclaim = "allowed"
	for _, path := range []string{"start", "start/p1", "setup", "reviews/open/sides"} { // what is read in the background
		h.get(t, path)
	}
	h.planned(t)
	require.Eventually(t, func() bool { _, body := h.get(t, "start/p1"); return strings.Contains(body, "Start the archive") }, 5*time.Second, 10*time.Millisecond)
	buttons, followed := map[string]bool{}, map[string]bool{}
	check := func(page, text, to string) {
		text = strings.TrimSpace(html.UnescapeString(tags.ReplaceAllString(text, "")))
		assert.NotEmpty(t, text, "a button of %s that leads to %s has no name", page, to)
		want, known := leadsTo[text]
		if assert.True(t, known, "%s: nobody has said where %q leads", page, text) {
			assert.Regexp(t, want, to, "%s: %q", page, text)
			buttons[text] = true
		}
	}
	follow := func(page, method, to string) {
		to, _, _ = strings.Cut(to, "#")
		ours := strings.HasPrefix(to, Root) && !strings.HasPrefix(to, "/ui/people") && !strings.HasPrefix(to, "/ui/sign-out") && !strings.HasPrefix(to, "/ui/links")
		if !ours || followed[method+to] {
			return
		}
		followed[method+to] = true
		resp, body := h.do(t, method, to, url.Values{"expires": {"2026-12-24"}, "name": {"Lighthouse"}})
		if method == http.MethodGet {
			assert.Less(t, resp.StatusCode, 400, "%s: %s: %s", page, to, body)
			return
		}
		assert.Contains(t, []int{http.StatusSeeOther, http.StatusUnprocessableEntity}, resp.StatusCode, "%s: POST %s", page, to)
	}
	for _, path := range pagePaths {
		_, body := h.get(t, path)
		_, body, _ = strings.Cut(body, "<body")
		for _, m := range linksOf.FindAllStringSubmatch(body, -1) {
			a := attributesOf(m[1])
			if strings.Contains(" "+a["class"]+" ", " button ") {
				check(path, m[2], a["href"])
			}
			assert.NotEmpty(t, tags.ReplaceAllString(m[2], ""), "%s: a link to %s has no text", path, a["href"])
			follow(path, http.MethodGet, a["href"])
		}
		for _, m := range formsOf.FindAllStringSubmatch(body, -1) {
			a := attributesOf(m[1])
			for _, button := range buttonsOf.FindAllStringSubmatch(m[2], -1) {
				check(path, button[2], a["action"])
			}
			if a["method"] == "post" {
				assert.Contains(t, m[2], `name="form_token"`, "%s: a form without its token: %s", path, a["action"])
				follow(path, http.MethodPost, a["action"])
			} else {
				follow(path, http.MethodGet, a["action"])
			}
		}
	}
	assert.Greater(t, len(buttons), 35, "%v", buttons)
	assert.Greater(t, len(followed), 80)
	t.Logf("%d buttons by name, %d addresses followed or pressed, on %d pages", len(buttons), len(followed), len(pagePaths))
}
