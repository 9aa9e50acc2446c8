package untrusted

import (
	"fmt"
	"strings"
)

const longestID = 200 // bytes

// IDError says that something is no id as the vendor gives them: it is never put into a path.
type IDError struct {
	// Field names what should have been an id.
	Field string
}

func (e *IDError) Error() string {
	return fmt.Sprintf("%s: this is not an id: ids are UUIDs, or letters, digits, - and _", e.Field)
}

// ID checks what both vendors document as ids: UUIDs, which are kept as opaque words of letters, digits, - and _. Further
// characters may be named, such as those of Frame.io's ids on Adobe's storage; a slash among them, which stands escaped in a
// path, never makes a segment of nothing but dots.
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
			if !word { // nothing between two slashes, or dots
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

// UUID says whether a text is a UUID in its usual form.
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
