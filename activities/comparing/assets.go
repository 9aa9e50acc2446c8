package comparing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
)

// Properties of an asset.
const (
	Title    = "title"
	InFolder = "collection" // by ID
	Order    = "order of versions"
	Current  = "current version"
)

// WantedAsset returns an asset as it should be.
func WantedAsset(title, collection string) proof.Object {
	return proof.Object{{Name: Title, Value: title}, {Name: InFolder, Value: collection}}
}

// FoundAsset returns an asset as it is. The asset must have been read with its collections; it may also be in people's own.
func FoundAsset(asset *iconik.Asset, collection string, before proof.Written) proof.Object {
	in := ""
	switch {
	case asset.InCollections == nil || slices.Contains(asset.InCollections, collection): // nil: iconik does not say
		in = collection
	default:
		if at := slices.IndexFunc(asset.InCollections, func(c string) bool { return before.Is(InFolder, c) }); at >= 0 {
			in = asset.InCollections[at]
		}
	}
	return WantedAsset(asset.Title, in)
}

// InWords describes differences in an asset's place by the folder's path. An empty folder means the project itself.
func InWords(rows []ledger.Difference, folder string) []ledger.Difference {
	for i, d := range rows {
		if d.Property != InFolder {
			continue
		}
		rows[i].Frameio = "in the folder " + folder
		if folder == "" {
			rows[i].Frameio = "in the project itself"
		}
		rows[i].Iconik = "not in its collection"
	}
	return rows
}

// Versions compares the order of an asset's versions, and which one is current, with the items they were created for, oldest
// first. It ignores versions of files that are gone from Frame.io.
func Versions(asset *iconik.Asset, items []ledger.Item, gone map[string]bool) []ledger.Difference {
	number := map[string]int{}
	var want, have []string
	for _, it := range items {
		if it.VersionID != "" {
			number[it.VersionID] = it.Version
			want = append(want, fmt.Sprint(it.Version))
		}
	}
	versions := slices.Clone(asset.Versions)
	slices.SortStableFunc(versions, iconik.OlderFirst)
	for _, v := range versions {
		if n := number[v.ID]; n > 0 && !v.Deleted() {
			have = append(have, fmt.Sprint(n))
		}
	}
	var out []ledger.Difference
	if len(want) == len(have) && !slices.Equal(want, have) { // a missing one is reported for its own item
		out = append(out, ledger.Difference{Kind: ledger.DifferenceChanged, Property: Order, Frameio: strings.Join(want, ", "), Iconik: strings.Join(have, ", ")})
	}
	newest := items[len(items)-1]
	if now, ok := asset.CurrentVersion(); ok && newest.VersionID != "" && now.ID != newest.VersionID && !gone[now.ID] {
		is := "a version that Framebridge did not make"
		if n := number[now.ID]; n > 0 {
			is = fmt.Sprintf("version %d", n)
		}
		out = append(out, ledger.Difference{Kind: ledger.DifferenceChanged, Property: Current, Frameio: fmt.Sprintf("version %d", newest.Version), Iconik: is})
	}
	return out
}

// Elsewhere returns "" unless an item's asset stands for another file or stack, and then says so. The ledger's IDs alone prove nothing.
func Elsewhere(asset *iconik.Asset, it ledger.Item) string {
	kind, _, ours := mapping.ParseExternalID(asset.ExternalID)
	if want := externalOf(it); ours && (kind == "file" || kind == "stack") && asset.ExternalID != want {
		return fmt.Sprintf("differ: its asset in iconik stands for %s, and not for %s", asset.ExternalID, want)
	}
	return ""
}

// externalOf returns the external ID of the asset that an item belongs in.
func externalOf(it ledger.Item) string {
	if it.AssetKey == it.SourceID {
		return mapping.ExternalID("file", it.AssetKey)
	}
	return mapping.ExternalID("stack", it.AssetKey)
}
