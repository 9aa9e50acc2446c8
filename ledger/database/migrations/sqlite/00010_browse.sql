-- +goose Up
-- What people search lists by, and what is added up for them: each query is answered by its index alone. LIKE does not
-- tell upper from lower case here.
ALTER TABLE archives ADD COLUMN name TEXT GENERATED ALWAYS AS (lower(substr(json_extract(data, '$.Name'), 1, 300))) VIRTUAL;
CREATE INDEX archives_to_browse ON archives (tenant, queued_at DESC, id, status, name);
CREATE INDEX items_to_browse ON items (tenant, archive, seq, state, size, bytes_done, comment_count, comments_done, asset_key, path);
CREATE INDEX items_by_state ON items (tenant, archive, state, seq);
ALTER TABLE reviews ADD COLUMN title TEXT GENERATED ALWAYS AS (lower(substr(json_extract(data, '$.Title'), 1, 300))) VIRTUAL;
ALTER TABLE reviews ADD COLUMN expires TEXT GENERATED ALWAYS AS (json_extract(data, '$.ExpiresAt')) VIRTUAL;
CREATE INDEX reviews_to_browse ON reviews (tenant, created_at DESC, id DESC, status, title);
CREATE INDEX reviews_by_expiry ON reviews (tenant, status, expires, id);
