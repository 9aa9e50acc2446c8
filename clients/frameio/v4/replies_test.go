package v4

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
)

// A listing returns replies without their authors. The vendor's documentation has an owner on every comment that is read by
// itself, and does not say that a reply has none.
func TestARepliesAuthorIsAskedForWhereThatTells(t *testing.T) {
	owner := `,"owner":{"id":"u","name":"Una","email":"una@x.example"}`
	for name, tt := range map[string]struct {
		one   func(id string) (status int, owner string)
		want  frameio.Person
		asked int // in two readings of five replies
	}{
		"it tells":                     {func(string) (int, string) { return 200, owner }, frameio.Person{ID: "u", Name: "Una", Email: "una@x.example"}, 5},
		"it never tells":               {func(string) (int, string) { return 200, "" }, frameio.Person{Unknown: true}, 3},
		"a reply is no comment":        {func(string) (int, string) { return 404, "" }, frameio.Person{Unknown: true}, 3},
		"one is refused, others tell":  {func(id string) (int, string) { return map[bool]int{true: 403, false: 200}[id == "r4"], owner }, frameio.Person{ID: "u", Name: "Una", Email: "una@x.example"}, 6},
		"the first one's user is gone": {func(id string) (int, string) { return 200, map[bool]string{true: "", false: owner}[id == "r0"] }, frameio.Person{ID: "u", Name: "Una", Email: "una@x.example"}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t, map[string]http.HandlerFunc{
				"GET files/{id}/comments": func(w http.ResponseWriter, _ *http.Request) {
					var replies []string
					for i := range 5 {
						replies = append(replies, fmt.Sprintf(`{"id":"r%d","file_id":"f","text":"re"}`, i))
					}
					fmt.Fprintf(w, `{"data":[{"id":"c","file_id":"f","text":"t","owner":null,"replies":[%s]}]}`, strings.Join(replies, ","))
				},
				"GET comments/{id}": func(w http.ResponseWriter, r *http.Request) {
					assert.Equal(t, "owner", r.URL.Query().Get("include"))
					status, who := tt.one(r.PathValue("id"))
					w.WriteHeader(status)
					fmt.Fprintf(w, `{"data":{"id":%q,"file_id":"f","text":"re"%s}}`, r.PathValue("id"), who)
				},
			})
			c := v.client(t, nil)
			page, err := c.Comments(frameio.AtAGlance(t.Context()), "f", "")
			require.NoError(t, err)
			require.True(t, page.Items[2].Author.Unknown)
			require.Zero(t, countCalls(v, "GET comments/"), "somebody waits")
			for range 2 {
				page, err = c.Comments(t.Context(), "f", "")
				require.NoError(t, err)
			}
			require.Len(t, page.Items, 6)
			assert.True(t, page.Items[0].Author.Unknown, "a thread's own author is in the listing, or nowhere")
			assert.Equal(t, tt.want, page.Items[2].Author)
			assert.Equal(t, tt.asked, countCalls(v, "GET comments/"))
			if name == "it never tells" { // the server may start to do so one day
				c.now = func() time.Time { return time.Now().Add(silentFor) }
				_, err := c.Comments(t.Context(), "f", "")
				require.NoError(t, err)
				assert.Equal(t, 2*silentReplies, countCalls(v, "GET comments/"))
			}
		})
	}
	v := newVendor(t, map[string]http.HandlerFunc{
		"GET files/{id}/comments": answer(`{"data":[{"id":"c","text":"t","replies":[{"id":"r","text":"re"}]}]}`),
		"GET comments/{id}":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	})
	_, err := v.client(t, nil).Comments(t.Context(), "f", "")
	require.Error(t, err, "who wrote it may be known in a minute")
}

func countCalls(v *vendor, prefix string) (n int) {
	for _, call := range v.calls() {
		if strings.HasPrefix(call, prefix) {
			n++
		}
	}
	return n
}
