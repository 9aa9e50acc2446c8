package iconiksim

import (
	"maps"
	"slices"
	"strings"
)

// indexDoc returns an object as search and contents show it.
func (s *Sim) indexDoc(kind string, d doc) doc {
	v := maps.Clone(d)
	v["object_type"] = kind
	v["metadata"] = doc{}
	if key, ok := s.metadataKey(kind, text(d, "id"), ""); ok && s.values[key] != nil {
		v["metadata"] = maps.Clone(s.values[key])
	}
	if kind == kAsset {
		v["versions"] = s.orderVersions(docs(d["versions"]))
		for _, part := range []string{kFormat, kFile, kProxy, kKeyframe} {
			v[part] = []any{}
		}
	}
	return v
}

func (s *Sim) searchRoutes() {
	s.on("POST search/v1/search", func(c *call) (int, any) {
		kinds := texts(c.body["doc_types"])
		if len(kinds) == 0 {
			kinds = []string{kAsset, kCollection}
		}
		filter, _ := c.body["filter"].(doc)
		terms := docs(filter["terms"])
		var rows []doc
		for _, kind := range kinds {
			for _, id := range s.candidates(kind, terms) {
				if d := s.indexed(kind, id); d != nil && s.matches(d, terms) && s.mayDo(c.user, id, "read") {
					rows = append(rows, s.indexDoc(kind, d))
				}
			}
		}
		if fields := texts(c.body["include_fields"]); len(fields) > 0 {
			return page(c, rows, 1000, func(d doc) any {
				v := doc{}
				for _, f := range append(fields, "id", "object_type") {
					if x, ok := d[f]; ok {
						v[f] = x
					}
				}
				return v
			})
		}
		return page(c, rows, 1000, same)
	})
}

// candidates narrows a search by external id, so that it need not scan everything.
func (s *Sim) candidates(kind string, terms []doc) []string {
	for _, t := range terms {
		if text(t, "name") == "external_id" && text(t, "value") != "" {
			return slices.Compact(slices.Clone(s.ext[kind+"/"+text(t, "value")]))
		}
	}
	return s.order[kind]
}

func (s *Sim) matches(d doc, terms []doc) bool {
	for _, t := range terms {
		name := text(t, "name")
		wanted := texts(t["value_in"])
		if v, ok := t["value"].(string); ok {
			wanted = append(wanted, v)
		}
		var have []string
		switch name {
		case "in_collections":
			have = texts(d["in_collections"])
		case "ancestor_collections":
			have = append(slices.Clone(texts(d["in_collections"])), texts(d["parents"])...)
		case "title": // an analyzed field: a search for words
			if len(wanted) != 1 || !strings.Contains(strings.ToLower(text(d, "title")), strings.ToLower(wanted[0])) {
				return false
			}
			continue
		default:
			have = []string{text(d, name)}
		}
		if !slices.ContainsFunc(have, func(h string) bool { return slices.Contains(wanted, h) }) {
			return false
		}
	}
	return true
}
