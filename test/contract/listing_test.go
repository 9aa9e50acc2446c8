package contract

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/report"
)

// byHand asks a vendor by requests of its own, without any of Framebridge's code.
type byHand struct {
	t       *testing.T
	handler http.Handler
	headers map[string]string
}

func (p byHand) get(path string) (answer any, ok bool) {
	p.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for k, v := range p.headers {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	for p.handler.ServeHTTP(w, r); w.Code == http.StatusTooManyRequests; p.handler.ServeHTTP(w, r) {
		time.Sleep(50 * time.Millisecond) // until the simulator's bucket has filled up again
		w = httptest.NewRecorder()
	}
	if w.Code == http.StatusNotFound {
		return nil, false
	}
	require.Equal(p.t, 200, w.Code, "%s: %s", path, w.Body)
	in := json.NewDecoder(w.Body)
	in.UseNumber()
	require.NoError(p.t, in.Decode(&answer), path)
	return answer, true
}

// object is what a vendor shows of one object.
type object = map[string]any

func (p byHand) one(path string) object {
	p.t.Helper()
	answer, ok := p.get(path)
	require.True(p.t, ok, path)
	if o, _ := answer.(object)["data"].(object); o != nil {
		return o
	}
	return answer.(object)
}

// rows lists all pages: V4's name the next one, and iconik's are counted.
func (p byHand) rows(path string) (out []object) {
	p.t.Helper()
	for n := 1; path != ""; n++ {
		answer, ok := p.get(path)
		if !ok {
			return nil
		}
		page, next := answer.(object), ""
		list, _ := page["data"].([]any)
		if links, _ := page["links"].(object); links != nil {
			next, _ = links["next"].(string)
		}
		if objects, counted := page["objects"].([]any); counted {
			list = objects
			if pages, _ := page["pages"].(json.Number); pages != "" && fmt.Sprint(n) != string(pages) && len(list) > 0 {
				next = regexp.MustCompile(`[?&]page=\d+`).ReplaceAllString(path, "")
				next += map[bool]string{true: "&", false: "?"}[strings.Contains(next, "?")] + "page=" + fmt.Sprint(n+1)
			}
		}
		for _, row := range list {
			out = append(out, row.(object))
		}
		path = next
	}
	return out
}

// sourceObject is an object of Frame.io, and which objects of iconik may tell of it, by their ids in Frame.io.
type sourceObject struct {
	kind, name string
	doc        object
	in         []string
	fps        float64 // of a comment's file
}

// listing is all of a project in Frame.io.
type listing struct {
	byHand
	base     string
	root, id string // the project's
	objects  []sourceObject
	above    map[string][]string // what an asset is in, by ids
	members  map[string]bool     // the project's people, by e-mail address
}

const allOfAnAsset = "?include=creator,metadata,media_links.original,media_links.high_quality"

func (l *listing) add(kind, name string, doc object, in ...string) {
	l.objects = append(l.objects, sourceObject{kind: kind, name: name, doc: doc, in: in})
}

func (l *listing) project(id string) {
	p := l.one(l.base + "projects/" + id + "?include=owner")
	root := str(p["root_folder_id"])
	l.root, l.id, l.above, l.members = root, id, map[string][]string{}, map[string]bool{}
	l.add("project", str(p["name"]), p, id)
	l.add("workspace", str(p["name"]), l.one(l.base+"workspaces/"+str(p["workspace_id"])), str(p["workspace_id"]))
	for _, who := range l.rows(l.base + "projects/" + id + "/users") {
		l.members[str(who["user"].(object)["email"])] = true
	}
	l.children(root)
	for _, sh := range l.rows(l.base + "projects/" + id + "/shares") {
		share := str(sh["id"])
		l.add("share", str(sh["name"]), sh, share, str(sh["collection_id"]))
		for _, r := range l.rows(l.base + "shares/" + share + "/reviewers") {
			l.add("reviewer", str(sh["name"]), r, share, str(sh["collection_id"]))
		}
		for _, a := range l.rows(l.base + "shares/" + share + "/assets") {
			l.within("shared", str(sh["name"]), str(a["id"]), share, str(sh["collection_id"]))
		}
	}
	for _, c := range l.rows(l.base + "projects/" + id + "/collections?include=creator") {
		if c["auto_generated"] == true { // Frame.io makes one behind each share
			continue
		}
		l.add("collection", str(c["name"]), c, str(c["id"]))
		if folder := str(c["root_folder_id"]); folder != "" && folder != root {
			for _, a := range l.rows(l.base + "folders/" + folder + "/children") {
				l.within("collected", str(c["name"]), str(a["id"]), str(c["id"]))
			}
		}
	}
}

// within notes that a share or collection shows an asset: itself, or what it lies in.
func (l *listing) within(kind, name, asset string, in ...string) {
	l.add(kind, name, object{"one of": append([]string{asset}, l.above[asset]...)}, in...)
}

// people notes who may see a folder that not all of the project's people may see.
func (l *listing) people(folder string, f object) {
	who := l.rows(l.base + "folders/" + folder + "/users")
	if len(who) == len(l.members) {
		return
	}
	for _, w := range who {
		if str(w["role"]) != "owner" { // the account's own
			l.add("folder member", str(f["name"]), w, folder)
		}
	}
}

func (l *listing) children(folder string) {
	for _, a := range l.rows(l.base + "folders/" + folder + "/children") {
		id := str(a["id"])
		l.above[id] = append([]string{folder}, l.above[folder]...)
		switch str(a["type"]) {
		case "folder":
			l.add("folder", str(a["name"]), l.one(l.base+"folders/"+id+allOfAnAsset), id)
			l.people(id, a)
			l.children(id)
		case "version_stack":
			l.add("stack", str(a["name"]), l.one(l.base+"version_stacks/"+id+allOfAnAsset), id)
			for _, v := range l.rows(l.base + "version_stacks/" + id + "/children") {
				l.above[str(v["id"])] = append([]string{id}, l.above[id]...)
				l.file(str(v["id"]), id)
			}
		default:
			l.file(id)
		}
	}
}

func (l *listing) file(id string, in ...string) {
	f := l.one(l.base + "files/" + id + allOfAnAsset)
	in = append(in, id)
	l.add("file", str(f["name"]), f, in...)
	f["metadata"] = slices.DeleteFunc(f["metadata"].([]any), func(m any) bool { return m.(object)["field_definition_name"] == "Comment Count" }) // they are here
	fps := 24.0                                                                                                                                  // of what has no frames, such as sound
	for _, m := range f["metadata"].([]any) {
		if m := m.(object); m["field_definition_name"] == "Frame Rate" {
			fps, _ = m["value"].(json.Number).Float64()
		}
	}
	var comment func(c object)
	comment = func(c object) {
		replies, _ := c["replies"].([]any)
		delete(c, "replies")
		l.objects = append(l.objects, sourceObject{kind: "comment", name: str(f["name"]) + ": " + str(c["text"]), doc: c, in: []string{str(c["id"])}, fps: fps})
		for _, r := range replies {
			comment(r.(object))
		}
	}
	for _, c := range l.rows(l.base + "files/" + id + "/comments?include=owner,replies") {
		comment(c)
	}
}

// scalar is one value of an object, with the way to it.
type scalar struct {
	path  string
	value any
}

// scalars are an object's values, those in texts that are JSON themselves included.
func scalars(path string, v any, out []scalar) []scalar {
	switch v := v.(type) {
	case object:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = scalars(strings.TrimPrefix(path+"."+k, "."), v[k], out)
		}
	case []any:
		for _, x := range v {
			out = scalars(path+"[]", x, out)
		}
	case string:
		out = append(out, scalar{path, v})
		var inner any
		in := json.NewDecoder(strings.NewReader(v))
		in.UseNumber()
		if strings.ContainsAny(v, "{[") && in.Decode(&inner) == nil {
			out = scalars(path, inner, out)
		}
	default:
		out = append(out, scalar{path, v})
	}
	return out
}

