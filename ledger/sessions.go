package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"
)

// Session is somebody's sign-in, or what a one-time link will make one of.
type Session struct {
	Subject   string            `json:"subject"` // whom all sessions of a person have in common
	Kind      string            `json:"kind"`
	Name      string            `json:"name,omitempty"`
	Email     string            `json:"email,omitempty"`
	Groups    []string          `json:"groups,omitempty"` // of the OpenID Connect provider
	Roles     map[string]string `json:"roles,omitempty"`  // by tenant, where no groups say them
	Address   string            `json:"address,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	SeenAt    time.Time         `json:"-"`
	ExpiresAt time.Time         `json:"-"`
}

// secretID is what a secret is kept under.
func secretID(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// BeginSession keeps a session under a secret that only its browser has, and forgets those that have expired.
func (l *Ledger) BeginSession(ctx context.Context, secret string, s Session, now time.Time) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := l.exec(ctx, "DELETE FROM sessions WHERE expires_at < ?", micros(now)); err != nil {
		return err
	}
	_, err = l.exec(ctx, "INSERT INTO sessions (id, subject, seen_at, expires_at, data) VALUES (?, ?, ?, ?, ?)",
		secretID(secret), s.Subject, micros(now), micros(s.ExpiresAt), document(data))
	return err
}

const sessionColumns = "seen_at, expires_at, data"

func scanSession(r scanner) (s Session, err error) {
	var seen, expires int64
	var data document
	if err := r.Scan(&seen, &expires, &data); err != nil {
		return s, err
	}
	err = json.Unmarshal([]byte(data), &s)
	s.SeenAt, s.ExpiresAt = fromMicros(seen), fromMicros(expires)
	return s, err
}

// Session finds the session of a browser, and false when it has expired or was ended.
func (l *Ledger) Session(ctx context.Context, secret string, now time.Time) (Session, bool, error) {
	s, err := scanSession(l.reads().Row(ctx, "SELECT "+sessionColumns+" FROM sessions WHERE id = ? AND expires_at > ?", secretID(secret), micros(now)))
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	return s, err == nil, err
}

// SeeSession notes that a session was used.
func (l *Ledger) SeeSession(ctx context.Context, secret string, now time.Time) error {
	_, err := l.exec(ctx, "UPDATE sessions SET seen_at = ? WHERE id = ? AND seen_at < ?", micros(now), secretID(secret), micros(now))
	return err
}

// EndSession ends the session of a browser.
func (l *Ledger) EndSession(ctx context.Context, secret string) error {
	_, err := l.exec(ctx, "DELETE FROM sessions WHERE id = ?", secretID(secret))
	return err
}

// EndSessions ends all sessions of a person. It returns how many there were.
func (l *Ledger) EndSessions(ctx context.Context, subject string) (int, error) {
	n, err := l.exec(ctx, "DELETE FROM sessions WHERE subject = ?", subject)
	return int(n), err
}

// Sessions are all that have not expired, the one used last first.
func (l *Ledger) Sessions(ctx context.Context, now time.Time) ([]Session, error) {
	return collect(ctx, l.reads(), scanSession, "SELECT "+sessionColumns+" FROM sessions WHERE expires_at > ? ORDER BY seen_at DESC, id", micros(now))
}

// PutOneTimeLink keeps what a one-time link will make a session of, until it expires.
func (l *Ledger) PutOneTimeLink(ctx context.Context, secret string, s Session, now time.Time) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := l.exec(ctx, "DELETE FROM one_time_links WHERE expires_at < ?", micros(now)); err != nil {
		return err
	}
	_, err = l.exec(ctx, "INSERT INTO one_time_links (id, expires_at, data) VALUES (?, ?, ?)", secretID(secret), micros(s.ExpiresAt), document(data))
	return err
}

const oneTimeLink = " FROM one_time_links WHERE id = ? AND expires_at > ?"

// OneTimeLink reads what a link will make a session of, and false when it has expired or was used.
func (l *Ledger) OneTimeLink(ctx context.Context, secret string, now time.Time) (Session, bool, error) {
	return scanOneTimeLink(l.reads().Row(ctx, "SELECT data"+oneTimeLink, secretID(secret), micros(now)))
}

// TakeOneTimeLink is OneTimeLink for once: of several at the same time, one has it.
func (l *Ledger) TakeOneTimeLink(ctx context.Context, secret string, now time.Time) (s Session, ok bool, err error) {
	return scanOneTimeLink(l.writes().Row(ctx, "DELETE"+oneTimeLink+" RETURNING data", secretID(secret), micros(now)))
}

func scanOneTimeLink(r scanner) (s Session, ok bool, err error) {
	var data document
	err = r.Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(data), &s)
	}
	return s, err == nil, err
}

// Objects that signed links are for.
const (
	LinkedArchive = "archive"
	LinkedReview  = "review"
)

// LinkGeneration is what a signed link to an archive or a review must name to be good.
func (h TenantLedger) LinkGeneration(ctx context.Context, kind, object string) (int64, error) {
	var generation int64
	err := h.l.reads().Row(ctx, "SELECT generation FROM link_generations WHERE tenant = ? AND kind = ? AND object = ?", h.id, kind, object).Scan(&generation)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return generation, err
}

// RevokeLinks revokes all signed links to an archive or a review that were made until now.
func (h TenantLedger) RevokeLinks(ctx context.Context, kind, object string) error {
	_, err := h.l.exec(ctx, `INSERT INTO link_generations (tenant, kind, object, generation) VALUES (?, ?, ?, 1)
		ON CONFLICT (tenant, kind, object) DO UPDATE SET generation = link_generations.generation + 1`, h.id, kind, object)
	return err
}
