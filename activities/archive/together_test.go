package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/workflows"
)

// givesMedia is a Frame.io whose originals are on a server, each under its file's ID.
type givesMedia struct {
	legacyAPI
	url string
}

func (m givesMedia) Media(_ context.Context, id string, r frameio.Rendition, _ bool) (frameio.Media, error) {
	return frameio.Media{URL: m.url + "/" + id, Rendition: r, Ranges: true}, nil
}

// smallFiles makes the harness see n small files, whose bytes serve returns by their number from 1.
func (h *harness) smallFiles(t *testing.T, n int, serve func(i int, w http.ResponseWriter, r *http.Request) bool) workflows.RangeInput {
	t.Helper()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := 0
		_, _ = fmt.Sscanf(r.URL.Path, "/F%d", &i)
		if serve != nil && !serve(i, w, r) {
			return
		}
		w.Header().Set("ETag", `"one"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body(i)))
	}))
	t.Cleanup(host.Close)
	h.tenant.Frameio = givesMedia{url: host.URL}
	scan, err := h.ledger.BeginScan(t.Context())
	require.NoError(t, err)
	root := ledger.Folder{SourceID: "root", Scan: scan}
	require.NoError(t, h.ledger.PutFolders(t.Context(), []ledger.Folder{root}))
	var items []ledger.Item
	for i := 1; i <= n; i++ {
		f := file(fmt.Sprintf("F%d", i), fmt.Sprintf("clip %d.mov", i), []byte(body(i)))
		items = append(items, plan.Item(root, f, f, 1, 1, scan))
	}
	require.NoError(t, h.ledger.PageListed(t.Context(), "root", scan, "", nil, items, true))
	require.NoError(t, h.ledger.FinishScan(t.Context(), scan))
	return workflows.RangeInput{Ref: h.ref, Range: workflows.Range{From: 1, To: int64(n)}}
}

func body(i int) string { return strings.Repeat(fmt.Sprintf("bytes of clip %d\n", i), 10*i) }

func (h *harness) states(t *testing.T, n int) (out []ledger.ItemState) {
	t.Helper()
	for i := 1; i <= n; i++ {
		out = append(out, h.item(t, fmt.Sprintf("F%d", i)).State)
	}
	return out
}

func TestSmallFilesGoTogether(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	in := h.smallFiles(t, 4, nil)
	items, err := h.steps.RangeItems(t.Context(), in)
	require.NoError(t, err)
	for _, it := range items {
		require.True(t, it.Together)
	}
	res, err := h.steps.CopyTogether(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, res.Left)
	require.Equal(t, []ledger.ItemState{ledger.Copied, ledger.Copied, ledger.Copied, ledger.Copied}, h.states(t, 4))
	for i := 1; i <= 4; i++ {
		it := h.item(t, fmt.Sprintf("F%d", i))
		problem, _, err := h.fileProblem(t.Context(), it)
		require.NoError(t, err)
		require.Empty(t, problem)
	}
	before := h.sim.Calls()
	_, err = h.steps.CopyTogether(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, before, h.sim.Calls(), "there is nothing left to do")
}

// A file's failure is confined to it: the others in its range arrive.
func TestAFileThatIsRefusedIsLeft(t *testing.T) {
	for name, spoil := range map[string]func(*http.Request, string) int{
		"its asset is refused": func(r *http.Request, body string) int {
			return calls(r, "POST", "/assets/v1/assets/", body, "clip 2.mov", 403)
		},
		"its file is refused":     func(r *http.Request, body string) int { return calls(r, "POST", "/files/", body, "clip 2.mov", 422) },
		"iconik fails for it":     func(r *http.Request, body string) int { return calls(r, "POST", "/files/", body, "clip 2.mov", 503) },
		"Frame.io has it no more": nil,
	} {
		t.Run(name, func(t *testing.T) {
			o := harnessOptions{}
			if spoil != nil {
				o.spoil = refusing(spoil)
			}
			h := newHarness(t, o)
			in := h.smallFiles(t, 4, func(i int, w http.ResponseWriter, _ *http.Request) bool {
				if spoil == nil && i == 2 {
					w.WriteHeader(http.StatusNotFound)
					return false
				}
				return true
			})
			res, err := h.steps.CopyTogether(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, []string{"F2"}, res.Left)
			states := h.states(t, 4)
			require.NotEqual(t, ledger.Copied, states[1])
			states[1] = ledger.Copied
			require.Equal(t, []ledger.ItemState{ledger.Copied, ledger.Copied, ledger.Copied, ledger.Copied}, states)
		})
	}
}

// A vendor that is down is not asked for each file of a range.
func TestAVendorThatIsAwayIsNotAskedForEachFile(t *testing.T) {
	h := newHarness(t, harnessOptions{spoil: refusing(func(r *http.Request, _ string) int { return calls(r, "POST", "/files/", "", "", 503) })})
	in := h.smallFiles(t, 12, nil)
	res, err := h.steps.CopyTogether(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, res.Left, 12)
	require.Equal(t, failuresTogether, h.sim.Calls()["POST files/v1/assets/{id}/file_sets"], "files were opened")
}

// A canceled archive stops in the middle of its files, and the next attempt sends nothing twice.
func TestACancelledRangeGoesOnWhereItStopped(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	stop := true
	in := h.smallFiles(t, 4, func(i int, _ http.ResponseWriter, r *http.Request) bool {
		if i == 3 && stop {
			stop = false
			cancel()
			<-r.Context().Done()
			return false
		}
		return true
	})
	_, err := h.steps.CopyTogether(ctx, in)
	require.ErrorIs(t, err, context.Canceled)
	puts := h.objs.AllPuts()
	res, err := h.steps.CopyTogether(t.Context(), in)
	require.NoError(t, err)
	require.Empty(t, res.Left)
	require.Equal(t, []ledger.ItemState{ledger.Copied, ledger.Copied, ledger.Copied, ledger.Copied}, h.states(t, 4))
	require.Equal(t, puts+2, h.objs.AllPuts(), "what was stored is not sent again")
	require.Len(t, h.sim.Docs("files"), 4)
	require.Len(t, h.sim.Docs("assets"), 4)
}

// calls returns the status for a call that matches, and 0 for any other.
func calls(r *http.Request, method, path, body, has string, status int) int {
	if r.Method == method && strings.HasSuffix(r.URL.Path, path) && strings.Contains(body, has) {
		return status
	}
	return 0
}

// refusing answers calls with the status that their bodies call for.
func refusing(status func(r *http.Request, body string) int) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(raw))
			if s := status(r, string(raw)); s != 0 {
				w.WriteHeader(s)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

const oneKeyframes = "POST files/v1/assets/{id}/files/{id}/keyframes"

// keyframesOf returns how many keyframes jobs each asset has.
func (h *harness) keyframesOf() map[string]int {
	out := map[string]int{}
	for _, j := range h.sim.Docs("jobs") {
		if id, _ := j["object_id"].(string); j["type"] == "KEYFRAMES" && id != "" {
			out[id]++
		}
	}
	return out
}

func (h *harness) eachHasKeyframesOnce(t *testing.T, n int) {
	t.Helper()
	have := h.keyframesOf()
	for i := 1; i <= n; i++ {
		require.Equal(t, 1, have[h.item(t, fmt.Sprintf("F%d", i)).AssetID])
	}
}

func TestKeyframesOfSeveralFilesAreAskedForAtOnce(t *testing.T) {
	bulk := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/assets/bulk/keyframes/") }
	for name, tt := range map[string]struct {
		spoil     func(http.Handler) http.Handler
		one, many int // calls in two ranges of four files
	}{
		"iconik takes them":             {nil, 0, 2},
		"iconik does not know the call": {answering(bulk, 404, false), 8, 1},
		"iconik takes no such method":   {answering(bulk, 405, false), 8, 1},
		"iconik refuses one of them":    {answering(bulk, 400, false), 8, 2},
		"iconik is away for a moment":   {answering(bulk, 503, false), 8, 2},
		"its answer is lost":            {answering(bulk, 502, true), 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			many := 0
			h := newHarness(t, harnessOptions{spoil: func(inner http.Handler) http.Handler {
				if tt.spoil != nil {
					inner = tt.spoil(inner)
				}
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if bulk(r) {
						many++
					}
					inner.ServeHTTP(w, r)
				})
			}})
			in := h.smallFiles(t, 8, nil)
			for _, r := range []workflows.Range{{From: 1, To: 4}, {From: 5, To: 8}} {
				in.Range = r
				res, err := h.steps.CopyTogether(t.Context(), in)
				require.NoError(t, err)
				require.Empty(t, res.Left)
			}
			h.eachHasKeyframesOnce(t, 8)
			require.Equal(t, tt.one, h.sim.Calls()[oneKeyframes])
			require.Equal(t, tt.many, many)
			h.sim.Wait()
		})
	}
}

// answering answers calls with a status, instead of iconik or, if lost is set, after it.
func answering(match func(*http.Request) bool, status int, lost bool) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !match(r):
				h.ServeHTTP(w, r)
				return
			case lost:
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			w.WriteHeader(status)
		})
	}
}
