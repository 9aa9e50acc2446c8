package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

func at(day string) time.Time {
	t, _ := time.Parse(time.DateOnly, day)
	return t
}

// someAccount has two workspaces, and a third with the same name as the second.
type someAccount struct {
	frameio.Reader
	projects []frameio.Project
	asked    int // number of workspace requests
}

func newAccount() *someAccount {
	size := func(n float64) map[string]any { return map[string]any{"storage": n} }
	return &someAccount{projects: []frameio.Project{
		{ID: "1", Name: "Harbour Lights", Team: frameio.Team{ID: "w1"}, UpdatedAt: at("2026-05-01"), Settings: size(5e9)},
		{ID: "2", Name: "Harbour Lights / Cut", Team: frameio.Team{ID: "w1"}, Inactive: true, UpdatedAt: at("2024-05-01"), Settings: size(100)},
		{ID: "ab-3", Name: "Cafe\u0301 Spot", Team: frameio.Team{ID: "w2"}, Archived: true, CreatedAt: at("2023-05-01")},
		{ID: "4", Name: "harbour [draft]", Team: frameio.Team{ID: "w3"}, UpdatedAt: at("2026-06-30"), Settings: size(0)},
	}}
}

func (a *someAccount) Projects(_ context.Context, cursor string) (frameio.Page[frameio.Project], error) {
	if cursor == "" {
		return frameio.Page[frameio.Project]{Items: a.projects[:2], Next: "more"}, nil
	}
	return frameio.Page[frameio.Project]{Items: a.projects[1:]}, nil // pages shift while they are being read
}

func (a *someAccount) Project(_ context.Context, id string) (frameio.Project, error) {
	for _, p := range a.projects {
		if strings.EqualFold(p.ID, id) { // as of UUIDs
			return p, nil
		}
	}
	return frameio.Project{}, &rest.Error{Vendor: "Frame.io", Operation: "read a project", Class: rest.NotFound, Status: 404}
}

func (a *someAccount) Workspace(_ context.Context, idOrName string) (frameio.Team, error) {
	a.asked++
	var found []frameio.Team
	for _, w := range []frameio.Team{{ID: "w1", Name: "Films"}, {ID: "w2", Name: "Sports"}, {ID: "w3", Name: "Sports"}} {
		if w.ID == idOrName || w.Name == idOrName {
			found = append(found, w)
		}
	}
	if len(found) != 1 {
		return frameio.Team{}, &rest.Error{Class: rest.Permanent, Detail: fmt.Sprint(len(found), " workspaces fit")}
	}
	return found[0], nil
}

func TestASelectionTakesWhatFitsAllItSays(t *testing.T) {
	for _, tt := range []struct {
		name string
		take Selection
		want []string
	}{
		{"everything", Selection{}, []string{"1", "2", "ab-3", "4"}},
		{"every name", Selection{Name: "*", Status: "any"}, []string{"1", "2", "ab-3", "4"}},
		{"a workspace by name", Selection{Workspaces: []string{"Films"}}, []string{"1", "2"}},
		{"workspaces by ID", Selection{Workspaces: []string{"w2", " w3 "}}, []string{"ab-3", "4"}},
		{"IDs", Selection{ProjectIDs: []string{"ab-3", "1", "ab-3"}}, []string{"ab-3", "1"}},
		{"IDs in a workspace", Selection{ProjectIDs: []string{"ab-3", "1"}, Workspaces: []string{"w1"}}, []string{"1"}},
		{"a name, whatever its case, over a slash", Selection{Name: "HARBOUR*"}, []string{"1", "2", "4"}},
		{"a name with a slash", Selection{Name: "*/ ?ut"}, []string{"2"}},
		{"a name in the other Unicode form", Selection{Name: "caf\u00e9*"}, []string{"ab-3"}},
		{"a name with brackets", Selection{Name: `*\[draft\]`}, []string{"4"}},
		{"the whole name", Selection{Name: "harbour lights"}, []string{"1"}},
		{"the whole name, with what would be a pattern", Selection{Name: " Harbour [DRAFT]"}, []string{"4"}},
		{"IDs in capital letters, as copied, with space", Selection{ProjectIDs: []string{" AB-3\n", "1", "ab-3"}}, []string{"ab-3", "1"}},
		{"active", Selection{Status: "active"}, []string{"1", "4"}},
		{"inactive", Selection{Status: "inactive"}, []string{"2", "ab-3"}},
		{"older, or made before where no change is told", Selection{OlderThan: "2026-05-01"}, []string{"2", "ab-3"}},
		{"older than a time", Selection{OlderThan: "2026-05-01T00:00:01Z"}, []string{"1", "2", "ab-3"}},
		{"larger", Selection{LargerThan: "1GB"}, []string{"1"}},
		{"smaller; no size fits no size", Selection{SmallerThan: "1GB"}, []string{"2", "4"}},
		{"all at once", Selection{Workspaces: []string{"Films"}, Name: "harbour*", Status: "inactive", OlderThan: "2025-01-01", SmallerThan: "1KB"}, []string{"2"}},
		{"none", Selection{Name: "x"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for p, err := range Projects(t.Context(), newAccount(), tt.take) {
				require.NoError(t, err)
				got = append(got, p.ID)
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, len(got) == 4, tt.take.Everything())
		})
	}
}

