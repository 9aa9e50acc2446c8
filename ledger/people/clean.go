package people

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// cleaner erases people from texts, and from the values of JSON. It never changes JSON keys, and never acts on a name that could be any word.
type cleaner struct {
	// addresses returns where in a text the addresses to erase are.
	addresses func(text string) [][]int
	// pseudonym returns what replaces an address.
	pseudonym func(address string) string
	// names are the person's. If nil, only names next to an address are erased.
	names *names
}

// names are one person's names of two words or more, which are found in any text.
type names struct {
	known map[string]*regexp.Regexp
}

func (n *names) add(name string) {
	words := strings.Fields(name)
	if n == nil || len(words) < 2 || len(name) < 5 || strings.ContainsAny(name, "@<>") {
		return
	}
	key := strings.ToLower(strings.Join(words, " "))
	if n.known[key] != nil {
		return
	}
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	n.known[key] = regexp.MustCompile("(?i)" + strings.Join(words, `\s+`))
}

// replace replaces names that appear as whole words by a pseudonym.
func (n *names) replace(text, pseudonym string) string {
	if n == nil {
		return text
	}
	for _, form := range n.known {
		var whole [][]int
		for _, at := range form.FindAllStringIndex(text, -1) {
			before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
			after, _ := utf8.DecodeRuneInString(text[at[1]:])
			if !isWord(before) && !isWord(after) {
				whole = append(whole, at)
			}
		}
		text = replaced(text, whole, func(string) string { return pseudonym })
	}
	return text
}

func isWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// replaced replaces places in a text, which must be in order.
func replaced(text string, places [][]int, with func(string) string) string {
	if len(places) == 0 {
		return text
	}
	var out strings.Builder
	last := 0
	for _, at := range places {
		out.WriteString(text[last:at[0]])
		out.WriteString(with(text[at[0]:at[1]]))
		last = at[1]
	}
	out.WriteString(text[last:])
	return out.String()
}

// nameBefore matches a name before an address in angle brackets: up to four words that are capitalized, or in a script without case.
var nameBefore = regexp.MustCompile(`(?:[\p{Lu}\p{Lt}\p{Lo}][\p{L}\p{M}.'’\-]*\s+){0,3}[\p{Lu}\p{Lt}\p{Lo}][\p{L}\p{M}.'’\-]*\s*<$`)

// text erases people from a plain text. "Rita Reyes <rita@client.example>" becomes one pseudonym.
func (c *cleaner) text(text string) string {
	places := c.addresses(text)
	if len(places) == 0 {
		return c.withoutNames(text)
	}
	of := make([]string, len(places))
	last := 0
	for i, at := range places {
		of[i] = text[at[0]:at[1]]
		if strings.HasPrefix(text[at[1]:], ">") {
			if name := nameBefore.FindString(text[last:at[0]]); name != "" {
				c.names.add(strings.TrimSuffix(name, "<"))
				places[i] = []int{at[0] - len(name), at[1] + 1}
			}
		}
		last = places[i][1]
	}
	i := -1
	return c.withoutNames(replaced(text, places, func(string) string { i++; return c.pseudonym(of[i]) }))
}

func (c *cleaner) withoutNames(text string) string {
	if c.names == nil {
		return text
	}
	return c.names.replace(text, c.pseudonym(""))
}

// has reports whether a text, or a value of a JSON text, contains an address to erase.
func (c *cleaner) has(text string) bool {
	found := false
	if value, ok := parsed(text); ok {
		c.walk(value, func(s string) string { found = found || len(c.addresses(s)) > 0; return s })
		return found
	}
	return len(c.addresses(text)) > 0
}

// clean erases people from a text, or from the values of a JSON text, which stays byte for byte as it is if it contains nobody.
func (c *cleaner) clean(text string) string {
	value, ok := parsed(text)
	if !ok {
		return c.text(text)
	}
	changed := false
	value = c.walk(value, func(s string) string {
		now := c.text(s)
		changed = changed || now != s
		return now
	})
	if !changed {
		return text
	}
	out, err := json.Marshal(value)
	if err != nil {
		return text // cannot fail: it was parsed
	}
	return string(out)
}

