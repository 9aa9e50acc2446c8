-- +goose Up
-- Who may read what was archived: a rule for each place where access begins to differ, and what was found of it in iconik.
CREATE TABLE access (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  source TEXT NOT NULL,
  part TEXT NOT NULL,
  scan INTEGER NOT NULL,
  doc TEXT NOT NULL,
  PRIMARY KEY (tenant, archive, source, part)
);
-- The place whose rule holds for a folder; empty for the project's.
ALTER TABLE folders ADD COLUMN access TEXT NOT NULL DEFAULT '';
