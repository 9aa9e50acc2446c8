-- +goose Up
-- In which order comments are read: Frame.io's own count, where there is one, and the reading of the tree that they were last
-- read after. PostgreSQL's jsonb takes no NUL.
ALTER TABLE items
  ADD COLUMN comment_hint INTEGER GENERATED ALWAYS AS ((replace(data, '\u0000', '\u0020')::jsonb ->> 'CommentHint')::integer) STORED,
  ADD COLUMN comments_scan INTEGER GENERATED ALWAYS AS (COALESCE((replace(data, '\u0000', '\u0020')::jsonb ->> 'CommentsScan')::integer, 0)) STORED;
CREATE INDEX items_to_read ON items (tenant, archive, seq) WHERE comment_count <> 0 AND comments_scan <> scan;
