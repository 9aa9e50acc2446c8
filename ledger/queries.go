package ledger

// Queries whose time must not grow with everything a tenant ever had: lists, and those that a webhook's answer waits for. A
// test ensures that each uses an index and reads only the documents that it returns.
const (
	archivesPage = `SELECT queued_at, id, data, queue_position FROM archives
		WHERE tenant = ? AND queued_at <= ? AND (queued_at < ? OR id > ?) ORDER BY queued_at DESC, id LIMIT ?`
	nextPosition = `SELECT COALESCE(MAX(queue_position + 1), 0) FROM archives
		WHERE tenant = ? AND status IN ('queued', 'planning', 'running', 'verifying') AND id <> ?`
	itemsPage       = "SELECT seq, data FROM items WHERE tenant = ? AND archive = ? AND seq > ? ORDER BY seq LIMIT ?"
	itemsRange      = "SELECT seq, data FROM items WHERE tenant = ? AND archive = ? AND seq BETWEEN ? AND ? ORDER BY seq"
	itemsOfFolder   = "SELECT source_id FROM items WHERE tenant = ? AND archive = ? AND folder_id = ?"
	foldersPage     = "SELECT " + folderColumns + " FROM folders WHERE tenant = ? AND archive = ? AND (depth, source_id) > (?, ?) ORDER BY depth, source_id LIMIT ?"
	failuresPage    = "SELECT " + failureColumns + " FROM failures WHERE tenant = ? AND archive = ? AND (kind, source_id) > (?, ?) ORDER BY kind, source_id LIMIT ?"
	reviewsPage     = "SELECT data FROM reviews WHERE tenant = ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?"
	eventsSince     = "SELECT data FROM events WHERE tenant = ? AND type = ? AND created_at >= ? ORDER BY created_at"
	lastEvent       = "SELECT COALESCE(MAX(created_at), 0) FROM events WHERE tenant = ? AND type = ?"
	lastDelivery    = deliveriesFrom + "d.tenant = ? AND d.channel = ? AND d.status = ? ORDER BY d.created_at DESC LIMIT 1"
	deliveriesPage  = "SELECT " + deliveryColumns + deliveriesFrom + "d.tenant = ? AND (d.created_at, d.event, d.channel) < (?, ?, ?) ORDER BY d.created_at DESC, d.event DESC, d.channel DESC LIMIT ?"
	forgetDelivered = "DELETE FROM deliveries WHERE tenant = ? AND seen_at < ?"
	receivedPage    = "SELECT seen_at, source, kind, object, status, result FROM received WHERE tenant = ? ORDER BY seen_at DESC LIMIT ?"
	forgetReceived  = "DELETE FROM received WHERE tenant = ? AND seen_at < (SELECT seen_at FROM received WHERE tenant = ? ORDER BY seen_at DESC LIMIT 1 OFFSET ?)"

	oneMigration          = "SELECT data FROM migrations WHERE tenant = ? AND id = ?"
	migrationsPage        = "SELECT data FROM migrations WHERE tenant = ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?"
	oneMigrationProject   = "SELECT " + projectColumns + " FROM migration_projects WHERE tenant = ? AND migration = ? AND project = ?"
	migrationProjectsPage = "SELECT " + projectColumns + " FROM migration_projects WHERE tenant = ? AND migration = ? AND (position, project) > (?, ?) AND continued_as = '' ORDER BY position, project LIMIT ?"
	migrationSums         = `SELECT state, COUNT(*), SUM(CASE WHEN items = 0 AND state = 'queued' THEN 1 ELSE 0 END), SUM(items), SUM(copied), SUM(verified), SUM(skipped), SUM(failed), SUM(bytes), SUM(bytes_done)
		FROM migration_projects WHERE tenant = ? AND migration = ? AND continued_as = '' GROUP BY state`

	// SQLite reads the tables of a CROSS JOIN in the given order.
	reviewsOfAsset = `SELECT r.data FROM (SELECT DISTINCT review FROM review_assets WHERE tenant = ? AND asset_id = ?) AS shown CROSS JOIN reviews AS r
		WHERE r.tenant = ? AND r.id = shown.review AND r.status IN ('sending', 'open', 'expired') ORDER BY r.created_at DESC`
	reviewShownOn = `SELECT r.id FROM (SELECT DISTINCT review FROM review_assets WHERE tenant = ? AND asset_id = ?) AS shown CROSS JOIN reviews AS r
		WHERE r.tenant = ? AND r.id = shown.review
		ORDER BY CASE WHEN r.status IN ('sending', 'open') AND r.id <> ? THEN 0 ELSE 1 END, r.created_at DESC, r.id DESC LIMIT 1`
	sameClick      = "SELECT data FROM reviews WHERE tenant = ? AND click = ? AND created_at > ? ORDER BY created_at DESC LIMIT 1"
	reviewAssetsOf = `SELECT a.data FROM review_assets a JOIN reviews r ON r.tenant = a.tenant AND r.id = a.review
		WHERE a.tenant = ? AND a.asset_id = ? ORDER BY r.created_at DESC, a.n DESC`
	reviewOfFile           = "SELECT review FROM review_assets WHERE tenant = ? AND file_id = ? LIMIT 1"
	reviewsOfSegment       = "SELECT DISTINCT review FROM review_comments WHERE tenant = ? AND iconik_id = ?"
	reviewOfFrameioComment = `SELECT c.review, a.file_id FROM review_comments c JOIN review_assets a ON a.tenant = c.tenant AND a.review = c.review AND a.n = c.n
		WHERE c.tenant = ? AND c.frameio_id = ? LIMIT 1`
	openReviewInProject = "SELECT id FROM reviews WHERE tenant = ? AND status IN ('sending', 'open') AND LOWER(data) LIKE LOWER(?) LIMIT 1"
	runningReviewAssets = `SELECT COUNT(*) FROM reviews r JOIN review_assets a ON a.tenant = r.tenant AND a.review = r.id
		WHERE r.tenant = ? AND r.status IN ('sending', 'open')`
)