// parsed parses an object or a list. Numbers stay as they are written.
func parsed(text string) (any, bool) {
	if text = strings.TrimSpace(text); text == "" || text[0] != '{' && text[0] != '[' || !json.Valid([]byte(text)) {
		return nil, false
	}
	var value any
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	return value, d.Decode(&value) == nil
}

// walk changes all texts within a value, including those within JSON texts. It also erases a name next to the person's address, and the
// network address and key of an actor whose name it erases.
func (c *cleaner) walk(value any, change func(string) string) any {
	switch v := value.(type) {
	case string:
		if inner, ok := parsed(v); ok {
			before, err := json.Marshal(inner) // before walk changes it
			now, nerr := json.Marshal(c.walk(inner, change))
			if err == nil && nerr == nil && !bytes.Equal(before, now) {
				return string(now)
			}
			return v
		}
		return change(v)
	case []any:
		for i := range v {
			v[i] = c.walk(v[i], change)
		}
	case map[string]any:
		c.beside(v, change)
		for key := range v {
			v[key] = c.walk(v[key], change)
		}
	}
	return value
}

// beside erases the members of an object that belong to an address.
func (c *cleaner) beside(object map[string]any, change func(string) string) {
	whole := func(key string) string {
		text, _ := object[key].(string)
		if places := c.addresses(text); len(places) == 1 && places[0][0] == 0 && places[0][1] == len(text) {
			return text
		}
		return ""
	}
	for _, key := range []string{"email", "Email"} {
		address := whole(key)
		if address == "" || change(address) == address { // the caller only searches
			continue
		}
		for _, of := range []string{"name", "Name", "author", "Author"} {
			if name, _ := object[of].(string); name != "" {
				c.names.add(name)
				object[of] = c.pseudonym(address)
			}
		}
	}
	if name := whole("name"); name != "" && change(name) != name && object["kind"] != nil { // a ledger.Actor
		delete(object, "address")
		delete(object, "key")
	}
}

// emailForm finds addresses in any text.
var emailForm = regexp.MustCompile(`[\p{L}\p{N}._%+\-&']*[\p{L}\p{N}_+]@[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)+`)

// fileForm matches pictures for high-resolution screens, such as icon@2x.png, which is not an address.
var fileForm = regexp.MustCompile(`(?i)@[0-9](?:\.[0-9])?x\.(?:png|jpe?g|gif|webp|tiff?|psd|svg|pdf|heic|mov|mp4)$`)

func anyAddress(text string) [][]int {
	if !strings.Contains(text, "@") {
		return nil
	}
	places := slices.DeleteFunc(emailForm.FindAllStringIndex(text, -1), func(at []int) bool { return fileForm.MatchString(text[at[0]:at[1]]) })
	for _, at := range places {
		at[0] += len(text[at[0]:at[1]]) - len(strings.TrimLeft(text[at[0]:at[1]], "'&.%-")) // punctuation in front of it
	}
	return places
}

// oneAddress returns a function that finds one address, ignoring case and Unicode form, also as URLs write it, unless it is part of a
// longer one.
func oneAddress(address string) func(string) [][]int {
	var forms []string
	for _, form := range []string{norm.NFC.String(address), norm.NFD.String(address)} {
		for _, form := range []string{form, url.QueryEscape(form), url.QueryEscape(strings.ToUpper(form))} {
			forms = append(forms, regexp.QuoteMeta(form))
		}
	}
	form := regexp.MustCompile("(?i)" + strings.Join(forms, "|"))
	return func(text string) [][]int {
		var out [][]int
		for _, at := range form.FindAllStringIndex(text, -1) {
			before := strings.TrimRight(text[:at[0]], "._%+-&'")
			last, _ := utf8.DecodeLastRuneInString(before)
			next, size := utf8.DecodeRuneInString(text[at[1]:])
			if next == '.' || next == '-' {
				next, _ = utf8.DecodeRuneInString(text[at[1]+size:])
			}
			if !isWord(last) && !isWord(next) {
				out = append(out, at)
			}
		}
		return out
	}
}
