// Package signin knows who a person is and what they may do: signing in with an OpenID Connect provider or a one-time link,
// sessions, and the signed links in mails, jobs and fields. It uses net/http and knows none of the console's pages.
package signin

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// Kind is how a person has proved who they are.
type Kind string

// Kinds of sign-in.
const (
	KindOIDC    Kind = "oidc"    // at the OpenID Connect provider
	KindConsole Kind = "console" // with a link from the command starter console
	KindLink    Kind = "link"    // with the signed link in a mail, a job or a field
	KindKey     Kind = "key"     // with an API key
)

// Person is who a request is from. The roles of a session's person follow the current configuration.
type Person struct {
	Name    string
	Email   string
	Kind    Kind
	KeyName string                 // name of the API key
	Address string                 // network address that the request came from
	Roles   map[string]config.Role // by tenant
}

// Allows reports whether the person may do in a tenant what requires the role.
func (p Person) Allows(tenant string, role config.Role) bool {
	return p.Roles[tenant].Covers(role)
}

// Tenants returns the sorted IDs of the tenants in which the person has a role.
func (p Person) Tenants() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.Roles)), func(t string) bool { return !p.Allows(t, config.RoleViewer) })
}

// Actor returns the person as the audit log names them.
func (p Person) Actor() ledger.Actor {
	kind := ledger.ActorConsole
	if p.Kind == KindKey {
		kind = ledger.ActorAPI
	}
	return ledger.Actor{Kind: kind, Name: cmp.Or(p.Email, p.Name), Address: p.Address, Key: p.KeyName}
}

type personKey struct{}

// With adds a person to a request's context.
func With(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// From returns the person that a request is from, or false if nobody has signed in.
func From(ctx context.Context) (Person, bool) {
	p, ok := ctx.Value(personKey{}).(Person)
	return p, ok
}

// FormField is the name of the hidden field that each of the console's forms has, and FormHeader that of the header for requests
// from its scripts. FormToken returns their value.
const (
	FormField  = "form_token"
	FormHeader = "X-Form-Token"
)

type formTokenKey struct{}

// WithFormToken adds to a request's context the token that its page's forms must send.
func WithFormToken(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, formTokenKey{}, token)
}

// FormToken returns the token that the forms of a request's page must send.
func FormToken(ctx context.Context) string {
	token, _ := ctx.Value(formTokenKey{}).(string)
	return token
}
