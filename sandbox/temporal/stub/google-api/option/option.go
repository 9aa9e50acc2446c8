// Package option replaces the options of Google's clients, which the sandbox's Temporal server does not have.
package option

import "golang.org/x/oauth2"

// ClientOption changes nothing.
type ClientOption struct{}

// WithTokenSource changes nothing.
func WithTokenSource(oauth2.TokenSource) ClientOption { return ClientOption{} }
