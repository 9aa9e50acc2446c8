package console

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
)

const (
	thumbKept  = 30 * time.Minute
	mostThumbs = 64 // most pictures remembered, at most 512 KiB each
	thumbSlots = 4  // most reads at once
)

type thumb struct {
	once sync.Once
	at   time.Time
	file File
}

// Thumbs caches pictures of assets. The server reads and passes them on, so that no page contains an address that grants access.
type Thumbs struct {
	now  func() time.Time
	slot chan struct{}

	mu sync.Mutex
	of map[live.Topic]*thumb
}

// NewThumbs returns an empty cache. The console and the pages of signed links share one per process.
func NewThumbs(now func() time.Time) *Thumbs {
	return &Thumbs{now: now, slot: make(chan struct{}, thumbSlots), of: map[live.Topic]*thumb{}}
}

// get returns a picture and reads it only once in a while, no matter how many requests ask for it. It also caches that there is none.
func (ts *Thumbs) get(t live.Topic, read func() File) File {
	ts.mu.Lock()
	have := ts.of[t]
	if have == nil || ts.now().Sub(have.at) >= thumbKept {
		if len(ts.of) >= mostThumbs {
			clear(ts.of)
		}
		have = &thumb{at: ts.now()}
		ts.of[t] = have
	}
	ts.mu.Unlock()
	have.once.Do(func() {
		ts.slot <- struct{}{}
		defer func() { <-ts.slot }()
		have.file = read()
	})
	return have.file
}

// ServeItem serves the picture of an archived file, if the archive's report may show it. Requests for the same picture share one
// read, which outlives the request.
func (ts *Thumbs) ServeItem(w http.ResponseWriter, r *http.Request, tenant, archive string, l ledger.ArchiveLedger, source string, read func(context.Context, ledger.Item) File) {
	it, known, err := l.Item(r.Context(), source)
	if err == nil && known {
		var may *report.Pictures
		if may, err = report.PicturesOf(r.Context(), l); err == nil {
			known, err = may.Shows(r.Context(), it)
		}
	}
	if err != nil || !known {
		http.NotFound(w, r)
		return
	}
	ctx := context.WithoutCancel(r.Context())
	serveThumb(w, r, ts.get(live.About(tenant, "thumb/"+archive+"/"+it.AssetID+"/"+it.VersionID), func() File { return read(ctx, it) }))
}

func serveThumb(w http.ResponseWriter, r *http.Request, file File) {
	if len(file.Body) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.MediaType)
	w.Header().Set("Cache-Control", "private, max-age=1800")
	_, _ = w.Write(file.Body)
}

// thumbFile serves the picture of a review's asset.
func (c *console) thumbFile(w http.ResponseWriter, r *http.Request, v visit) {
	id := r.PathValue("id")
	n, err := strconv.Atoi(r.PathValue("n"))
	_, known, gerr := v.ledger.Review(id).Get(r.Context())
	if err != nil || gerr != nil || !known || n < 1 {
		http.NotFound(w, r)
		return
	}
	ctx := context.WithoutCancel(r.Context()) // other requests wait for it
	serveThumb(w, r, c.Thumbs.get(live.About(v.tenant.ID, "thumb/"+id+"/"+strconv.Itoa(n)), func() File {
		read, err := c.Actions.Thumbnail(ctx, v.tenant, id, n)
		if err != nil {
			c.Log.DebugContext(ctx, "an asset's picture could not be read", "review", id, "asset", n, "error", err)
		}
		return read
	}))
}

// itemThumb serves the picture of an archived file, for the archive's report.
func (c *console) itemThumb(w http.ResponseWriter, r *http.Request, v visit) {
	id := r.PathValue("id")
	c.Thumbs.ServeItem(w, r, v.tenant.ID, id, v.ledger.Archive(id), r.PathValue("item"), func(ctx context.Context, it ledger.Item) File {
		read, err := c.Actions.ItemThumbnail(ctx, v.tenant, it)
		if err != nil {
			c.Log.DebugContext(ctx, "a file's picture could not be read", "archive", id, "asset", it.AssetID, "error", err)
		}
		return read
	})
}
