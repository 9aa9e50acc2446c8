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
		first, size := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}
