package contract

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
)

// item finds an item by its path.
func (b *bench) item(t *testing.T, path string) ledger.Item {
	t.Helper()
	items, _, err := b.book.ItemsPage(t.Context(), tenantID, b.project.ID, 0, 1000)
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
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
	client, err := iconik.New(b.acts.Config.Tenants[tenantID].Iconik)
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
	b.again(t)
	fin := b.again(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	now := b.item(t, "Storyboard.pdf")
	assert.Equal(t, ledger.ItemVerified, now.State, now.Reason)
	assert.Equal(t, it.AssetID, now.AssetID)
	assert.NotEqual(t, it.FileSetID, now.FileSetID)
}
