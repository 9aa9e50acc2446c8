package ledger

import (
	"context"
	"time"
)

// The calls that do not use the handles yet. A new call uses them; this file goes with the last old one.

func (l *Ledger) UpdateArchive(ctx context.Context, tenant, id string, change func(*Archive)) (Archive, error) {
	return l.Tenant(tenant).Archive(id).Update(ctx, change)
}

func (l *Ledger) RequestArchive(ctx context.Context, tenant, id, requestedBy string, now time.Time) (a Archive, joined bool, err error) {
	return l.Tenant(tenant).Archive(id).Request(ctx, requestedBy, now)
}

func (l *Ledger) Archive(ctx context.Context, tenant, id string) (Archive, bool, error) {
	return l.Tenant(tenant).Archive(id).Get(ctx)
}

func (l *Ledger) ArchiveTotals(ctx context.Context, tenant, archive string) (Totals, error) {
	return l.Tenant(tenant).Archive(archive).Totals(ctx)
}

func (l *Ledger) CountProxies(ctx context.Context, tenant, archive string) (int64, error) {
	return l.Tenant(tenant).Archive(archive).CountProxies(ctx)
}

func (l *Ledger) ThrottleProgress(ctx context.Context, tenant, archive string, every time.Duration) (bool, error) {
	return l.Tenant(tenant).Archive(archive).ThrottleProgress(ctx, every)
}

func (l *Ledger) Archives(ctx context.Context, tenant, after string, limit int) ([]Archive, string, error) {
	return l.Tenant(tenant).Archives(ctx, after, limit)
}

func (l *Ledger) NextPosition(ctx context.Context, tenant, id string) (position int, err error) {
	return l.Tenant(tenant).NextPosition(ctx, id)
}

func (l *Ledger) SetQueuePositions(ctx context.Context, tenant string, ids []string) error {
	return l.Tenant(tenant).SetQueuePositions(ctx, ids)
}

func (l *Ledger) AuditPage(ctx context.Context, tenant string, f AuditFilter, after int64, limit int) ([]AuditEntry, error) {
	return l.Tenant(tenant).AuditPage(ctx, f, after, limit)
}

func (l *Ledger) VerifyAudit(ctx context.Context, tenant string) (int64, error) {
	return l.Tenant(tenant).VerifyAudit(ctx)
}

func (l *Ledger) Delivered(ctx context.Context, tenant, key string) (bool, error) {
	return l.Tenant(tenant).Delivered(ctx, key)
}

func (l *Ledger) NoteDelivery(ctx context.Context, tenant, key string, now time.Time) (bool, error) {
	return l.Tenant(tenant).NoteDelivery(ctx, key, now)
}

func (l *Ledger) BeginScan(ctx context.Context, tenant, archive string) (int, error) {
	return l.Tenant(tenant).Archive(archive).BeginScan(ctx)
}

func (l *Ledger) FinishScan(ctx context.Context, tenant, archive string, scan int) error {
	return l.Tenant(tenant).Archive(archive).FinishScan(ctx, scan)
}

func (l *Ledger) PutFolders(ctx context.Context, tenant, archive string, folders []Folder) error {
	return l.Tenant(tenant).Archive(archive).PutFolders(ctx, folders)
}

func (l *Ledger) NextFolder(ctx context.Context, tenant, archive string, scan int) (*Folder, error) {
	return l.Tenant(tenant).Archive(archive).NextFolder(ctx, scan)
}

func (l *Ledger) PageListed(ctx context.Context, tenant, archive, folderID string, scan int, cursor string, children []Folder, items []Item, done bool) error {
	return l.Tenant(tenant).Archive(archive).PageListed(ctx, folderID, scan, cursor, children, items, done)
}

func (l *Ledger) Folders(ctx context.Context, tenant, archive, after string, limit int) ([]Folder, string, error) {
	return l.Tenant(tenant).Archive(archive).Folders(ctx, after, limit)
}

func (l *Ledger) SetFolderCollection(ctx context.Context, tenant, archive, sourceID, collectionID string) error {
	return l.Tenant(tenant).Archive(archive).SetFolderCollection(ctx, sourceID, collectionID)
}

