package legacy

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
)

const urlFreshFor = time.Hour // after it was seen; they last half a day

// Media returns a URL that a listing has just shown, which saves a call per file. Otherwise it wraps GET /assets/{id}.
func (c *Client) Media(ctx context.Context, fileID string, rendition frameio.Rendition, fresh bool) (frameio.Media, error) {
	if !fresh && rendition == frameio.RenditionOriginal {
		if m, ok := c.urls.Get(fileID, c.now()); ok {
			return m, nil
		}
	}
	a, err := c.asset(ctx, fileID)
	if err != nil {
		return frameio.Media{}, err
	}
	if rendition == frameio.RenditionProxy {
		urls := a.proxies()
		if len(urls) == 0 {
			return frameio.Media{}, &frameio.OriginalUnavailable{FileID: fileID, Why: a.original(), NoProxy: true}
		}
		// A session-watermarked download is a stream created on the fly: no ranges, no length.
		return a.media(urls[0], rendition, -1, !bool(a.Watermarked)), nil
	}
	if why := a.original(); why != frameio.OriginalAvailable {
		return frameio.Media{}, &frameio.OriginalUnavailable{FileID: fileID, Why: why}
	}
	return a.media(string(a.Original), rendition, a.Filesize.whole(), true), nil
}

func (a asset) media(u string, r frameio.Rendition, size int64, ranges bool) frameio.Media {
	return frameio.Media{URL: u, Rendition: r, Size: size, Ranges: ranges, Name: string(a.Name), MediaType: string(a.Filetype), ExpiresAt: frameio.URLExpiry(u)}
}

func (c *Client) remember(a asset) {
	if a.kind() == frameio.KindFile && a.original() == frameio.OriginalAvailable {
		c.urls.Put(a.ID, a.media(string(a.Original), frameio.RenditionOriginal, a.Filesize.whole(), true), c.now())
	}
}
