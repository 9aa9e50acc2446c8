-- +goose Up
-- What people and programs outside are told, once each, and what became of it on each channel.
CREATE TABLE events (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX events_by_age ON events (created_at);
CREATE TABLE event_deliveries (
  tenant TEXT NOT NULL,
  event TEXT NOT NULL,
  channel TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  status TEXT NOT NULL,
  due_at BIGINT NOT NULL, -- when its workflow is started again, should it be lost; 0: never
  sending_at BIGINT NOT NULL DEFAULT 0, -- an attempt whose end is not known
  attempts BIGINT NOT NULL DEFAULT 0,
  last_at BIGINT NOT NULL DEFAULT 0,
  code BIGINT NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (tenant, event, channel)
);
CREATE INDEX event_deliveries_by_age ON event_deliveries (tenant, created_at, event, channel);
CREATE INDEX event_deliveries_due ON event_deliveries (due_at) WHERE due_at > 0;
CREATE INDEX event_deliveries_by_channel ON event_deliveries (tenant, channel, status, created_at);