// target is all of iconik, by the ids in Frame.io of what it stands for.
type target struct {
	byHand
	of map[string][]scalar
}

func (p byHand) target() target {
	t := target{p, map[string][]scalar{}}
	var views []string
	answer, _ := p.get("/API/metadata/v1/views/")
	for _, s := range scalars("", answer, nil) {
		if strings.HasSuffix(s.path, "[].id") {
			views = append(views, str(s.value))
		}
	}
	users := map[string]object{}
	for _, u := range p.rows("/API/users/v1/users/") {
		users[str(u["id"])] = u
	}
	fields := p.rows("/API/metadata/v1/fields/")
	note := func(doc object, valuesAt string, more ...any) {
		all := scalars("", doc, nil)
		for _, v := range views {
			values, _ := p.get(valuesAt + "/views/" + v + "/")
			for _, s := range scalars("", values, nil) {
				all = append(all, s)
				for _, f := range fields {
					if strings.Contains(s.path, "."+str(f["name"])+".") {
						all = scalars("field", f, all)
					}
				}
			}
		}
		for _, m := range more {
			all = scalars("", m, all)
		}
		ids := strings.Split(str(doc["external_id"]), ":")
		id := ids[len(ids)-1]
		t.of[id] = append(t.of[id], all...)
	}
	external := map[string]any{}
	for _, d := range p.rows("/API/assets/v1/collections/") {
		external[str(d["id"])] = d["external_id"]
	}
	for _, d := range p.rows("/API/assets/v1/collections/") {
		id := str(d["id"])
		var within []any
		for _, c := range p.rows("/API/assets/v1/collections/" + id + "/contents/") {
			within = append(within, object{"contains": c["title"], "external_id": c["external_id"]})
		}
		acl, _ := p.get("/API/acls/v1/acl/collections/" + id + "/")
		note(d, "/API/metadata/v1/collections/"+id, object{"in": external[str(d["parent_id"])]}, within, acl, t.people(acl, users))
	}
	for _, d := range p.rows("/API/assets/v1/assets/") {
		id := str(d["id"])
		whole := p.one("/API/assets/v1/assets/" + id + "/?include_collections=true")
		whole["external_id"] = d["external_id"]
		var more []any
		for _, s := range scalars("", whole, nil) {
			if strings.HasPrefix(s.path, "in_collections") {
				more = append(more, object{"in": external[str(s.value)]})
			}
		}
		versions, _ := whole["versions"].([]any)
		ofVersion := map[string][]any{}
		for _, v := range versions {
			version := str(v.(object)["id"])
			for _, f := range p.rows("/API/files/v1/assets/" + id + "/versions/" + version + "/files/") {
				more = append(more, f)
			}
			for _, view := range views {
				values, _ := p.get("/API/metadata/v1/assets/" + id + "/versions/" + version + "/views/" + view + "/")
				ofVersion[version] = append(ofVersion[version], values)
			}
			more = append(more, ofVersion[version]...)
		}
		note(whole, "/API/metadata/v1/assets/"+id, more...)
		for _, s := range p.rows("/API/assets/v1/assets/" + id + "/segments/?segment_type=COMMENT&include_all_versions=true") {
			note(s, "/API/metadata/v1/assets/"+id+"/segments/"+str(s["id"]), object{"user": users[str(s["user_id"])]}, ofVersion[str(s["version_id"])])
		}
	}
	return t
}

