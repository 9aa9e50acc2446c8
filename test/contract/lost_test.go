package contract

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// item finds an item by its path.
func (b *harness) item(t *testing.T, path string) ledger.Item {
	t.Helper()
	items, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).ItemsPage(t.Context(), 0, 1000)
	require.NoError(t, err)
	for _, it := range items {
		if it.Path == path || it.Name == path {
			return it
		}
	}
	t.Fatalf("no item %q", path)
	return ledger.Item{}
}

// Copies of a file on other storages, its move to one, and iconik's own archive are people's business. What is really gone
// is brought over again, into a new file set where the old one was deleted.
func TestFilesThatPeopleCopyMoveAndDelete(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
	client, err := iconik.New(b.config.Tenants[tenantID].Iconik)
	require.NoError(t, err)
	b.archive(t)
	it := b.item(t, "Storyboard.pdf")
	unchanged := func() {
		t.Helper()
		fin := b.again(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		assert.False(t, fin.Changed)
		assert.Equal(t, it.FileID, b.item(t, "Storyboard.pdf").FileID)
	}
	second := b.iconik.AddStorage("second", "S3", map[string]any{"bucket": "iconik-files", "path": "second"})
	set, err := client.Files.CreateFileSet(t.Context(), it.AssetID, iconik.FileSetRequest{FormatID: it.FormatID, StorageID: second, Name: it.Name, VersionID: it.VersionID})
	require.NoError(t, err)
	file, err := client.Files.CreateFile(t.Context(), it.AssetID, iconik.FileRequest{OriginalName: it.Name, FormatID: it.FormatID, FileSetID: set.ID, StorageID: second, VersionID: it.VersionID})
	require.NoError(t, err)
	unchanged() // while it is being copied
	closed := func(id, status string) {
		_, err := client.Files.UpdateFile(t.Context(), it.AssetID, id, iconik.FilePatch{Status: status, Checksum: "xxh64:" + it.Checksum, Size: &it.StoredSize})
		require.NoError(t, err)
	}
	closed(file.ID, "ARCHIVED")
	unchanged()
	closed(it.FileID, "ARCHIVED")
	unchanged()
	for _, id := range []string{it.FileID, it.FileSetID} {
		b.iconik.Delete("files", id)
		b.iconik.Delete("file_sets", id)
	}
	unchanged() // it was moved
	b.iconik.Delete("files", file.ID)
	fin := b.again(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	now := b.item(t, "Storyboard.pdf")
	assert.Equal(t, ledger.ItemVerified, now.State, now.Reason)
	assert.Equal(t, it.AssetID, now.AssetID)
	assert.NotEqual(t, it.FileSetID, now.FileSetID)
}

// Whoever deletes a format or a file set deletes what it holds: the file itself may still be shown as whole.
func TestAFileGoesWithWhatHoldsIt(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
	b.archive(t)
	for _, holder := range []struct {
		kind string
		of   func(ledger.Item) string
	}{{"formats", func(it ledger.Item) string { return it.FormatID }}, {"file_sets", func(it ledger.Item) string { return it.FileSetID }}} {
		was := b.item(t, "Storyboard.pdf")
		b.iconik.Delete(holder.kind, holder.of(was))
		fin := b.again(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		now := b.item(t, "Storyboard.pdf")
		assert.Equal(t, ledger.ItemVerified, now.State, now.Reason)
		assert.NotEqual(t, was.FileID, now.FileID, holder.kind)
		assert.NotEqual(t, holder.of(was), holder.of(now), holder.kind)
		assert.False(t, b.again(t).Changed)
	}
}

// What people delete in iconik is there again after one re-run, and nothing of the rest is made twice.
func TestOneRunMakesAgainWhatWasDeletedInIconik(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
			b.archive(t)
			want, assets, collections := b.places(), len(b.visible()), len(b.iconik.Docs("collections"))
			remove := func(kind, key string, values ...string) {
				n := 0
				for _, d := range b.iconik.Docs(kind) {
					fits := func(v string) bool { return strings.HasSuffix(str(d[key]), v) }
					if slices.ContainsFunc(values, fits) && str(d["status"]) != "DELETED" {
						b.iconik.Delete(kind, str(d["id"]))
						n++
					}
				}
				require.Equal(t, len(values), n, "%s %v", kind, values)
			}
			remove("assets", "title", "Storyboard.pdf", "Trailer v3 FINAL.mov")
			remove("collections", "title", "06 Rates")
			remove("segments", "segment_text", "Fade out")
			fin := b.again(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.True(t, fin.Changed)
			assert.Equal(t, want, b.places())
			assert.Len(t, b.visible(), assets)
			assert.Len(t, b.iconik.Docs("collections"), collections+1)

			row, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Get(t.Context())
			require.NoError(t, err)
			b.iconik.Delete("collections", row.CollectionID)
			b.iconik.Delete("assets", row.ReportAssetID)
			fin = b.again(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Equal(t, want, b.places())
			assert.False(t, b.again(t).Changed)
		})
	}
}

// places are what iconik shows, without ids and without the report, which has a version for each run.
func (b *harness) places() string {
	var lines []string
	report := -1
	for _, line := range strings.Split(b.iconik.Tree(), "\n") {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if strings.Contains(line, "frameio:report:") {
			report = indent
		} else if report < 0 || indent <= report {
			report = -1
			lines = append(lines, ids.ReplaceAllString(line, ""))
		}
	}
	return strings.Join(lines, "\n")
}

// A reference that somebody takes out of a presentation is there again after one re-run, and a presentation that is made
// while the archive runs is not left out.
func TestPresentationsAreReadBack(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
			client, err := iconik.New(b.config.Tenants[tenantID].Iconik)
			require.NoError(t, err)
			require.NoError(t, b.iconik.AddFault(faults.Fault{Match: "^POST .*/contents/?$", Times: 1, Do: func() {
				b.frameio.AddShare(frameiosim.Share{Kind: "presentation", Name: "A late one", ProjectID: b.project.ID, Items: b.visible()[:1]})
			}}))
			b.archive(t)
			want := b.places()
			require.Contains(t, want, "A late one")
			removed := 0
			for _, d := range b.iconik.Docs("collections") {
				if external := str(d["external_id"]); !strings.HasPrefix(external, "frameio:presentation:") && !strings.HasPrefix(external, "frameio:share:") {
					continue
				}
				for o, err := range client.Collections.AllContents(t.Context(), str(d["id"]), "assets") {
					require.NoError(t, err)
					require.NoError(t, client.Collections.Remove(t.Context(), str(d["id"]), "assets", o.ID))
					removed++
				}
			}
			require.NotZero(t, removed)
			require.NotEqual(t, want, b.places())
			fin := b.again(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.True(t, fin.Changed)
			assert.Equal(t, want, b.places())
			assert.False(t, b.again(t).Changed)
		})
	}
}
