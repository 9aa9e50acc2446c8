package ledger

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFilesAreFoundAgainUnderNewIDs(t *testing.T) {
	at := func(id, path, made string) file {
		return file{id: id, assetKey: id, path: path, size: 1, version: 1, folder: "folder of " + id, madeAt: made}
	}
	larger := at("N1", "a.mov", "")
	larger.size = 2
	second := at("N1", "a.mov", "")
	second.version = 2
	for name, c := range map[string]struct {
		old, seen []file
		want      map[string]string // new ids by old
		ambiguous []string
	}{
		"by path":                       {[]file{at("1", "a.mov", ""), at("2", "b.mov", "")}, []file{at("N2", "b.mov", ""), at("N1", "a.mov", "")}, map[string]string{"1": "N1", "2": "N2"}, nil},
		"a new one":                     {[]file{at("1", "a.mov", "")}, []file{at("N1", "a.mov", ""), at("N2", "c.mov", "")}, map[string]string{"1": "N1"}, nil},
		"another size":                  {[]file{at("1", "a.mov", "")}, []file{larger}, map[string]string{}, nil},
		"another version":               {[]file{at("1", "a.mov", "")}, []file{second}, map[string]string{}, nil},
		"an id that is still the same":  {[]file{at("1", "a.mov", ""), at("2", "b.mov", "")}, []file{at("1", "a.mov", ""), at("N2", "b.mov", "")}, map[string]string{}, nil},
		"two of a path, by time":        {[]file{at("1", "a.mov", "x"), at("2", "a.mov", "y")}, []file{at("N2", "a.mov", "y"), at("N1", "a.mov", "x")}, map[string]string{"1": "N1", "2": "N2"}, nil},
		"two of a path, one time":       {[]file{at("1", "a.mov", "x"), at("2", "a.mov", "x")}, []file{at("N2", "a.mov", "x"), at("N1", "a.mov", "x")}, map[string]string{}, []string{"a.mov"}},
		"two of a path, no times":       {[]file{at("1", "a.mov", ""), at("2", "a.mov", "")}, []file{at("N1", "a.mov", "")}, map[string]string{}, []string{"a.mov"}},
		"two of a path, one time known": {[]file{at("1", "a.mov", "x"), at("2", "a.mov", "")}, []file{at("N1", "a.mov", "x"), at("N2", "a.mov", "")}, map[string]string{"1": "N1"}, []string{"a.mov"}},
	} {
		found := matchFiles(c.old, c.seen)
		got := map[string]string{}
		for _, f := range found.files {
			got[f.old.id] = f.seen.id
		}
		assert.Equal(t, c.want, got, name)
		assert.Equal(t, c.ambiguous, found.ambiguous, name)
	}
}

func TestFoldersAreFoundAgainUnderNewIDs(t *testing.T) {
	held := func(old, seen string) pair[file] { return pair[file]{file{folder: old}, file{folder: seen}} }
	folder := func(id, path string) Folder { return Folder{SourceID: id, Path: path} }
	twins, newTwins := []Folder{folder("1", "a"), folder("2", "a")}, []Folder{folder("N1", "a"), folder("N2", "a")}
	for name, c := range map[string]struct {
		old, seen []Folder
		files     []pair[file]
		want      map[string]string
	}{
		"by path":                          {[]Folder{folder("1", "a"), folder("2", "b")}, []Folder{folder("N1", "a"), folder("N3", "c")}, nil, map[string]string{"1": "N1"}},
		"two of a path, by files":          {twins, newTwins, []pair[file]{held("1", "N1"), held("2", "N2")}, map[string]string{"1": "N1", "2": "N2"}},
		"two of a path, empty":             {twins, newTwins, nil, map[string]string{}},
		"two of a path, one empty":         {twins, newTwins, []pair[file]{held("1", "N1")}, map[string]string{"1": "N1"}},
		"files of one went to two":         {twins, newTwins, []pair[file]{held("1", "N1"), held("1", "N2")}, map[string]string{}},
		"files of two came together":       {twins, newTwins, []pair[file]{held("1", "N1"), held("2", "N1")}, map[string]string{}},
		"files of one from somewhere else": {twins, newTwins, []pair[file]{held("9", "N1")}, map[string]string{}},
	} {
		got := map[string]string{}
		for _, f := range matchFolders(c.old, c.seen, c.files) {
			got[f.old.SourceID] = f.seen.SourceID
		}
		assert.Equal(t, c.want, got, name)
	}
}

func TestWhatAScanSawIsMerged(t *testing.T) {
	done := Item{SourceID: "x", Size: 5, State: Copied, Checksum: "sum", BytesDone: 5, Original: "available", CommentCount: 3, FieldsHash: "f1", WrittenHash: "f1"}
	same := merged(done, Item{Size: 5, Original: "archived", CommentCount: CommentsAsBefore, FieldsHash: "f2"})
	assert.Equal(t, Copied, same.State, "cold storage takes nothing away from a copy")
	assert.Equal(t, 3, same.CommentCount)
	assert.True(t, same.NeedsCopying(), "its fields changed")
	other := merged(done, Item{Size: 6, Original: "available"})
	assert.Equal(t, Pending, other.State)
	assert.Empty(t, other.Checksum)
	failed := migratedItem(Item{SourceID: "x", State: ItemFailed, Reason: "404", FileID: "f", CommentsDone: 2}, Item{SourceID: "y", CommentCount: 2})
	assert.Equal(t, Copying, failed.State)
	assert.Empty(t, failed.Reason)
	assert.Equal(t, "y", failed.SourceID)
	assert.True(t, failed.Migrated)
	assert.Equal(t, CommentsUnknown, failed.CommentCount)
}
