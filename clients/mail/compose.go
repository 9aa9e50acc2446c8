package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

const (
	longestWord    = 60  // characters of a header word, which cannot be folded
	longestName    = 120 // characters of a person's name
	longestAddress = 253 // without the @
	encodedBytes   = 42  // of text in one encoded word, which has at most 75 characters
)

// compose writes a message as RFC 5322 requires: with headers folded and in ASCII.
func (m *Mailer) compose(msg Message, to []*netmail.Address, now time.Time) ([]byte, error) {
	sum := sha256.Sum256([]byte(msg.ID))
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	if err := out.From(m.from.String()); err != nil {
		return nil, err
	}
	var all []string
	for _, a := range to {
		all = append(all, a.String())
	}
	if err := out.To(all...); err != nil {
		return nil, err
	}
	out.SetGenHeader(gomail.HeaderSubject, encoded(msg.Subject))
	out.SetDateWithValue(now)
	out.SetMessageIDWithValue(hex.EncodeToString(sum[:12]) + "@framebridge")
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	out.SetBodyString(gomail.TypeTextPlain, msg.Text)
	if msg.HTML != "" {
		out.AddAlternativeString(gomail.TypeTextHTML, msg.HTML)
	}
	var b bytes.Buffer
	_, err := out.WriteTo(&b)
	return b.Bytes(), err
}

// encoded returns a header's text on one line, in words short enough to fold between.
func encoded(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	for word := range strings.FieldsSeq(text) {
		if len(word) > longestWord || strings.HasPrefix(word, "=?") { // a reader would take "=?" for the start of an encoded word
			return inWords(text)
		}
	}
	return mime.QEncoding.Encode("utf-8", text)
}

// inWords encodes a text that mime leaves alone because it is ASCII, but that does not fit on a line.
func inWords(text string) string {
	var words []string
	var word []byte
	flush := func() {
		if len(word) > 0 {
			words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString(word)+"?=")
			word = nil
		}
	}
	for _, r := range text {
		if len(word)+len(string(r)) > encodedBytes {
			flush()
		}
		word = append(word, string(r)...)
	}
	flush()
	return strings.Join(words, " ")
}

// addresses parses recipients and removes duplicates. refused says which ones are not addresses.
func addresses(all []string) (out []*netmail.Address, refused []error) {
	seen := map[string]bool{}
	for _, text := range all {
		a, err := parseAddress(text)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		if key := strings.ToLower(a.Address); !seen[key] {
			seen[key] = true
			out = append(out, a)
		}
	}
	return out, refused
}

// parseAddress parses an address with or without a name. The domain becomes ASCII, and the name is cut to what fits in a header.
func parseAddress(text string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not an e-mail address", text)
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	if !isASCII(domain) {
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return nil, fmt.Errorf("%q is not an e-mail address: its domain is invalid", text)
		}
	}
	if !isASCII(strings.ReplaceAll(local, " ", "")) || len(local)+len(domain) > longestAddress {
		return nil, fmt.Errorf("%q cannot receive e-mail: the part before the @ must be ASCII, and the address at most 254 characters", text)
	}
	name := []rune(strings.Join(strings.Fields(a.Name), " "))
	if len(name) > longestName {
		name = name[:longestName]
	}
	return &netmail.Address{Name: string(name), Address: local + "@" + domain}, nil
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
