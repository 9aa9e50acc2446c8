package custody

import (
	"bufio"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// WriteJSON writes object, adds a list as its last member, which it reads row by row, and then the signature. If key is nil, there is none.
func WriteJSON[T any](w io.Writer, key ed25519.PrivateKey, object any, list string, rows iter.Seq2[T, error], row func(T) any) error {
	signed := NewWriter(w, key)
	b := bufio.NewWriter(signed)
	head, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		return err
	}
	b.Write(head[:len(head)-2]) // without the closing brace
	fmt.Fprintf(b, ",\n  %q: [", list)
	separator := "\n    "
	for r, err := range rows {
		if err != nil {
			return err
		}
		line, err := json.Marshal(row(r))
		if err != nil {
			return err
		}
		b.WriteString(separator)
		b.Write(line)
		separator = ",\n    "
	}
	b.WriteString("\n  ]")
	if err := b.Flush(); err != nil {
		return err
	}
	return signed.EndJSON()
}
