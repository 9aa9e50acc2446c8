package ledger

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bounded are the queries of lists and webhooks, each with what it must find by its index. Those marked covering must not
// read a single document.
var bounded = []struct {
	name, query string
	args        []any
	sqlite      []string // in SQLite's plan, which names the columns that an index is searched by
	postgres    string   // the index in PostgreSQL's plan
}{
	{"archives page", archivesPage, []any{"t", 5, 5, "a", 10}, []string{"INDEX archives_newest (tenant=? AND queued_at<?)"}, "archives_"},
	{"next position", nextPosition, []any{"t", "a"}, []string{"INDEX archives_by_status (tenant=? AND status=?)"}, "archives_by_status"},
	{"items page", itemsPage, []any{"t", "a", 5, 10}, []string{"INDEX items_by_seq (tenant=? AND archive=? AND seq>?)"}, "items_by_seq"},
	{"items", itemsRange, []any{"t", "a", 5, 10}, []string{"INDEX items_by_seq (tenant=? AND archive=? AND seq>? AND seq<?)"}, "items_by_seq"},
	{"items of a folder", itemsOfFolder, []any{"t", "a", "f"}, []string{"INDEX items_by_folder (tenant=? AND archive=? AND folder_id=?)"}, "items_by_folder"},
	{"next ranges to copy", nextRanges(PhaseCopy), []any{"t", "a", 5, 10}, []string{"INDEX items_to_copy (tenant=? AND archive=? AND seq>?)"}, "items_to_copy"},
	{"next comments to read", nextPass(PassRest), []any{"t", "a", 5, 10}, []string{"INDEX items_to_read (tenant=? AND archive=? AND seq>?)"}, "items_to_read"},
	{"next counted comments to read", nextPass(PassCounted), []any{"t", "a", 5, 10}, []string{"INDEX items_to_read (tenant=? AND archive=? AND seq>?)"}, "items_to_read"},
	{"placements", placementsPage, []any{"t", "a", 5, 10}, []string{"INDEX items_by_seq (tenant=? AND archive=? AND seq>?)", "INDEX sqlite_autoindex_links_1 (tenant=? AND kind=? AND source_id=?)"}, "items_by_seq"},
	{"folders page", foldersPage, []any{"t", "a", 1, "f", 10}, []string{"INDEX folders_by_depth (tenant=? AND archive=? AND (depth,source_id)>(?,?))"}, "folders_by_depth"},
	{"failures page", failuresPage, []any{"t", "a", "folder", "f", 10}, []string{"INDEX sqlite_autoindex_failures_1 (tenant=? AND archive=? AND (kind,source_id)>(?,?))"}, "failures_pkey"},
	{"reviews page", reviewsPage, []any{"t", 5, "r", 10}, []string{"INDEX reviews_by_age (tenant=? AND (created_at,id)<(?,?))"}, "reviews_"},
	{"same click", sameClick, []any{"t", "c", 5}, []string{"INDEX reviews_by_click (tenant=? AND click=? AND created_at>?)"}, "reviews_by_click"},
	{"reviews of an asset", reviewsOfAsset, []any{"t", "s5", "t"}, []string{"INDEX reviews_by_status (tenant=? AND status=? AND id=?)", "INDEX review_assets_by_asset (tenant=? AND asset_id=?)"}, "review_assets_by_asset"},
	{"review shown on an asset", reviewShownOn, []any{"t", "s5", "t", "r"}, []string{"INDEX sqlite_autoindex_reviews_1 (tenant=? AND id=?)", "INDEX review_assets_by_asset (tenant=? AND asset_id=?)"}, "review_assets_by_asset"},
	{"review of a file", reviewOfFile, []any{"t", "f"}, []string{"INDEX review_assets_by_file (tenant=? AND file_id=?)"}, "review_assets_by_file"},
	{"reviews of a segment", reviewsOfSegment, []any{"t", "s"}, []string{"COVERING INDEX review_comments_by_iconik (tenant=? AND iconik_id=?)"}, "review_comments_by_iconik"},
	{"review of a comment", reviewOfFrameioComment, []any{"t", "c"}, []string{"INDEX review_comments_by_frameio (tenant=? AND frameio_id=?)", "INDEX sqlite_autoindex_review_assets_1 (tenant=? AND review=? AND n=?)"}, "review_comments_by_frameio"},
	{"assets of running reviews", runningReviewAssets, []any{"t"}, []string{"COVERING INDEX reviews_by_", "COVERING INDEX sqlite_autoindex_review_assets_1 (tenant=? AND review=?)"}, "reviews_by_"},
	{"old deliveries", forgetDelivered, []any{"t", 5}, []string{"INDEX deliveries_by_time (tenant=? AND seen_at<?)"}, "deliveries_by_time"},
	{"what vendors sent", receivedPage, []any{"t", 10}, []string{"INDEX received_by_time (tenant=?)"}, "received_by_time"},
	{"what vendors sent long ago", forgetReceived, []any{"t", "t", 199}, []string{"INDEX received_by_time (tenant=? AND seen_at<?)"}, "received_by_time"},
	{"deliveries of events", deliveriesPage, []any{"t", 5, "e", "c", 10}, []string{"INDEX event_deliveries_by_age (tenant=? AND (created_at,event,channel)<(?,?,?))", "INDEX sqlite_autoindex_events_1 (tenant=? AND id=?)"}, "event_deliveries_by_age"},
	{"events of a type", eventsSince, []any{"t", "mirror.started", 5}, []string{"INDEX events_by_type (tenant=? AND type=? AND created_at>?)"}, "events_by_type"},
	{"last event of a type", lastEvent, []any{"t", "reclaim.stopped"}, []string{"COVERING INDEX events_by_type (tenant=? AND type=?"}, "events_by_type"},
	{"last delivery of a channel", "SELECT " + deliveryColumns + lastDelivery, []any{"t", "c", "failed"}, []string{"INDEX event_deliveries_by_channel (tenant=? AND channel=? AND status=?)"}, "event_deliveries_by_channel"},
	{"archives to browse", browsed + "archives", []any{"t", 5, 5, "a", "verified", "%x%", 10}, []string{"INDEX archives_to_browse (tenant=? AND queued_at<?)"}, "archives_to_browse"},
	{"the queue", archivesInOrder, []any{"t", "queued", 5, "a", 10}, []string{"INDEX archives_by_status (tenant=? AND status=? AND (queue_position,id)>(?,?))"}, "archives_by_status"},
	{"open archives", archivesOpen, []any{"t"}, []string{"INDEX archives_by_status (tenant=? AND status=?)"}, "archives_by_status"},
	{"items by path", browsed + "paths", []any{"t", "a", 5, "%x%", 10}, []string{"COVERING INDEX items_to_browse (tenant=? AND archive=? AND seq>?)"}, "items_"},
	{"items by state", browsed + "states", []any{"t", "a", 5, "failed", 10}, []string{"COVERING INDEX items_by_state (tenant=? AND archive=? AND state=? AND seq>?)"}, "items_"},
	{"totals", totals, []any{"t", "a", "t", "a"}, []string{"COVERING INDEX items_to_browse (tenant=? AND archive=? AND seq>?)"}, "items_"},
	{"reviews to browse", browsed + "reviews", []any{"t", 5, "r", "%x%", 10}, []string{"INDEX reviews_to_browse (tenant=? AND (created_at,id)<(?,?))"}, "reviews_to_browse"},
	{"reviews by expiry", reviewsByExpiry, []any{"t", "2026", "r", "2027", 10}, []string{"INDEX reviews_by_expiry (tenant=? AND status=? AND (expires,id)>(?,?) AND expires<?)"}, "reviews_by_expiry"},
	{"a review in a project", openReviewInProject, []any{"t", "%x%"}, []string{"INDEX reviews_by_"}, "reviews_by_"},
	{"running reviews", reviewsOpen, []any{"t"}, []string{"reviews_by_"}, "reviews_by_"},
	{"migrations page", migrationsPage, []any{"t", 5, "m", 10}, []string{"INDEX migrations_newest (tenant=? AND (created_at,id)<(?,?))"}, "migrations_"},
	{"a project of a migration", oneMigrationProject, []any{"t", "m", "p"}, []string{"INDEX sqlite_autoindex_migration_projects_1 (tenant=? AND migration=? AND project=?)"}, "migration_projects_"},
	{"projects of a migration", migrationProjectsPage, []any{"t", "m", 5, "p", 10}, []string{"INDEX migration_projects_in_order (tenant=? AND migration=? AND (position,project)>(?,?))"}, "migration_projects_in_order"},
	{"sums of a migration", migrationSums, []any{"t", "m"}, []string{"INDEX migration_projects_by_state (tenant=? AND migration=?)"}, "migration_projects_"},
	{"an archive", oneArchive, []any{"t", "a"}, []string{"INDEX sqlite_autoindex_archives_1 (tenant=? AND id=?)"}, "archives_pkey"},
}

