-- +goose Up
-- Migrations of whole accounts, and the projects of each: position is their order, the counts are those of their archives as
-- last read, and of a project that was not read yet what Frame.io says it stores.
CREATE TABLE migrations (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX migrations_newest ON migrations (tenant, created_at DESC, id DESC);
CREATE TABLE migration_projects (
  tenant TEXT NOT NULL,
  migration TEXT NOT NULL,
  project TEXT NOT NULL,
  position BIGINT NOT NULL,
  state TEXT NOT NULL,
  items BIGINT NOT NULL,
  copied BIGINT NOT NULL,
  verified BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  bytes_done BIGINT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, migration, project)
);
CREATE INDEX migration_projects_in_order ON migration_projects (tenant, migration, position, project);
CREATE INDEX migration_projects_by_state ON migration_projects (tenant, migration, state, position, project);
-- Which worker moves how many files of a tenant right now: the tenant's bandwidth is divided by it.
CREATE TABLE transfer_shares (
  tenant TEXT NOT NULL,
  worker TEXT NOT NULL,
  transfers BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, worker)
);
