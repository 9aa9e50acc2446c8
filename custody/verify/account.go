package verify

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/framebridge/framebridge/english"
)

// accountHead matches the report of a migration, which lists projects, and not that of an archive, which lists files.
var accountHead = regexp.MustCompile(`^\{[^{}]*"migration":\s*"`)

// account checks the totals of a migration's report against its rows.
func (r *Result) account(body []byte) {
	type sums struct {
		Items, Verified, Skipped, Failed, Bytes int64
		BytesDone                               int64 `json:"bytes_done"`
	}
	var d struct {
		Tenant    named
		Migration string
		At        time.Time `json:"generated_at"`
		Status    any
		Totals    struct {
			sums
			Projects int64
			ByState  map[string]int64 `json:"by_state"`
		}
		Projects []struct {
			sums
			State string
			List  *struct{ File, C4 string } `json:"hash_list"`
		}
	}
	if err := json.Unmarshal(body, &d); err != nil {
		r.wrong("it cannot be read as a migration report: %v", err)
		return
	}
	r.of(d.Tenant, "migration", named{ID: d.Migration}, 0, d.At)
	var counted sums
	states := map[string]int64{}
	for _, p := range d.Projects {
		if states[p.State]++; p.List != nil {
			r.lists = append(r.lists, reference{p.List.File, p.List.C4})
		}
		counted.Items, counted.Verified, counted.Skipped, counted.Failed = counted.Items+p.Items, counted.Verified+p.Verified, counted.Skipped+p.Skipped, counted.Failed+p.Failed
		counted.Bytes, counted.BytesDone = counted.Bytes+p.Bytes, counted.BytesDone+p.BytesDone
	}
	right := true
	if n := int64(len(d.Projects)); n != d.Totals.Projects {
		right = false
		r.wrong("totals: it says %s and lists %d", english.Count(d.Totals.Projects, "project"), n)
	}
	for _, of := range []map[string]int64{states, d.Totals.ByState} {
		for state := range of {
			if said, listed := d.Totals.ByState[state], states[state]; said != listed {
				right = false
				r.wrong("totals: it says %s with the state %q and lists %d", english.Count(said, "project"), state, listed)
				delete(states, state) // reported once
				delete(d.Totals.ByState, state)
			}
		}
	}
	if counted != d.Totals.sums {
		right = false
		r.wrong("totals: it says %+v of files, and its projects add up to %+v", d.Totals.sums, counted)
	}
	if right {
		r.ok("its totals match its %s (%s verified, %d skipped, %d failed): %v", english.Count(len(d.Projects), "project"), english.Count(counted.Verified, "file"), counted.Skipped, counted.Failed, d.Status)
	}
}
