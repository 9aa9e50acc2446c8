-- +goose Up
-- What people search lists by, and what is added up for them: each query is answered by its index alone. PostgreSQL's jsonb
-- takes no NUL, and its indexes no text of more than 2,700 bytes.
ALTER TABLE archives ADD COLUMN name TEXT GENERATED ALWAYS AS (lower(left(replace(data, '\u0000', '\u0020')::jsonb ->> 'Name', 300))) STORED;
CREATE INDEX archives_to_browse ON archives (tenant, queued_at DESC, id, status, name);
ALTER TABLE items ADD COLUMN search TEXT GENERATED ALWAYS AS (lower(right(path, 300))) STORED;
CREATE INDEX items_to_browse ON items (tenant, archive, seq, state, size, bytes_done, comment_count, comments_done, asset_key, search);
CREATE INDEX items_by_state ON items (tenant, archive, state, seq);
ALTER TABLE reviews ADD COLUMN title TEXT GENERATED ALWAYS AS (lower(left(replace(data, '\u0000', '\u0020')::jsonb ->> 'Title', 300))) STORED;
ALTER TABLE reviews ADD COLUMN expires TEXT GENERATED ALWAYS AS (replace(data, '\u0000', '\u0020')::jsonb ->> 'ExpiresAt') STORED;
CREATE INDEX reviews_to_browse ON reviews (tenant, created_at DESC, id DESC, status, title);
CREATE INDEX reviews_by_expiry ON reviews (tenant, status, expires, id);
