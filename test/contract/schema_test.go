package contract

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/legacy"
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
	{"child", account + "folders/{folder_id}/children", childrenOf},
	{"file", account + "files/{file_id}", func(ctx context.Context, r frameio.Reader) (any, error) {
		return both(func() (any, error) { return r.Asset(ctx, "f") }, func() (any, error) { return mediaOf(ctx, r, frameio.RenditionOriginal) }, func() (any, error) { return mediaOf(ctx, r, frameio.RenditionProxy) })
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

// readsLegacy are the operations of the legacy API that bring what people made. Of those who may see a project its document
// describes no answer that the API gives.
var readsLegacy = []reads{
	{"project", "/v2/projects/{project_id}", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Project(ctx, "p") }},
	{"asset", "/v2/assets/{asset_id}", func(ctx context.Context, r frameio.Reader) (any, error) {
		return both(func() (any, error) { return r.Asset(ctx, "f") }, func() (any, error) { return mediaOf(ctx, r, frameio.RenditionOriginal) }, func() (any, error) { return mediaOf(ctx, r, frameio.RenditionProxy) })
	}},
	{"child", "/v2/assets/{asset_id}/children", childrenOf},
	{"comment", "/v2/assets/{asset_id}/comments", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Comments(ctx, "f", "") }},
	{"single comment", "/v2/comments/{comment_id}", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Comment(ctx, "c") }},
	{"presentation", "/v2/projects/{project_id}/presentations", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Shares(ctx, "p", "") }},
	{"review link", "/v2/projects/{project_id}/review_links", func(ctx context.Context, r frameio.Reader) (any, error) { return r.Shares(ctx, "p", "1:1") }},
	{"link item", "/v2/review_links/{review_link_id}/items/shared", func(ctx context.Context, r frameio.Reader) (any, error) {
		return r.ShareItems(ctx, frameio.Share{ID: "l", Kind: frameio.ShareReviewLink}, "")
	}},
}

// childrenOf lists a folder, with where the bytes of its files are.
func childrenOf(ctx context.Context, r frameio.Reader) (any, error) {
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
}

// mediaOf is a file's media, or why there is none.
func mediaOf(ctx context.Context, r frameio.Reader, as frameio.Rendition) (any, error) {
	m, err := r.Media(ctx, "f", as, true)
	if err != nil {
		return err.Error(), nil //nolint:nilerr // the reason is what is compared
	}
	return m, nil
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

// Every property of every answer that an archive reads changes what the port says of the object, or stands on the list of
// what is left out, with its reason.
func TestEveryPropertyOfV4IsAccountedFor(t *testing.T) {
	t.Parallel()
	accountedFor(t, "frameio-v4.json", account, 1, readsV4, v4.Unread, func(base string) (frameio.Reader, error) {
		return v4.New(config.Frameio{BaseURL: base, AccountID: "acc", Token: "fio-u-dev"})
	})
}

func TestEveryPropertyOfLegacyIsAccountedFor(t *testing.T) {
	t.Parallel()
	accountedFor(t, "frameio-legacy.json", "/v2/", 0, readsLegacy, legacy.Unread, func(base string) (frameio.Reader, error) {
		return legacy.New(config.Frameio{BaseURL: base, Token: "fio-u-dev"})
	})
}

func accountedFor(t *testing.T, document, root string, repeats int, ops []reads, unread map[string]string, dial func(base string) (frameio.Reader, error)) {
	doc, err := Document(filepath.Join(specs(t), document))
	require.NoError(t, err)
	samples := map[string]*Sample{}
	for _, op := range ops {
		s, err := Answer(doc, op.path, repeats)
		require.NoError(t, err)
		linked(op.path, s)
		samples[op.path] = s
	}
	base := vendorOf(t, samples)
	used := map[string]bool{}
	for _, op := range ops {
		t.Run(op.object+" by "+strings.TrimPrefix(op.path, root), func(t *testing.T) {
			say := func() string {
				c, err := dial(base)
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
			named := func(path string) string {
				return op.object + "." + strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(path, "data[]."), "data."), "[].")
			}
			noticed := func(l Leaf) bool {
				_, key := leftOut(unread, named(l.Path))
				return key != "" && used[key] || say() != before // one is enough of what is left out by one reason
			}
			for path := range samples[op.path].Unnoticed(noticed) {
				reason, key := leftOut(unread, named(path))
				used[key] = true
				assert.NotEmpty(t, reason, "%s is dropped, and nothing says why", named(path))
			}
		})
	}
	if !t.Failed() {
		for key := range unread {
			assert.True(t, used[key], "%s is on the list of what is left out, and is not left out", key)
		}
	}
}

func rowsOf(root any) []any {
	rows, _ := root.([]any)
	return rows
}

// leftOut finds why a property is left out: the longest pattern tells.
func leftOut(list map[string]string, name string) (reason, key string) {
	for pattern := range list {
		re := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
		if len(pattern) > len(key) && compiled(re).MatchString(name) {
			key = pattern
		}
	}
	return list[key], key
}

// expressions are those of compiled.
var expressions sync.Map

// compiled is regexp.MustCompile, which takes far longer than a match: the same few are asked for thousands of names.
func compiled(expr string) *regexp.Regexp {
	if re, ok := expressions.Load(expr); ok {
		return re.(*regexp.Regexp)
	}
	re, _ := expressions.LoadOrStore(expr, regexp.MustCompile(expr))
	return re.(*regexp.Regexp)
}

// linked lets ids that name an object elsewhere name the one there is, and files be uploaded: that they are stands in answers of
// the legacy API, not in its document.
func linked(path string, s *Sample) {
	for _, row := range append(rowsOf(s.Root), s.Root) {
		if row, ok := row.(map[string]any); ok && strings.HasPrefix(path, "/v2/assets/") {
			row["upload_completed_at"] = "2026-01-02T03:04:05Z"
		}
	}
	for i, l := range s.Leaves {
		switch {
		case strings.HasSuffix(l.Path, "completer_id"), strings.HasSuffix(l.Path, "mentions[].user_id"), l.Path == "data[].user.id":
			s.Leaves[i].base = "00000000-0000-4000-8000-00000000aaaa"
		case strings.HasSuffix(l.Path, "metadata[].value[].id"), l.Path == "data[].id" && strings.Contains(path, "/groups"):
			s.Leaves[i].base = "00000000-0000-4000-8000-00000000bbbb"
		case strings.HasSuffix(l.Path, "links.next"), strings.HasSuffix(l.Path, "deleted_at"), strings.HasSuffix(l.Path, "upload_failed_at"):
			s.Leaves[i].base = nil
		case strings.HasSuffix(l.Path, "is_session_watermarked"):
			s.Leaves[i].base = false
		case strings.HasSuffix(l.Path, "properties"):
			s.Leaves[i].base = map[string]any{"scene": "12"}
		case strings.HasSuffix(l.Path, "completed_at"):
			s.Leaves[i].base = "2026-01-02T03:04:05Z"
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
