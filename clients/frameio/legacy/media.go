package legacy

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
)

const urlFreshFor = time.Hour // after it was seen; they last half a day

// Media uses a URL that a listing has just shown, which saves a call for each file; otherwise it wraps
// GET /assets/{id}.
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
		// A session-watermarked download is a stream made on the spot: no ranges, no length.
		return a.media(urls[0], rendition, -1, !bool(a.Watermarked)), nil
	}
	if why := a.original(); why != frameio.OriginalAvailable {
		return frameio.Media{}, &frameio.OriginalUnavailable{FileID: fileID, Why: why}
	}
	return a.media(string(a.Original), rendition, int64(a.Filesize.value), true), nil
}

func (a asset) media(u string, r frameio.Rendition, size int64, ranges bool) frameio.Media {
	return frameio.Media{URL: u, Rendition: r, Size: size, Ranges: ranges, Name: string(a.Name), MediaType: string(a.Filetype), ExpiresAt: expiry(u)}
}

func (c *Client) remember(a asset) {
	if a.kind() == frameio.KindFile && a.original() == frameio.OriginalAvailable {
		c.urls.Put(a.ID, a.media(string(a.Original), frameio.RenditionOriginal, int64(a.Filesize.value), true), c.now())
	}
}

// expiry reads a signed URL's own end: CloudFront's Expires, or S3's date and lifetime.
func expiry(signed string) time.Time {
	u, err := url.Parse(signed)
	if err != nil {
		return time.Time{}
	}
	q := u.Query()
	if s, err := strconv.ParseInt(q.Get("Expires"), 10, 64); err == nil {
		return time.Unix(s, 0)
	}
	at, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	life, lerr := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err == nil && lerr == nil {
		return at.Add(time.Duration(life) * time.Second)
	}
	return time.Time{}
}
