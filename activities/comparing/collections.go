package comparing

import (
	"strings"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/proof"
)

// Properties of a collection, beside its title.
const (
	Parent    = "parent collection" // by its id
	Reference = "reference"
)

// Parts of what is beside an archive's items; each proof of the tree finds them anew.
const (
	PartFields     = "fields"
	PartCollection = "collection"
	PartReferences = "references"
)

// WantedCollection is a collection as it should be; one without a parent may be anywhere.
func WantedCollection(title, parent string) proof.Object {
	if parent == "" {
		return proof.Object{{Name: Title, Value: title}}
	}
	return proof.Object{{Name: Title, Value: title}, {Name: Parent, Value: parent}}
}

// Collection compares a collection with its source. changed says that its source is not as it was last written.
func Collection(now proof.Object, is *iconik.Collection, before proof.Written, changed bool) []proof.Difference {
	return proof.Compare(now, WantedCollection(is.Title, is.ParentID), before, changed)
}

// WrittenCollection is what a collection was last given: older links say it with their hash.
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

// CollectionInWords gives the differences of a collection's place words; ids say nothing to people.
func CollectionInWords(rows []ledger.Difference) []ledger.Difference {
	for i, d := range rows {
		if d.Property == Parent {
			rows[i].Frameio, rows[i].Iconik = "in its folder's place", "moved to another collection"
		}
	}
	return rows
}
