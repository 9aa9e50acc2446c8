package tenant

import (
	"context"
	"fmt"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/mapping"
)

// VersionRate returns the frame rate that iconik reports for a version's original or proxy, or zero if it reports none.
func (t *Tenant) VersionRate(ctx context.Context, assetID, versionID string) (mapping.Rate, error) {
	formats, err := t.Iconik.Files.Formats(ctx, assetID, versionID)
	if err != nil && !rest.IsNotFound(err) {
		return mapping.Rate{}, err
	}
	for _, f := range formats {
		for _, c := range f.Components {
			if rate := frameio.RateOf(fmt.Sprint(c.Metadata["framerate"])); f.Name == FormatOriginal && !f.Deleted() && c.Type == "VIDEO" && rate.Den > 0 {
				return rate, nil
			}
		}
	}
	proxies, err := t.Iconik.Files.Proxies(ctx, assetID, versionID)
	if err != nil && !rest.IsNotFound(err) {
		return mapping.Rate{}, err
	}
	for _, p := range proxies {
		if rate := frameio.RateOf(p.FrameRate); rate.Den > 0 {
			return rate, nil
		}
	}
	return mapping.Rate{}, nil
}
