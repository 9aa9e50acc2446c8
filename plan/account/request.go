package account

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/plan/schedule"
)

// MostInParallel is how many projects a migration may bring over at once.
const MostInParallel = 50

// Request is what a migration is asked for: which projects, and how to go about them. Its names are those of the API, and of
// what the ledger keeps.
type Request struct {
	Selection          Selection         `json:"selection"`
	Canary             int               `json:"canary,omitempty"`               // projects to bring over before the others wait for a go
	ProjectsInParallel int               `json:"projects_in_parallel,omitempty"` // 0: as archive.projects_in_parallel says
	Windows            []schedule.Window `json:"windows,omitempty"`              // none: at any time
}

// Validate says what cannot be meant, as a *FieldError.
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
	_, err := r.Hours()
	var invalid *schedule.Invalid
	if errors.As(err, &invalid) {
		return &FieldError{invalid.Field, invalid.Why}
	}
	return err
}

// Hours are the windows.
func (r Request) Hours() (schedule.Hours, error) {
	return schedule.Read(r.Windows, func(text string) (int64, error) {
		n, err := config.ParseBytes(text)
		return int64(n), err
	})
}

// ReadSelections reads what the ledger has kept of those that were added.
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

// ReadRequest reads what the ledger has kept of one.
func ReadRequest(stored json.RawMessage) (Request, error) {
	var r Request
	err := json.Unmarshal(stored, &r)
	return r, err
}
