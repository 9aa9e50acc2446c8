package english

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var plainWord = regexp.MustCompile(`^\p{Ll}\p{L}*([ ,:;]|\.( |$)|$)`)

// Sentence returns a reason as people read it, with a capital letter and a full stop. Names, paths and addresses stay as they are.
func Sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if plainWord.MatchString(text) && !strings.HasPrefix(text, "iconik") && !strings.Contains(strings.Fields(text)[0], "://") {
		text = Capitalized(text)
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

// Capitalized returns a text that is not empty with a capital letter first.
func Capitalized(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