func TestASelectionInWords(t *testing.T) {
	assert.Equal(t, "all projects", Selection{Status: "any"}.String())
	assert.Equal(t, "1 project by ID; in Films, Sports; named S*; inactive; last changed before 2025-01-01; larger than 1GB; smaller than 1TB",
		Selection{ProjectIDs: []string{"1"}, Workspaces: []string{"Films", "Sports"}, Name: "S*", Status: "inactive", OlderThan: "2025-01-01", LargerThan: "1GB", SmallerThan: "1TB"}.String())
}

func TestAProjectThatCannotBeReadIsOneEntry(t *testing.T) {
	var refused, read int
	for p, err := range Projects(t.Context(), newAccount(), Selection{ProjectIDs: []string{"gone", "1"}, Status: "active"}) {
		require.NoError(t, err)
		if p.Refused != nil {
			assert.Equal(t, "gone", p.ID)
			assert.ErrorContains(t, p.Refused, "has no access to it")
			refused++
			continue
		}
		read++
		assert.Equal(t, "Films", p.Team.Name, "V4's projects have no name of their workspace")
	}
	assert.Equal(t, []int{1, 1}, []int{refused, read})
}

func TestWorkspacesAreAskedForOnce(t *testing.T) {
	a := newAccount()
	for _, err := range Projects(t.Context(), a, Selection{}) {
		require.NoError(t, err)
	}
	assert.Equal(t, 3, a.asked)
}

func TestASelectionSaysWhichFieldIsWrong(t *testing.T) {
	for field, s := range map[string]Selection{
		"name":         {Name: "[a"},
		"status":       {Status: "archived"},
		"older_than":   {OlderThan: "last year"},
		"larger_than":  {LargerThan: "big"},
		"smaller_than": {SmallerThan: "0"},
		"project_ids":  {ProjectIDs: []string{" "}},
	} {
		var at *FieldError
		require.ErrorAs(t, s.Validate(), &at, field)
		assert.Equal(t, "selection."+field, at.Field)
	}
	var blank *FieldError
	require.ErrorAs(t, Selection{Name: " \u00a0 "}.Validate(), &blank, "it does not mean every project")
	assert.Equal(t, "selection.name", blank.Field)
	require.NoError(t, Selection{}.Validate())
	for _, name := range []string{"Sports", "Nowhere", ""} { // two have that name, or none
		var got error
		for _, err := range Projects(t.Context(), newAccount(), Selection{Workspaces: []string{name}}) {
			got = err
		}
		var at *FieldError
		require.True(t, errors.As(got, &at), name)
		assert.Equal(t, "selection.workspaces", at.Field)
	}
}
