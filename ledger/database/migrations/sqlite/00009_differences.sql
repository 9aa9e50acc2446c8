-- +goose Up
-- What the proof found otherwise in iconik than in Frame.io, with both values.
CREATE TABLE differences (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  object TEXT NOT NULL,
  part TEXT NOT NULL,
  n INTEGER NOT NULL,
  kind TEXT NOT NULL,
  property TEXT NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL,
  frameio TEXT NOT NULL,
  iconik TEXT NOT NULL,
  url TEXT NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY (tenant, archive, object, part, n)
);
-- What was last written to an object in iconik, property by property; empty where it is not known.
ALTER TABLE links ADD COLUMN written TEXT NOT NULL DEFAULT '';
