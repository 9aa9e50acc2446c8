// Package iterator replaces the iterators of Google's clients, which the sandbox's Temporal server does not have.
package iterator

import "errors"

// Done means that an iterator has no more items.
var Done = errors.New("no more items in iterator")
