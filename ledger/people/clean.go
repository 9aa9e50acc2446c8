package people

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleaner takes people out of texts, and of the texts within JSON: never out of its keys, and never by a name that could be any word.
type cleaner struct {
	// addresses are where those stand in a text that are taken out.
	addresses func(text string) [][]int
	// pseudonym is what stands for an address from now on.
	pseudonym func(address string) string
	// names are of the person; nil: only those are taken out that stand beside an address.
	names *names
}

// names are those of one person that have two words or more, and are found in any text.
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

// replace puts a pseudonym where a name stands as whole words.
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

// replaced puts something else into places of a text, which follow on each other.
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

// nameBefore is a name in front of an address in angle brackets: up to four words with a capital letter, or of a script that has none.
var nameBefore = regexp.MustCompile(`(?:[\p{Lu}\p{Lt}\p{Lo}][\p{L}\p{M}.'’\-]*\s+){0,3}[\p{Lu}\p{Lt}\p{Lo}][\p{L}\p{M}.'’\-]*\s*<$`)

// text takes people out of a plain text. "Rita Reyes <rita@client.example>" becomes one pseudonym.
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

// has says that an address that is taken out stands in a text, or in a value of one that is JSON.
func (c *cleaner) has(text string) bool {
	found := false
	if value, ok := parsed(text); ok {
		c.walk(value, func(s string) string { found = found || len(c.addresses(s)) > 0; return s })
		return found
	}
	return len(c.addresses(text)) > 0
}

// clean takes people out of a text, or of the values of one that is JSON, which stays as it is where there is nobody in it.
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
		return text // what was parsed can be written
	}
	return string(out)
}

// parsed reads an object or a list; numbers stay as they are written.
func parsed(text string) (any, bool) {
	if text = strings.TrimSpace(text); text == "" || text[0] != '{' && text[0] != '[' || !json.Valid([]byte(text)) {
		return nil, false
	}
	var value any
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	return value, d.Decode(&value) == nil
}

// walk changes all texts within a value, and those within texts that are JSON themselves. Beside somebody's address the name goes, too,
// and with the name of who did something the network address and the key.
func (c *cleaner) walk(value any, change func(string) string) any {
	switch v := value.(type) {
	case string:
		if inner, ok := parsed(v); ok {
			before, err := json.Marshal(inner) // a walk changes it
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

// beside looks at the members of an object that belong to an address.
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
		if address == "" || change(address) == address { // it is only looked for
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

func anyAddress(text string) [][]int {
	if !strings.Contains(text, "@") {
		return nil
	}
	places := emailForm.FindAllStringIndex(text, -1)
	for _, at := range places {
		at[0] += len(text[at[0]:at[1]]) - len(strings.TrimLeft(text[at[0]:at[1]], "'&.%-")) // what stands in front of it
	}
	return places
}

// oneAddress finds one address, whatever its case, and not where it is part of a longer one.
func oneAddress(address string) func(string) [][]int {
	form := regexp.MustCompile("(?i)" + regexp.QuoteMeta(address))
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
