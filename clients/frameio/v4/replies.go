package v4

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

const (
	silentReplies = 3         // replies without an author, after which no more are asked for
	silentFor     = time.Hour // until some are asked for again
	writersKnown  = 200_000
)

// writers caches who wrote the replies that were asked for one by one. A listing returns replies without their authors. Whether
// a single reply comes with its author is not documented, so the first answers tell. A reply's author never changes.
type writers struct {
	mu     sync.Mutex
	known  map[string]frameio.Person
	told   bool                // some reply came with its author
	silent map[string]struct{} // replies that came without, before any came with one
	since  time.Time
}

// look returns a reply's author if it is known, and whether it is worth asking for.
func (w *writers) look(id string, now time.Time) (who frameio.Person, known, ask bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if who, known = w.known[id]; known {
		return who, true, false
	}
	if now.Sub(w.since) >= silentFor {
		clear(w.silent)
	}
	_, silent := w.silent[id]
	return frameio.Person{Unknown: true}, false, w.told || !silent && len(w.silent) < silentReplies
}

// note records what a single reply has told about its author. A reply that was refused tells nothing, and is asked for again.
func (w *writers) note(id string, who frameio.Person, refused bool, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.told && who.Unknown:
		if w.silent == nil {
			w.silent = map[string]struct{}{}
		}
		w.silent[id], w.since = struct{}{}, now
		return // the next ones may tell, and then this one is asked for again
	case refused:
		return
	}
	w.told = true
	if w.known == nil || len(w.known) >= writersKnown {
		w.known = map[string]frameio.Person{}
	}
	w.known[id] = who
}

// writerOf wraps GET ~/comments/{id} for a reply that a listing has shown without its author.
func (c *Client) writerOf(ctx context.Context, id string) (frameio.Person, error) {
	who, known, ask := c.wrote.look(id, c.now())
	if known || !ask || frameio.IsGlance(ctx) {
		return who, nil
	}
	row, err := one[comment](ctx, c, opComment, url.Values{"include": {"owner"}}, nil, "comments", id)
	if err != nil && !rest.IsRefused(err) {
		return who, err
	}
	if err == nil {
		who = row.author()
	}
	c.wrote.note(id, who, err != nil, c.now())
	return who, nil
}

// withWriters fills in the authors of the replies among a page's comments.
func (c *Client) withWriters(ctx context.Context, page []frameio.Comment) error {
	for i, d := range page {
		if d.ParentID == "" || !d.Author.Unknown {
			continue
		}
		who, err := c.writerOf(ctx, d.ID)
		if err != nil {
			return err
		}
		page[i].Author = who
	}
	return nil
}
