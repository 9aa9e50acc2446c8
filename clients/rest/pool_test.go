package rest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// users is a vendor whose response depends on who asks.
type users struct {
	mu     sync.Mutex
	asked  []string
	answer func(who string, r *http.Request) int
}

func (u *users) pool(t *testing.T, limit Limit, names ...string) (*Pool, *[]string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		u.mu.Lock()
		u.asked = append(u.asked, who)
		u.mu.Unlock()
		w.WriteHeader(u.answer(who, r))
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(srv.Close)
	var all []*Credential
	for _, name := range names {
		c, err := New(Config{Vendor: "Vendor", BaseURL: srv.URL, Budgets: &Budgets{Known: map[string]Limit{"read": limit}}, Authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+name) }})
		require.NoError(t, err)
		all = append(all, &Credential{Name: name, Client: c})
	}
	told := &[]string{}
	p := NewPool(all[0], all[1:]...)
	p.OnTakenOut(func(name string, err error) { *told = append(*told, name+": "+err.Error()) })
	return p, told
}

func read(p *Pool) error {
	_, err := p.Do(context.Background(), Request{Operation: "read", Method: http.MethodGet, Path: "things/1"}, nil)
	return err
}

func TestCallsGoWhereThereIsRoom(t *testing.T) {
	t.Parallel()
	u := &users{answer: func(string, *http.Request) int { return 200 }}
	p, told := u.pool(t, Limit{Calls: 10, Window: time.Hour}, "a", "b", "c")
	for range 30 { // an hour's worth of all three, without waiting
		require.NoError(t, read(p))
	}
	for _, who := range []string{"a", "b", "c"} {
		assert.Equal(t, 10, len(slices.DeleteFunc(slices.Clone(u.asked), func(x string) bool { return x != who })), who)
	}
	assert.Empty(t, *told)
}

// If one credential is refused, the others continue. If the last one is refused, that is the call's error.
func TestARefusedCredentialIsTakenOutAndNamed(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a", "b"} {
		u := &users{answer: func(who string, _ *http.Request) int {
			if who == bad {
				return 401
			}
			return 200
		}}
		p, told := u.pool(t, Limit{Calls: 4, Window: time.Hour}, "a", "b", "c")
		for range 8 {
			require.NoError(t, read(p), bad)
		}
		require.Len(t, *told, 1)
		assert.Contains(t, (*told)[0], bad+": Vendor: read: 401")
		assert.Equal(t, 1, len(slices.DeleteFunc(slices.Clone(u.asked), func(x string) bool { return x != bad })), "it is not asked again")
	}
	u := &users{answer: func(string, *http.Request) int { return 401 }}
	p, told := u.pool(t, Limit{}, "a", "b")
	assert.Equal(t, Unauthorized, ClassOf(read(p)))
	assert.Len(t, *told, 1, "of the last one the call itself tells")
}

// What another credential may not see is requested with the first one, whose answer counts. A credential that never sees it is taken out.
func TestTheFirstCredentialsAnswerHolds(t *testing.T) {
	t.Parallel()
	u := &users{answer: func(who string, _ *http.Request) int {
		if who == "b" {
			return 404
		}
		return 200
	}}
	p, told := u.pool(t, Limit{Calls: 40, Window: time.Hour}, "a", "b")
	for range 20 {
		require.NoError(t, read(p))
	}
	require.Len(t, *told, 1)
	assert.Contains(t, (*told)[0], ErrOtherAccess.Error())
	u.answer = func(string, *http.Request) int { return 404 }
	assert.True(t, IsNotFound(read(p)))
}

func TestACredentialIsProvedBeforeItsFirstCall(t *testing.T) {
	t.Parallel()
	u := &users{answer: func(string, *http.Request) int { return 200 }}
	p, told := u.pool(t, Limit{Calls: 4, Window: time.Hour}, "a", "b")
	p.all[1].Prove = func(context.Context) error { return ErrOtherAccess }
	for range 4 {
		require.NoError(t, read(p))
	}
	assert.Equal(t, []string{"a", "a", "a", "a"}, u.asked)
	assert.Len(t, *told, 1)
}
