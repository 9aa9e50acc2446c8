package ledger

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// ErrNoKey says that something is to be kept encrypted and no key is configured.
var ErrNoKey = errors.New("ledger.encryption_key is missing: a token is to be kept encrypted")

var errUnreadable = errors.New("the token in the ledger does not open")

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

// seal encrypts a token, bound to its place: a row copied to another tenant does not open.
func seal(gcm cipher.AEAD, tenant, name string, plain []byte) (string, error) {
	nonce := make([]byte, gcm.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, plain, []byte(tenant+"/"+name))), nil
}

// PutToken keeps a token encrypted and replaces the one before.
func (l *Ledger) PutToken(ctx context.Context, tenant, name string, plain []byte) error {
	gcm, err := l.cipher()
	if err != nil {
		return err
	}
	sealed, err := seal(gcm, tenant, name, plain)
	if err != nil {
		return err
	}
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
		return nil, false, fmt.Errorf("%w: it is damaged", errUnreadable)
	}
	plain, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], []byte(tenant+"/"+name))
	if err != nil {
		return nil, false, fmt.Errorf("%w: was ledger.encryption_key changed?", errUnreadable)
	}
	return plain, true, nil
}

const (
	exchangeLease = 45 * time.Second // until another may go on where a process died in an exchange
	exchangeLook  = 50 * time.Millisecond
)

// ExchangeToken hands the present token to change and keeps what that returns; no other process changes it meanwhile. The
// ledger is free for everything else while change takes its time.
func (l *Ledger) ExchangeToken(ctx context.Context, tenant, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error {
	if _, err := l.cipher(); err != nil {
		return err
	}
	lease, owner := name+"/lease", rand.Text()
	for {
		now := time.Now()
		n, err := l.exec(ctx, `INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at WHERE tokens.written_at < ?`,
			tenant, lease, owner, micros(now.Add(exchangeLease)), micros(now))
		if err != nil {
			return err
		}
		if n == 1 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(exchangeLook):
		}
	}
	after := context.WithoutCancel(ctx)
	defer func() {
		_, _ = l.exec(after, "DELETE FROM tokens WHERE tenant = ? AND name = ? AND sealed = ?", tenant, lease, owner) // otherwise it runs out
	}()
	present, _, err := l.Token(ctx, tenant, name)
	if errors.Is(err, errUnreadable) {
		present, err = nil, nil // one that does not open is none
	}
	if err != nil {
		return err
	}
	next, err := change(ctx, present)
	if err != nil || bytes.Equal(next, present) {
		return err
	}
	return l.PutToken(after, tenant, name, next)
}
