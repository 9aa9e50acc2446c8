package iconik

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/framebridge/framebridge/clients/rest"
)

const mostPoster = 512 << 10 // bytes

// pictures lists the types that browsers display and that cannot contain scripts.
var pictures = []string{"image/jpeg", "image/png", "image/webp", "image/gif"}

// Poster returns a small picture of an asset and its media type, or nil if iconik has none. It wraps GET
// files/v1/assets/{id}/keyframes/, or that of a version.
func (s *FilesService) Poster(ctx context.Context, assetID, versionID string) (picture []byte, mediaType string, err error) {
	const op = "list keyframes"
	p := path("files/v1/assets", assetID, "keyframes")
	if versionID != "" {
		p = path("files/v1/assets", assetID, "versions", versionID, "keyframes")
	}
	var page envelope[struct {
		Type   string `json:"type"`
		Status string `json:"status"`
		URL    string `json:"url"`
	}]
	if err := s.c.get(ctx, op, p, url.Values{"generate_signed_url": {"true"}, "per_page": {strconv.Itoa(perPage)}}, &page); err != nil {
		return nil, "", orEmpty(err)
	}
	address := ""
	for _, k := range page.Objects {
		if k.URL != "" && k.Status != StatusDeleted && (k.Type == "POSTER" || k.Type == "KEYFRAME" && address == "") {
			address = k.URL
		}
	}
	if address == "" {
		return nil, "", nil
	}
	if picture, err = s.c.rest.Fetch(ctx, "read poster", address, mostPoster); err != nil {
		return nil, "", err
	}
	if mediaType = http.DetectContentType(picture); !slices.Contains(pictures, mediaType) {
		return nil, "", &rest.Error{Vendor: vendor, Operation: "read poster", Class: rest.Permanent, Detail: "it is not a picture"}
	}
	return picture, mediaType, nil
}
