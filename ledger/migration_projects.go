package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ProjectState is the state of a migration's project: queued, running, or ended in the same way as its archive.
type ProjectState string

// States of a migration's project.
const (
	ProjectQueued     ProjectState = "queued"
	ProjectRunning    ProjectState = "running"
	ProjectWaiting    ProjectState = "waiting" // its archive waits for originals, or is stuck; it takes up no slot
	ProjectVerified   ProjectState = "verified"
	ProjectExceptions ProjectState = "verified_with_exceptions"
	ProjectIncomplete ProjectState = "incomplete"
	ProjectFailed     ProjectState = "failed"
	ProjectCancelled  ProjectState = "cancelled" // a person cancelled its archive
)

// Open reports whether the project's archive is in progress.
func (s ProjectState) Open() bool { return s == ProjectRunning || s == ProjectWaiting }

// Ended reports whether the project has ended, successfully or not.
func (s ProjectState) Ended() bool { return s != ProjectQueued && !s.Open() }

// MigrationProject is one project of a migration.
type MigrationProject struct {
	newer

	ID       string        `json:"id"` // in Frame.io; also its archive's
	Name     string        `json:"name"`
	Team     string        `json:"team"`
	Position int64         `json:"-"` // orders the projects; see Order
	State    ProjectState  `json:"-"`
	Counts   ProjectCounts `json:"-"`
	Reason   string        `json:"reason"`
	// ContinuedAs is the ID of the entry that replaced this one when Frame.io's account migration changed the project's ID. Lists and
	// sums leave this entry out.
	ContinuedAs string `json:"-"`
	// Joined means that somebody else started the archive. The migration waits for it, and does not pause it.
	Joined bool `json:"joined"`
	// Settled means that it needed no archive from the migration; Again, that it got one because somebody else's was incomplete.
	Settled bool `json:"settled,omitempty"`
	Again   bool `json:"again,omitempty"`
	// Run is the archive's run that the migration waits for.
	Run       int       `json:"run"`
	Round     int       `json:"round"`      // the migration's round in which it was last started
	UpdatedAt time.Time `json:"updated_at"` // in Frame.io, when it was listed
	BegunAt   time.Time `json:"begun_at"`
	EndedAt   time.Time `json:"ended_at"`
}

// ProjectCounts are the counts of a project's archive when last read. Until then Items is 0 and Bytes is the size that Frame.io states.
type ProjectCounts struct{ Items, Copied, Verified, Skipped, Failed, Bytes, BytesDone int64 }

// MigrationSums adds up a migration's projects.
type MigrationSums struct {
	Projects map[ProjectState]int64
	ProjectCounts

	Of map[ProjectState]ProjectCounts
	// Unread counts the queued projects whose files no archive has counted yet.
	Unread int64
}

// Total returns the number of projects.
func (s MigrationSums) Total() (n int64) {
	for _, count := range s.Projects {
		n += count
	}
	return n
}

const (
	projectColumns = "position, state, items, copied, verified, skipped, failed, bytes, bytes_done, continued_as, data"
	projectsAtOnce = 100 // rows of one statement
)

func scanMigrationProject(r scanner) (MigrationProject, error) {
	var data document
	var position int64
	var state ProjectState
	var c ProjectCounts
	var continued string
	if err := r.Scan(&position, &state, &c.Items, &c.Copied, &c.Verified, &c.Skipped, &c.Failed, &c.Bytes, &c.BytesDone, &continued, &data); err != nil {
		return MigrationProject{}, err
	}
	p, err := decode[MigrationProject](data)
	p.Position, p.State, p.Counts, p.ContinuedAs = position, state, c, continued
	return p, err
}

