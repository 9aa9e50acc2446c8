package ledger

import (
	"testing"

	"github.com/framebridge/framebridge/test/golden"
)

// TestStoredRowsKeepTheirNames checks the JSON of every row that is stored as JSON. A lost name silently empties a customer's
// data, because what was stored under it is no longer read. (Folders, links and the audit log are in columns.) The file is
// from 97c2cd7. What no version reads any longer is removed from it by hand.
func TestStoredRowsKeepTheirNames(t *testing.T) {
	golden.JSON(t, "testdata/rows.json", map[string]any{
		"archive":        Archive{},
		"item":           Item{},
		"review":         Review{},
		"review_asset":   ReviewAsset{},
		"review_comment": ReviewComment{},
		"session":        Session{},

		"migration": Migration{}, "migration_project": MigrationProject{},
		"reclaim":      Reclaim{},
		"reclaim_file": ReclaimFile{},
	})
}
