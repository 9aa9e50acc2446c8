-- +goose Up
CREATE TABLE reviews (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  status TEXT NOT NULL,
  click TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE INDEX reviews_by_age ON reviews (tenant, created_at, id);
CREATE INDEX reviews_by_click ON reviews (tenant, click, created_at);
CREATE TABLE review_assets (
  tenant TEXT NOT NULL,
  review TEXT NOT NULL,
  n INTEGER NOT NULL,
  asset_id TEXT NOT NULL,
  file_id TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, review, n)
);
CREATE INDEX review_assets_by_asset ON review_assets (tenant, asset_id);
CREATE INDEX review_assets_by_file ON review_assets (tenant, file_id);
CREATE TABLE review_comments (
  tenant TEXT NOT NULL,
  review TEXT NOT NULL,
  id TEXT NOT NULL,
  n INTEGER NOT NULL,
  frameio_id TEXT NOT NULL,
  iconik_id TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (tenant, review, id)
);
CREATE INDEX review_comments_by_asset ON review_comments (tenant, review, n);
CREATE INDEX review_comments_by_frameio ON review_comments (tenant, frameio_id);
CREATE INDEX review_comments_by_iconik ON review_comments (tenant, iconik_id);
