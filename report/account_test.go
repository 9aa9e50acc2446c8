package report

import (
	"bytes"
	"encoding/xml"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// TestTheAccountsPageIsInWords checks that states and times are written as people write them, whatever the ledger calls them.
func TestTheAccountsPageIsInWords(t *testing.T) {
	began := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	var all []ledger.ProjectState
	for _, w := range projectWords {
		all = append(all, w.state)
	}
	all = append(all, "a_later_state")
	r := &Account{Tenant: "Acme", GeneratedAt: began.Add(time.Hour), Migration: ledger.Migration{ID: "m", Status: ledger.MigrationScheduled, StartedAt: began, FinishedAt: began.Add(30 * time.Minute)},
		Projects: func(yield func(AccountProject, error) bool) {
			for _, state := range all {
				if !yield(AccountProject{MigrationProject: ledger.MigrationProject{ID: "p", Name: "Project", State: state}}, nil) {
					return
				}
			}
		}}
	var b strings.Builder
	require.NoError(t, AccountHTML(&b, r))
	page := b.String()
	for _, want := range []string{">verified with exceptions<", ">canceled<", ">not started<", ">a later state<", "November 28, 2026, 20:00:00 UTC", "November 28, 2026, 20:30:00 UTC", "November 28, 2026, 21:00:00 UTC"} {
		assert.Contains(t, page, want)
	}
	assert.Contains(t, page, "Status: "+strings.ReplaceAll(string(ledger.MigrationScheduled), "_", " "))
	for _, raw := range []string{"_with_", "a_later", "2026-11", "cancelled"} {
		assert.NotContains(t, page, raw)
	}
}

// TestTheAccountsListHasAPathForEach checks its paths against names that people choose, and that only what it names changes it.
func TestTheAccountsListHasAPathForEach(t *testing.T) {
	done := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	list := func(id, team, name string) AccountProject {
		return AccountProject{MigrationProject: ledger.MigrationProject{ID: id}, Archive: ledger.Archive{ID: id, TeamName: team, Name: name},
			HashList: &Generation{Number: 1, File: "0001_x_2026-11-28_190000Z.mhl", C4: "c4" + strings.Repeat("1", 88)}}
	}
	projects := []AccountProject{list("p9", "A&B <\"'>", "Spring (p2)"), list("p1", "A&B <\"'>", "Spring"), list("p2", "a&b <\"'>", "SPRING"), list("p3", "", ".."), list("p4", "../..", "Café"), list("p5", "../..", "Cafe\u0301"),
		list("p6", strings.Repeat("é", 400), "\x1b\x00\ufffe\n")}
	r := &Account{Migration: ledger.Migration{ID: "m", FinishedAt: done}, GeneratedAt: done.Add(time.Hour), Projects: func(yield func(AccountProject, error) bool) {
		for _, p := range projects {
			if !yield(p, nil) {
				return
			}
		}
	}}
	var b strings.Builder
	require.NoError(t, AccountMHL(&b, r))
	var read struct {
		Date  string   `xml:"creatorinfo>creationdate"`
		Paths []string `xml:"references>hashlistreference>path"`
	}
	require.NoError(t, xml.Unmarshal([]byte(b.String()), &read))
	require.Len(t, read.Paths, len(projects))
	seen := map[uint64]bool{}
	for _, p := range read.Paths {
		assert.True(t, filepath.IsLocal(p), p)
		assert.False(t, seen[foldedPath(p)], p)
		seen[foldedPath(p)] = true
	}
	assert.Equal(t, "2026-11-28T20:00:00Z", read.Date)
	again := b.String()
	b.Reset()
	r.GeneratedAt = r.GeneratedAt.Add(time.Hour)
	require.NoError(t, AccountMHL(&b, r))
	assert.Equal(t, again, b.String(), "nothing has changed")
	projects[0].HashList.File = "0002_x_2026-11-30_120000Z.mhl" // an archive that continued after the migration
	b.Reset()
	require.NoError(t, AccountMHL(&b, r))
	assert.Contains(t, b.String(), "<creationdate>2026-11-30T12:00:00Z<", "it is not older than what it names")
}

// The migration's order can change while it runs, and a retry writes the report again. A saved list must stay where it was.
func TestTheOrderOfProjectsDoesNotChangeTheirPaths(t *testing.T) {
	project := func(id string) AccountProject {
		return AccountProject{MigrationProject: ledger.MigrationProject{ID: id}, Archive: ledger.Archive{ID: id, Name: "Spring", TeamName: "Films"}, HashList: &Generation{Number: 1, File: id + ".mhl", C4: "c4" + id}}
	}
	for _, order := range [][]string{{"a", "b", "c"}, {"c", "b", "a"}} {
		r := &Account{Projects: func(yield func(AccountProject, error) bool) {
			for _, id := range order {
				if !yield(project(id), nil) {
					return
				}
			}
		}}
		var b bytes.Buffer
		require.NoError(t, AccountMHL(&b, r))
		for _, path := range []string{"Films/Spring/ascmhl/a.mhl", "Films/Spring (b)/ascmhl/b.mhl", "Films/Spring (c)/ascmhl/c.mhl"} {
			assert.Contains(t, b.String(), "<path>"+path+"</path>", order)
		}
	}
}

// A project's hash lists take a query, so an account with thousands of projects must open without them.
func TestOnlyTheFormsThatShowHashListsReadThem(t *testing.T) {
	for _, form := range AccountForms {
		read := 0
		r := &Account{Projects: func(yield func(AccountProject, error) bool) {
			yield(AccountProject{MigrationProject: ledger.MigrationProject{ID: "p"}, Archive: ledger.Archive{ID: "p", Name: "Spring"}}, nil)
		}, newestHashList: func(archive string) (*Generation, error) {
			read++
			return &Generation{Number: 1, File: "0001_" + archive + ".mhl", C4: "c4"}, nil
		}}
		var b bytes.Buffer
		require.NoError(t, form.Render(&b, r))
		shown := strings.Contains(b.String(), "0001_p.mhl")
		assert.Equal(t, shown, read > 0, form.File)
		assert.Equal(t, form.File == "report.json" || form.File == "report.mhl", shown, form.File)
	}
}
