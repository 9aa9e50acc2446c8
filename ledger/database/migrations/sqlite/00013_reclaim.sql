-- +goose Up
-- Files that are deleted in Frame.io once they are proven to be in iconik: one row for each run, and one for each of its files.
CREATE TABLE reclaims (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  run INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, archive, run)
);
CREATE TABLE reclaim_files (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  source_id TEXT NOT NULL,
  state TEXT NOT NULL,
  size INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, archive, run, source_id)
);
CREATE INDEX reclaim_files_by_state ON reclaim_files (tenant, archive, run, state, seq, size);
CREATE INDEX reclaim_files_by_source ON reclaim_files (tenant, archive, source_id, state);
-- When the stored bytes of a file were last read back in full, and what was found.
CREATE TABLE byte_reads (
  tenant TEXT NOT NULL,
  archive TEXT NOT NULL,
  source_id TEXT NOT NULL,
  read_at INTEGER NOT NULL,
  etag TEXT NOT NULL,
  size INTEGER NOT NULL,
  checksum TEXT NOT NULL,
  problem TEXT NOT NULL,
  PRIMARY KEY (tenant, archive, source_id)
);
CREATE INDEX byte_reads_by_time ON byte_reads (tenant, read_at);
