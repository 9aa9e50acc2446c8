package config

import (
	"fmt"
	"sort"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/framebridge/framebridge/english"
)

// Problems lists everything that is wrong with a configuration. Each line begins with its key.
type Problems struct {
	Path string
	List []string

	warnings []string
	unread   map[string]bool // keys whose values could not be read; nothing more is reported about them
}

func (p *Problems) Error() string {
	sort.Strings(p.List)
	return fmt.Sprintf("configuration %s has %s:\n  %s", p.Path, english.Count(len(p.List), "problem"), strings.Join(p.List, "\n  "))
}

func (p *Problems) add(key, format string, args ...any) {
	if p.known(key) {
		return
	}
	p.List = append(p.List, key+": "+fmt.Sprintf(format, args...))
}

// warn adds a warning about a setting that works but should not stay as it is.
func (p *Problems) warn(key, format string, args ...any) {
	p.warnings = append(p.warnings, key+": "+fmt.Sprintf(format, args...))
}

// refuse adds the only problem to report about a value that cannot be read.
func (p *Problems) refuse(key, format string, args ...any) {
	p.add(key, format, args...)
	p.unread[key] = true
}

// known reports whether a key, or one that contains it, could not be read.
func (p *Problems) known(key string) bool {
	for at := key; at != ""; at = at[:max(strings.LastIndexByte(at, '.'), 0)] {
		if p.unread[at] {
			return true
		}
	}
	return false
}

// didYouMean returns the end of a sentence about an unknown name that suggests a similar one, or "" if there is none.
func didYouMean(name string, known []string) string {
	best, distance := "", 1+len(name)/3
	for _, k := range known {
		if d := levenshtein.ComputeDistance(name, k); d <= distance && d < len(k) {
			best, distance = k, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}
