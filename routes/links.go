package routes

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/config"
)

// LinkPrefix is the path prefix of signed links, at the root of the public address.
const LinkPrefix = "/l/"

// LinksLast is how long a signed link is valid, unless its object ends earlier.
const LinksLast = 30 * 24 * time.Hour

// Link is what a signed link opens: one archive or review of one tenant, for a person with a role.
type Link struct {
	Tenant     string
	Kind       string // archive or review
	ID         string
	Role       config.Role // viewer or editor
	Generation int64       // links of earlier generations are revoked
	Expires    time.Time   // in whole seconds
}

// Errors for links that cannot be opened.
var (
	ErrNoLink      = errors.New("the link is not complete, or was not made here")
	ErrLinkExpired = errors.New("the link has expired")
	ErrNoLinkKey   = errors.New("ledger.encryption_key is missing: it is needed to sign links")
)

const (
	linkVersion = 1
	linkMAC     = 16 // bytes of the MAC that are part of a link
	maxLink     = 1 << 10
)

var (
	linkKinds = []string{"archive", "review"}
	linkRoles = []config.Role{config.RoleViewer, config.RoleEditor}
)

// CanSignLinks reports whether links can be created. That requires ledger.encryption_key.
func CanSignLinks(cfg *config.Config) bool { return len(linkKeys(cfg)) > 0 }

// SignLink returns a link's URL, signed with the first key in ledger.encryption_key. It returns ErrNoLinkKey if there is none.
func SignLink(cfg *config.Config, l Link) (string, error) {
	keys := linkKeys(cfg)
	if len(keys) == 0 {
		return "", ErrNoLinkKey
	}
	said, err := l.encode()
	if err != nil {
		return "", err
	}
	key, err := linkKey(keys[0])
	if err != nil {
		return "", err
	}
	return cfg.HTTP.PublicURL + LinkPrefix + base64.RawURLEncoding.EncodeToString(append(said, signed(key, said)...)), nil
}

// OpenLink parses the last part of a link's URL. It returns an expired link with ErrLinkExpired, so that its holder can be told
// what it was for. Callers must check in the ledger whether it was revoked.
func OpenLink(cfg *config.Config, token string, now time.Time) (Link, error) {
	if len(token) > maxLink {
		return Link{}, ErrNoLink
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= linkMAC {
		return Link{}, ErrNoLink
	}
	said, mac := raw[:len(raw)-linkMAC], raw[len(raw)-linkMAC:]
	good := false
	for _, secret := range linkKeys(cfg) {
		key, err := linkKey(secret)
		good = err == nil && hmac.Equal(signed(key, said), mac) || good
	}
	if !good {
		return Link{}, ErrNoLink
	}
	l, err := decodeLink(said)
	if err == nil && !now.Before(l.Expires) {
		err = ErrLinkExpired
	}
	return l, err
}

func linkKeys(cfg *config.Config) []string {
	return slices.DeleteFunc(cfg.Ledger.EncryptionKey.RevealAll(), func(s string) bool { return s == "" })
}

func linkKey(secret string) ([]byte, error) {
	return hkdf.Key(sha256.New, []byte(secret), nil, "framebridge signed links v1", 32)
}

func signed(key, said []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(said)
	return mac.Sum(nil)[:linkMAC]
}

// encode encodes a link in few bytes, so that mail programs do not break its URL: version, kind, role, the tenant's 16 bytes,
// generation and expiry as varints, and the ID.
func (l Link) encode() ([]byte, error) {
	kind, role := slices.Index(linkKinds, l.Kind), slices.Index(linkRoles, l.Role)
	tenant, err := hex.DecodeString(strings.ReplaceAll(l.Tenant, "-", ""))
	if err != nil || len(tenant) != 16 || kind < 0 || role < 0 || l.ID == "" || l.Generation < 0 || l.Expires.Unix() <= 0 {
		return nil, errors.New("a signed link needs a tenant, a kind, an ID, the role viewer or editor, and an expiry")
	}
	out := append([]byte{linkVersion, byte(kind), byte(role)}, tenant...)
	out = binary.AppendUvarint(out, uint64(l.Generation))
	out = binary.AppendUvarint(out, uint64(l.Expires.Unix()))
	return append(out, l.ID...), nil
}

func decodeLink(said []byte) (Link, error) {
	if len(said) < 3+16 || said[0] != linkVersion || int(said[1]) >= len(linkKinds) || int(said[2]) >= len(linkRoles) {
		return Link{}, ErrNoLink // of another version
	}
	id := hex.EncodeToString(said[3:19])
	l := Link{Kind: linkKinds[said[1]], Role: linkRoles[said[2]], Tenant: strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")}
	rest := bytes.NewReader(said[19:])
	generation, err := binary.ReadUvarint(rest)
	if err != nil {
		return Link{}, ErrNoLink
	}
	expires, err := binary.ReadUvarint(rest)
	if err != nil {
		return Link{}, ErrNoLink
	}
	l.Generation, l.Expires, l.ID = int64(generation), time.Unix(int64(expires), 0).UTC(), string(said[len(said)-rest.Len():])
	return l, nil
}
