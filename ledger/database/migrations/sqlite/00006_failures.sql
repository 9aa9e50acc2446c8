-- +goose Up
-- What of an archive failed and is no file: a folder that cannot be listed, a collection or share that is refused …
CREATE TABLE failures (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  kind TEXT NOT NULL,
  source_id TEXT NOT NULL,
  place TEXT NOT NULL,
  fault TEXT NOT NULL,
  reason TEXT NOT NULL,
  url TEXT NOT NULL,
  scan INTEGER NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (tenant, archive, kind, source_id)
);