// browsed stands for a query that a filter makes for one database.
const browsed = "browse "

func queryOf(l *Ledger, query string) string {
	switch strings.TrimPrefix(query, browsed) {
	case "archives":
		query, _ = ArchiveFilter{Statuses: []ArchiveStatus{Verified}, Name: "x"}.query(l.reads())
	case "paths":
		query, _ = ItemFilter{Text: "x"}.query(l.reads())
	case "states":
		query, _ = ItemFilter{States: []ItemState{ItemFailed}}.query(l.reads())
	case "reviews":
		query, _ = ReviewFilter{Title: "x"}.query(l.reads())
	}
	return query
}

func TestListsAndWebhooksGoByAnIndex(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		grow(t, l, tenant, 300, 20)
		for _, q := range bounded {
			plan := strings.ReplaceAll(explain(t, l, queryOf(l, q.query), append([]any{tenant}, q.args[1:]...)), "SCAN shown", "")
			if l.db.Postgres() {
				assert.Contains(t, plan, q.postgres, "%s:\n%s", q.name, plan)
				assert.NotContains(t, plan, "Seq Scan", "%s:\n%s", q.name, plan)
				continue
			}
			for _, part := range q.sqlite {
				assert.Contains(t, plan, part, "%s:\n%s", q.name, plan)
			}
			assert.NotContains(t, plan, "SCAN ", "%s:\n%s", q.name, plan)
		}
	})
}

func explain(t *testing.T, l *Ledger, query string, args []any) string {
	t.Helper()
	var lines []string
	require.NoError(t, l.tx(t.Context(), func(tx session) error {
		prefix := "EXPLAIN QUERY PLAN "
		if l.db.Postgres() { // otherwise small tables are read as a whole
			prefix = "EXPLAIN "
			if _, err := tx.Exec(t.Context(), "SET LOCAL enable_seqscan = off"); err != nil {
				return err
			}
		}
		out, err := collect(t.Context(), tx, func(r scanner) (line string, err error) {
			if l.db.Postgres() {
				err = r.Scan(&line)
				return line, err
			}
			var id, parent, unused int
			err = r.Scan(&id, &parent, &unused, &line)
			return line, err
		}, prefix+query, args...)
		lines = out
		return err
	}))
	return strings.Join(lines, "\n")
}
