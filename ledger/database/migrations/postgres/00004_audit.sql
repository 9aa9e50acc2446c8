-- +goose Up
-- The audit before stays: a release before this one writes there. Its entries go into the log with a tenant's next entry.
CREATE TABLE audit_log (
  tenant TEXT NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  actor_address TEXT NOT NULL,
  actor_key TEXT NOT NULL,
  action TEXT NOT NULL,
  object_kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  archive TEXT NOT NULL,
  review TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (tenant, seq)
);
CREATE INDEX audit_log_by_archive ON audit_log (tenant, archive, seq);
CREATE INDEX audit_log_by_review ON audit_log (tenant, review, seq);
CREATE INDEX audit_log_by_action ON audit_log (tenant, action, seq);
CREATE TABLE audit_heads (
  tenant TEXT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL
);
