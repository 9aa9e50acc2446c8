-- +goose Up
-- What vendors have sent lately and what became of it, for people who look whether webhooks arrive.
CREATE TABLE received (
  tenant TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  object TEXT NOT NULL,
  status INTEGER NOT NULL,
  result TEXT NOT NULL
);
CREATE INDEX received_by_time ON received (tenant, seen_at);
