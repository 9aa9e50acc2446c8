package frameiosim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// FieldDef is a metadata field of the account.
type FieldDef struct {
	ID, Name, Type string
	BuiltIn        bool
	Options        []Option // of selects
	Members        []string // ids that may be chosen; empty: everybody's
	Inserted       time.Time
}

// Option is an option of a select.
type Option struct{ ID, Name string }

// Group is a group of people in the account.
type Group struct {
	ID, Name string
	Members  []string
}

var fieldTypesV4 = []string{"text", "long_text", "select", "select_multi", "rating", "number", "toggle", "date", "user_single", "user_multi"}

// AddField adds a metadata field. Options are given by name.
func (s *Sim) AddField(name, kind string, options ...string) *FieldDef {
	if !slices.Contains(fieldTypesV4, kind) {
		panic("no field type " + kind) // a mistake in a test
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &FieldDef{ID: s.newID(), Name: name, Type: kind, Inserted: time.Now().UTC()}
	for _, o := range options {
		d.Options = append(d.Options, Option{s.newID(), o})
	}
	s.s.Fields = append(s.s.Fields, d)
	s.touch()
	return d
}

// AddUser adds a user to the account.
func (s *Sim) AddUser(u User) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == "" {
		u.ID = s.newID()
	}
	s.s.Users = append(s.s.Users, u)
	s.touch()
	return u
}

// AddGroup adds a group.
func (s *Sim) AddGroup(name string, members ...string) Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := Group{s.newID(), name, members}
	s.s.Groups = append(s.s.Groups, g)
	s.touch()
	return g
}

// SetField sets a field of a file, folder or stack: options by name, people and groups by id, nil for null.
func (s *Sim) SetField(assetID string, d *FieldDef, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.s.Assets[assetID]
	if a.Values == nil {
		a.Values = map[string]any{}
	}
	a.Values[d.ID], a.Updated = value, time.Now().UTC()
	s.touch()
}

// texts returns the members of a list, whether it was built in memory or read from a file.
func texts(v any) []string {
	switch v := v.(type) {
	case []string:
		return v
	case string:
		return []string{v}
	case []any:
		out := make([]string, len(v))
		for i := range v {
			out[i] = fmt.Sprint(v[i])
		}
		return out
	}
	return nil
}

// fieldV4 returns a field with its value.
func (s *Sim) fieldV4(d *FieldDef, value any) map[string]any {
	v := map[string]any{"field_definition_id": d.ID, "field_definition_name": d.Name, "field_type": d.Type, "mutable": !d.BuiltIn, "value": value}
	switch d.Type {
	case "select", "select_multi":
		v["field_options"] = d.options()
		chosen := []any{}
		for _, name := range texts(value) {
			for _, o := range d.Options {
				if o.Name == name {
					chosen = append(chosen, map[string]any{"id": o.ID, "display_name": o.Name})
				}
			}
		}
		v["value"] = chosen
	case "user_single", "user_multi":
		members, chosen := []any{}, []any{}
		for _, id := range d.Members {
			members = append(members, map[string]any{"id": id, "type": s.memberType(id)})
		}
		for _, id := range texts(value) {
			chosen = append(chosen, map[string]any{"id": id, "type": s.memberType(id)})
		}
		v["custom_members"], v["member_options_type"], v["value"] = members, "all_project_members", chosen
		if len(d.Members) > 0 {
			v["member_options_type"] = "custom"
		}
	}
	return v
}

func (d *FieldDef) options() []any {
	out := []any{}
	for _, o := range d.Options {
		out = append(out, map[string]any{"id": o.ID, "display_name": o.Name})
	}
	return out
}

func (s *Sim) memberType(id string) string {
	if slices.ContainsFunc(s.s.Groups, func(g Group) bool { return g.ID == id }) {
		return "account_user_group"
	}
	return "user"
}

// customV4 returns an asset's fields that people filled in. It includes null ones only if nulls is set.
func (s *Sim) customV4(a *Asset, nulls bool) []any {
	out := []any{}
	for _, d := range s.s.Fields {
		value, filled := a.Values[d.ID]
		if filled && value != nil || nulls {
			out = append(out, s.fieldV4(d, value))
		}
	}
	return out
}

func (s *Sim) definitionV4(d *FieldDef) map[string]any {
	config := map[string]any{}
	switch d.Type {
	case "select", "select_multi":
		config = map[string]any{"enable_add_new": false, "options": d.options()}
	case "number":
		config = map[string]any{"number_format": "decimal", "scale": 2}
	case "rating":
		config = map[string]any{"style": "star", "max_value": 5, "color": "#ff34DD"}
	case "date":
		config = map[string]any{"display_format": "local", "display_timezone": true, "include_time": true, "time_format": "twelve_hour"}
	case "user_single", "user_multi":
		config = map[string]any{"custom_members": []any{}, "member_options_type": "all_project_members", "notify_members": false}
	}
	v := map[string]any{"id": d.ID, "name": d.Name, "field_type": d.Type, "mutable": !d.BuiltIn, "creator_id": s.s.User.ID, "created_at": stampV4(d.Inserted), "updated_at": stampV4(d.Inserted)}
	if len(config) > 0 {
		v["field_configuration"] = config
	}
	return v
}

// CountComments sets what V4's field "Comment Count" says for a file, given its number of comments without replies. If say
// returns nil, the field is left out.
func (s *Sim) CountComments(say func(fileID string, comments int) any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted = say
}

// RevokeToken revokes one of MoreTokens.
func (s *Sim) RevokeToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked[token] = true
}

// commentCountV4 returns the value of the field "Comment Count".
func (s *Sim) commentCountV4(a *Asset) any {
	n := 0
	for _, id := range s.threads[a.ID] {
		if s.s.Comments[id].ParentID == "" {
			n++
		}
	}
	if s.counted != nil {
		return s.counted(a.ID, n)
	}
	return n
}

func (s *Sim) peopleV4() []User { return append([]User{s.s.User}, s.s.Users...) }

func (s *Sim) fieldRoutesV4(on func(string, http.HandlerFunc)) {
	on("GET metadata/field_definitions", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		pageV4(w, r, 100, len(s.s.Fields), func(i int) any { return s.definitionV4(s.s.Fields[i]) })
	})
	on("GET files/{id}/metadata", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		a, ok := s.live(r.PathValue("id"))
		if !ok || a.Type != "file" {
			notFoundV4(w)
			return
		}
		nulls, _ := strconv.ParseBool(r.URL.Query().Get("show_null"))
		rows := append(s.builtInV4(a), s.customV4(a, nulls)...)
		if nulls && !a.hasStatus() {
			rows = append(rows, statusV4(a))
		}
		data(w, 200, map[string]any{"file_id": a.ID, "metadata": rows})
	})
	on("PATCH projects/{id}/metadata/values", s.setStatusV4)
	on("GET users", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		people := s.peopleV4()
		pageV4(w, r, 100, len(people), func(i int) any {
			role := "member"
			if i == 0 {
				role = "owner"
			}
			return map[string]any{"user": s.userV4(people[i]), "role": role}
		})
	})
	on("GET groups", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		pageV4(w, r, 100, len(s.s.Groups), func(i int) any {
			g := s.s.Groups[i]
			return map[string]any{"id": g.ID, "name": g.Name, "emoji": "🎬", "source": "frame", "sync_status": "completed", "member_count": len(g.Members), "creator_id": s.s.User.ID,
				"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
		})
	})
}
