// Package iterator stands for the iterators of Google's clients, which the sandbox's Temporal server has none of.
package iterator

import "errors"

// Done says that an iterator has no more.
var Done = errors.New("no more items in iterator")
