// Package setup creates, at both vendors, what an administrator would otherwise create by hand: Frame.io's webhooks and custom
// action, and iconik's fields, views, custom actions and webhook. It reads both sides first and shows what it would change. It
// records what it has created, so that a second run changes nothing and everything can be removed again.
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

// Kind is the kind of an object.
type Kind string

// The kinds of objects that setup creates.
const (
	FrameioWebhook Kind = "frameio.webhook"
	FrameioAction  Kind = "frameio.action"
	IconikField    Kind = "iconik.field"
	IconikView     Kind = "iconik.view"
	IconikAction   Kind = "iconik.action"
	IconikWebhook  Kind = "iconik.webhook"
)

// Object is an object that setup has created, or whose secret it stores. Kind, Key and Where identify it.
type Object struct {
	Kind  Kind   `json:"kind"`
	Key   string `json:"key"`             // which of the wanted objects: "archive", "send", a field's name
	Where string `json:"where,omitempty"` // workspace, or iconik's context
	// ID is empty from before the object is created until the response arrives. An object found in that state
	// is ours, but its secret is lost.
	ID      string `json:"id,omitempty"`
	Secret  string `json:"secret,omitempty"`  // that Frame.io showed once
	Adopted bool   `json:"adopted,omitempty"` // existed before, so it is not removed
}

func (o Object) is(kind Kind, key, where string) bool {
	return o.Kind == kind && o.Key == key && o.Where == where
}

// Record is what setup remembers of one tenant's setup. It contains secrets and is stored encrypted.
type Record struct {
	ActionSecret string   `json:"action_secret,omitempty"` // generated if the configuration has none
	Workspaces   []string `json:"workspaces,omitempty"`    // IDs of the chosen ones
	Groups       []string `json:"groups,omitempty"`        // IDs of the iconik groups that see the actions
	Objects      []Object `json:"objects,omitempty"`
}

// Find returns the recorded object with a kind, key and place, or false if there is none.
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

// Ledger stores a tenant's record. A ledger.TenantLedger implements it.
type Ledger interface {
	Token(ctx context.Context, name string) ([]byte, bool, error)
	ExchangeToken(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error
}

// recordName is the record's name among the ledger's encrypted values.
const recordName = "setup"

// Load returns a tenant's record. It is empty if setup has never run or the ledger has no key.
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
		return r, fmt.Errorf("cannot read the setup stored in the ledger: %w", err)
	}
	redact.Know(append(r.FrameioSecrets(), r.ActionSecret)...)
	return r, nil
}

// change changes the record atomically.
func change(ctx context.Context, l Ledger, with func(*Record)) error {
	if _, _, err := l.Token(ctx, recordName); err != nil {
		return err // never overwrite an unreadable record, because its objects would be forgotten
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

// FrameioSecrets returns the secrets of the webhooks and actions that setup has created.
func (r Record) FrameioSecrets() []string {
	var out []string
	for _, o := range r.Objects {
		if o.Secret != "" {
			out = append(out, o.Secret)
		}
	}
	return out
}
