package comparing

import (
	"strings"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/proof"
)

// Properties of a collection, besides its title.
const (
	Parent    = "parent collection" // by ID
	Reference = "reference"
)

// Parts that the verification of the tree compares. It finds them again each time.
const (
	PartFields     = "fields"
	PartCollection = "collection"
	PartReferences = "references"
)

// WantedCollection returns a collection as it should be. One without a parent may be anywhere.
func WantedCollection(title, parent string) proof.Object {
	if parent == "" {
		return proof.Object{{Name: Title, Value: title}}
	}
	return proof.Object{{Name: Title, Value: title}, {Name: Parent, Value: parent}}
}

// Collection compares a collection with its source. changed means that the source is no longer as it was last written.
func Collection(now proof.Object, is *iconik.Collection, before proof.Written, changed bool) []proof.Difference {
	return proof.Compare(now, WantedCollection(is.Title, is.ParentID), before, changed)
}

// WrittenCollection returns what a collection was last given. Older links have only the hash to tell.
func WrittenCollection(link ledger.Link) proof.Written {
	if link.Written != "" {
		return proof.ReadWritten(link.Written)
	}
	parent, title, ok := strings.Cut(link.Hash, "\x00")
	if !ok {
		return proof.Written{}
	}
	wrote := WantedCollection(title, parent)
	return proof.Write(wrote, wrote)
}

// CollectionInWords describes differences in a collection's place in words, because IDs mean nothing to people.
func CollectionInWords(rows []ledger.Difference) []ledger.Difference {
	for i, d := range rows {
		if d.Property == Parent {
			rows[i].Frameio, rows[i].Iconik = "in its folder's place", "moved to another collection"
		}
	}
	return rows
}
