// Package live tells open pages what has changed. It asks for each topic once, no matter how many pages show it.
package live

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"sync"
	"time"
)

const (
	pollInterval  = 2 * time.Second
	pollPatience  = 5 * time.Second
	heartbeat     = 20 * time.Second
	streamLife    = 10 * time.Minute // then the browser reconnects and is authenticated again
	streamWrite   = 10 * time.Second
	streamsAtOnce = 600 // across all tenants; further pages do not update by themselves
)

// State is what open pages of a topic show: figures that change in place, and a version for everything else.
type State struct {
	Version string            `json:"version"`
	Values  map[string]string `json:"values,omitempty"` // by the data-live attribute
}

// VersionOf returns a hash, which is the same for the same values.
func VersionOf(values ...any) string {
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode(values)
	return hex.EncodeToString(h.Sum(nil))
}

// Topic is what a page is about, in one tenant.
type Topic struct{ Tenant, Name string }

// About returns a tenant's topic.
func About(tenant, name string) Topic { return Topic{tenant, name} }

// Streams asks for each topic once, no matter how many pages are open, and tells all of them.
type Streams struct {
	stop context.Context //nolint:containedctx // of the process
	ask  func(ctx context.Context, t Topic) (State, error)

	mu      sync.Mutex
	open    map[Topic]map[chan []byte]bool
	last    map[Topic][]byte
	streams int
	polling bool
}

// New returns Streams that ask for topics until stop is done.
func New(stop context.Context, ask func(context.Context, Topic) (State, error)) *Streams {
	return &Streams{stop: stop, ask: ask, open: map[Topic]map[chan []byte]bool{}, last: map[Topic][]byte{}}
}

// join returns a channel of messages. It returns false if too many streams are open.
func (l *Streams) join(t Topic) (chan []byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams >= streamsAtOnce {
		return nil, false
	}
	news := make(chan []byte, 1)
	if last := l.last[t]; last != nil {
		news <- last
	}
	if l.open[t] == nil {
		l.open[t] = map[chan []byte]bool{}
	}
	l.open[t][news] = true
	l.streams++
	if !l.polling {
		l.polling = true
		go l.poll()
	}
	return news, true
}

func (l *Streams) leave(t Topic, news chan []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open[t], news)
	l.streams--
	if len(l.open[t]) == 0 {
		delete(l.open, t)
		delete(l.last, t)
	}
}

// poll runs as long as pages are open.
func (l *Streams) poll() {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		topics, more := l.topics()
		if !more {
			return
		}
		for _, t := range topics {
			ctx, cancel := context.WithTimeout(l.stop, pollPatience)
			s, err := l.ask(ctx, t)
			cancel()
			if err != nil {
				continue // retry in the next round; pages keep what they show
			}
			if raw, err := json.Marshal(s); err == nil {
				l.tell(t, raw)
			}
		}
		select {
		case <-tick.C:
		case <-l.stop.Done():
			return
		}
	}
}

func (l *Streams) topics() ([]Topic, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) == 0 {
		l.polling = false
		return nil, false
	}
	out := make([]Topic, 0, len(l.open))
	for t := range l.open {
		out = append(out, t)
	}
	return out, true
}

func (l *Streams) tell(t Topic, raw []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if string(l.last[t]) == string(raw) || l.open[t] == nil {
		return
	}
	l.last[t] = raw
	for news := range l.open[t] {
		select { // drop a message that was not received yet; it is outdated
		case <-news:
		default:
		}
		news <- raw
	}
}

// Serve streams a topic's states to a page until it closes or the process stops.
func (l *Streams) Serve(w http.ResponseWriter, r *http.Request, t Topic) {
	news, ok := l.join(t) //nolint:contextcheck // one poller serves all pages
	if !ok {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer l.leave(t, news)
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(streamWrite))
		_, err := fmt.Fprint(w, text)
		return err == nil && rc.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	end := time.NewTimer(streamLife)
	defer end.Stop()
	for good := send("retry: 5000\n\n"); good; {
		select {
		case raw := <-news:
			good = send("data: " + string(raw) + "\n\n")
		case <-beat.C:
			good = send(": still here\n\n")
		case <-end.C:
			return
		case <-r.Context().Done():
			return
		case <-l.stop.Done():
			return
		}
	}
}
