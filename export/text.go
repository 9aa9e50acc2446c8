package export

import (
	"regexp"
	"strings"
	"unicode"
)

// Whoever comments chooses a name and a text, and whoever uploads a file its name. Everything that people typed passes
// through one of the functions here before it stands in a format that has a grammar of its own.

// Text is a text without what no format can hold: invalid UTF-8, control characters but tab and line feed, characters
// that XML forbids, and the marks that turn the direction of the text around them. Lines end in one line feed.
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

// Line is a text in one line, its white space as single spaces.
func Line(s string) string {
	s = strings.Map(func(r rune) rune { // control characters part words: some readers take them for ends of lines
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(Text(s)), " ")
}

// formulas are the characters with which a cell becomes a formula; spreadsheets read the wide ones as the narrow.
const formulas = "=+-@\t\r\n＝＋－＠"

// Cell is a text as a cell of a CSV: one that a spreadsheet would take for a formula, also after white space, has an
// apostrophe before it. So has what stands after a semicolon, a tab or a line break in it: with the settings of many
// countries a spreadsheet splits there, and does not heed quotes in the middle of a line.
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

// edlName is a name in a line of an EDL; the bar parts Resolve's tags.
func edlName(s string) string { return strings.ReplaceAll(Line(s), "|", "¦") }

// edlNote is a text as the beginning of a line of an EDL. Readers of CMX 3600 take a line for an event by its first
// digit and for a statement by a first word in capitals (FCM:, TITLE:, SPLIT, M2 …) or by *: such a text has a dash
// before it.
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
