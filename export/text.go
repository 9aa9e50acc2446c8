package export

import (
	"regexp"
	"strings"
	"unicode"
)

// Commenters choose their names and texts, and uploaders their file names. Everything that people typed must pass through one of
// these functions before it goes into a format with a grammar of its own.

// Text returns a text without what formats cannot represent: invalid UTF-8, control characters except tab and line feed, characters
// that XML forbids, and marks that change the direction of the text around them. Lines end in a single line feed.
func Text(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r == 0xFFFE, r == 0xFFFF, r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}

// Line returns a text on one line, with white space reduced to single spaces.
func Line(s string) string {
	s = strings.Map(func(r rune) rune { // control characters separate words, because some readers take them for line ends
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(Text(s)), " ")
}

// formulas are the characters that turn a cell into a formula. Spreadsheets treat the wide ones like the narrow ones.
const formulas = "=+-@\t\r\n＝＋－＠"

// Cell returns a text as a CSV cell. It adds an apostrophe if a spreadsheet would take the cell for a formula, even after white
// space. It does the same after each semicolon, tab or line break inside: with the settings of many countries spreadsheets split
// there, and ignore quotes in the middle of a line.
func Cell(s string) string {
	raw, s := s, Text(s)
	s = innerFormula.ReplaceAllString(s, "$1'$2")
	bare := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
	if startsWith(raw, formulas) || startsWith(s, formulas) || startsWith(bare, formulas) {
		return "'" + s
	}
	return s
}

var innerFormula = regexp.MustCompile(`([;\t\n])([\p{Z}\p{Cf}"]*[=+@＝＋－＠-])`)

func startsWith(s, chars string) bool { return strings.IndexAny(s, chars) == 0 }

// edlName returns a name for a line of an EDL. A bar would separate Resolve's tags.
func edlName(s string) string { return strings.ReplaceAll(Line(s), "|", "¦") }

// edlNote returns a text for the beginning of a line of an EDL. Readers of CMX 3600 take a line for an event because of a leading digit,
// and for a statement because of an upper-case first word (FCM:, TITLE:, SPLIT, M2 …) or an asterisk. Such a text gets a leading dash.
func edlNote(s string) string {
	s = edlName(s)
	first, _, _ := strings.Cut(s, " ")
	switch {
	case s == "":
		return ""
	case s[0] == '[' || strings.HasPrefix(s, "↳"):
		return s
	case !unicode.IsLetter([]rune(s)[0]), strings.ContainsAny(first, ":*"):
		return "- " + s
	case len(first) > 1 && strings.ToUpper(first) == first && strings.ToLower(first) != first:
		return "- " + s
	}
	return s
}
