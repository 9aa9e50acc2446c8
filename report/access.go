package report

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

// ReadAccess returns who may read what was archived, or nil if nothing is recorded about it.
func ReadAccess(ctx context.Context, l ledger.ArchiveLedger) (*Access, error) {
	rows, err := l.Access(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var rules []access.Rule
	found, removed := map[string][]Found{}, map[string][]string{}
	for _, row := range rows {
		switch row.Part {
		case ledger.AccessRule:
			var r access.Rule
			if json.Unmarshal([]byte(row.Doc), &r) == nil {
				rules = append(rules, r)
			}
		case ledger.AccessFound:
			var f []Found
			_ = json.Unmarshal([]byte(row.Doc), &f) // ignore what cannot be read
			for i := range f {
				f[i].Who = redact.Scrub(f[i].Who)
			}
			found[row.Source] = f
		case ledger.AccessRemoved:
			var names []string
			_ = json.Unmarshal([]byte(row.Doc), &names)
			removed[row.Source] = names
		}
	}
	out := AccessOf(rules)
	for i, r := range ordered(rules) {
		out.Places[i].Found, out.Places[i].Removed = append(out.Places[i].Found, found[r.Source]...), append(out.Places[i].Removed, removed[r.Source]...)
	}
	return out, nil
}

// collectionLinks are the kinds of links to the collections of places other than folders.
var collectionLinks = map[string][]ledger.LinkKind{
	access.KindCollection: {"collection"},
	access.KindShare:      {ledger.LinkPresentation, ledger.LinkReviewLink, ledger.LinkShare},
	access.KindReport:     {ledger.LinkReport},
}

// locate sets where each place can be opened, in Frame.io and in iconik.
func (a *Access) locate(ctx context.Context, l ledger.ArchiveLedger, row ledger.Archive, iconik string) error {
	linked := map[string]map[string]string{} // by kind, by Frame.io ID
	for i := range a.Places {
		p := &a.Places[i]
		switch p.Kind {
		case access.KindProject:
			p.URL, p.IconikID = row.ProjectURL, row.CollectionID
		case access.KindFolder:
			f, _, err := l.Folder(ctx, p.Source)
			if err != nil {
				return err
			}
			p.URL, p.IconikID = folderURL(f), f.CollectionID
		default:
			if linked[p.Kind] == nil {
				var err error
				if linked[p.Kind], err = targets(ctx, l, collectionLinks[p.Kind]); err != nil {
					return err
				}
			}
			p.IconikID = linked[p.Kind][cmp.Or(p.Source, row.ID)]
		}
		page := "/collection/"
		if p.Kind == access.KindReport {
			page = "/asset/"
		}
		if p.IconikID != "" {
			p.IconikURL = iconik + page + p.IconikID
		}
	}
	return nil
}

// targets returns the iconik IDs that an archive's links of some kinds point to, by Frame.io ID.
func targets(ctx context.Context, l ledger.ArchiveLedger, kinds []ledger.LinkKind) (map[string]string, error) {
	out := map[string]string{}
	for _, kind := range kinds {
		for k, err := range l.AllLinks(ctx, kind) {
			if err != nil {
				return nil, err
			}
			out[k.SourceID] = k.TargetID
		}
	}
	return out, nil
}

// ordered returns the rules in the order of reports: the project first, then by place.
func ordered(rules []access.Rule) []access.Rule {
	rules = slices.Clone(rules)
	first := func(r access.Rule) int {
		if r.Kind == access.KindProject {
			return 0
		}
		return 1
	}
	slices.SortFunc(rules, func(x, y access.Rule) int {
		return cmp.Or(cmp.Compare(first(x), first(y)), cmp.Compare(x.Place, y.Place), cmp.Compare(x.Source, y.Source))
	})
	return rules
}

// AccessOf returns who may read what, according to resolved rules.
func AccessOf(rules []access.Rule) *Access {
	out := &Access{Places: []AccessRule{}, Unmapped: []string{}}
	for _, r := range ordered(rules) {
		out.Mode = cmp.Or(out.Mode, r.Mode)
		p := AccessRule{Source: r.Source, URL: r.URL, Kind: r.Kind, Place: r.Place, Open: r.Open, Why: redact.Scrub(r.Why), Readers: append([]string{}, r.Readers...), Unmapped: []NoAccess{}, Found: []Found{}, Removed: []string{}}
		if r.Kind == access.KindReport {
			p.Source = "" // the report does not exist in Frame.io
		}
		for _, u := range r.Unmapped {
			p.Unmapped = append(p.Unmapped, NoAccess{u.Kind, u.Name, u.Reason})
			name := u.Name
			if u.Kind == "group" {
				name = "group " + name
			}
			if !slices.Contains(out.Unmapped, name) {
				out.Unmapped = append(out.Unmapped, name)
			}
		}
		out.Places = append(out.Places, p)
	}
	return out
}
