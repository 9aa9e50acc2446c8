package frameio

import (
	"container/list"
	"net/url"
	"sync"
	"time"

	"github.com/framebridge/framebridge/untrusted"
)

const (
	urlsRemembered = 20_000
	urlMustLast    = 10 * time.Minute // before its own expiry
)

// URLMemory caches the latest signed URLs that listings showed, for a bounded number of files: requesting each again would cost
// a call. It is safe for concurrent use.
type URLMemory struct {
	mu    sync.Mutex
	fresh time.Duration
	order *list.List // newest at the front
	byID  map[string]*list.Element
}

type seenURL struct {
	id    string
	media Media
	at    time.Time
}

// NewURLMemory returns a memory that uses URLs for the given time after they were seen.
func NewURLMemory(fresh time.Duration) *URLMemory {
	return &URLMemory{fresh: fresh, order: list.New(), byID: map[string]*list.Element{}}
}

// Put remembers a file's media.
func (m *URLMemory) Put(id string, media Media, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.byID[id]; ok {
		m.order.Remove(e)
	}
	m.byID[id] = m.order.PushFront(seenURL{id, media, now})
	for m.order.Len() > urlsRemembered {
		last := m.order.Back()
		m.order.Remove(last)
		delete(m.byID, last.Value.(seenURL).id)
	}
}

// Get returns a file's media if its URL is still valid for a while.
func (m *URLMemory) Get(id string, now time.Time) (Media, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.byID[id]
	if !ok {
		return Media{}, false
	}
	s := e.Value.(seenURL)
	if now.Sub(s.at) > m.fresh || !s.media.ExpiresAt.IsZero() && s.media.ExpiresAt.Sub(now) < urlMustLast {
		return Media{}, false
	}
	return s.media, true
}

const longestURL = 7 * 24 * time.Hour // for S3 signatures

// URLExpiry returns the expiry of a signed URL: CloudFront's Expires, or S3's date plus lifetime. It returns zero if the URL has neither.
func URLExpiry(signed string) time.Time {
	u, err := url.Parse(signed)
	if err != nil {
		return time.Time{}
	}
	q := u.Query()
	if at, ok := untrusted.Epoch("Expires", q.Get("Expires")); ok {
		return at
	}
	at, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	life, ok := untrusted.Lasting("X-Amz-Expires", q.Get("X-Amz-Expires"), longestURL)
	if err != nil || !ok {
		return time.Time{}
	}
	return at.Add(life)
}
