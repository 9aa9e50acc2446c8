// Package outbox keeps mails until a mail server has accepted them: those that must not keep anybody waiting, and those that
// are collected for a digest. Their texts are encrypted if the ledger has a key.
package outbox

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/sealed"
)

// lease is how long a batch belongs to one worker. After that the worker counts as dead, and another one sends the batch.
const lease = 5 * time.Minute

// Mail is a waiting mail. It is identified by its ID and recipients, and is not added again while it waits.
type Mail struct {
	ID        string
	To        []string
	Subject   string
	Text      string
	CreatedAt time.Time
	DueAt     time.Time
	// Digest means that it is sent together with all others to the same recipients.
	Digest bool
	// Unreadable means that the text is encrypted and no configured key decrypts it.
	Unreadable bool
}

// Batch is what one worker sends as one mail. It does not change until it is sent.
type Batch struct {
	Tenant, ID string
	Mails      []Mail // oldest first
	Attempts   int    // including this one
}

// Box is the ledger's outbox.
type Box struct {
	db   *database.DB
	keys sealed.Keys
}

// New returns the outbox of a ledger's database. Without keys it stores texts as they are.
func New(db *database.DB, keys sealed.Keys) Box { return Box{db, keys} }

// Put adds a tenant's mails.
func (b Box) Put(ctx context.Context, tenant string, mails ...Mail) error {
	return b.db.Tx(ctx, func(tx database.Session) error {
		for _, m := range mails {
			body, err := b.closed(tenant, m.ID, m.Text)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO mails (tenant, id, recipients, digest, created_at, due_at, subject, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
				tenant, m.ID, strings.Join(m.To, "\n"), flag(m.Digest), m.CreatedAt.UnixMicro(), m.DueAt.UnixMicro(), m.Subject, body); err != nil {
				return err
			}
		}
		return nil
	})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

const (
	unclaimed = "SELECT DISTINCT tenant, recipients, digest, CASE digest WHEN 1 THEN '' ELSE id END FROM mails WHERE batch = '' AND due_at <= ? ORDER BY 1, 2, 3, 4 LIMIT ?"
	left      = "SELECT DISTINCT tenant, batch FROM mails WHERE batch <> '' AND due_at <= ? ORDER BY 1, 2 LIMIT ?"
)

// Claim returns batches that are due: up to most new ones, and up to most whose worker died or failed to send them. No other
// worker gets them until the lease ends.
func (b Box) Claim(ctx context.Context, now time.Time, most int) ([]Batch, error) {
	type group struct{ tenant, recipients, id, batch string }
	var digest int
	groups, err := database.Collect(ctx, b.db.Reads(), func(r database.Scanner) (g group, err error) {
		err = r.Scan(&g.tenant, &g.recipients, &digest, &g.id)
		return g, err
	}, unclaimed, now.UnixMicro(), most)
	if err != nil {
		return nil, err
	}
	var out []Batch
	for _, g := range groups {
		batch := uuid.NewString()
		n, err := b.db.Writes().Exec(ctx, "UPDATE mails SET batch = ?, due_at = ?, attempts = 1 WHERE tenant = ? AND recipients = ? AND digest = ? AND (? = '' OR id = ?) AND batch = '' AND due_at <= ?",
			batch, now.Add(lease).UnixMicro(), g.tenant, g.recipients, flag(g.id == ""), g.id, g.id, now.UnixMicro())
		if err != nil {
			return out, err
		}
		if n > 0 { // otherwise another worker was faster
			out = append(out, Batch{Tenant: g.tenant, ID: batch})
		}
	}
	again, err := database.Collect(ctx, b.db.Reads(), func(r database.Scanner) (g group, err error) {
		err = r.Scan(&g.tenant, &g.batch)
		return g, err
	}, left, now.UnixMicro(), most)
	if err != nil {
		return out, err
	}
	for _, g := range again {
		n, err := b.db.Writes().Exec(ctx, "UPDATE mails SET due_at = ?, attempts = attempts + 1 WHERE tenant = ? AND batch = ? AND due_at <= ?", now.Add(lease).UnixMicro(), g.tenant, g.batch, now.UnixMicro())
		if err != nil {
			return out, err
		}
		if n > 0 {
			out = append(out, Batch{Tenant: g.tenant, ID: g.batch})
		}
	}
	for i := range out {
		if out[i].Mails, err = b.read(ctx, &out[i]); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (b Box) read(ctx context.Context, of *Batch) ([]Mail, error) {
	return database.Collect(ctx, b.db.Reads(), func(r database.Scanner) (m Mail, err error) {
		var to string
		var digest int
		var created, due int64
		if err := r.Scan(&m.ID, &to, &digest, &created, &due, &m.Subject, &m.Text, &of.Attempts); err != nil {
			return m, err
		}
		if m.Text, _, err = b.opened(of.Tenant, m.ID, m.Text); err != nil {
			m.Text, m.Unreadable = "", true
		}
		m.To, m.Digest, m.CreatedAt, m.DueAt = strings.Split(to, "\n"), digest == 1, time.UnixMicro(created).UTC(), time.UnixMicro(due).UTC()
		return m, nil
	}, "SELECT id, recipients, digest, created_at, due_at, subject, body, attempts FROM mails WHERE tenant = ? AND batch = ? ORDER BY created_at, id", of.Tenant, of.ID)
}

// Sent deletes a batch that the server accepted, or that it will never accept.
func (b Box) Sent(ctx context.Context, of Batch) error {
	_, err := b.db.Writes().Exec(ctx, "DELETE FROM mails WHERE tenant = ? AND batch = ?", of.Tenant, of.ID)
	return err
}

// Failed schedules a batch to be sent again.
func (b Box) Failed(ctx context.Context, of Batch, again time.Time) error {
	_, err := b.db.Writes().Exec(ctx, "UPDATE mails SET due_at = ? WHERE tenant = ? AND batch = ?", again.UnixMicro(), of.Tenant, of.ID)
	return err
}
