package api

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/starter/control"
)

// sendForm is the send action's form after validation.
type sendForm struct {
	Reviewers  []string
	Message    string
	Expires    time.Time
	Quality    string
	Title      string
	Passphrase string
	Download   bool
	Forensic   bool
	DRM        bool
}

func wrong(field, problem string) *control.FieldError {
	return &control.FieldError{Field: field, Problem: problem}
}

// formRules are what a tenant allows.
type formRules struct {
	Now     time.Time
	Default time.Duration // until the expiry, if the form has none
	Longest time.Duration
	// Forensic and DRM are each off, form or always.
	Forensic, DRM string
}

const (
	maxReviewers = 100
	maxTitle     = 175 // the limit of Frame.io's share names
	maxMessage   = 2000
)

// parseForm validates the form's values, each a list of texts. It reports only the first mistake.
func parseForm(values map[string][]string, rules formRules) (sendForm, *control.FieldError) {
	get := func(name string) string { return strings.TrimSpace(strings.Join(values[name], " ")) }
	f := sendForm{Message: strings.TrimSpace(strings.Join(values["framebridge_message"], "\n")), Title: get("framebridge_title"), Passphrase: get("framebridge_passphrase")}
	var err *control.FieldError
	if f.Reviewers, err = parseReviewers(values["framebridge_reviewers"]); err != nil {
		return f, err
	}
	switch q := strings.ToLower(get("framebridge_quality")); q {
	case "", "proxy":
		f.Quality = "proxy"
	case "original":
		f.Quality = "original"
	default:
		return f, wrong("framebridge_quality", fmt.Sprintf("Unknown quality %q: choose proxy or original.", q))
	}
	if f.Expires, err = control.ParseExpiry(get("framebridge_expires"), rules.Now, rules.Default, rules.Longest); err != nil {
		return f, err
	}
	for _, choice := range []struct {
		field string
		mode  string
		into  *bool
	}{{"framebridge_download", "form", &f.Download}, {mapping.ForensicField.Name, rules.Forensic, &f.Forensic}, {mapping.DRMField.Name, rules.DRM, &f.DRM}} {
		if choice.mode != "form" {
			*choice.into = choice.mode == "always"
			continue
		}
		if *choice.into, err = parseChoice(choice.field, get(choice.field)); err != nil {
			return f, err
		}
	}
	switch {
	case len([]rune(f.Title)) > maxTitle:
		return f, wrong("framebridge_title", fmt.Sprintf("The title is longer than %d characters.", maxTitle))
	case len([]rune(f.Message)) > maxMessage:
		return f, wrong("framebridge_message", fmt.Sprintf("The message is longer than %d characters.", maxMessage))
	case len(f.Passphrase) > 255:
		return f, wrong("framebridge_passphrase", "The passphrase is longer than 255 characters.")
	}
	return f, nil
}

func parseChoice(field, text string) (bool, *control.FieldError) {
	switch strings.ToLower(text) {
	case "", "false", "no", "0", "off":
		return false, nil
	case "true", "yes", "1", "on":
		return true, nil
	}
	return false, wrong(field, fmt.Sprintf("%q is not yes or no.", text))
}

// named matches an address as mail programs copy it, after a name: "Reviewer, Rita" <rita@client.example>.
var named = regexp.MustCompile(`([^<>]*)<\s*(?:mailto:)?([^<>]*?)\s*>`)

// aside matches what mail programs add after an address, such as a name: rita@client.example (Rita Reviewer).
var aside = regexp.MustCompile(`\([^()]*\)`)

var quotedName = regexp.MustCompile(`"[^"]*"\s*$`)

// addressWords extracts the addresses from a text, without names and invisible characters. It also returns words that are not
// addresses, so that they get refused.
func addressWords(text string) []string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	text = aside.ReplaceAllString(text, " ")
	isSeparator := func(r rune) bool { return strings.ContainsRune(",;，；、", r) || unicode.IsSpace(r) }
	var out []string
	rest := 0
	for _, at := range named.FindAllStringSubmatchIndex(text, -1) {
		before := quotedName.ReplaceAllString(text[at[2]:at[3]], "")
		for _, word := range strings.FieldsFunc(before, isSeparator) {
			if strings.Contains(word, "@") { // an address of its own; other words are parts of a name
				out = append(out, word)
			}
		}
		out, rest = append(out, text[at[4]:at[5]]), at[1]
	}
	for _, word := range strings.FieldsFunc(text[rest:], isSeparator) {
		out = append(out, strings.TrimPrefix(word, "mailto:"))
	}
	return out
}

func parseReviewers(values []string) ([]string, *control.FieldError) {
	var out []string
	seen := map[string]bool{}
	for _, v := range values {
		for _, word := range addressWords(v) {
			a, err := mail.ParseAddress(word)
			if err != nil || !strings.Contains(a.Address[strings.LastIndex(a.Address, "@")+1:], ".") || len(a.Address) > 254 {
				return nil, wrong("framebridge_reviewers", fmt.Sprintf("%q is not an e-mail address.", word))
			}
			if key := strings.ToLower(a.Address); !seen[key] {
				seen[key] = true
				out = append(out, a.Address)
			}
		}
	}
	switch {
	case len(out) == 0:
		return nil, wrong("framebridge_reviewers", "Enter at least one reviewer's e-mail address.")
	case len(out) > maxReviewers:
		return nil, wrong("framebridge_reviewers", fmt.Sprintf("You entered %d reviewers, but a review can have at most %d.", len(out), maxReviewers))
	}
	return out, nil
}
