package verify

import (
	"encoding/json"
	"regexp"
)

// accountHead tells the report of a migration, which lists projects, from that of an archive, which lists files.
var accountHead = regexp.MustCompile(`^\{[^{}]*"migration":\s*"`)

// account holds the totals of a migration's report against its rows.
func (r *Result) account(body []byte) {
	type sums struct {
		Items, Verified, Skipped, Failed, Bytes int64
		BytesDone                               int64 `json:"bytes_done"`
	}
	var d struct {
		Status any
		Totals struct {
			sums
			Projects int64
			ByState  map[string]int64 `json:"by_state"`
		}
		Projects []struct {
			sums
			State string
		}
	}
	if err := json.Unmarshal(body, &d); err != nil {
		r.wrong("it cannot be read as a report of a migration: %v", err)
		return
	}
	var counted sums
	states := map[string]int64{}
	for _, p := range d.Projects {
		states[p.State]++
		counted.Items, counted.Verified, counted.Skipped, counted.Failed = counted.Items+p.Items, counted.Verified+p.Verified, counted.Skipped+p.Skipped, counted.Failed+p.Failed
		counted.Bytes, counted.BytesDone = counted.Bytes+p.Bytes, counted.BytesDone+p.BytesDone
	}
	right := true
	if n := int64(len(d.Projects)); n != d.Totals.Projects {
		right = false
		r.wrong("totals: it says %d projects and lists %d", d.Totals.Projects, n)
	}
	for _, of := range []map[string]int64{states, d.Totals.ByState} {
		for state := range of {
			if said, listed := d.Totals.ByState[state], states[state]; said != listed {
				right = false
				r.wrong("totals: it says that %d projects are %q and lists %d", said, state, listed)
				states[state], d.Totals.ByState[state] = 0, 0 // said once
			}
		}
	}
	if counted != d.Totals.sums {
		right = false
		r.wrong("totals: it says %+v of files, and its projects add up to %+v", d.Totals.sums, counted)
	}
	if right {
		r.ok("its totals are those of its %d projects (%d files verified, %d skipped, %d failed): %v", len(d.Projects), counted.Verified, counted.Skipped, counted.Failed, d.Status)
	}
}
