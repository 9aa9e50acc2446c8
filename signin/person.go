// Package signin knows who a person is and what they may do: sign-in with an OpenID Connect provider or a one-time link,
// sessions, and the signed links of mails, jobs and fields. It answers with net/http and knows no page of the console.
package signin

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// Kind is how somebody has shown who they are.
type Kind string

// Kinds of sign-in.
const (
	KindOIDC    Kind = "oidc"    // at the OpenID Connect provider
	KindConsole Kind = "console" // with a link of the command starter console
	KindLink    Kind = "link"    // with the signed link of a mail, a job or a field
	KindKey     Kind = "key"     // with an API key
)

// Person is who a request is from. A session's person has the roles that held when it began or was last refreshed.
type Person struct {
	Name    string
	Email   string
	Kind    Kind
	KeyName string                 // of the API key
	Address string                 // the network address that the request came from
	Roles   map[string]config.Role // by tenant
}

// Allows tells whether the person may do in a tenant what needs the role.
func (p Person) Allows(tenant string, role config.Role) bool {
	return p.Roles[tenant].Covers(role)
}

// Tenants are the IDs of the tenants in which the person has a role, in order.
func (p Person) Tenants() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.Roles)), func(t string) bool { return !p.Allows(t, config.RoleViewer) })
}

// Actor is the person as the audit names them.
func (p Person) Actor() ledger.Actor {
	kind := ledger.ActorConsole
	if p.Kind == KindKey {
		kind = ledger.ActorAPI
	}
	return ledger.Actor{Kind: kind, Name: cmp.Or(p.Email, p.Name), Address: p.Address, Key: p.KeyName}
}

type personKey struct{}

// With puts a person into a request's context.
func With(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// From is the person whom a request is from, and false where nobody has signed in.
func From(ctx context.Context) (Person, bool) {
	p, ok := ctx.Value(personKey{}).(Person)
	return p, ok
}

// FormField is the name of the hidden field that each form of the console carries, and FormHeader that of the header for
// requests of its scripts. FormToken is their value.
const (
	FormField  = "form_token"
	FormHeader = "X-Form-Token"
)

type formTokenKey struct{}

// WithFormToken puts the token into a request's context that its page's forms must carry.
func WithFormToken(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, formTokenKey{}, token)
}

// FormToken is the token that the forms of a request's page must carry.
func FormToken(ctx context.Context) string {
	token, _ := ctx.Value(formTokenKey{}).(string)
	return token
}
