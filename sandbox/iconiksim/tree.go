package iconiksim

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Tree describes everything stored, without ids and dates, so that two domains with the same Tree have the same contents.
// Deleted objects are left out. Each line is indented below its container.
func (s *Sim) Tree() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b bytes.Buffer
	for _, d := range s.sorted(s.stored(kCollection, "")) {
		if len(texts(d["in_collections"])) == 0 {
			s.treeCollection(&b, d, "")
		}
	}
	for _, d := range s.sorted(s.stored(kAsset, "")) {
		if len(texts(d["in_collections"])) == 0 && text(d, "status") != "DELETED" {
			s.treeAsset(&b, d, "lost: ")
		}
	}
	return b.String()
}

func (s *Sim) sorted(rows []doc) []doc {
	sort.SliceStable(rows, func(i, j int) bool {
		a, b := text(rows[i], "title")+"\x00"+text(rows[i], "external_id"), text(rows[j], "title")+"\x00"+text(rows[j], "external_id")
		return a < b
	})
	return rows
}

func (s *Sim) treeCollection(w io.Writer, d doc, indent string) {
	if text(d, "status") == "DELETED" {
		return
	}
	fmt.Fprintf(w, "%scollection %q %s%s\n", indent, text(d, "title"), text(d, "external_id"), s.treeValues(valuesKey(kCollection, text(d, "id"), "")))
	indent += "  "
	id := text(d, "id")
	within := func(kind string) []doc {
		return s.sorted(slices.DeleteFunc(s.stored(kind, id), func(d doc) bool { return !slices.Contains(texts(d["in_collections"]), id) }))
	}
	for _, sub := range within(kCollection) {
		if text(sub, "parent_id") != id {
			fmt.Fprintf(w, "%sreference to collection %s\n", indent, text(sub, "external_id"))
			continue
		}
		s.treeCollection(w, sub, indent)
	}
	for _, a := range within(kAsset) {
		if text(a, "status") == "DELETED" {
			continue
		}
		if s.home(a) != id {
			fmt.Fprintf(w, "%sreference to asset %s\n", indent, text(a, "external_id"))
			continue
		}
		s.treeAsset(w, a, indent)
	}
}

// home returns the first of an asset's collections, by external id, that is not deleted. The order in which they were created, or in which
// the asset was added to them, does not matter.
func (s *Sim) home(a doc) (home string) {
	first := ""
	for _, id := range texts(a["in_collections"]) {
		c, ok := s.get(kCollection, id)
		if external := text(c, "external_id"); ok && text(c, "status") != "DELETED" && (home == "" || external < first) {
			home, first = id, external
		}
	}
	return home
}

func (s *Sim) treeAsset(w io.Writer, a doc, indent string) {
	id := text(a, "id")
	fmt.Fprintf(w, "%sasset %q %s %s\n", indent, text(a, "title"), text(a, "type"), text(a, "external_id"))
	n := 0
	for _, v := range docs(a["versions"]) {
		if text(v, "status") == "DELETED" {
			continue
		}
		n++
		version := text(v, "id")
		fmt.Fprintf(w, "%s  version %d%s\n", indent, n, s.treeValues(valuesKey(kAsset, id, version)))
		var lines []string
		for _, f := range s.stored(kFile, id) {
			if text(f, "version_id") == version && text(f, "status") != "DELETED" {
				lines = append(lines, s.treeFile(f))
			}
		}
		for _, f := range s.stored(kFormat, id) {
			if text(f, "version_id") == version && text(f, "status") != "DELETED" {
				lines = append(lines, "format "+text(f, "name"))
			}
		}
		for _, f := range s.stored(kFileSet, id) {
			if text(f, "version_id") == version && text(f, "status") != "DELETED" {
				lines = append(lines, fmt.Sprintf("file set %q", text(f, "name")))
			}
		}
		for _, seg := range s.stored(kSegment, id) {
			if text(seg, "version_id") == version && text(seg, "status") != "DELETED" {
				lines = append(lines, s.treeSegment(seg))
			}
		}
		sort.Strings(lines)
		for _, l := range lines {
			fmt.Fprintf(w, "%s    %s\n", indent, l)
		}
	}
}

func (s *Sim) treeFile(f doc) string {
	format, _ := s.get(kFormat, text(f, "format_id"))
	stored := "no object"
	if body, ok := s.content(f); ok {
		stored = fmt.Sprintf("%d bytes %016x", len(body), xxhash.Sum64(body))
	}
	return fmt.Sprintf("file %s %q %s size %v checksum %v stored %s", text(format, "name"), text(f, "original_name"), text(f, "status"), f["size"], f["checksum"], stored)
}

func (s *Sim) treeSegment(d doc) string {
	parent, _ := s.get(kSegment, text(d, "parent_id"))
	user, _ := s.get(kUser, text(d, "user_id"))
	shapes := 0
	if drawing, ok := d["drawing"].(doc); ok {
		shapes = len(docs(drawing["primitives"]))
	}
	ms := func(v any) string {
		if n, ok := number(v); ok {
			return fmt.Sprint(int64(n))
		}
		return "-"
	}
	return fmt.Sprintf("segment %s %s..%s %q by %s checked %v internal %v shapes %d parent %s%s", text(d, "external_id"), ms(d["time_start_milliseconds"]), ms(d["time_end_milliseconds"]),
		text(d, "segment_text"), text(user, "email"), d["segment_checked"], d["is_internal"], shapes, text(parent, "external_id"), s.treeValues(valuesKey(kSegment, text(d, "id"), "")))
}

func (s *Sim) treeValues(key string) string {
	var parts []string
	for k, v := range s.values[key] {
		parts = append(parts, fmt.Sprintf("%s=%v", k, v))
	}
	sort.Strings(parts)
	if len(parts) == 0 {
		return ""
	}
	return " {" + strings.Join(parts, ", ") + "}"
}

// Found counts stored objects that are not deleted, by kind.
func (s *Sim) Found() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for kind := range s.kinds {
		for _, d := range s.stored(kind, "") {
			if text(d, "status") != "DELETED" {
				out[kind]++
			}
		}
	}
	return out
}

// Find returns the ids of the objects with an external id that are not deleted.
func (s *Sim) Find(kind, externalID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, d := range s.stored(kind, "") {
		if text(d, "external_id") == externalID && text(d, "status") != "DELETED" {
			out = append(out, text(d, "id"))
		}
	}
	return out
}

// Docs returns all stored objects of a kind, as the API shows them.
func (s *Sim) Docs(kind string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored(kind, "")
}

// StoredAt returns where the bytes of a file are stored. file is as Docs returns it.
func (s *Sim) StoredAt(file map[string]any) (bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.object(file)
}

// Delete deletes an object as a person would: kind is assets, collections or segments.
func (s *Sim) Delete(kind, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.get(kind, id); !ok {
		return
	}
	if kind == kSegment {
		s.drop(kind, id)
		return
	}
	s.set(kind, id, func(d doc) { d["status"] = "DELETED" })
}

// Restore takes an object out of the delete queue.
func (s *Sim) Restore(kind, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.get(kind, id); ok {
		s.set(kind, id, func(d doc) { d["status"] = "ACTIVE" })
	}
}
