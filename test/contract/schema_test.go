package contract

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	v4 "github.com/framebridge/framebridge/clients/frameio/v4"
	"github.com/framebridge/framebridge/config"
)

// reads is one object that an archive reads: the vendor's operation, and the calls of the port that bring it.
type reads struct {
	object string
	path   string // in the vendor's document
	call   func(context.Context, frameio.Reader) (any, error)
}

func both(vs ...func() (any, error)) (any, error) {
	var out []any
	for _, v := range vs {
		x, err := v()
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

const account = "/v4/accounts/{account_id}/"

// readsV4 are the operations of V4 that bring what people made.
var readsV4 = []reads{
	{"project", account + "projects/{project_id}", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Project(ctx, "p") }},
	{"workspace", account + "workspaces/{workspace_id}", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Project(ctx, "p") }},
	{"child", account + "folders/{folder_id}/children", func(ctx context.Context, r frameio.Reader) (any, error) {
		page, err := r.Children(ctx, "f", "")
		if err != nil {
			return nil, err
		}
		out := []any{page}
		for _, a := range page.Items {
			if a.Kind == frameio.KindFile {
				m, err := r.Media(ctx, a.ID, frameio.RenditionOriginal, false)
				if err != nil {
					m.URL = err.Error()
				}
				out = append(out, m)
			}
		}
		return out, nil
	}},
	{"file", account + "files/{file_id}", func(ctx context.Context, r frameio.Reader) (any, error) {
		media := func(as frameio.Rendition) func() (any, error) {
			return func() (any, error) {
				m, err := r.Media(ctx, "f", as, true)
				if err != nil {
					return err.Error(), nil
				}
				return m, nil
			}
		}
		return both(func() (any, error) { return r.Asset(ctx, "f") }, media(frameio.RenditionOriginal), media(frameio.RenditionProxy))
	}},
	{"version", account + "version_stacks/{version_stack_id}/children", func(ctx context.Context, r frameio.Reader) (any, error) {
		return r.Versions(ctx, frameio.Asset{ID: "s"})
	}},
	{"comment", account + "files/{file_id}/comments", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Comments(ctx, "f", "") }},
	{"single comment", account + "comments/{comment_id}", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Comment(ctx, "c") }},
	{"share", account + "projects/{project_id}/shares", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Shares(ctx, "p", "") }},
	{"share", account + "shares/{share_id}", func(ctx context.Context, r frameio.Reader) (any, error) { return r.ShareByID(ctx, "s") }},
	{"reviewer", account + "shares/{share_id}/reviewers", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Reviewers(ctx, "s") }},
	{"collection", account + "projects/{project_id}/collections", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Collections(ctx, "p", "") }},
	{"account user", account + "users", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Comments(ctx, "f", "") }},
	{"project member", account + "projects/{project_id}/users", func(ctx context.Context, r frameio.Reader) (any, error) {
		return r.Members(ctx, frameio.Project{ID: "p"}, "")
	}},
	{"folder member", account + "folders/{folder_id}/users", func(ctx context.Context, r frameio.Reader) (any, error) { return r.FolderMembers(ctx, "f", "") }},
	{"group", account + "groups", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Asset(ctx, "f") }},
}

// vendorOf serves made-up answers.
func vendorOf(t *testing.T, samples map[string]*Sample) string {
	routes := map[*regexp.Regexp]*Sample{}
	for path, s := range samples {
		routes[regexp.MustCompile("^"+regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(path, `[^/]+`)+"$")] = s
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for re, s := range routes {
			if re.MatchString(r.URL.Path) {
				_, _ = w.Write(s.JSON())
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// Every property of every answer that an archive reads of V4 changes what the port says of the object, or stands on the
// list of what is left out, with its reason.
func TestEveryPropertyOfV4IsAccountedFor(t *testing.T) {
	doc, err := Document(filepath.Join(specs(t), "frameio-v4.json"))
	require.NoError(t, err)
	samples := map[string]*Sample{}
	for _, op := range readsV4 {
		s, err := Answer(doc, op.path)
		require.NoError(t, err)
		linked(op.path, s)
		samples[op.path] = s
	}
	base := vendorOf(t, samples)
	used := map[string]bool{}
	for _, op := range readsV4 {
		t.Run(op.object+" by "+strings.TrimPrefix(op.path, account), func(t *testing.T) {
			say := func() string {
				c, err := v4.New(config.Frameio{BaseURL: base, AccountID: "acc", Token: "fio-u-dev"})
				require.NoError(t, err)
				out, err := op.call(t.Context(), c)
				if err != nil {
					return err.Error()
				}
				raw, err := json.Marshal(out)
				require.NoError(t, err)
				return string(raw)
			}
			before := say()
			require.Contains(t, before, "{", "nothing is read")
			for _, path := range samples[op.path].Each(func(Leaf) bool { return say() != before }) {
				name := op.object + "." + strings.TrimPrefix(strings.TrimPrefix(path, "data[]."), "data.")
				reason, key := leftOut(v4.Unread, name)
				used[key] = true
				assert.NotEmpty(t, reason, "%s is dropped, and nothing says why", name)
			}
		})
	}
	if !t.Failed() {
		for key := range v4.Unread {
			assert.True(t, used[key], "%s is on the list of what is left out, and is not left out", key)
		}
	}
}

// leftOut finds why a property is left out.
func leftOut(list map[string]string, name string) (reason, key string) {
	for key, reason := range list {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(key), `\*`, ".*")
		if regexp.MustCompile("^" + pattern + "$").MatchString(name) {
			return reason, key
		}
	}
	return "", ""
}

// linked lets ids that name an object elsewhere name the one there is.
func linked(path string, s *Sample) {
	for i, l := range s.Leaves {
		switch {
		case strings.HasSuffix(l.Path, "completer_id"), strings.HasSuffix(l.Path, "mentions[].user_id"), l.Path == "data[].user.id":
			s.Leaves[i].base = "00000000-0000-4000-8000-00000000aaaa"
		case strings.HasSuffix(l.Path, "metadata[].value[].id"), l.Path == "data[].id" && strings.Contains(path, "/groups"):
			s.Leaves[i].base = "00000000-0000-4000-8000-00000000bbbb"
		case strings.HasSuffix(l.Path, "links.next"):
			s.Leaves[i].base = nil
		case strings.HasSuffix(l.Path, "status") && l.base == "created":
			s.Leaves[i].base = "transcoded"
		case strings.HasSuffix(l.Path, "timestamp"):
			s.Leaves[i].base = 1234
		default:
			continue
		}
		l.set(s.Leaves[i].base)
	}
}