// AddProjects appends projects to the migration's list, queued unless they have a state, and returns how many it added. It skips those
// already listed.
func (h MigrationLedger) AddProjects(ctx context.Context, projects []MigrationProject) (added int64, err error) {
	for batch := range slices.Chunk(projects, projectsAtOnce) {
		err := h.l.tx(ctx, func(tx session) error {
			// Locking the migration's row serializes concurrent additions.
			if _, err := scanMigration(tx.Row(ctx, oneMigration+tx.ForUpdate(), h.tenant, h.id)); err != nil {
				return err
			}
			var last int64
			if err := tx.Row(ctx, "SELECT COALESCE(MAX(position), 0) FROM migration_projects WHERE tenant = ? AND migration = ?", h.tenant, h.id).Scan(&last); err != nil {
				return err
			}
			for _, p := range batch {
				data, err := encode(p)
				if err != nil {
					return err
				}
				c := p.Counts
				n, err := tx.Exec(ctx, "INSERT INTO migration_projects (tenant, migration, project, "+projectColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, migration, project) DO NOTHING",
					h.tenant, h.id, p.ID, last+1, orQueued(p.State), c.Items, c.Copied, c.Verified, c.Skipped, c.Failed, c.Bytes, c.BytesDone, p.ContinuedAs, data)
				if err != nil {
					return err
				}
				last += n
				added += n
			}
			return nil
		})
		if err != nil {
			return added, err
		}
	}
	return added, nil
}

func orQueued(s ProjectState) ProjectState {
	if s == "" {
		return ProjectQueued
	}
	return s
}

// Project returns one of the migration's projects, and false if it has no such project.
func (h MigrationLedger) Project(ctx context.Context, id string) (MigrationProject, bool, error) {
	p, err := scanMigrationProject(h.l.reads().Row(ctx, oneMigrationProject, h.tenant, h.id, id))
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	return p, err == nil, err
}

// UpdateProject changes a project in one transaction, except for its place, which Order changes.
func (h MigrationLedger) UpdateProject(ctx context.Context, id string, change func(*MigrationProject)) (MigrationProject, error) {
	var p MigrationProject
	err := h.l.tx(ctx, func(tx session) (err error) {
		if p, err = scanMigrationProject(tx.Row(ctx, oneMigrationProject+tx.ForUpdate(), h.tenant, h.id, id)); errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("project %s of migration %s: %w", id, h.id, ErrUnknown)
		}
		if err != nil {
			return err
		}
		change(&p)
		p.ID = id
		data, err := encode(p)
		if err != nil {
			return err
		}
		c := p.Counts
		_, err = tx.Exec(ctx, `UPDATE migration_projects SET state = ?, items = ?, copied = ?, verified = ?, skipped = ?, failed = ?, bytes = ?, bytes_done = ?, continued_as = ?, data = ?
			WHERE tenant = ? AND migration = ? AND project = ?`, p.State, c.Items, c.Copied, c.Verified, c.Skipped, c.Failed, c.Bytes, c.BytesDone, p.ContinuedAs, data, h.tenant, h.id, id)
		return err
	})
	return p, err
}

// Projects lists the migration's projects in order. after is the cursor that the previous page returned.
func (h MigrationLedger) Projects(ctx context.Context, after string, limit int) ([]MigrationProject, string, error) {
	var at int64
	var id string
	if after != "" {
		var err error
		if at, id, err = cursor(after, "~"); err != nil {
			return nil, "", err
		}
	}
	out, err := collect(ctx, h.l.reads(), scanMigrationProject, migrationProjectsPage, h.tenant, h.id, at, id, limit)
	next := ""
	if err == nil && len(out) == limit {
		last := out[len(out)-1]
		next = strconv.FormatInt(last.Position, 10) + "~" + last.ID
	}
	return out, next, err
}

// AllProjects iterates over the migration's projects in order.
func (h MigrationLedger) AllProjects(ctx context.Context) iter.Seq2[MigrationProject, error] {
	return rowsOf(func(after string) ([]MigrationProject, string, error) { return h.Projects(ctx, after, pageRows) })
}

// ProjectsIn lists up to limit projects in any of the states, in order.
func (h MigrationLedger) ProjectsIn(ctx context.Context, limit int, states ...ProjectState) ([]MigrationProject, error) {
	return h.projectsIn(ctx, 0, limit, states)
}

