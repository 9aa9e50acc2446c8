-- +goose Up
-- Mails that wait for a mail server, or for the time of a digest. What was sent is deleted.
CREATE TABLE mails (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  recipients TEXT NOT NULL, -- one a line
  digest BIGINT NOT NULL, -- 1: it is sent as one with the others to these recipients
  created_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL, -- of one in a batch: when another worker may send it
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  batch TEXT NOT NULL DEFAULT '', -- what is sent as one mail, once somebody has begun to
  attempts BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, id, recipients)
);
CREATE INDEX mails_due ON mails (due_at);
CREATE INDEX mails_by_batch ON mails (tenant, batch);
CREATE INDEX events_by_type ON events (tenant, type, created_at);
