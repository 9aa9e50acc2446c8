package ledger

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// contains returns a LIKE pattern that matches text anywhere in a lower-case column.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(text)) + "%"
}

// by forces an index in SQLite, which does not see that the index has a generated column. PostgreSQL does.
func (s session) by(index string) string {
	if s.Postgres() {
		return ""
	}
	return " INDEXED BY " + index
}

// oneOf returns a condition on a column, with its arguments. Without values there is no condition.
func oneOf[T ~string](column string, values []T) (string, []any) {
	if len(values) == 0 {
		return "", nil
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	return " AND " + column + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")", args
}

// ArchiveFilter selects archives. An empty field selects all.
type ArchiveFilter struct {
	Statuses []ArchiveStatus
	Name     string // anywhere in the project's name; ASCII case is ignored
}

func (f ArchiveFilter) query(s session) (string, []any) {
	query := "SELECT queued_at, id FROM archives" + s.by("archives_to_browse") + " WHERE tenant = ? AND queued_at <= ? AND (queued_at < ? OR id > ?)"
	where, args := oneOf("status", f.Statuses)
	if f.Name != "" {
		where, args = where+` AND name LIKE ? ESCAPE '\'`, append(args, contains(f.Name))
	}
	return query + where + " ORDER BY queued_at DESC, id LIMIT ?", args
}

// BrowseArchives lists the tenant's archives that match a filter, newest first. after is the cursor that the previous page returned.
func (h TenantLedger) BrowseArchives(ctx context.Context, f ArchiveFilter, after string, limit int) ([]Archive, string, error) {
	if len(f.Statuses) == 0 && f.Name == "" {
		return h.Archives(ctx, after, limit)
	}
	at, id := int64(1)<<62, ""
	if after != "" {
		var err error
		if at, id, err = cursor(after, "~"); err != nil {
			return nil, "", err
		}
	}
	query, args := f.query(h.l.reads())
	var lastAt int64
	ids, err := collect(ctx, h.l.reads(), func(r scanner) (id string, err error) { err = r.Scan(&lastAt, &id); return id, err }, query,
		append(append([]any{h.id, at, at, id}, args...), limit)...)
	if err != nil || len(ids) == 0 {
		return nil, "", err
	}
	where, in := oneOf("id", ids)
	out, err := collect(ctx, h.l.reads(), func(r scanner) (Archive, error) { return scanArchive(r) },
		"SELECT data, queue_position FROM archives WHERE tenant = ?"+where, append([]any{h.id}, in...)...)
	slices.SortFunc(out, func(a, b Archive) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	next := ""
	if len(ids) == limit {
		next = strconv.FormatInt(lastAt, 10) + "~" + ids[len(ids)-1]
	}
	return out, next, err
}

const archivesInOrder = "SELECT data, queue_position FROM archives WHERE tenant = ? AND status = ? AND (queue_position, id) > (?, ?) ORDER BY queue_position, id LIMIT ?"

// Queue lists the archives that wait for their turn, the next one first. afterPosition and afterID are those of the previous
// page's last archive, or 0 and "" for the first page.
func (h TenantLedger) Queue(ctx context.Context, afterPosition int, afterID string, limit int) ([]Archive, error) {
	return collect(ctx, h.l.reads(), func(r scanner) (Archive, error) { return scanArchive(r) }, archivesInOrder, h.id, Queued, afterPosition, afterID, limit)
}

// UnderWay lists the archives that have started and have not ended, up to limit for each status.
func (h TenantLedger) UnderWay(ctx context.Context, limit int) ([]Archive, error) {
	var out []Archive
	for _, status := range []ArchiveStatus{Running, Planning, Verifying, Waiting} {
		rows, err := collect(ctx, h.l.reads(), func(r scanner) (Archive, error) { return scanArchive(r) }, archivesInOrder, h.id, status, -1, "", limit)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

const archivesOpen = "SELECT status, COUNT(*) FROM archives WHERE tenant = ? AND status IN ('queued', 'planning', 'running', 'waiting', 'verifying') GROUP BY status"

// OpenArchives counts the archives that have not ended, by status.
func (h TenantLedger) OpenArchives(ctx context.Context) (map[ArchiveStatus]int64, error) {
	return counted[ArchiveStatus](ctx, h.l.reads(), archivesOpen, h.id)
}

func counted[K ~string](ctx context.Context, s session, query string, args ...any) (map[K]int64, error) {
	type count struct {
		of K
		n  int64
	}
	rows, err := collect(ctx, s, func(r scanner) (c count, err error) { err = r.Scan(&c.of, &c.n); return c, err }, query, args...)
	out := map[K]int64{}
	for _, c := range rows {
		out[c.of] = c.n
	}
	return out, err
}

// ItemFilter selects an archive's items. An empty field selects all.
type ItemFilter struct {
	States []ItemState
	Text   string // anywhere in the path (PostgreSQL: in its last 300 characters); ASCII case is ignored
}

func (f ItemFilter) query(s session) (string, []any) {
	where, args := oneOf("state", f.States)
	if f.Text != "" {
		column := "path"
		if s.Postgres() {
			column = "search"
		}
		where, args = where+" AND "+column+` LIKE ? ESCAPE '\'`, append(args, contains(f.Text))
	}
	return "SELECT seq FROM items WHERE tenant = ? AND archive = ? AND seq > ?" + where + " ORDER BY seq LIMIT ?", args
}

// BrowseItems returns the items after a number that match a filter, and the number to continue after, which is 0 at the end.
func (h ArchiveLedger) BrowseItems(ctx context.Context, f ItemFilter, after int64, limit int) ([]Item, int64, error) {
	if len(f.States) == 0 && f.Text == "" {
		return h.ItemsPage(ctx, after, limit)
	}
	query, args := f.query(h.l.reads())
	args = append(append([]any{h.tenant, h.id, max(after, 0)}, args...), limit)
	items, err := collect(ctx, h.l.reads(), h.l.reads().scanItem(h.tenant),
		"SELECT seq, data FROM items WHERE tenant = ? AND archive = ? AND seq IN (SELECT seq FROM ("+query+") AS chosen) ORDER BY seq", append([]any{h.tenant, h.id}, args...)...)
	if err != nil || len(items) < limit {
		return items, 0, err
	}
	return items, items[len(items)-1].Seq, nil
}

// ReviewFilter selects reviews. An empty field selects all.
type ReviewFilter struct {
	Statuses []ReviewStatus
	Title    string // anywhere in the title; ASCII case is ignored
}

func (f ReviewFilter) query(s session) (string, []any) {
	where, args := oneOf("status", f.Statuses)
	if f.Title != "" {
		where, args = where+` AND title LIKE ? ESCAPE '\'`, append(args, contains(f.Title))
	}
	return "SELECT created_at, id FROM reviews" + s.by("reviews_to_browse") + " WHERE tenant = ? AND (created_at, id) < (?, ?)" + where + " ORDER BY created_at DESC, id DESC LIMIT ?", args
}

// BrowseReviews lists the tenant's reviews that match a filter, newest first. after is the cursor that the previous page returned.
func (h TenantLedger) BrowseReviews(ctx context.Context, f ReviewFilter, after string, limit int) ([]Review, string, error) {
	if len(f.Statuses) == 0 && f.Title == "" {
		return h.Reviews(ctx, after, limit)
	}
	at, id := int64(1)<<62, "~"
	if after != "" {
		var err error
		if at, id, err = cursor(after, "."); err != nil {
			return nil, "", err
		}
	}
	query, args := f.query(h.l.reads())
	ids, err := collect(ctx, h.l.reads(), func(r scanner) (id string, err error) { err = r.Scan(&at, &id); return id, err }, query, append(append([]any{h.id, at, id}, args...), limit)...)
	if err != nil || len(ids) == 0 {
		return nil, "", err
	}
	where, in := oneOf("id", ids)
	out, err := many[Review](ctx, h.l.reads(), "SELECT data FROM reviews WHERE tenant = ?"+where, append([]any{h.id}, in...)...)
	slices.SortFunc(out, func(a, b Review) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	next := ""
	if len(ids) == limit {
		next = strconv.FormatInt(at, 10) + "." + ids[len(ids)-1]
	}
	return out, next, err
}

const reviewsByExpiry = "SELECT data FROM reviews WHERE tenant = ? AND status = 'open' AND (expires, id) > (?, ?) AND expires < ? ORDER BY expires, id LIMIT ?"

// OpenReviews lists the open reviews that expire before until, the next one to expire first. A zero until sets no limit.
// after and afterID are the expiry and id of the previous page's last review, or zero and "" for the first page.
func (h TenantLedger) OpenReviews(ctx context.Context, until, after time.Time, afterID string, limit int) ([]Review, error) {
	from, to := "", "~"
	if !after.IsZero() {
		from = after.UTC().Format(time.RFC3339Nano)
	}
	if !until.IsZero() {
		to = until.UTC().Format(time.RFC3339Nano)
	}
	return many[Review](ctx, h.l.reads(), reviewsByExpiry, h.id, from, afterID, to, limit)
}

const reviewsOpen = "SELECT status, COUNT(*) FROM reviews WHERE tenant = ? AND status IN ('sending', 'open') GROUP BY status"

// RunningReviews counts the reviews that are being sent or are open.
func (h TenantLedger) RunningReviews(ctx context.Context) (map[ReviewStatus]int64, error) {
	return counted[ReviewStatus](ctx, h.l.reads(), reviewsOpen, h.id)
}

// LastDelivery returns when the last webhook that was acted on arrived, and how many did within a day. The time is zero if none did.
func (h TenantLedger) LastDelivery(ctx context.Context) (last time.Time, n int64, err error) {
	var at int64
	err = h.l.reads().Row(ctx, "SELECT COALESCE(MAX(seen_at), 0), COUNT(*) FROM deliveries WHERE tenant = ? AND seen_at >= ?", h.id, micros(time.Now().Add(-deliveriesKept))).Scan(&at, &n)
	return fromMicros(at), n, err
}
