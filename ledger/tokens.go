package ledger

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"
)

// ErrNoKey says that something is to be kept encrypted and no key is configured.
var ErrNoKey = errors.New("ledger.encryption_key is missing: a token is to be kept encrypted")

// WithKey sets the secret under which tokens are kept, of 16 characters or more.
func WithKey(secret string) Option {
	return func(l *Ledger) error {
		if secret == "" {
			return nil
		}
		if len(secret) < 16 {
			return errors.New("ledger.encryption_key must have 16 characters or more")
		}
		var err error
		l.key, err = hkdf.Key(sha256.New, []byte(secret), nil, "framebridge ledger tokens v1", 32)
		return err
	}
}

func (l *Ledger) cipher() (cipher.AEAD, error) {
	if l.key == nil {
		return nil, ErrNoKey
	}
	block, err := aes.NewCipher(l.key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// PutToken keeps a token encrypted and replaces the one before.
func (l *Ledger) PutToken(ctx context.Context, tenant, name string, plain []byte) error {
	gcm, err := l.cipher()
	if err != nil {
		return err
	}
	nonce := make([]byte, gcm.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	// Bound to its place: a row copied to another tenant does not open.
	sealed := base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, plain, []byte(tenant+"/"+name)))
	_, err = l.exec(ctx, `INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at`, tenant, name, sealed, micros(time.Now()))
	return err
}

// Token returns a token, and false when there is none.
func (l *Ledger) Token(ctx context.Context, tenant, name string) ([]byte, bool, error) {
	gcm, err := l.cipher()
	if err != nil {
		return nil, false, err
	}
	var text string
	err = l.read.QueryRowContext(ctx, l.bind("SELECT sealed FROM tokens WHERE tenant = ? AND name = ?"), tenant, name).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sealed) < gcm.NonceSize() {
		return nil, false, errors.New("the token in the ledger is damaged")
	}
	plain, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], []byte(tenant+"/"+name))
	if err != nil {
		return nil, false, errors.New("the token in the ledger does not open: was ledger.encryption_key changed?")
	}
	return plain, true, nil
}

// ExchangeToken hands the present token to change and keeps what that returns; no other process changes it meanwhile.
func (l *Ledger) ExchangeToken(ctx context.Context, tenant, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error {
	gcm, err := l.cipher()
	if err != nil {
		return err
	}
	place := []byte(tenant + "/" + name)
	return l.tx(ctx, func(tx *sql.Tx) error {
		if l.postgres {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", string(place)); err != nil {
				return err
			}
		}
		var text string
		var present []byte
		err := tx.QueryRowContext(ctx, l.bind("SELECT sealed FROM tokens WHERE tenant = ? AND name = ?"), tenant, name).Scan(&text)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if sealed, derr := base64.StdEncoding.DecodeString(text); derr == nil && len(sealed) > gcm.NonceSize() {
			present, _ = gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], place) // one that does not open is none
		}
		next, err := change(ctx, present)
		if err != nil {
			return err
		}
		nonce := make([]byte, gcm.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, l.bind(`INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at`), tenant, name,
			base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, next, place)), micros(time.Now()))
		return err
	})
}