// people are the users that a list names.
func (t target) people(acl any, users map[string]object) (out []any) {
	for _, s := range scalars("", acl, nil) {
		if u := users[str(s.value)]; u != nil {
			out = append(out, u)
		}
	}
	return out
}

// tells says that one of iconik's values tells a value of Frame.io: itself, a text with it, or one with all its words in their order.
func tells(all []scalar, s scalar) bool {
	key := s.path[strings.LastIndexAny(s.path, ".")+1:]
	text := strings.TrimSpace(fmt.Sprint(s.value))
	at, timeErr := time.Parse(time.RFC3339Nano, text)
	number, isNumber := s.value.(json.Number)
	wanted, _ := number.Float64()
	_, isBool := s.value.(bool)
	return slices.ContainsFunc(all, func(h scalar) bool {
		have := fmt.Sprint(h.value)
		switch {
		case isBool:
			return have == text && (strings.HasSuffix(h.path, key) || key == "value")
		case isNumber:
			return slices.ContainsFunc(numbers.FindAllString(have, -1), func(n string) bool {
				x, err := strconv.ParseFloat(n, 64)
				return err == nil && x == wanted
			})
		case timeErr == nil:
			is, err := time.Parse(time.RFC3339Nano, have)
			own := strings.HasSuffix(h.path, "date_created") || strings.HasSuffix(h.path, "date_modified") // of iconik's row: a test takes a second
			return err == nil && !own && is.Truncate(time.Second).Equal(at.Truncate(time.Second))
		}
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
			_, after, found := strings.Cut(have, word)
			if !found {
				return false
			}
			have = after
		}
		return true
	})
}

