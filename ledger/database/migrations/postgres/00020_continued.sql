-- +goose Up
-- The ID under which a project that Frame.io's account migration gave another one is in the migration's list, too: it counts there.
ALTER TABLE migration_projects ADD COLUMN continued_as TEXT NOT NULL DEFAULT '';
