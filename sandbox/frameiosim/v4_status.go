package frameiosim

import (
	"fmt"
	"net/http"
)

const statusFieldV4 = "f0000000-0000-4000-8000-000000000099"

// statusesV4 are the account's statuses by the legacy API's names. An account may also have its own, which have none.
var statusesV4 = [][2]string{{"in_progress", "In Progress"}, {"needs_review", "Needs Review"}, {"approved", "Approved"}}

func (a *Asset) hasStatus() bool { return a.Label != "" && a.Label != "none" }

// statusV4 returns a file's Status field.
func statusV4(a *Asset) map[string]any {
	options, chosen := []any{}, []any{}
	for i, o := range statusesV4 {
		options = append(options, map[string]any{"id": statusIDV4(i), "display_name": o[1]})
		if a.Label == o[0] {
			chosen = []any{options[i]}
		}
	}
	if len(chosen) == 0 && a.hasStatus() {
		chosen = []any{map[string]any{"id": statusIDV4(len(statusesV4)), "display_name": a.Label}}
		options = append(options, chosen...)
	}
	return map[string]any{"field_definition_id": statusFieldV4, "field_definition_name": "Status", "field_type": "select", "mutable": true, "field_options": options, "value": chosen}
}

func statusIDV4(i int) string { return fmt.Sprintf("f0000000-0000-4000-8000-%012d", i+1) }

// setStatusV4 sets the Status of files of a project. It knows no other field.
func (s *Sim) setStatusV4(w http.ResponseWriter, r *http.Request) {
	in, ok := bodyV4(w, r, "file_ids", "values")
	if !ok {
		return
	}
	list, _ := in["values"].([]any)
	label := ""
	for _, v := range list {
		if v, _ := v.(map[string]any); v["field_definition_id"] == statusFieldV4 && len(list) == 1 {
			label = "none"
			for i := range statusesV4 {
				if chosen := texts(v["value"]); len(chosen) == 1 && chosen[0] == statusIDV4(i) {
					label = statusesV4[i][0]
				}
			}
		}
	}
	if label == "" {
		failV4(w, http.StatusUnprocessableEntity, "Invalid value for values", "/data/values")
		return
	}
	for _, id := range texts(in["file_ids"]) {
		s.mu.RLock()
		a, ok := s.live(id)
		ok = ok && a.ProjectID == r.PathValue("id")
		s.mu.RUnlock()
		if !ok || !s.Label(id, label) {
			notFoundV4(w)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}
