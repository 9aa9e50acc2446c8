package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"
)

// Role is what a key or a person may do; each may do what those before it may.
type Role string

// Roles, from the least to the most.
const (
	RoleViewer   Role = "viewer"   // status and reports
	RoleEditor   Role = "editor"   // and exports
	RoleOperator Role = "operator" // and control, and the doctor
	RoleAdmin    Role = "admin"    // and the audit, the sign-ins, the people
)

// Roles of whole features, for the API and the console alike.
const (
	RoleMigrations = RoleOperator // to see one, too: it names every project of the account
	RoleReclaims   = RoleAdmin    // to ask for a deletion in Frame.io, to approve and to control it
)

var roles = []Role{RoleViewer, RoleEditor, RoleOperator, RoleAdmin}

// Covers tells whether whoever has r may do what needs the other role.
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

// Keys are all of a tenant's API keys, with those of api_key as an administrator's.
func (t *Tenant) Keys() []APIKey {
	var out []APIKey
	for _, k := range t.APIKey {
		out = append(out, APIKey{Name: "api_key", Key: k, Role: RoleAdmin})
	}
	return append(out, t.APIKeys...)
}

// FindKey finds whose bearer token is given. All keys of all tenants are compared in a time that tells nothing of them;
// one that has expired is none.
func (c *Config) FindKey(given string, now time.Time) (t *Tenant, key APIKey, ok bool) {
	return c.keyWhere(given, func(k APIKey) bool { return !k.expired(now) })
}

// FindExpired finds whose bearer token was given after its end.
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

// Equal compares in a time that tells nothing of the secret, its length included. No secret equals nothing.
func (s Secret) Equal(given string) bool {
	a, b := sha256.Sum256([]byte(s)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && s != ""
}

// Contains tells whether one of them is the given one, in a time that tells nothing of which.
func (s Secrets) Contains(given string) bool {
	found := false
	for _, one := range s {
		found = one.Equal(given) || found
	}
	return found
}
