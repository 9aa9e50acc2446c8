// Package account plans the archives of a whole Frame.io account: which of its projects a migration takes, and what all their
// archives together would do. It reads Frame.io and the ledger, and writes nothing.
package account

import (
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
)

// Selection chooses projects of an account. A project must match every field that is set. The zero value selects all projects.
type Selection struct {
	Workspaces  []string `json:"workspaces,omitempty"`  // IDs or names
	ProjectIDs  []string `json:"project_ids,omitempty"` // only these
	Name        string   `json:"name,omitempty"`        // a pattern with * and ?, matched case-insensitively
	Status      string   `json:"status,omitempty"`      // any, active or inactive; empty: any
	OlderThan   string   `json:"older_than,omitempty"`  // a date; the project was last changed before it
	LargerThan  string   `json:"larger_than,omitempty"` // a size; never matches a project whose size Frame.io does not report
	SmallerThan string   `json:"smaller_than,omitempty"`
}

// Values of Selection.Status.
const (
	StatusAny      = "any"
	StatusActive   = "active"
	StatusInactive = "inactive" // inactive (V4) or in cold storage (legacy)
)

// FieldError names the field of a request that is at fault, and why.
type FieldError struct{ Field, Why string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Why }

func wrong(field, format string, args ...any) error {
	return &FieldError{"selection." + field, fmt.Sprintf(format, args...)}
}

// Everything reports whether the selection includes every project.
func (s Selection) Everything() bool {
	return len(s.Workspaces) == 0 && len(s.ProjectIDs) == 0 && strings.Trim(s.Name, "*") == "" && (s.Status == "" || s.Status == StatusAny) &&
		s.OlderThan == "" && s.LargerThan == "" && s.SmallerThan == ""
}

// Validate returns a *FieldError if no project could be matched against the selection. It does not check that the workspaces exist.
// That happens when the account is read.
func (s Selection) Validate() error {
	_, err := s.matcher()
	return err
}

// matcher is a parsed selection.
type matcher struct {
	ids            []string
	name           string // a pattern; empty matches any name
	status         string
	before         time.Time // zero: any
	larger, lesser int64     // 0: any
}

func (s Selection) matcher() (matcher, error) {
	m := matcher{status: s.Status}
	for _, id := range s.ProjectIDs {
		if id = strings.TrimSpace(id); id == "" {
			return m, wrong("project_ids", "contains an empty ID")
		}
		m.ids = append(m.ids, id)
	}
	for _, w := range s.Workspaces {
		if strings.TrimSpace(w) == "" {
			return m, wrong("workspaces", "contains an empty name")
		}
	}
	if s.Name != "" && strings.TrimSpace(s.Name) == "" {
		return m, wrong("name", "is blank: leave it out, or write a name, in which * stands for any text")
	}
	if strings.Trim(s.Name, "*") != "" {
		m.name = folded(s.Name)
		if _, err := path.Match(m.name, ""); err != nil {
			return m, wrong("name", "%q is not a pattern: * stands for any text, ? for one character, and a [ needs its ]", s.Name)
		}
	}
	switch s.Status {
	case "":
		m.status = StatusAny
	case StatusAny, StatusActive, StatusInactive:
	default:
		return m, wrong("status", "%q is not one of any, active, inactive", s.Status)
	}
	if s.OlderThan != "" {
		var err error
		if m.before, err = dateOf(s.OlderThan); err != nil {
			return m, wrong("older_than", "%q is not a date: write 2025-06-30 or 2025-06-30T12:00:00Z", s.OlderThan)
		}
	}
	for _, size := range []struct {
		field, text string
		into        *int64
	}{{"larger_than", s.LargerThan, &m.larger}, {"smaller_than", s.SmallerThan, &m.lesser}} {
		if size.text == "" {
			continue
		}
		n, err := config.ParseBytes(size.text)
		if err != nil || n == 0 {
			return m, wrong(size.field, "%q is not a size: write 500MiB or 2TB", size.text)
		}
		*size.into = int64(n)
	}
	return m, nil
}

// dateOf parses a time, or a date, which stands for its first moment in UTC.
func dateOf(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339, text)
}

// matches reports whether a project matches, apart from its workspace and ID: if IDs are selected, no other projects are read.
func (m matcher) matches(p frameio.Project) bool {
	if m.name != "" && !fits(m.name, p.Name) {
		return false
	}
	if aside := p.Inactive || p.Archived; m.status == StatusActive && aside || m.status == StatusInactive && !aside {
		return false
	}
	if !m.before.IsZero() && !lastChanged(p).Before(m.before) {
		return false
	}
	if m.larger == 0 && m.lesser == 0 {
		return true
	}
	stored, known := p.Stored()
	return known && (m.larger == 0 || stored > m.larger) && (m.lesser == 0 || stored < m.lesser)
}

// lastChanged returns when a project was last changed, or when it was created if Frame.io does not say.
func lastChanged(p frameio.Project) time.Time {
	if p.UpdatedAt.IsZero() {
		return p.CreatedAt
	}
	return p.UpdatedAt
}

// fits reports whether a name matches a folded pattern. A name matches itself, whatever its brackets would mean in a pattern. In
// path.Match, * stops at a slash. In names, a slash is an ordinary character.
func fits(pattern, name string) bool {
	const slash = "\x00"
	if name = folded(name); name == pattern {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", slash), strings.ReplaceAll(name, "/", slash))
	return err == nil && ok
}

// folded removes the differences that people do not see or care about: case, Unicode form and surrounding space.
func folded(name string) string {
	return cases.Fold().String(norm.NFC.String(strings.TrimFunc(name, unicode.IsSpace)))
}

// String describes the selection in words.
func (s Selection) String() string {
	var parts []string
	say := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+value)
		}
	}
	if len(s.ProjectIDs) > 0 {
		parts = append(parts, english.Count(len(s.ProjectIDs), "project")+" by ID")
	}
	say("in", strings.Join(s.Workspaces, ", "))
	say("named", s.Name)
	if s.Status != StatusAny && s.Status != "" {
		parts = append(parts, s.Status)
	}
	say("last changed before", s.OlderThan)
	say("larger than", s.LargerThan)
	say("smaller than", s.SmallerThan)
	if len(parts) == 0 {
		return "all projects"
	}
	return strings.Join(parts, "; ")
}
