package contract

import (
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/transfer"
)

// toV4 is the same installation with the tenant's generation changed.
func (b *bench) toV4(t *testing.T) {
	t.Helper()
	cfg := *b.acts.Config
	cfg.Tenants[tenantID].Frameio.Generation = "v4"
	var err error
	b.acts, err = activities.New(&cfg, b.book, b.acts.Engine, transfer.NewHTTPClient(nil), nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
}

var sourceIDs = regexp.MustCompile(`frameio:[a-z_]+:[0-9a-f-]{36}`)

// TestAnArchiveGoesOnUnderOtherIDs archives a project on the legacy API, moves the account to V4 under other ids, and
// archives it again: nothing is brought over twice, and iconik learns the new ids.
func TestAnArchiveGoesOnUnderOtherIDs(t *testing.T) {
	for name, projects := range map[string]bool{"all ids are new": true, "the project keeps its id": false} {
		t.Run(name, func(t *testing.T) {
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
			fin := b.archive(t)
			require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			count := func() map[string]int {
				out := map[string]int{}
				for _, kind := range []string{"assets", "segments", "files", "formats"} {
					for _, d := range b.iconik.Docs(kind) {
						if d["status"] != "DELETED" && !strings.HasPrefix(str(d["external_id"]), "frameio:report:") {
							out[kind]++
						}
					}
				}
				return out
			}
			files := func() int { return strings.Count(b.iconik.Tree(), "stored ") }
			before, stored := count(), files()
			old := b.project.ID
			ids := b.frameio.MigrateAnew(projects)
			b.toV4(t)
			if projects {
				b.project.ID = ids[old]
			}
			_, _, err := b.book.RequestArchive(t.Context(), tenantID, b.project.ID, "test", time.Now())
			require.NoError(t, err)
			fin = b.archive(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Contains(t, fin.Reason, "17 of 18 files verified")
			assert.Equal(t, before["assets"], count()["assets"], "no asset is there twice")
			assert.Equal(t, before["segments"], count()["segments"], "no comment is there twice")
			assert.InDelta(t, stored, files(), 4, "no file is stored twice; the report may be")
			tree := b.iconik.Tree()
			assert.Equal(t, 1, strings.Count(tree, "frameio:project:"))
			assert.Equal(t, 1, strings.Count(tree, "frameio:team:"))
			stale := map[string]bool{}
			for _, e := range sourceIDs.FindAllString(tree, -1) {
				kind, id, _ := strings.Cut(strings.TrimPrefix(e, "frameio:"), ":")
				if _, gone := ids[id]; gone && kind != "presentation" && kind != "review_link" && kind != "report" && kind != "presentations" {
					stale[e] = true
				}
			}
			assert.Empty(t, stale, "iconik knows the new ids")
			// Nothing is left to do by the next run.
			_, _, err = b.book.RequestArchive(t.Context(), tenantID, b.project.ID, "test", time.Now())
			require.NoError(t, err)
			again := b.archive(t)
			assert.False(t, again.Changed, again.Reason)
			if projects {
				row, _, err := b.book.Archive(t.Context(), tenantID, old)
				require.NoError(t, err)
				assert.Contains(t, row.Reason, b.project.ID)
			}
		})
	}
}

func str(v any) string { s, _ := v.(string); return s }

// Two files of one path and size that cannot be told apart are not guessed at.
func TestWhatCannotBeToldApartIsSaid(t *testing.T) {
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
	folder := ""
	for _, a := range b.frameio.AssetsOf(b.project.ID) {
		if a.Type == "folder" {
			folder = a.ID
		}
	}
	for range 4 { // at least two in one second
		_, err := b.frameio.AddFile(folder, frameiosim.File{Name: "twice.txt", Type: "text/plain", Body: []byte("the same")})
		require.NoError(t, err)
	}
	b.archive(t)
	b.frameio.MigrateAnew(false)
	b.toV4(t)
	_, _, err := b.book.RequestArchive(t.Context(), tenantID, b.project.ID, "test", time.Now())
	require.NoError(t, err)
	fin := b.archive(t)
	assert.Contains(t, fin.Reason, "cannot be told")
	assert.Contains(t, fin.Reason, "twice.txt")
}
