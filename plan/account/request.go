package account

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/plan/schedule"
)

// MostInParallel is the most projects that a migration may archive at once.
const MostInParallel = 50

const mostWindows = 100 // every look at a migration compares each with the clock

// Request describes a migration: which projects, and how to archive them. Its JSON names are those of the API and of the ledger.
type Request struct {
	Selection          Selection         `json:"selection"`
	Canary             int               `json:"canary,omitempty"`               // projects to archive before the others wait for a go
	ProjectsInParallel int               `json:"projects_in_parallel,omitempty"` // 0: use archive.projects_in_parallel
	Windows            []schedule.Window `json:"windows,omitempty"`              // none: run at any time
}

// Validate returns a *FieldError that names the first invalid field, or nil.
func (r Request) Validate() error {
	if err := r.Selection.Validate(); err != nil {
		return err
	}
	if r.Canary < 0 {
		return &FieldError{"canary", "must be a number of projects, or 0 for none"}
	}
	if r.ProjectsInParallel < 0 || r.ProjectsInParallel > MostInParallel {
		return &FieldError{"projects_in_parallel", fmt.Sprintf("must be a number from 1 to %d", MostInParallel)}
	}
	if len(r.Windows) > mostWindows {
		return &FieldError{"windows", fmt.Sprintf("are %d, and at most %d can be held against the clock", len(r.Windows), mostWindows)}
	}
	_, err := r.Hours()
	var invalid *schedule.Invalid
	if errors.As(err, &invalid) {
		return &FieldError{invalid.Field, invalid.Why}
	}
	return err
}

// Hours returns the parsed windows.
func (r Request) Hours() (schedule.Hours, error) {
	return schedule.Read(r.Windows, func(text string) (int64, error) {
		n, err := config.ParseBytes(text)
		return int64(n), err
	})
}

// ReadSelections decodes the selections that were added to a migration later, as the ledger stores them.
func ReadSelections(stored []json.RawMessage) ([]Selection, error) {
	var all []Selection
	for _, raw := range stored {
		var take Selection
		if err := json.Unmarshal(raw, &take); err != nil {
			return nil, err
		}
		all = append(all, take)
	}
	return all, nil
}

// ReadRequest decodes a request as the ledger stores it.
func ReadRequest(stored json.RawMessage) (Request, error) {
	var r Request
	err := json.Unmarshal(stored, &r)
	return r, err
}
