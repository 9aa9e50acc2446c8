package ledger

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/english"
)

// receivedKept is how many of a tenant's received webhooks and clicks are kept.
const receivedKept = 200

// Maximum lengths of a Received's texts, in characters.
const (
	longestKind   = 100
	longestResult = 300
)

// Received is a webhook or a click from a vendor, and how it was handled.
type Received struct {
	At     time.Time
	Source string // frameio or iconik
	Kind   string // the vendor's name for the event or the button
	Object string // the vendor's id
	Status int    // of the answer
	Result string
}

// NoteReceived stores what a vendor sent, and deletes the oldest beyond the limit.
func (h TenantLedger) NoteReceived(ctx context.Context, r Received) error {
	if _, err := h.l.exec(ctx, "INSERT INTO received (tenant, seen_at, source, kind, object, status, result) VALUES (?, ?, ?, ?, ?, ?, ?)",
		h.id, micros(r.At), r.Source, english.Shorten(r.Kind, longestKind), english.Shorten(r.Object, longestResult), r.Status, english.Shorten(r.Result, longestResult)); err != nil {
		return err
	}
	_, err := h.l.exec(ctx, forgetReceived, h.id, h.id, receivedKept-1)
	return err
}

// LastReceived returns what vendors last sent, newest first.
func (h TenantLedger) LastReceived(ctx context.Context, limit int) ([]Received, error) {
	return collect(ctx, h.l.reads(), func(r scanner) (Received, error) {
		var out Received
		var at int64
		err := r.Scan(&at, &out.Source, &out.Kind, &out.Object, &out.Status, &out.Result)
		out.At = fromMicros(at)
		return out, err
	}, receivedPage, h.id, limit)
}
