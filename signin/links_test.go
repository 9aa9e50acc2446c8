package signin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/routes"
)

var linkedPage = Page{
	Kind: "Review", Title: "Rough cut <3>", Status: "open", Reason: "Everything is fine.",
	Facts: []Fact{{Label: "Files", Value: "2"}, {Label: "Share", Value: "Frame.io", Address: "https://f.io/abc"}, {Label: "Bad", Value: "no script", Address: "javascript:alert(1)"}},
	Lists: []List{{Title: "Files", Columns: []string{"File", "State"}, Rows: [][]string{{"a<b>.mov", "failed"}}, More: 3}},
	Files: []File{{"report.html", "Report", config.RoleViewer}, {"comments.edl", "Comments for an EDL", config.RoleEditor}},
}

// linkTo returns a signed link.
func (h *harness) linkTo(role config.Role, generation int64) string {
	h.t.Helper()
	address, err := routes.SignLink(h.cfg, routes.Link{Tenant: acme, Kind: "review", ID: "r1", Role: role, Generation: generation, Expires: h.time().Add(time.Hour)})
	require.NoError(h.t, err)
	return strings.TrimPrefix(address, h.url)
}

func TestALinkOpensWithoutAnAccount(t *testing.T) {
	h := newHarness(t)
	link := h.linkTo(config.RoleEditor, 0)
	got := h.get(h.browser(), link)
	require.Equal(t, http.StatusOK, got.status, got.text)
	assert.Contains(t, got.text, "Rough cut &lt;3&gt;")
	assert.Contains(t, got.text, "a&lt;b&gt;.mov")
	assert.Contains(t, got.text, "And 3 more.")
	assert.Contains(t, got.text, `href="`+link+`/comments.edl"`)
	assert.NotContains(t, got.text, "javascript:alert")
	assert.Equal(t, "noindex, nofollow", got.header.Get("X-Robots-Tag"))
	assert.Equal(t, "the file comments.edl", h.get(h.browser(), link+"/comments.edl").text)
	assert.Equal(t, http.StatusNotFound, h.get(h.browser(), link+"/secrets.txt").status)
	assert.Contains(t, h.get(h.browser(), "/ui/").path, "/ui/sign-in", "it opens nothing else")
}

func TestAViewersLinkHasNoExports(t *testing.T) {
	h := newHarness(t)
	link := h.linkTo(config.RoleViewer, 0)
	got := h.get(h.browser(), link)
	assert.Contains(t, got.text, "report.html")
	assert.NotContains(t, got.text, "comments.edl")
	assert.Equal(t, http.StatusForbidden, h.get(h.browser(), link+"/comments.edl").status)
	assert.Equal(t, http.StatusOK, h.get(h.browser(), link+"/report.html").status)
	assert.Equal(t, []string{"refused | holder of a link | review r1 needs the role editor"}, h.audited(acme))
}

func TestALinkThatDoesNotOpen(t *testing.T) {
	h := newHarness(t)
	link := h.linkTo(config.RoleEditor, 0)
	assert.Equal(t, http.StatusNotFound, h.get(h.browser(), link[:len(link)-2]).status, "it was cut off")
	assert.Equal(t, http.StatusNotFound, h.get(h.browser(), "/l/abc").status)

	t.Run("revoked", func(t *testing.T) {
		viewer, operator := h.oneTime("vera", map[string]config.Role{acme: config.RoleViewer}), h.oneTime("sam", map[string]config.Role{acme: config.RoleOperator})
		form := url.Values{"tenant": {acme}, "kind": {"review"}, "id": {"r1"}, "back": {"/ui/reviews/r1"}}
		form.Set(FormField, h.token(viewer))
		assert.Equal(t, http.StatusForbidden, h.post(viewer, "/ui/links/revoke", form).status)
		assert.Equal(t, http.StatusOK, h.get(h.browser(), link).status)
		form.Set(FormField, h.token(operator))
		assert.Equal(t, "/ui/reviews/r1", h.post(operator, "/ui/links/revoke", form).path)
		got := h.get(h.browser(), link)
		assert.Equal(t, http.StatusGone, got.status)
		assert.Contains(t, got.text, "can be revoked")
		assert.Equal(t, http.StatusGone, h.get(h.browser(), link+"/comments.edl").status)
		assert.Equal(t, http.StatusOK, h.get(h.browser(), h.linkTo(config.RoleEditor, 1)).status, "the next one is good")
		assert.Contains(t, h.audited(acme), "links revoked | sam | r1")
		form.Set("tenant", other)
		assert.Equal(t, http.StatusForbidden, h.post(operator, "/ui/links/revoke", form).status)
		form.Set("tenant", acme)
		form.Set("kind", "item")
		assert.Equal(t, http.StatusBadRequest, h.post(operator, "/ui/links/revoke", form).status)
		assert.Empty(t, h.audited(other))
	})
	t.Run("expired", func(t *testing.T) {
		link := h.linkTo(config.RoleEditor, 1)
		h.pass(time.Hour)
		assert.Equal(t, http.StatusGone, h.get(h.browser(), link).status)
	})
	t.Run("of a tenant that is gone", func(t *testing.T) {
		link := h.linkTo(config.RoleEditor, 1)
		delete(h.cfg.Tenants, acme)
		assert.Equal(t, http.StatusGone, h.get(h.browser(), link).status)
	})
}

func TestALinkLeadsThroughTheProvider(t *testing.T) {
	h := newHarness(t)
	groups := h.realProvider()
	link := h.linkTo(config.RoleEditor, 0)
	c := h.browser()
	got := h.get(c, link)
	assert.Equal(t, "/ui/sign-in?to="+url.QueryEscape(link), got.path)
	assert.NotContains(t, got.text, "Rough cut")
	got = h.signInAt(c, link, "edith")
	assert.Equal(t, link, got.path)
	assert.Contains(t, got.text, "comments.edl")

	groups.mu.Lock()
	groups.of["edith"] = []string{"everybody"}
	groups.mu.Unlock()
	c = h.browser()
	got = h.signInAt(c, link, "edith")
	assert.Contains(t, got.text, "report.html")
	assert.NotContains(t, got.text, "comments.edl", "her own role holds")
	assert.Equal(t, http.StatusForbidden, h.get(c, link+"/comments.edl").status)
	assert.Contains(t, h.audited(acme), "refused | edith@example.com | review r1 needs the role editor")

	stranger := h.oneTime("olga", map[string]config.Role{other: config.RoleAdmin})
	assert.Equal(t, http.StatusForbidden, h.get(stranger, link).status)
	assert.Contains(t, h.audited(acme), "refused | olga | review r1 has no role in this tenant")
}
