package console

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	pollInterval   = 2 * time.Second
	pollPatience   = 5 * time.Second
	heartbeat      = 20 * time.Second
	streamLife     = 10 * time.Minute // then the browser comes again, and is asked again who it is
	streamWrite    = 10 * time.Second
	streamsAtOnce  = 600 // of all tenants; further pages do not update by themselves
	healthInterval = 5 * time.Second
	healthPatience = 150 * time.Millisecond
)

// state is what open pages of a topic show: figures that change in place, and a version of everything else.
type state struct {
	Version string            `json:"version"`
	Values  map[string]string `json:"values,omitempty"` // by the data-live attribute
}

// versionOf is the same for the same values.
func versionOf(values ...any) string {
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode(values)
	return hex.EncodeToString(h.Sum(nil))
}

// topic is what a page is about, in one tenant.
type topic struct{ tenant, name string }

// live asks for each topic once, however many pages are open, and tells all of them.
type live struct {
	stop context.Context //nolint:containedctx // of the process
	ask  func(ctx context.Context, t topic) (state, error)

	mu      sync.Mutex
	open    map[topic]map[chan []byte]bool
	last    map[topic][]byte
	streams int
	polling bool
}

func newLive(stop context.Context, ask func(context.Context, topic) (state, error)) *live {
	return &live{stop: stop, ask: ask, open: map[topic]map[chan []byte]bool{}, last: map[topic][]byte{}}
}

// join returns a channel of messages; false where too many are open.
func (l *live) join(t topic) (chan []byte, bool) {
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

func (l *live) leave(t topic, news chan []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open[t], news)
	l.streams--
	if len(l.open[t]) == 0 {
		delete(l.open, t)
		delete(l.last, t)
	}
}

// poll runs while pages are open.
func (l *live) poll() {
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
				continue // the next round tries again; pages keep what they show
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

func (l *live) topics() ([]topic, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) == 0 {
		l.polling = false
		return nil, false
	}
	out := make([]topic, 0, len(l.open))
	for t := range l.open {
		out = append(out, t)
	}
	return out, true
}

func (l *live) tell(t topic, raw []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if string(l.last[t]) == string(raw) || l.open[t] == nil {
		return
	}
	l.last[t] = raw
	for news := range l.open[t] {
		select { // what was not taken yet is out of date
		case <-news:
		default:
		}
		news <- raw
	}
}

// events streams a topic's states to a page.
func (c *console) events(w http.ResponseWriter, r *http.Request, v visit) {
	name := r.URL.Query().Get("topic")
	if !knownTopic(name) {
		http.NotFound(w, r)
		return
	}
	t := topic{v.tenant.ID, name}
	news, ok := c.live.join(t) //nolint:contextcheck // one poller serves all pages
	if !ok {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer c.live.leave(t, news)
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
		case <-c.Stop.Done():
			return
		}
	}
}

func knownTopic(name string) bool {
	kind, id, _ := strings.Cut(name, "/")
	switch kind {
	case "archives", "reviews", "setup", "projects":
		return id == ""
	case "archive", "review", "plan":
		return id != "" && len(id) <= 128
	}
	return false
}

// state is what a topic's pages show now.
func (c *console) state(ctx context.Context, t topic) (state, error) {
	kind, id, _ := strings.Cut(t.name, "/")
	h := c.Ledger.Tenant(t.tenant)
	switch kind {
	case "archives":
		open, err := c.openArchives(ctx, t.tenant)
		return open.state(c.temporal.ready(ctx)), err
	case "archive":
		one, err := c.archiveFigures(ctx, h, id)
		return one.state(c.temporal.ready(ctx)), err
	case "reviews":
		return c.reviewsState(ctx, h)
	case "review":
		return c.reviewState(ctx, h, id)
	}
	return state{Version: c.tasks.version(t)}, nil
}

// health remembers for a moment whether Temporal answers.
type health struct {
	ask func(context.Context) error
	now func() time.Time

	mu     sync.Mutex
	asked  time.Time
	good   bool
	asking bool
}

// ready is what is known. While it is asked anew that is what was known before; at first a page waits a moment, and then takes
// it that Temporal answers.
func (h *health) ready(ctx context.Context) bool {
	h.mu.Lock()
	first := h.asked.IsZero()
	if h.asking || !first && h.now().Sub(h.asked) < healthInterval {
		defer h.mu.Unlock()
		return h.good || first
	}
	h.asking = true
	h.mu.Unlock()
	answer := make(chan bool, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		good := h.ask(ctx) == nil
		h.mu.Lock()
		h.good, h.asked, h.asking = good, h.now(), false
		h.mu.Unlock()
		answer <- good
	}()
	if first {
		select {
		case good := <-answer:
			return good
		case <-time.After(healthPatience):
			return true
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.good
}
