// Package sealed encrypts the ledger's secrets: tokens, and addresses that anybody who has them can write to.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// Errors about missing or wrong keys.
var (
	ErrNoKey      = errors.New("ledger.encryption_key is missing: it is needed to store a token encrypted")
	ErrUnreadable = errors.New("the token in the ledger cannot be decrypted")
)

// Keys are ciphers. The first one encrypts.
type Keys []cipher.AEAD

// New makes keys from secrets of at least 16 characters each. It skips empty ones.
func New(secrets ...string) (Keys, error) {
	var keys Keys
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		if len(secret) < 16 {
			return nil, errors.New("ledger.encryption_key must have at least 16 characters")
		}
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "framebridge ledger tokens v1", 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, gcm)
	}
	return keys, nil
}

// Seal encrypts a text and binds it to its place, so that a row copied elsewhere cannot be decrypted.
func (k Keys) Seal(place string, plain []byte) (string, error) {
	if len(k) == 0 {
		return "", ErrNoKey
	}
	nonce := make([]byte, k[0].NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(k[0].Seal(nonce, nonce, plain, []byte(place))), nil
}

// Open decrypts what Seal encrypted. outdated means that a key other than the first decrypted it.
func (k Keys) Open(place, text string) (plain []byte, outdated bool, err error) {
	if len(k) == 0 {
		return nil, false, ErrNoKey
	}
	closed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(closed) < k[0].NonceSize() {
		return nil, false, fmt.Errorf("%w: it is damaged", ErrUnreadable)
	}
	for i, gcm := range k {
		n := gcm.NonceSize()
		if plain, err := gcm.Open(nil, closed[:n], closed[n:], []byte(place)); err == nil {
			return plain, i > 0, nil
		}
	}
	return nil, false, fmt.Errorf("%w: was ledger.encryption_key changed?", ErrUnreadable)
}
