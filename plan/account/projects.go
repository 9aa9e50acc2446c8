package account

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

// Found is a selected project. If Refused is set, Frame.io does not show a project that was selected by its ID; only that ID is
// known then.
type Found struct {
	frameio.Project
	Refused error
}

// Projects reads the account and yields each selected project once, with the name of its workspace. It stops at the first error. A
// *FieldError means that the selection is at fault.
func Projects(ctx context.Context, from frameio.Reader, s Selection) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		m, err := s.matcher()
		if err != nil {
			yield(Found{}, err)
			return
		}
		l := lister{from: from, matcher: m, names: map[string]frameio.Team{}}
		if err := l.findWorkspaces(ctx, s.Workspaces); err != nil {
			yield(Found{}, err)
			return
		}
		seen := map[string]bool{}
		for found, err := range l.candidates(ctx) {
			if err != nil {
				yield(Found{}, err)
				return
			}
			if found.Refused == nil && (seen[found.ID] || !l.selects(found.Project)) {
				continue
			}
			seen[found.ID] = true
			if found.Refused == nil {
				if found.Team, err = l.workspace(ctx, found.Team); err != nil {
					yield(Found{}, err)
					return
				}
			}
			if !yield(found, nil) {
				return
			}
		}
	}
}

type lister struct {
	matcher
	from  frameio.Reader
	in    []string                // workspace IDs; nil: all
	names map[string]frameio.Team // by workspace ID
}

// findWorkspaces resolves IDs and names to IDs.
func (l *lister) findWorkspaces(ctx context.Context, wanted []string) error {
	for _, w := range wanted {
		team, err := l.from.Workspace(ctx, strings.TrimSpace(w))
		if err != nil {
			if rest.ClassOf(err) == rest.Permanent || rest.IsNotFound(err) {
				return wrong("workspaces", "Frame.io has no single workspace with the ID or name %q that the token's user has access to", w)
			}
			return err
		}
		l.names[team.ID] = team
		l.in = append(l.in, team.ID)
	}
	return nil
}

// candidates yields the projects to match against the selection: those selected by ID, or all.
func (l *lister) candidates(ctx context.Context) iter.Seq2[Found, error] {
	if len(l.ids) == 0 {
		return func(yield func(Found, error) bool) {
			for p, err := range frameio.Rows(ctx, "list projects", l.from.Projects) {
				if !yield(Found{Project: p}, err) {
					return
				}
			}
		}
	}
	return func(yield func(Found, error) bool) {
		ids := slices.Clone(l.ids)
		for i, id := range ids {
			if slices.Contains(ids[:i], id) {
				continue
			}
			p, err := l.from.Project(ctx, id)
			found := Found{Project: p}
			if err != nil && (rest.IsNotFound(err) || rest.ClassOf(err) == rest.Forbidden || rest.ClassOf(err) == rest.Permanent) {
				found, err = Found{Project: frameio.Project{ID: id}, Refused: fmt.Errorf("Frame.io has no project %s, or the token's user has no access to it: %w", id, err)}, nil
			}
			if !yield(found, err) {
				return
			}
		}
	}
}

func (l *lister) selects(p frameio.Project) bool {
	return (l.in == nil || slices.Contains(l.in, p.Team.ID)) && l.matches(p)
}

// workspace fills in the name of a project's workspace, because V4's listings omit it.
func (l *lister) workspace(ctx context.Context, team frameio.Team) (frameio.Team, error) {
	if team.ID == "" || team.Name != "" {
		return team, nil
	}
	known, ok := l.names[team.ID]
	if !ok {
		var err error
		var refused *rest.Error
		if known, err = l.from.Workspace(ctx, team.ID); errors.As(err, &refused) && refused.Class != rest.Retryable && refused.Class != rest.Throttled && refused.Class != rest.Unauthorized {
			known, err = frameio.Team{ID: team.ID, Name: "Workspace " + team.ID}, nil // guests of a single project cannot see its workspace
		}
		if err != nil {
			return team, err
		}
		l.names[team.ID] = known
	}
	return known, nil
}
