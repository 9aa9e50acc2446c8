package report

import (
	"context"
	"fmt"
	"strings"

	rules "github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

// Hidden are people's private collections, which only their creators and administrators may see.
type Hidden struct {
	ids    map[string]bool // Frame.io's and iconik's IDs
	places []string
}

// hiddenOf finds an archive's private collections. What they contain is also in the project, so only the
// collections themselves are hidden.
func hiddenOf(ctx context.Context, l ledger.ArchiveLedger, a *Access) (Hidden, error) {
	h := Hidden{ids: map[string]bool{}}
	if a == nil {
		return h, nil
	}
	for _, p := range a.Places {
		if p.Kind == rules.KindCollection {
			h.places = append(h.places, p.Place)
			h.ids[p.Source] = true
		}
	}
	if len(h.places) == 0 {
		return h, nil
	}
	for k, err := range l.AllLinks(ctx, "collection") {
		if err != nil {
			return h, err
		}
		if h.ids[k.SourceID] {
			h.ids[k.TargetID], h.ids["references:"+k.TargetID] = true, true
		}
	}
	return h, nil
}

// access replaces the private collections with their number.
func (h Hidden) access(a *Access) *Access {
	if len(h.places) == 0 {
		return a
	}
	out := *a
	out.Places = nil
	for _, p := range a.Places {
		if p.Kind != rules.KindCollection {
			out.Places = append(out.Places, p)
		}
	}
	out.Places = append(out.Places, AccessRule{Kind: rules.KindCollection, Place: english.Count(len(h.places), "private collection"), Readers: []string{}, Unmapped: []NoAccess{}, Found: []Found{}, Removed: []string{},
		Why: "only the person who created it in Frame.io and administrators may see it; the report in Framebridge's console lists each one"})
	return &out
}

// Text removes the names of private collections from a sentence.
func (h Hidden) Text(text string) string {
	for _, p := range h.places {
		text = strings.ReplaceAll(text, fmt.Sprintf("%q", p), "a private collection")
	}
	return text
}
