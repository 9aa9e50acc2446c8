package signin

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/framebridge/framebridge/config"
)

// people are the users who may sign in at the provider, and their groups.
var people = map[string]*storage.User{
	"edith": {ID: "edith", Username: "edith", Password: "verysecure", FirstName: "Edith", LastName: "Cutter", Email: "edith@example.com", EmailVerified: true},
	"ivan":  {ID: "ivan", Username: "ivan", Password: "verysecure", FirstName: "Ivan", LastName: "Root", Email: "ivan@example.com", EmailVerified: true},
	"guest": {ID: "guest", Username: "guest", Password: "verysecure", FirstName: "Gus", LastName: "Guest", Email: "edith@example.com"},
}

type users struct{}

func (users) GetUserByID(id string) *storage.User         { return people[id] }
func (users) GetUserByUsername(name string) *storage.User { return people[name] }
func (users) ExampleClientID() string                     { return "service" }

// withGroups is the provider's storage, with a groups claim in addition to the standard ones.
type withGroups struct {
	*storage.Storage
	mu sync.Mutex
	of map[string][]string
	// lies makes the user info describe somebody else.
	lies bool
}

func (s *withGroups) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	err := s.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lies {
		info.Subject = "somebody"
	}
	info.AppendClaims("groups", s.of[subject])
	info.AppendClaims("email_verified", bool(info.EmailVerified)) // the storage omits it if it is false
	return err
}

// realProvider runs zitadel's OpenID Connect provider and configures it.
func (h *harness) realProvider() *withGroups {
	h.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	clients := map[string]*storage.Client{"framebridge": storage.WebClient("framebridge", "a client's secret", h.url+callbackPath)}
	kept := &withGroups{Storage: storage.NewStorageWithClients(users{}, clients), of: map[string][]string{"edith": {"post", "everybody"}, "ivan": {"it"}, "guest": {"parking"}}}
	before := slog.Default()
	server.Config.Handler = exampleop.SetupServer(issuer, kept, slog.New(slog.DiscardHandler), false, op.WithAllowInsecure())
	slog.SetDefault(before)
	server.Start()
	h.t.Cleanup(server.Close)
	h.cfg.Auth.OIDC = config.OIDC{Issuer: issuer, ClientID: "framebridge", ClientSecret: "a client's secret", GroupsClaim: "groups"}
	return kept
}

var requestID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// signInAt signs in a browser at the provider, starting from a page.
func (h *harness) signInAt(c *http.Client, from, user string) page {
	h.t.Helper()
	login := h.get(c, "/ui/sign-in/oidc?"+url.Values{"to": {from}}.Encode())
	return h.typePassword(c, login, user)
}

func (h *harness) typePassword(c *http.Client, login page, user string) page {
	h.t.Helper()
	id := requestID.FindStringSubmatch(login.text)
	require.Len(h.t, id, 2, login.text)
	return h.post(c, h.cfg.Auth.OIDC.Issuer+"/login/username", url.Values{"id": {id[1]}, "username": {user}, "password": {"verysecure"}})
}

func TestTheProviderIsReal(t *testing.T) {
	h := newHarness(t)
	h.realProvider()
	got := h.get(h.browser(), h.cfg.Auth.OIDC.Issuer+"/.well-known/openid-configuration")
	require.Contains(t, got.text, `"code_challenge_methods_supported":["S256"]`)
}
