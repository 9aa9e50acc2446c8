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

// shortest is the minimum length of a known secret to hide. A shorter one may be part of any word.
const shortest = 8

// known are the secrets that this process has read from its configuration.
var known struct {
	sync.Mutex
	values map[string]bool
	hide   atomic.Pointer[strings.Replacer]
}

// Know hides these secrets from everything scrubbed from now on, in addition to text that looks like a secret. Secrets from
// before a reload stay known, because older clients and errors may still contain them. Values shorter than 8 bytes are ignored.
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
		if quoted, err := json.Marshal(s); err == nil { // as logs and payloads contain it
			all[strings.Trim(string(quoted), `"`)] = true
		}
	}
	if len(all) == len(known.values) {
		return
	}
	known.values = all
	longest := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, s := range longest { // longest first: one may be a prefix of another
		pairs = append(pairs, s, Hidden)
	}
	known.hide.Store(strings.NewReplacer(pairs...))
}

// hideKnown replaces the known secrets in a text.
func hideKnown(text string) string {
	if r := known.hide.Load(); r != nil {
		return r.Replace(text)
	}
	return text
}
