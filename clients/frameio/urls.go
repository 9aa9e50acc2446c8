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
	urlMustLast    = 10 * time.Minute // until its own expiry
)

// URLMemory keeps the last signed URLs that listings showed, of a bounded number of files: asking for each again would
// cost a call. It is safe for concurrent use.
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

// NewURLMemory makes a memory whose URLs count for so long after they were seen.
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

// Get returns a file's media while its URL is good for a while.
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

const longestURL = 7 * 24 * time.Hour // of S3's signatures

// URLExpiry reads a signed URL's own end: CloudFront's Expires, or S3's date and lifetime. It is zero where the URL does not
// say.
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
