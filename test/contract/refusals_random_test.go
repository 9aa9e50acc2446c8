package contract

import (
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
)

// ofOneFile are the operations that are about one file, by an id in their path.
var ofOneFile = regexp.MustCompile(`^(iconik (POST /API/files/v1/assets/{id}/(formats|file_sets|files|files/{id}/keyframes)|PATCH /API/files/v1/assets/{id}/files/{id}|PUT /API/metadata/v1/assets/{id}/views/{id}|POST /API/assets/v1/assets/{id}/segments)|frameio GET .*/(files|assets)/{id}/comments)$`)

// refusals refuses single objects, for good until they end.
type refusals struct {
	mu      sync.Mutex
	random  *rand.Rand
	most    int
	refused map[string]string // what was refused, with the id of its file or asset
	passed  map[string]bool
}

func (f *refusals) before(side string) func(http.Handler) http.Handler {
	statuses := []spoil{{status: 400}, {status: 403}, {status: 409}, {status: 413}, {status: 422}}
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			op := operation(side, r)
			if !ofOneFile.MatchString(op) {
				h.ServeHTTP(w, r)
				return
			}
			object := r.Method + " " + r.URL.Path
			f.mu.Lock()
			how := statuses[len(object)%len(statuses)]
			_, met := f.refused[object]
			if !met && !f.passed[object] {
				if len(f.refused) < f.most && f.random.IntN(8) == 0 {
					ids := idsInPath.FindAllString(r.URL.Path, -1)
					f.refused[object], met = ids[0], true
					if side == "frameio" { // the account's id comes first on V4
						f.refused[object] = ids[len(ids)-1]
					}
				} else {
					f.passed[object] = true
				}
			}
			met = met && f.most > 0
			f.mu.Unlock()
			if met {
				how.serve(side, h, w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

// Random refusals of single objects: each is named, everything else is verified, and the retry after them brings the archive to
// verified.
func TestRandomRefusals(t *testing.T) {
	t.Parallel()
	playRandomRefusals(t, rounds(16, 30), rounds(8, 20))
}

func playRandomRefusals(t *testing.T, files, most int) {
	seed := uint64(11)
	if n, err := strconv.ParseUint(os.Getenv("FRAMEBRIDGE_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("FRAMEBRIDGE_SEED=%d", seed)
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			f := &refusals{random: rand.New(rand.NewPCG(seed, 1)), most: most, refused: map[string]string{}, passed: map[string]bool{}}
			b := harnessOptions{generation: generation, storage: "S3", settings: map[string]any{"bucket": "iconik-files", "path": "media"},
				seed: func(sim *frameiosim.Sim, team string) (samples.Project, error) {
					return samples.Small(sim, team, "Many", files, 1)
				},
				frameio: f.before("frameio"), iconik: f.before("iconik"), objects: func(h http.Handler) http.Handler { return h }}.open(t)
			fin := b.archive(t)
			require.Equal(t, "incomplete", fin.Status, fin.Reason)
			f.mu.Lock()
			f.most = 0
			f.mu.Unlock()
			require.Len(t, f.refused, most)
			items, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).ItemsPage(t.Context(), 0, 1000)
			require.NoError(t, err)
			require.Len(t, items, files)
			others, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Failures(t.Context(), "", 100)
			require.NoError(t, err)
			named, files := map[string]string{}, map[string]bool{}
			for _, it := range items {
				files[it.SourceID], files[it.AssetID] = true, true
				if it.State == ledger.ItemFailed {
					named[it.SourceID], named[it.AssetID] = it.Reason, it.Reason
				} else {
					assert.Equal(t, ledger.ItemVerified, it.State, "%s: %s", it.Path, it.Reason)
				}
			}
			for object, id := range f.refused {
				if !files[id] { // the report has an asset, too
					assert.True(t, slices.ContainsFunc(others, func(f ledger.Failure) bool { return f.Kind == ledger.FailedReport }), object)
					continue
				}
				assert.NotEmpty(t, named[id], object)
			}
			fin = b.again(t)
			assert.True(t, strings.HasPrefix(fin.Status, "verified"), fin.Reason)
			assert.Empty(t, b.failedItems(t))
		})
	}
}
