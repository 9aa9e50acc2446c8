package ledger

import (
	"encoding/json"
	"slices"
)

// pair is an object under its old and its new id.
type pair[T any] struct{ old, seen T }

// file is what an item is recognized by.
type file struct {
	id, assetKey, folder string
	path                 string
	size                 int64
	version              int
	madeAt               string // as Frame.io states it, or empty
}

func fileOf(it Item) file {
	var fields map[string]string
	_ = json.Unmarshal(it.Fields, &fields)
	return file{it.SourceID, it.AssetKey, it.FolderID, it.Path, it.Size, it.Version, fields["framebridge_created_at"]}
}

// migrated is what matchFiles found.
type migrated struct {
	files     []pair[file]
	ambiguous []string // paths of files that match several old or new ones
}

// matchFiles recognizes files whose ids have all changed by path, size and version, and if that is ambiguous by creation
// time. If a single id is still the old one, it pairs nothing, because the missing files were then deleted.
func matchFiles(old, seen []file) (m migrated) {
	ids := map[string]bool{}
	for _, f := range old {
		ids[f.id] = true
	}
	if slices.ContainsFunc(seen, func(f file) bool { return ids[f.id] }) {
		return m
	}
	type place struct {
		path    string
		size    int64
		version int
	}
	placeOf := func(f file) place { return place{f.path, f.size, f.version} }
	was := groupBy(old, placeOf)
	for _, now := range inOrder(seen, placeOf) {
		before := was[placeOf(now[0])]
		switch {
		case len(before) == 0: // new
		case len(before) == 1 && len(now) == 1:
			m.files = append(m.files, pair[file]{before[0], now[0]})
		default:
			found := matchByTime(before, now)
			m.files = append(m.files, found...)
			if len(found) < len(now) {
				m.ambiguous = append(m.ambiguous, now[0].path)
			}
		}
	}
	return m
}

func matchByTime(before, now []file) (found []pair[file]) {
	madeAt := func(f file) string { return f.madeAt }
	was := groupBy(before, madeAt)
	for _, same := range inOrder(now, madeAt) {
		at := same[0].madeAt
		if at != "" && len(same) == 1 && len(was[at]) == 1 {
			found = append(found, pair[file]{was[at][0], same[0]})
		}
	}
	return found
}

// matchFolders recognizes folders by path, and if that is ambiguous by the files in them. A folder that it cannot match
// gets a new collection, and its assets follow.
func matchFolders(old, seen []Folder, files []pair[file]) (found []pair[Folder]) {
	held := map[string]map[string]bool{} // by a folder's new id: the old ids of the folders that its files came from
	for _, f := range files {
		if held[f.seen.folder] == nil {
			held[f.seen.folder] = map[string]bool{}
		}
		held[f.seen.folder][f.old.folder] = true
	}
	pathOf := func(f Folder) string { return f.Path }
	was := groupBy(old, pathOf)
	for _, now := range inOrder(seen, pathOf) {
		before := was[now[0].Path]
		if len(now) == 1 && len(before) == 1 {
			found = append(found, pair[Folder]{before[0], now[0]})
			continue
		}
		taken := map[string]int{} // by how many new folders
		for _, f := range now {
			for id := range held[f.SourceID] {
				taken[id]++
			}
		}
		for _, f := range now {
			for _, b := range before {
				if len(held[f.SourceID]) == 1 && held[f.SourceID][b.SourceID] && taken[b.SourceID] == 1 {
					found = append(found, pair[Folder]{b, f})
				}
			}
		}
	}
	return found
}

func groupBy[T any, K comparable](all []T, key func(T) K) map[K][]T {
	out := map[K][]T{}
	for _, v := range all {
		out[key(v)] = append(out[key(v)], v)
	}
	return out
}

// inOrder is groupBy in the order of each group's first element.
func inOrder[T any, K comparable](all []T, key func(T) K) [][]T {
	groups, at := [][]T{}, map[K]int{}
	for _, v := range all {
		i, ok := at[key(v)]
		if !ok {
			i = len(groups)
			at[key(v)] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], v)
	}
	return groups
}

// migratedItem returns an item under its new id. The work already done on it is kept. Its comments are matched before they
// are copied.
func migratedItem(old, seen Item) Item {
	it := merged(old, seen)
	it.SourceID, it.Migrated = seen.SourceID, true
	if it.CommentCount == 0 || old.CommentsDone > 0 {
		it.CommentCount = CommentsUnknown
	}
	if it.State == ItemFailed { // it was requested by an id that no longer exists
		it.State, it.Reason, it.Fault = Pending, "", ""
		if it.FileID != "" {
			it.State = Copying
		}
	}
	return it
}

// merged returns an item updated with what a scan saw of it. The work already done on it is kept.
func merged(old, seen Item) Item {
	it := old
	it.AssetKey, it.FolderID, it.Version, it.Versions = seen.AssetKey, seen.FolderID, seen.Version, seen.Versions
	it.Name, it.Title, it.Path, it.Size, it.MediaType, it.Class = seen.Name, seen.Title, seen.Path, seen.Size, seen.MediaType, seen.Class
	it.FrameNum, it.FrameDen, it.Frames, it.StartTimecode = seen.FrameNum, seen.FrameDen, seen.Frames, seen.StartTimecode
	it.Width, it.Height, it.HasProxy = seen.Width, seen.Height, seen.HasProxy
	switch {
	case seen.CommentCount == CommentsIfAnyBefore:
		if it.CommentCount = CommentsUnknown; old.CommentCount == 0 && old.CommentsScan > 0 && !old.HadComments && (seen.CommentHint == nil || *seen.CommentHint == 0) {
			it.CommentCount = 0
		}
	case seen.CommentCount != CommentsAsBefore:
		it.CommentCount = seen.CommentCount
	case old.CommentCount == 0 && (old.CommentsScan == 0 || hintsFirst(old.CommentHint, seen.CommentHint)): // never read, or changed since
		it.CommentCount = CommentsUnknown
	}
	if it.CommentCount >= 0 && it.CommentsDone > it.CommentCount { // deleted comments are no longer read
		it.CommentsDone, it.HadComments = it.CommentCount, true
	}
	it.CommentHint = seen.CommentHint
	it.Fields, it.Custom, it.FieldsHash, it.Scan = seen.Fields, seen.Custom, seen.FieldsHash, seen.Scan
	content := old.Size != seen.Size || old.SourceChecksum != "" && seen.SourceChecksum != "" && old.SourceChecksum != seen.SourceChecksum
	it.Watermarked = seen.Watermarked
	if it.Listed != "" && it.Listed == seen.Original && seen.Watermarked && !content {
		seen.Original = old.Original // what the bytes showed holds until the listing changes
	} else {
		it.Listed = ""
	}
	// A project that goes into cold storage after its files were copied does not affect the copies.
	better := old.State == Skipped && old.Original != seen.Original
	if content || better {
		it.State, it.Reason, it.Checksum, it.BytesDone = Pending, "", "", 0
	}
	it.Original = seen.Original
	if seen.SourceChecksum != "" {
		it.SourceChecksum = seen.SourceChecksum
	}
	return it
}
