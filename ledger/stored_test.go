package ledger

import (
	"testing"

	"github.com/framebridge/framebridge/test/golden"
)

// TestStoredRowsKeepTheirNames holds the JSON of every row that is kept as JSON. A name that goes empties a customer's
// data without a word: what was stored under it is not read any more. (Folders, links and the audit lie in columns.) The
// file is of 97c2cd7; what no version reads any more is taken out of it by hand.
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
