package control

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

const thumbnailTimeLimit = 20 * time.Second

// Thumbnail returns iconik's picture of a review's asset, or nil if there is none.
func (s *Service) Thumbnail(ctx context.Context, t *config.Tenant, review string, n int) (picture []byte, mediaType string, err error) {
	ctx, cancel := context.WithTimeout(ctx, thumbnailTimeLimit)
	defer cancel()
	asset, ok, err := s.Ledger.Tenant(t.ID).Review(review).Asset(ctx, n)
	if err != nil || !ok {
		return nil, "", err
	}
	media, err := s.Iconik(t)
	if err != nil {
		return nil, "", err
	}
	return media.Files.Poster(ctx, asset.AssetID, asset.VersionID)
}

// ItemThumbnail returns iconik's picture of an archived file, or nil if there is none.
func (s *Service) ItemThumbnail(ctx context.Context, t *config.Tenant, it ledger.Item) (picture []byte, mediaType string, err error) {
	ctx, cancel := context.WithTimeout(ctx, thumbnailTimeLimit)
	defer cancel()
	media, err := s.Iconik(t)
	if err != nil {
		return nil, "", err
	}
	return media.Files.Poster(ctx, it.AssetID, it.VersionID)
}
