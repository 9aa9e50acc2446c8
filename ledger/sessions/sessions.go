// Package sessions stores sign-ins, and one-time links that sign somebody in. Both are stored under a hash of their secret, so that
// nobody can sign in with a copy of the ledger.
package sessions

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/texts"
)

// Store is the part of a ledger's database that holds sessions and one-time links.
type Store struct{ db *database.DB }

// New returns the store of a ledger's database.
func New(db *database.DB) Store { return Store{db} }

// Session is a sign-in, or what a one-time link will turn into one.
type Session struct {
	Subject   string            `json:"subject"` // the same in all sessions of a person
	Kind      string            `json:"kind"`
	Name      string            `json:"name,omitempty"`
	Email     string            `json:"email,omitempty"`
	Groups    []string          `json:"groups,omitempty"` // of the OpenID Connect provider
	Roles     map[string]string `json:"roles,omitempty"`  // by tenant, if they do not come from groups
	Address   string            `json:"address,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	SeenAt    time.Time         `json:"-"`
	ExpiresAt time.Time         `json:"-"`
}

// secretID returns the id under which a secret's row is stored.
func secretID(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// BeginSession stores a session under a secret that only its browser has, and deletes expired ones.
func (t Store) BeginSession(ctx context.Context, secret string, s Session, now time.Time) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := t.db.Writes().Exec(ctx, "DELETE FROM sessions WHERE expires_at < ?", now.UnixMicro()); err != nil {
		return err
	}
	_, err = t.db.Writes().Exec(ctx, "INSERT INTO sessions (id, subject, seen_at, expires_at, data) VALUES (?, ?, ?, ?, ?)",
		secretID(secret), s.Subject, now.UnixMicro(), s.ExpiresAt.UnixMicro(), database.JSON(data))
	return err
}

const sessionColumns = "seen_at, expires_at, data"

func scanSession(r database.Scanner) (s Session, err error) {
	var seen, expires int64
	var data database.JSON
	if err := r.Scan(&seen, &expires, &data); err != nil {
		return s, err
	}
	err = json.Unmarshal([]byte(data), &s)
	s.SeenAt, s.ExpiresAt = time.UnixMicro(seen).UTC(), time.UnixMicro(expires).UTC()
	return s, err
}

// Session returns the session of a browser, and false if it has expired or was ended.
func (t Store) Session(ctx context.Context, secret string, now time.Time) (Session, bool, error) {
	s, err := scanSession(t.db.Reads().Row(ctx, "SELECT "+sessionColumns+" FROM sessions WHERE id = ? AND expires_at > ?", secretID(secret), now.UnixMicro()))
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	return s, err == nil, err
}

// SeeSession notes that a session was used.
func (t Store) SeeSession(ctx context.Context, secret string, now time.Time) error {
	_, err := t.db.Writes().Exec(ctx, "UPDATE sessions SET seen_at = ? WHERE id = ? AND seen_at < ?", now.UnixMicro(), secretID(secret), now.UnixMicro())
	return err
}

// EndSession ends the session of a browser.
func (t Store) EndSession(ctx context.Context, secret string) error {
	_, err := t.db.Writes().Exec(ctx, "DELETE FROM sessions WHERE id = ?", secretID(secret))
	return err
}

// EndSessions ends all sessions of a person, and returns how many there were.
func (t Store) EndSessions(ctx context.Context, subject string) (int, error) {
	n, err := t.db.Writes().Exec(ctx, "DELETE FROM sessions WHERE subject = ?", subject)
	return int(n), err
}

// Sessions returns all sessions that have not expired, the most recently used first.
func (t Store) Sessions(ctx context.Context, now time.Time) ([]Session, error) {
	return database.Collect(ctx, t.db.Reads(), scanSession, "SELECT "+sessionColumns+" FROM sessions WHERE expires_at > ? ORDER BY seen_at DESC, id", now.UnixMicro())
}

// PutOneTimeLink stores what a one-time link will turn into a session, until it expires.
func (t Store) PutOneTimeLink(ctx context.Context, secret string, s Session, now time.Time) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := t.db.Writes().Exec(ctx, "DELETE FROM one_time_links WHERE expires_at < ?", now.UnixMicro()); err != nil {
		return err
	}
	_, err = t.db.Writes().Exec(ctx, "INSERT INTO one_time_links (id, expires_at, data) VALUES (?, ?, ?)", secretID(secret), s.ExpiresAt.UnixMicro(), database.JSON(data))
	return err
}

const oneTimeLink = " FROM one_time_links WHERE id = ? AND expires_at > ?"

// OneTimeLink returns what a link will turn into a session, and false if it has expired or was used.
func (t Store) OneTimeLink(ctx context.Context, secret string, now time.Time) (Session, bool, error) {
	return scanOneTimeLink(t.db.Reads().Row(ctx, "SELECT data"+oneTimeLink, secretID(secret), now.UnixMicro()))
}

// TakeOneTimeLink is OneTimeLink that also uses up the link: of several concurrent callers, one gets it.
func (t Store) TakeOneTimeLink(ctx context.Context, secret string, now time.Time) (s Session, ok bool, err error) {
	return scanOneTimeLink(t.db.Writes().Row(ctx, "DELETE"+oneTimeLink+" RETURNING data", secretID(secret), now.UnixMicro()))
}

func scanOneTimeLink(r database.Scanner) (s Session, ok bool, err error) {
	var data database.JSON
	err = r.Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(data), &s)
	}
	return s, err == nil, err
}

// EndOf ends, in a transaction, the sessions of the person with an address, and deletes their one-time links.
func EndOf(ctx context.Context, tx database.Session, address string) error {
	for _, table := range []string{"sessions", "one_time_links"} {
		rows, err := database.Collect(ctx, tx, func(r database.Scanner) (row [2]string, err error) { return row, r.Scan(&row[0], &row[1]) }, "SELECT id, data FROM "+table)
		if err != nil {
			return err
		}
		for _, row := range rows {
			var s Session
			if err := json.Unmarshal([]byte(row[1]), &s); err != nil {
				return err
			}
			if !slices.ContainsFunc([]string{s.Email, s.Name, s.Subject}, func(who string) bool { return texts.Same(who, address) }) {
				continue
			}
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE id = ?", row[0]); err != nil {
				return err
			}
		}
	}
	return nil
}
