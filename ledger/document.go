package ledger

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/framebridge/framebridge/ledger/members"
)

// newer is what a newer version stored with a row. It is kept when this version writes the row back.
type newer struct {
	members document // a JSON object, or empty
}

func (n *newer) kept() *newer { return n }

// rowOf is satisfied by a pointer to any type that embeds newer.
type rowOf[T any] interface {
	*T
	kept() *newer
}

// decode reads a row and keeps members that its type does not know, nested ones included. Those inside lists are lost.
func decode[T any, P rowOf[T]](data document) (T, error) {
	var v T
	strict := json.NewDecoder(strings.NewReader(string(data)))
	strict.DisallowUnknownFields()
	if strict.Decode(&v) == nil {
		return v, nil
	}
	v = *new(T)
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		return v, fmt.Errorf("a row of the ledger is damaged: %w", err)
	}
	rest, err := json.Marshal(members.Unknown(reflect.TypeFor[T](), []byte(data)))
	if err != nil {
		return v, err
	}
	P(&v).kept().members = document(rest)
	return v, nil
}

// encode writes a row, including what decode kept.
func encode[T any, P rowOf[T]](v T) (document, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	kept := P(&v).kept().members
	if kept == "" {
		return document(raw), nil
	}
	merged, err := json.Marshal(members.Merge(raw, []byte(kept)))
	return document(merged), err
}

// keepFrom lets a row that was built from scratch keep the unknown members of the stored one.
func keepFrom[T any, P rowOf[T]](v *T, stored T) { P(v).kept().members = P(&stored).kept().members }
