-- +goose Up
-- Columns of the documents' own members: right whichever version writes a row.
ALTER TABLE archives ADD COLUMN status TEXT GENERATED ALWAYS AS (json_extract(data, '$.Status')) VIRTUAL;
CREATE INDEX archives_by_status ON archives (tenant, status, queue_position, id);
CREATE INDEX archives_newest ON archives (tenant, queued_at DESC, id);
DROP INDEX archives_by_age;
ALTER TABLE items ADD COLUMN folder_id TEXT GENERATED ALWAYS AS (json_extract(data, '$.FolderID')) VIRTUAL;
CREATE INDEX items_by_folder ON items (tenant, archive, folder_id, source_id);
CREATE INDEX items_to_copy ON items (tenant, archive, seq) WHERE state IN ('pending', 'copying', 'failed') OR dirty = 1;
CREATE INDEX reviews_by_status ON reviews (tenant, status, id);
CREATE INDEX deliveries_by_time ON deliveries (tenant, seen_at);
DROP INDEX review_comments_by_iconik;
CREATE INDEX review_comments_by_iconik ON review_comments (tenant, iconik_id, review);
DROP INDEX review_assets_by_asset;
CREATE INDEX review_assets_by_asset ON review_assets (tenant, asset_id, review);
