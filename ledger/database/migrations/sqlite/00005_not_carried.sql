-- +goose Up
-- What objects have in Frame.io and not in iconik, by the step that found it.
CREATE TABLE not_carried (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  object TEXT NOT NULL,
  part TEXT NOT NULL,
  n INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL,
  size BIGINT,
  reason TEXT NOT NULL,
  url TEXT NOT NULL,
  PRIMARY KEY (tenant, archive, object, part, n)
);
-- What a folder says of itself beside its name and place, as JSON.
ALTER TABLE folders ADD COLUMN details TEXT NOT NULL DEFAULT '';
