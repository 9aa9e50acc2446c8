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
	"strings"
	"time"
)

// ErrNoKey says that something is to be kept encrypted and no key is configured.
var ErrNoKey = errors.New("ledger.encryption_key is missing: it is needed to store a token encrypted")

var errUnreadable = errors.New("the token in the ledger does not open")

// WithKey sets the secrets under which tokens are kept, of 16 characters or more each: the first one encrypts, all decrypt.
// What another than the first has encrypted is encrypted anew when the ledger is opened. Empty ones are left out.
func WithKey(secrets ...string) Option {
	return func(l *Ledger) error {
		for _, secret := range secrets {
			if secret == "" {
				continue
			}
			if len(secret) < 16 {
				return errors.New("ledger.encryption_key must have at least 16 characters")
			}
			key, err := hkdf.Key(sha256.New, []byte(secret), nil, "framebridge ledger tokens v1", 32)
			if err != nil {
				return err
			}
			block, err := aes.NewCipher(key)
			if err != nil {
				return err
			}
			gcm, err := cipher.NewGCM(block)
			if err != nil {
				return err
			}
			l.keys = append(l.keys, gcm)
		}
		return nil
	}
}

// keyring holds ciphers; the first one encrypts.
type keyring []cipher.AEAD

// seal encrypts a text, bound to its place: a row copied elsewhere does not open.
func (k keyring) seal(place string, plain []byte) (string, error) {
	if len(k) == 0 {
		return "", ErrNoKey
	}
	nonce := make([]byte, k[0].NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(k[0].Seal(nonce, nonce, plain, []byte(place))), nil
}

// open decrypts what seal has encrypted, and tells whether another key than the first did.
func (k keyring) open(place, text string) (plain []byte, outdated bool, err error) {
	if len(k) == 0 {
		return nil, false, ErrNoKey
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sealed) < k[0].NonceSize() {
		return nil, false, fmt.Errorf("%w: it is damaged", errUnreadable)
	}
	for i, gcm := range k {
		n := gcm.NonceSize()
		if plain, err := gcm.Open(nil, sealed[:n], sealed[n:], []byte(place)); err == nil {
			return plain, i > 0, nil
		}
	}
	return nil, false, fmt.Errorf("%w: was ledger.encryption_key changed?", errUnreadable)
}

func tokenPlace(tenant, name string) string { return tenant + "/" + name }

// CanKeepTokens says that a key is configured.
func (l *Ledger) CanKeepTokens() bool { return len(l.keys) > 0 }

// CanKeepTokens says that a key is configured.
func (h TenantLedger) CanKeepTokens() bool { return h.l.CanKeepTokens() }

// PutToken keeps a token encrypted and replaces the one before.
func (h TenantLedger) PutToken(ctx context.Context, name string, plain []byte) error {
	sealed, err := h.l.keys.seal(tokenPlace(h.id, name), plain)
	if err != nil {
		return err
	}
	_, err = h.l.exec(ctx, `INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at`, h.id, name, sealed, micros(time.Now()))
	return err
}

// Token returns a token, and false when there is none.
func (h TenantLedger) Token(ctx context.Context, name string) ([]byte, bool, error) {
	if len(h.l.keys) == 0 {
		return nil, false, ErrNoKey
	}
	sealed, err := scanText[string](h.l.reads().row(ctx, "SELECT sealed FROM tokens WHERE tenant = ? AND name = ?", h.id, name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	plain, _, err := h.l.keys.open(tokenPlace(h.id, name), sealed)
	return plain, err == nil, err
}

// DropToken forgets a token.
func (h TenantLedger) DropToken(ctx context.Context, name string) error {
	_, err := h.l.exec(ctx, "DELETE FROM tokens WHERE tenant = ? AND name = ?", h.id, name)
	return err
}

// reseal encrypts under the first key what another one has encrypted.
func (l *Ledger) reseal(ctx context.Context) error {
	if len(l.keys) < 2 {
		return nil
	}
	type token struct{ tenant, name, sealed string }
	all, err := collect(ctx, l.reads(), func(r scanner) (t token, err error) {
		err = r.Scan(&t.tenant, &t.name, &t.sealed)
		return t, err
	}, "SELECT tenant, name, sealed FROM tokens")
	if err != nil {
		return err
	}
	for _, t := range all {
		plain, outdated, err := l.keys.open(tokenPlace(t.tenant, t.name), t.sealed)
		if err != nil || !outdated || strings.HasSuffix(t.name, leaseSuffix) {
			continue // what no key opens is told when it is asked for
		}
		sealed, err := l.keys.seal(tokenPlace(t.tenant, t.name), plain)
		if err != nil {
			return err
		}
		// One that was replaced meanwhile is under the first key already.
		if _, err := l.exec(ctx, "UPDATE tokens SET sealed = ? WHERE tenant = ? AND name = ? AND sealed = ?", sealed, t.tenant, t.name, t.sealed); err != nil {
			return err
		}
	}
	type place struct{ tenant, archive, source string }
	uploads, err := collect(ctx, l.reads(), func(r scanner) (p place, err error) {
		err = r.Scan(&p.tenant, &p.archive, &p.source)
		return p, err
	}, "SELECT tenant, archive, source_id FROM items WHERE ("+toCopy+") AND state = 'copying'")
	if err != nil {
		return err
	}
	for _, p := range uploads {
		if _, err := l.Tenant(p.tenant).Archive(p.archive).UpdateItem(ctx, p.source, func(*Item) {}); err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
	}
	return nil
}

const (
	exchangeLease = 45 * time.Second // until another may go on where a process died in an exchange
	exchangeLook  = 50 * time.Millisecond
	leaseSuffix   = "/lease" // of the name of a token's lease, whose written_at is its end
)

// ExchangeToken hands the present token to change and keeps what that returns; no other process changes it meanwhile, by
// the database's clock. The ledger is free for everything else while change takes its time.
func (h TenantLedger) ExchangeToken(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error {
	if len(h.l.keys) == 0 {
		return ErrNoKey
	}
	lease, owner, now := name+leaseSuffix, rand.Text(), h.l.writes().now()
	for {
		n, err := h.l.exec(ctx, "INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, "+now+` + ?)
			ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at WHERE tokens.written_at < `+now,
			h.id, lease, owner, exchangeLease.Microseconds())
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
		_, _ = h.l.exec(after, "DELETE FROM tokens WHERE tenant = ? AND name = ? AND sealed = ?", h.id, lease, owner) // otherwise it runs out
	}()
	present, _, err := h.Token(ctx, name)
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
	return h.PutToken(after, name, next)
}