var numbers = regexp.MustCompile(`-?\d+(\.\d+)?`)

// inMS says that a comment's frames are its segment's milliseconds.
func inMS(all []scalar, s scalar, o sourceObject) bool {
	frames, _ := s.value.(json.Number)
	n, err := frames.Float64()
	if err != nil || o.fps == 0 || s.path != "timestamp" && s.path != "duration" {
		return false
	}
	if s.path == "duration" {
		first, _ := o.doc["timestamp"].(json.Number)
		from, _ := first.Float64()
		n += from
	}
	return slices.ContainsFunc(all, func(h scalar) bool {
		ms, _ := h.value.(json.Number)
		have, err := ms.Float64()
		return err == nil && strings.HasSuffix(h.path, "milliseconds") && math.Abs(have-n*1000/o.fps) <= 1000/o.fps
	})
}

// notLookedFor are values that no archive has to bring over, as "object.path", and why. Nothing that people typed or chose is among
// them.
var notLookedFor = []struct{ pattern, why string }{
	{`.*(\.creator|\.owner|\.user|reviewer)\.(id|active|adobe_user_id|avatar_url)`, "ids and pictures of people, who are known by name and address"},
	{`.*\.(updated_at|status)`, "of Frame.io's own row"},
	{`.*media_links.*`, "addresses of bytes, which the proof compares"},
	{`stack\.head_version\..*`, "a version, which is listed by itself"},
	{`collection\.shares\[\]\..*`, "a share, which is listed by itself"},
	{`.*\.metadata\[\]\.(field_definition_id|field_options\[\]\.id|custom_members.*|member_options_type|mutable)`, "the account's definition of a field"},
	{`(stack|folder)\.metadata\[\]\.field_options\[\]\.display_name`, "what could be chosen; what was chosen is looked for"},
	{`workspace\.(account_id|created_at)`, "not of the project"},
	{`project\.(root_folder_id|workspace_id|storage|created_at)`, "Frame.io's own"},
	{`share\.passphrase`, "a secret: that there is one is named"},
	{`file\.media_type`, "the stored object's"},
	{`(stack|folder|collection)\.(type|created_at)`, "Frame.io's own"},
	{`folder member\.role`, "becomes read or write access"},
}

func looksFor(name string) bool {
	for _, not := range notLookedFor {
		if compiled("^" + not.pattern + "$").MatchString(name) {
			return false
		}
	}
	return true
}

