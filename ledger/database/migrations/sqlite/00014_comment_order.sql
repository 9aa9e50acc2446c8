-- +goose Up
-- In which order comments are read: Frame.io's own count, where there is one, and the reading of the tree that they were last
-- read after.
ALTER TABLE items ADD COLUMN comment_hint INTEGER GENERATED ALWAYS AS (json_extract(data, '$.CommentHint')) VIRTUAL;
ALTER TABLE items ADD COLUMN comments_scan INTEGER GENERATED ALWAYS AS (COALESCE(json_extract(data, '$.CommentsScan'), 0)) VIRTUAL;
CREATE INDEX items_to_read ON items (tenant, archive, seq) WHERE comment_count <> 0 AND comments_scan <> scan;