func (l *Ledger) FolderGone(ctx context.Context, tenant, archive, sourceID string) error {
	return l.Tenant(tenant).Archive(archive).FolderGone(ctx, sourceID)
}

func (l *Ledger) Item(ctx context.Context, tenant, archive, sourceID string) (Item, bool, error) {
	return l.Tenant(tenant).Archive(archive).Item(ctx, sourceID)
}

func (l *Ledger) Items(ctx context.Context, tenant, archive string, from, to int64) ([]Item, error) {
	return l.Tenant(tenant).Archive(archive).Items(ctx, from, to)
}

func (l *Ledger) ItemsPage(ctx context.Context, tenant, archive string, after int64, limit int) ([]Item, int64, error) {
	return l.Tenant(tenant).Archive(archive).ItemsPage(ctx, after, limit)
}

func (l *Ledger) UpdateItem(ctx context.Context, tenant, archive, sourceID string, change func(*Item)) (Item, error) {
	return l.Tenant(tenant).Archive(archive).UpdateItem(ctx, sourceID, change)
}

func (l *Ledger) NextRanges(ctx context.Context, tenant, archive string, phase Phase, after int64, size, most int) ([]Range, error) {
	return l.Tenant(tenant).Archive(archive).NextRanges(ctx, phase, after, size, most)
}

func (l *Ledger) ResetFailed(ctx context.Context, tenant, archive string) error {
	return l.Tenant(tenant).Archive(archive).ResetFailed(ctx)
}

func (l *Ledger) Links(ctx context.Context, tenant, archive string, kind LinkKind, after string, limit int) ([]Link, string, error) {
	return l.Tenant(tenant).Archive(archive).Links(ctx, kind, after, limit)
}

func (l *Ledger) Link(ctx context.Context, tenant string, kind LinkKind, sourceID string) (Link, bool, error) {
	return l.Tenant(tenant).Link(ctx, kind, sourceID)
}

func (l *Ledger) LinkByTarget(ctx context.Context, tenant string, kind LinkKind, targetID string) (Link, bool, error) {
	return l.Tenant(tenant).LinkByTarget(ctx, kind, targetID)
}

func (l *Ledger) Intend(ctx context.Context, tenant string, k Link) (existing Link, isNew bool, err error) {
	return l.Tenant(tenant).Intend(ctx, k)
}

func (l *Ledger) IntendAgain(ctx context.Context, tenant string, kind LinkKind, sourceID string, at time.Time) error {
	return l.Tenant(tenant).IntendAgain(ctx, kind, sourceID, at)
}

func (l *Ledger) Complete(ctx context.Context, tenant string, kind LinkKind, sourceID, targetID, hash string) error {
	return l.Tenant(tenant).Complete(ctx, kind, sourceID, targetID, hash)
}

func (l *Ledger) Claim(ctx context.Context, tenant string, kind LinkKind, sourceID, targetID, hash string) (holds string, err error) {
	return l.Tenant(tenant).Claim(ctx, kind, sourceID, targetID, hash)
}

func (l *Ledger) Cancel(ctx context.Context, tenant string, kind LinkKind, sourceID string) error {
	return l.Tenant(tenant).Cancel(ctx, kind, sourceID)
}

func (l *Ledger) Delete(ctx context.Context, tenant string, kind LinkKind, sourceID string) error {
	return l.Tenant(tenant).Delete(ctx, kind, sourceID)
}

func (l *Ledger) RestartScan(ctx context.Context, tenant, archive string) error {
	return l.Tenant(tenant).Archive(archive).RestartScan(ctx)
}

func (l *Ledger) Rematch(ctx context.Context, tenant, archive string, scan int) (Matched, error) {
	return l.Tenant(tenant).Archive(archive).Rematch(ctx, scan)
}

func (l *Ledger) MoveArchive(ctx context.Context, tenant, from, to string) error {
	return l.Tenant(tenant).MoveArchive(ctx, from, to)
}

