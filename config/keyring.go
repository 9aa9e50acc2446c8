package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"
)

// Role is what a key or a person may do. Each role includes those before it.
type Role string

// Roles, from the least to the most powerful.
const (
	RoleViewer   Role = "viewer"   // status and reports
	RoleEditor   Role = "editor"   // and exports
	RoleOperator Role = "operator" // and control, and the doctor
	RoleAdmin    Role = "admin"    // and the audit log, sign-ins and people
)

// Roles required for whole features, by both the API and the console.
const (
	RoleMigrations = RoleOperator // even to see one: it names every project of the account
	RoleReclaims   = RoleAdmin    // to request, approve or control a deletion in Frame.io
)

var roles = []Role{RoleViewer, RoleEditor, RoleOperator, RoleAdmin}

// Covers reports whether r includes what other may do.
func (r Role) Covers(other Role) bool {
	have, need := slices.Index(roles, r), slices.Index(roles, other)
	return have >= 0 && need >= 0 && have >= need
}

// APIKey is a bearer token with a role.
type APIKey struct {
	Name    string    `yaml:"name"`
	Key     Secret    `yaml:"key"`
	Role    Role      `yaml:"role"`
	Expires time.Time `yaml:"expires"` // zero: never
}

// Keys returns all of a tenant's API keys. Those of api_key count as an administrator's.
func (t *Tenant) Keys() []APIKey {
	var out []APIKey
	for _, k := range t.APIKey {
		out = append(out, APIKey{Name: "api_key", Key: k, Role: RoleAdmin})
	}
	return append(out, t.APIKeys...)
}

// FindKey returns the tenant and key that a bearer token belongs to. It compares all keys of all tenants in a time that reveals
// nothing about them. Expired keys do not count.
func (c *Config) FindKey(given string, now time.Time) (t *Tenant, key APIKey, ok bool) {
	return c.keyWhere(given, func(k APIKey) bool { return !k.expired(now) })
}

// FindExpired is like FindKey but finds only expired keys.
func (c *Config) FindExpired(given string, now time.Time) (t *Tenant, key APIKey, ok bool) {
	return c.keyWhere(given, func(k APIKey) bool { return k.expired(now) })
}

func (k APIKey) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

func (c *Config) keyWhere(given string, fits func(APIKey) bool) (t *Tenant, key APIKey, ok bool) {
	for _, tenant := range c.Tenants {
		for _, k := range tenant.Keys() {
			if k.Key.Equal(given) && fits(k) {
				t, key, ok = tenant, k, true
			}
		}
	}
	return t, key, ok
}

// Equal compares in a time that reveals nothing about the secret, including its length. An empty secret equals nothing.
func (s Secret) Equal(given string) bool {
	a, b := sha256.Sum256([]byte(s)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && s != ""
}

// Contains reports whether given is one of the secrets, in a time that does not reveal which.
func (s Secrets) Contains(given string) bool {
	found := false
	for _, one := range s {
		found = one.Equal(given) || found
	}
	return found
}