// ProjectsOf iterates over the projects in any of the states, in order.
func (h MigrationLedger) ProjectsOf(ctx context.Context, states ...ProjectState) iter.Seq2[MigrationProject, error] {
	return rowsOf(func(after int64) ([]MigrationProject, int64, error) {
		out, err := h.projectsIn(ctx, after, pageRows, states)
		if err != nil || len(out) == 0 {
			return nil, 0, err
		}
		return out, out[len(out)-1].Position, nil
	})
}

func (h MigrationLedger) projectsIn(ctx context.Context, after int64, limit int, states []ProjectState) ([]MigrationProject, error) {
	args := []any{h.tenant, h.id, after}
	for _, s := range states {
		args = append(args, s)
	}
	return collect(ctx, h.l.reads(), scanMigrationProject, "SELECT "+projectColumns+" FROM migration_projects WHERE tenant = ? AND migration = ? AND position > ? AND continued_as = '' AND state IN (?"+
		strings.Repeat(", ?", len(states)-1)+") ORDER BY position, project LIMIT ?", append(args, limit)...)
}

// QueuedBefore counts the queued projects ahead of a position.
func (h MigrationLedger) QueuedBefore(ctx context.Context, position int64) (n int64, err error) {
	err = h.l.reads().Row(ctx, "SELECT COUNT(*) FROM migration_projects WHERE tenant = ? AND migration = ? AND state = 'queued' AND position < ?", h.tenant, h.id, position).Scan(&n)
	return n, err
}

// Sums adds up the migration's projects.
func (h MigrationLedger) Sums(ctx context.Context) (MigrationSums, error) {
	out := MigrationSums{Projects: map[ProjectState]int64{}, Of: map[ProjectState]ProjectCounts{}}
	rows, err := collect(ctx, h.l.reads(), func(r scanner) (MigrationSums, error) {
		var state ProjectState
		var n int64
		var s MigrationSums
		c := &s.ProjectCounts
		err := r.Scan(&state, &n, &s.Unread, &c.Items, &c.Copied, &c.Verified, &c.Skipped, &c.Failed, &c.Bytes, &c.BytesDone)
		s.Projects = map[ProjectState]int64{state: n}
		return s, err
	}, migrationSums, h.tenant, h.id)
	for _, s := range rows {
		for state, n := range s.Projects {
			out.Projects[state] += n
			out.Of[state] = s.ProjectCounts
		}
		out.Unread += s.Unread
		out.add(s.ProjectCounts)
	}
	return out, err
}

func (c *ProjectCounts) add(o ProjectCounts) {
	c.Items += o.Items
	c.Copied += o.Copied
	c.Verified += o.Verified
	c.Skipped += o.Skipped
	c.Failed += o.Failed
	c.Bytes += o.Bytes
	c.BytesDone += o.BytesDone
}

// ErrNotQueued means that a project is not queued in the migration's list, so that it has no place to change.
var ErrNotQueued = errors.New("the project does not wait in the migration's list")

// Order moves a queued project to another place among the queued ones, counted from 1. It returns ErrNotQueued for any other project.
func (h MigrationLedger) Order(ctx context.Context, id string, place int) error {
	return h.l.tx(ctx, func(tx session) error {
		type queued struct {
			id       string
			position int64
		}
		rows, err := collect(ctx, tx, func(r scanner) (q queued, err error) {
			err = r.Scan(&q.id, &q.position)
			return q, err
		}, "SELECT project, position FROM migration_projects WHERE tenant = ? AND migration = ? AND state = 'queued' ORDER BY position, project"+tx.ForUpdate(), h.tenant, h.id)
		if err != nil {
			return err
		}
		from := slices.IndexFunc(rows, func(q queued) bool { return q.id == id })
		if from < 0 {
			return ErrNotQueued
		}
		ids := make([]string, 0, len(rows))
		for i, q := range rows {
			if i != from {
				ids = append(ids, q.id)
			}
		}
		ids = slices.Insert(ids, min(max(place-1, 0), len(ids)), id)
		for i, q := range rows {
			if ids[i] == q.id {
				continue
			}
			if _, err := tx.Exec(ctx, "UPDATE migration_projects SET position = ? WHERE tenant = ? AND migration = ? AND project = ?", q.position, h.tenant, h.id, ids[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
