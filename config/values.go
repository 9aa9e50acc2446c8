package config

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/framebridge/framebridge/redact"
)

// Secret is a string that never prints itself.
type Secret string

// Reveal returns the secret for use in a call.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redact.Hidden
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the value from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the value from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Secrets is a secret that may be a list during rotation. The first one is in use; all are accepted.
type Secrets []Secret

// Reveal returns the secret in use, or "" if there is none.
func (s Secrets) Reveal() string {
	if len(s) == 0 {
		return ""
	}
	return s[0].Reveal()
}

// RevealAll returns all secrets, the one in use first.
func (s Secrets) RevealAll() []string {
	out := make([]string, len(s))
	for i, one := range s {
		out[i] = one.Reveal()
	}
	return out
}

// PEM is a certificate or key. It does not print itself.
type PEM string

func (p PEM) String() string { return Secret(p).String() }

// GoString hides the value from %#v.
func (p PEM) GoString() string { return Secret(p).GoString() }

// MarshalText hides the value from JSON and YAML.
func (p PEM) MarshalText() ([]byte, error) { return Secret(p).MarshalText() }

// LogValue hides the value from logs.
func (p PEM) LogValue() slog.Value { return Secret(p).LogValue() }

// TLS says how to connect to a server. The zero value means no TLS.
type TLS struct {
	Enabled    bool   `yaml:"-"`
	CA         PEM    `yaml:"ca"`
	Cert       PEM    `yaml:"cert"`
	Key        PEM    `yaml:"key"`
	ServerName string `yaml:"server_name"`
}

// ClientConfig returns the configuration for a dialer, or nil without TLS.
func (t TLS) ClientConfig() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil //nolint:nilnil // no TLS
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	var err error
	if t.CA != "" {
		if out.RootCAs, err = certPool(x509.NewCertPool(), t.CA); err != nil {
			return nil, err
		}
	}
	if t.Cert != "" || t.Key != "" {
		pair, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key))
		if err != nil {
			return nil, errors.New("certificate and key do not match, or one of them is invalid")
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

func certPool(pool *x509.CertPool, ca PEM) (*x509.CertPool, error) {
	if !pool.AppendCertsFromPEM([]byte(ca)) {
		return nil, errors.New("contains no certificate")
	}
	return pool, nil
}

// Pool returns the system's authorities, plus the ones in p if any.
func (p PEM) Pool() (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if p == "" {
		return pool, nil
	}
	return certPool(pool, p)
}

// SigningKeys returns the keys that sign reports, the one in use first.
func (r Report) SigningKeys() ([]ed25519.PrivateKey, error) {
	var out []ed25519.PrivateKey
	for _, s := range r.SigningKey {
		key, err := signingKey(s.Reveal())
		if err != nil {
			return nil, err
		}
		out = append(out, key)
	}
	return out, nil
}

// SigningKeyInUse returns the key that signs new reports, or nil if there is none.
func (r Report) SigningKeyInUse() ed25519.PrivateKey {
	if keys, err := r.SigningKeys(); err == nil && len(keys) > 0 {
		return keys[0]
	}
	return nil
}

func signingKey(text string) (ed25519.PrivateKey, error) {
	none := errors.New("is not an Ed25519 key: create one with `openssl genpkey -algorithm ed25519`")
	if block, _ := pem.Decode([]byte(text)); block != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if key, ok := parsed.(ed25519.PrivateKey); err == nil && ok {
			return key, nil
		}
		return nil, none
	}
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString} {
		if seed, err := decode(text); err == nil && len(seed) == ed25519.SeedSize {
			return ed25519.NewKeyFromSeed(seed), nil
		}
	}
	return nil, none
}

// secretForms returns a secret or, for an address, its password and secret settings, as written and as decoded.
func secretForms(secret string) []string {
	out := []string{secret}
	u, err := url.Parse(secret)
	if err != nil || u.Scheme == "" {
		return out
	}
	switch u.Scheme {
	case "sqlite":
		return nil // a file's name
	case "postgres", "postgresql", "smtp", "smtps":
		out = nil // server and user may be shown
	}
	if password, ok := u.User.Password(); ok {
		out = append(out, password, url.QueryEscape(password), url.PathEscape(password))
		if _, info, found := strings.Cut(secret, "://"); found {
			info, _, _ = strings.Cut(info, "@")
			_, raw, _ := strings.Cut(info, ":")
			out = append(out, raw)
		}
	}
	return append(out, secretSettings(u.RawQuery)...)
}

// secretSettings returns the values of a query's secret settings, whether separated by & or ;, as written and as decoded.
func secretSettings(query string) (out []string) {
	for part := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		name = strings.ToLower(name)
		if value == "" || !strings.Contains(name, "pass") && !strings.Contains(name, "secret") && !strings.Contains(name, "token") && !strings.HasSuffix(name, "key") {
			continue
		}
		out = append(out, value)
		if plain, err := url.QueryUnescape(value); err == nil {
			out = append(out, plain)
		}
	}
	return out
}

// Bytes is a size, written as a number or with a unit: 16MiB, 50GiB, 1.5GB.
type Bytes int64

var byteUnits = []struct {
	suffix string
	factor float64
}{
	{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"TIB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
}

// ParseBytes parses a size of at least 0.
func ParseBytes(text string) (Bytes, error) {
	upper := strings.ToUpper(strings.TrimSpace(text))
	for _, u := range byteUnits {
		number, ok := strings.CutSuffix(upper, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || n < 0 || n*u.factor >= math.MaxInt64 || math.IsNaN(n) {
			break
		}
		return Bytes(n * u.factor), nil
	}
	return 0, fmt.Errorf("%q is not a size: write 16MiB or 50GiB", text)
}
