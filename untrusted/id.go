package untrusted

import (
	"fmt"
	"strings"
)

const longestID = 200 // bytes

// IDError means that a value is not an ID as the vendor issues them. It is never put into a path.
type IDError struct {
	// Field is the name of what should have been an ID.
	Field string
}

func (e *IDError) Error() string {
	return fmt.Sprintf("%s: this is not an id: ids are UUIDs, or letters, digits, - and _", e.Field)
}

// ID checks what both vendors document as IDs: UUIDs, treated as opaque words of letters, digits, - and _. further lists
// additional characters, such as those in Frame.io's IDs on Adobe's storage. It may include a slash, which is escaped in a path.
// Every segment between slashes must contain a letter or digit, so that none is empty or consists only of dots.
func ID(field, id, further string) error {
	if len(id) > longestID {
		return &IDError{Field: field}
	}
	word := false
	for _, r := range id + "/" {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			word = true
		case r == '/':
			if !word { // an empty segment, or only dots
				return &IDError{Field: field}
			}
			word = false
		case r == '-' || r == '_' || strings.ContainsRune(further, r):
		default:
			return &IDError{Field: field}
		}
	}
	if strings.Contains(id, "/") && !strings.Contains(further, "/") {
		return &IDError{Field: field}
	}
	return nil
}

// UUID reports whether text is a UUID in its usual form.
func UUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range text {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if r != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}
