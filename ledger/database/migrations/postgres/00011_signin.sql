-- +goose Up
-- Who is signed in to the console. An ID is the SHA-256 of what the browser has, so that a copy of the ledger opens nothing.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX sessions_by_subject ON sessions (subject);
-- One-time links of the command line, by the SHA-256 of what is in them.
CREATE TABLE one_time_links (
  id TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL,
  data TEXT NOT NULL
);
-- Signed links name the generation of their archive or review; one with another generation is revoked. No row is generation 0.
CREATE TABLE link_generations (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  object TEXT NOT NULL,
  generation BIGINT NOT NULL,
  PRIMARY KEY (tenant, kind, object)
);
