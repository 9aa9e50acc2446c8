// Package setup makes, at both vendors, what an administrator would otherwise make by hand: Frame.io's webhooks and custom
// action, iconik's fields, views, custom actions and webhook. It reads both sides first, shows what it would change, and
// remembers what it has made, so that a second run changes nothing and all of it can be taken away again.
package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

// Kind is what an object is.
type Kind string

// What setup makes.
const (
	FrameioWebhook Kind = "frameio.webhook"
	FrameioAction  Kind = "frameio.action"
	IconikField    Kind = "iconik.field"
	IconikView     Kind = "iconik.view"
	IconikAction   Kind = "iconik.action"
	IconikWebhook  Kind = "iconik.webhook"
)

// Object is one that setup has made, or whose secret it keeps. Kind, Key and Where say which one it is.
type Object struct {
	Kind  Kind   `json:"kind"`
	Key   string `json:"key"`             // which of those that are wanted: "archive", "send", a field's name
	Where string `json:"where,omitempty"` // workspace, or iconik's context
	// ID is empty from before the object is made until the answer is there: an object found then is ours, with its secret lost.
	ID      string `json:"id,omitempty"`
	Secret  string `json:"secret,omitempty"`  // that Frame.io showed once
	Adopted bool   `json:"adopted,omitempty"` // was there before: not taken away
}

func (o Object) is(kind Kind, key, where string) bool {
	return o.Kind == kind && o.Key == key && o.Where == where
}

// Record is what is remembered of one tenant's set-up. It holds secrets and is kept encrypted.
type Record struct {
	ActionSecret string   `json:"action_secret,omitempty"` // generated where the configuration has none
	Workspaces   []string `json:"workspaces,omitempty"`    // ids of those that were chosen
	Groups       []string `json:"groups,omitempty"`        // ids of iconik's groups that see the actions
	Objects      []Object `json:"objects,omitempty"`
}

// Find returns the remembered object of a kind, key and place.
func (r Record) Find(kind Kind, key, where string) (Object, bool) {
	for _, o := range r.Objects {
		if o.is(kind, key, where) {
			return o, true
		}
	}
	return Object{}, false
}

func (r *Record) put(o Object) {
	r.drop(o.Kind, o.Key, o.Where)
	r.Objects = append(r.Objects, o)
}

func (r *Record) drop(kind Kind, key, where string) {
	r.Objects = slices.DeleteFunc(r.Objects, func(o Object) bool { return o.is(kind, key, where) })
}

// Ledger keeps a tenant's record; a ledger.TenantLedger is one.
type Ledger interface {
	Token(ctx context.Context, name string) ([]byte, bool, error)
	ExchangeToken(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error
}

// recordName is under which name the record is kept among the ledger's encrypted values.
const recordName = "setup"

// Load returns a tenant's record, an empty one where setup has never run or the ledger has no key.
func Load(ctx context.Context, l Ledger) (Record, error) {
	var r Record
	raw, ok, err := l.Token(ctx, recordName)
	if errors.Is(err, ledger.ErrNoKey) || err == nil && !ok {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("cannot read the set-up stored in the ledger: %w", err)
	}
	redact.Know(append(r.FrameioSecrets(), r.ActionSecret)...)
	return r, nil
}

// change changes the record in one step.
func change(ctx context.Context, l Ledger, with func(*Record)) error {
	if _, _, err := l.Token(ctx, recordName); err != nil {
		return err // one that does not open must not be written over: its objects would be forgotten
	}
	return l.ExchangeToken(ctx, recordName, func(_ context.Context, present []byte) ([]byte, error) {
		var r Record
		if len(present) > 0 {
			if err := json.Unmarshal(present, &r); err != nil {
				return nil, err
			}
		}
		with(&r)
		return json.Marshal(r)
	})
}

// FrameioSecrets are the secrets of the webhooks and actions that setup has made.
func (r Record) FrameioSecrets() []string {
	var out []string
	for _, o := range r.Objects {
		if o.Secret != "" {
			out = append(out, o.Secret)
		}
	}
	return out
}
