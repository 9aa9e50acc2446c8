package redact

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// shortest is the length from which a known secret is kept out wherever it stands: a shorter one may be part of any word.
const shortest = 8

// known are the secrets that this process has read from its configuration.
var known struct {
	sync.Mutex
	values map[string]bool
	hide   atomic.Pointer[strings.Replacer]
}

// Know keeps secrets out of everything that is scrubbed from now on, beside what looks like one. What was a secret before
// stays one: clients and errors of before a reload may still hold it. Values shorter than 8 characters are left out.
func Know(secrets ...string) {
	known.Lock()
	defer known.Unlock()
	all := maps.Clone(known.values)
	if all == nil {
		all = map[string]bool{}
	}
	for _, s := range secrets {
		if len(s) < shortest {
			continue
		}
		all[s] = true
		if quoted, err := json.Marshal(s); err == nil { // as logs and payloads write it
			all[strings.Trim(string(quoted), `"`)] = true
		}
	}
	if len(all) == len(known.values) {
		return
	}
	known.values = all
	longest := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, s := range longest { // one may be the beginning of another
		pairs = append(pairs, s, Hidden)
	}
	known.hide.Store(strings.NewReplacer(pairs...))
}

// hideKnown takes the known secrets out of a text.
func hideKnown(text string) string {
	if r := known.hide.Load(); r != nil {
		return r.Replace(text)
	}
	return text
}