// Everything that a plain listing of the source shows is in iconik, in the object that stands for it, or named as not carried.
func TestAnIndependentListingFindsEverythingInIconik(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, "v4")
	fin := b.archive(t)
	require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)

	source := &listing{byHand: byHand{t, b.frameio.Handler(), map[string]string{"Authorization": "Bearer " + token, "x-frameio-legacy-token-auth": "true"}}}
	accounts := source.rows("/v4/accounts")
	source.base = "/v4/accounts/" + str(accounts[0]["id"]) + "/"
	source.project(b.project.ID)
	require.Greater(t, len(source.objects), 60)
	iconik := byHand{t, b.iconik.Handler(), map[string]string{"App-ID": appID, "Auth-Token": token}}.target()

	rep, err := report.Open(t.Context(), b.book.Tenant(tenantID).Archive(b.project.ID), report.Source{TenantName: "Test"})
	require.NoError(t, err)
	var raw bytes.Buffer
	require.NoError(t, report.JSON(&raw, rep))
	var said struct {
		NotCarried []object `json:"not_carried"`
		Access     struct {
			Places []object `json:"places"`
		} `json:"access"`
		Items []object `json:"items"`
	}
	in := json.NewDecoder(&raw)
	in.UseNumber()
	require.NoError(t, in.Decode(&said))
	var named []scalar
	kinds := map[any]bool{}
	for _, p := range said.Access.Places {
		kinds[p["kind"]] = true
		if p["kind"] != "report" { // which Frame.io has not
			assert.NotEmpty(t, p["source_id"], "%v", p)
		}
		if p["kind"] != "report" && p["kind"] != "collection" { // which has no page of its own
			assert.NotEmpty(t, p["url"], "%v", p)
		}
		ids := map[string]any{}
		for _, d := range append(b.iconik.Docs("collections"), b.iconik.Docs("assets")...) {
			ids[str(d["id"])] = d["external_id"]
		}
		id := str(p["iconik_id"])
		assert.Equal(t, "frameio:"+str(p["kind"])+":"+cmp.Or(str(p["source_id"]), b.project.ID), ids[id], "%v", p)
		assert.True(t, strings.HasSuffix(str(p["iconik_url"]), "/"+id), "%v", p)
		named = scalars("", any(p), named)
	}
	assert.Len(t, kinds, 4, "%v", kinds)
	for _, n := range said.NotCarried {
		assert.NotEmpty(t, n["source_id"], "%v", n)
		if n["kind"] != "collection" { // which has no page of its own
			assert.NotEmpty(t, n["url"], "%v", n)
		}
		named = scalars("", any(n), named)
	}
	for _, it := range said.Items {
		if it["state"] == "skipped" {
			named = scalars("", any(it), named)
		}
	}

	unmet := map[string][]string{}
	for _, o := range source.objects {
		var there []scalar
		for _, id := range o.in {
			there = append(there, iconik.of[id]...)
		}
		if !assert.NotEmpty(t, there, "%s %q is not in iconik", o.kind, o.name) {
			continue
		}
		if any, of := o.doc["one of"].([]string); of {
			assert.True(t, slices.ContainsFunc(any, func(id string) bool { return tells(there, scalar{"external_id", id}) }), "%s %q refers to none of %v", o.kind, o.name, any)
			continue
		}
		for _, s := range scalars("", o.doc, nil) {
			key := o.kind + "." + s.path
			if s.value == source.root {
				s.value = source.id // whose collection is the root folder's
			}
			if s.value == nil || s.value == "" || !looksFor(key) || tells(there, s) || tells(named, s) || inMS(there, s, o) {
				continue
			}
			unmet[key] = append(unmet[key], fmt.Sprintf("%s: %v", o.name, s.value))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(unmet)) {
		t.Errorf("%s: %d values, the first of %s", key, len(unmet[key]), unmet[key][0])
	}
	source.holdsAllOf(t)
}

// holdsAllOf demands that the sample project has a value of every property in V4's document, so that nothing goes unseen.
func (l *listing) holdsAllOf(t *testing.T) {
	doc, err := Document(filepath.Join(specs(t), "frameio-v4.json"))
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, o := range l.objects {
		for _, s := range scalars("", o.doc, nil) {
			if s.value != nil && s.value != "" {
				seen[o.kind+"."+s.path] = true
			}
		}
	}
	for kind, path := range map[string]string{"project": "projects/{project_id}", "folder": "folders/{folder_id}", "file": "files/{file_id}", "stack": "version_stacks/{version_stack_id}",
		"comment": "files/{file_id}/comments", "share": "projects/{project_id}/shares", "reviewer": "shares/{share_id}/reviewers", "collection": "projects/{project_id}/collections", "folder member": "folders/{folder_id}/users"} {
		sample, err := Answer(doc, account+path, 0)
		require.NoError(t, err)
		for _, leaf := range sample.Leaves {
			name, listed := strings.CutPrefix(leaf.Path, "data[].")
			in := listed
			if !listed {
				name, in = strings.CutPrefix(leaf.Path, "data.")
			}
			name = kind + "." + strings.TrimPrefix(name, "replies[].")
			if in && !seen[name] && looksFor(name) && !leftEmpty.MatchString(name) {
				t.Errorf("the sample project has no %s", name)
			}
			seen[name] = true
		}
	}
}

// leftEmpty are properties that the listing has no value of: objects that are listed by themselves, and what is for writing only.
var leftEmpty = regexp.MustCompile(`^(stack|file|folder|collection)\.project\.|\.upload_urls\[\]$`)