func (l *Ledger) RenameLink(ctx context.Context, tenant string, kind LinkKind, from, to string) error {
	return l.Tenant(tenant).RenameLink(ctx, kind, from, to)
}

func (l *Ledger) HandOver(ctx context.Context, tenant, review, from string, a ReviewAsset, now time.Time) (taken bool, err error) {
	return l.Tenant(tenant).Review(review).HandOver(ctx, from, a, now)
}

func (l *Ledger) Review(ctx context.Context, tenant, id string) (Review, bool, error) {
	return l.Tenant(tenant).Review(id).Get(ctx)
}

func (l *Ledger) UpdateReview(ctx context.Context, tenant, id string, change func(*Review)) (Review, error) {
	return l.Tenant(tenant).Review(id).Update(ctx, change)
}

func (l *Ledger) ReviewAssets(ctx context.Context, tenant, review string) ([]ReviewAsset, error) {
	return l.Tenant(tenant).Review(review).Assets(ctx)
}

func (l *Ledger) ReviewAsset(ctx context.Context, tenant, review string, n int) (ReviewAsset, bool, error) {
	return l.Tenant(tenant).Review(review).Asset(ctx, n)
}

func (l *Ledger) AddReviewAssets(ctx context.Context, tenant, review string, add func(have []ReviewAsset) []ReviewAsset) ([]ReviewAsset, error) {
	return l.Tenant(tenant).Review(review).AddAssets(ctx, add)
}

func (l *Ledger) UpdateReviewAsset(ctx context.Context, tenant, review string, n int, change func(*ReviewAsset)) (ReviewAsset, error) {
	return l.Tenant(tenant).Review(review).UpdateAsset(ctx, n, change)
}

func (l *Ledger) ReviewComments(ctx context.Context, tenant, review string, n int) ([]ReviewComment, error) {
	return l.Tenant(tenant).Review(review).Comments(ctx, n)
}

func (l *Ledger) Reviews(ctx context.Context, tenant, after string, limit int) ([]Review, string, error) {
	return l.Tenant(tenant).Reviews(ctx, after, limit)
}

func (l *Ledger) RunningReviewAssets(ctx context.Context, tenant string) (n int, err error) {
	return l.Tenant(tenant).RunningReviewAssets(ctx)
}

func (l *Ledger) ReviewsOfAsset(ctx context.Context, tenant, assetID string) ([]Review, error) {
	return l.Tenant(tenant).ReviewsOfAsset(ctx, assetID)
}

func (l *Ledger) ReviewShownOn(ctx context.Context, tenant, assetID, ending string) (string, error) {
	return l.Tenant(tenant).ReviewShownOn(ctx, assetID, ending)
}

func (l *Ledger) ReviewOfFile(ctx context.Context, tenant, fileID string) (string, bool, error) {
	return l.Tenant(tenant).ReviewOfFile(ctx, fileID)
}

func (l *Ledger) ReviewOfFrameioComment(ctx context.Context, tenant, commentID string) (review, fileID string, known bool, err error) {
	return l.Tenant(tenant).ReviewOfFrameioComment(ctx, commentID)
}

func (l *Ledger) ReviewsOfSegment(ctx context.Context, tenant, segmentID string) ([]string, error) {
	return l.Tenant(tenant).ReviewsOfSegment(ctx, segmentID)
}

func (l *Ledger) PutReviewComments(ctx context.Context, tenant string, comments ...ReviewComment) error {
	return l.Tenant(tenant).PutReviewComments(ctx, comments...)
}

func (l *Ledger) PutToken(ctx context.Context, tenant, name string, plain []byte) error {
	return l.Tenant(tenant).PutToken(ctx, name, plain)
}

func (l *Ledger) Token(ctx context.Context, tenant, name string) ([]byte, bool, error) {
	return l.Tenant(tenant).Token(ctx, name)
}

func (l *Ledger) DropToken(ctx context.Context, tenant, name string) error {
	return l.Tenant(tenant).DropToken(ctx, name)
}

func (l *Ledger) ExchangeToken(ctx context.Context, tenant, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error {
	return l.Tenant(tenant).ExchangeToken(ctx, name, change)
}
