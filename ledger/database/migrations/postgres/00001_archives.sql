-- +goose Up
CREATE TABLE archives (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  queued_at BIGINT NOT NULL,
  queue_position INTEGER NOT NULL DEFAULT 0,
  scan INTEGER NOT NULL DEFAULT 0,
  progress_at BIGINT NOT NULL DEFAULT 0,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX archives_by_age ON archives (tenant, queued_at, id);
CREATE TABLE folders (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  source_id TEXT NOT NULL,
  parent_id TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  depth INTEGER NOT NULL,
  collection_id TEXT NOT NULL DEFAULT '',
  scan INTEGER NOT NULL,
  listed INTEGER NOT NULL DEFAULT 0,
  page TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (tenant, archive, source_id)
);
CREATE INDEX folders_by_depth ON folders (tenant, archive, depth, source_id);
CREATE TABLE items (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  source_id TEXT NOT NULL,
  seq BIGINT NOT NULL DEFAULT 0,
  asset_key TEXT NOT NULL,
  version INTEGER NOT NULL,
  versions INTEGER NOT NULL,
  path TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  state TEXT NOT NULL,
  rendition TEXT NOT NULL,
  asset_id TEXT NOT NULL,
  dirty INTEGER NOT NULL,
  bytes_done BIGINT NOT NULL,
  comment_count INTEGER NOT NULL,
  comments_done INTEGER NOT NULL,
  scan INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, archive, source_id)
);
CREATE INDEX items_by_seq ON items (tenant, archive, seq);
CREATE TABLE links (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  source_id TEXT NOT NULL,
  target_id TEXT NOT NULL DEFAULT '',
  archive TEXT NOT NULL DEFAULT '',
  parent TEXT NOT NULL DEFAULT '',
  hash TEXT NOT NULL DEFAULT '',
  intended_at BIGINT NOT NULL,
  made_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, kind, source_id)
);
CREATE INDEX links_by_target ON links (tenant, kind, target_id);
CREATE INDEX links_by_archive ON links (tenant, archive, kind, source_id);
CREATE TABLE deliveries (
  tenant TEXT NOT NULL,
  delivery TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, delivery)
);
CREATE TABLE tokens (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  sealed TEXT NOT NULL,
  written_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, name)
);
CREATE TABLE audit (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX audit_by_archive ON audit (tenant, archive, at);
