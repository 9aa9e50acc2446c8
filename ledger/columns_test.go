package ledger_test

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/texts"
)

// noPeople are the text columns that name nobody: IDs, states, paths, hashes, addresses of pages, and what is encrypted.
var noPeople = map[string][]string{
	"archives": {"id"}, "folders": {"archive", "source_id", "parent_id", "name", "path", "access", "collection_id", "page"},
	"items":  {"archive", "source_id", "asset_key", "path", "media_type", "state", "rendition", "asset_id"},
	"links":  {"kind", "target_id", "archive", "parent", "hash", "written"},
	"access": {"archive", "source", "part"}, "failures": {"archive", "kind", "source_id", "place", "fault", "url"},
	"differences": {"archive", "object", "part", "kind", "property", "place", "url"}, "not_carried": {"archive", "object", "part", "kind", "place", "url"},
	"deliveries": {"delivery"}, "tokens": {"name", "sealed"}, "reviews": {"id", "status", "click"}, "review_assets": {"review", "asset_id", "file_id"},
	"review_comments": {"review", "id", "frameio_id", "iconik_id"}, "audit_heads": {"hash"},
	"audit_log": {"actor_kind", "action", "object_kind", "archive", "review", "previous", "hash"},
	"sessions":  {"id"}, "one_time_links": {"id"}, "link_generations": {"kind", "object"}, "migrations": {"id"},
	"migration_projects": {"migration", "project", "state", "continued_as"}, "transfer_shares": {"worker"}, "reclaims": {"archive"},
	"reclaim_files": {"archive", "source_id", "state"}, "byte_reads": {"archive", "source_id", "etag", "checksum", "problem"},
	"events": {"id", "type"}, "event_deliveries": {"event", "channel", "status"}, "received": {"source", "kind", "object"}, "mails": {"id", "batch"},
}

// oneByOne are the columns from which package people or the ledger itself erases people.
var oneByOne = map[string][]string{
	"archives": {"data"}, "items": {"data"}, "reviews": {"data"}, "mails": {"recipients"}, "sessions": {"subject", "data"}, "one_time_links": {"data"},
	"audit_log": {"actor_name", "actor_address", "actor_key", "object_id", "reason", "detail"},
	"audit":     {"archive", "actor", "what", "detail"}, // moves to the log before anything is erased
}

// Whoever adds a text column must state whether it names people.
func TestPeopleAreLookedForInEveryColumn(t *testing.T) {
	path := t.TempDir() + "/l.db"
	l, err := Open(t.Context(), "sqlite:"+path)
	require.NoError(t, err)
	l.Close()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.type = 'TEXT' AND c.name <> 'tenant' AND m.name NOT LIKE 'sqlite%'`)
	require.NoError(t, err)
	defer rows.Close()
	erased, seen := map[string][]string{}, 0
	for _, c := range texts.Personal() {
		erased[c.Table] = append(erased[c.Table], c.Column)
	}
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		seen++
		lists := 0
		for _, list := range [][]string{erased[table], noPeople[table], oneByOne[table]} {
			if slices.Contains(list, column) {
				lists++
			}
		}
		assert.Equal(t, 1, lists, "%s.%s: does an erasure have to look there?", table, column)
	}
	require.NoError(t, rows.Err())
	assert.Greater(t, seen, 100)
}
