package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/untrusted"
)

const (
	namesOffered = 5 // to a person whose name matches none, or several
)

// candidate is something that people refer to by name: a project, an archive, a review.
type candidate struct{ id, name string }

// noSuchName is the error for a name or ID that does not exist. It suggests similar ones.
type noSuchName struct {
	kind, text string
	near       []string
}

func (e *noSuchName) Error() string {
	out := fmt.Sprintf("there is no %s %q", e.kind, e.text)
	if len(e.near) == 0 {
		return out
	}
	quoted := make([]string, len(e.near))
	for i, n := range e.near {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return out + "; did you mean " + strings.Join(quoted, ", ") + "?"
}

func isNoSuchName(err error) bool {
	var no *noSuchName
	return errors.As(err, &no)
}

// pick returns the candidate that a person means: by its exact name, or else by its name without regard to case and suffix. kind
// says what it is, for the errors.
func pick(kind string, all []candidate, text, suffix string) (candidate, error) {
	plain := func(name string) string { return plainName(name, suffix) }
	wanted := plain(text)
	var exact, alike []candidate
	for _, n := range all {
		if n.name == text {
			exact = append(exact, n)
		}
		if plain(n.name) == wanted {
			alike = append(alike, n)
		}
	}
	if len(exact) > 0 {
		alike = exact
	}
	switch len(alike) {
	case 0:
		return candidate{}, &noSuchName{kind, text, nearest(all, wanted, plain)}
	case 1:
		return alike[0], nil
	}
	var list []string
	for _, n := range alike[:min(len(alike), namesOffered)] {
		list = append(list, fmt.Sprintf("%q (%s)", n.name, n.id))
	}
	return candidate{}, fmt.Errorf("%s match %q: choose one by its ID: %s", english.Count(len(alike), kind), text, strings.Join(list, ", "))
}

// plainName returns a name without its suffix, with case and Unicode form folded.
func plainName(name, suffix string) string {
	fold := func(s string) string { return cases.Fold().String(norm.NFC.String(s)) }
	return mapping.ProjectTitle(fold(name), fold(suffix))
}

// nearest returns the names that somebody may have meant, the likeliest first.
func nearest(all []candidate, wanted string, plain func(string) string) []string {
	type near struct {
		name     string
		distance int
	}
	var found []near
	for _, n := range all {
		have := plain(n.name)
		d := levenshtein.ComputeDistance(wanted, have)
		if within := len([]rune(wanted)) > 2 && strings.Contains(have, wanted); within || d <= 1+len([]rune(wanted))/4 {
			found = append(found, near{n.name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.distance - b.distance })
	var names []string
	for _, f := range found {
		if len(names) < namesOffered && !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	return names
}

// findProject finds a project by its ID or by its name as people write it. An ID that Frame.io no longer has may still be in the ledger.
func (s *service) findProject(ctx context.Context, t *config.Tenant, text string) (string, error) {
	p, err := s.Platform(t)
	if err != nil {
		return "", err
	}
	if untrusted.UUID(text) {
		id := strings.ToLower(text)
		if _, known, err := s.Ledger.Tenant(t.ID).Archive(id).Get(ctx); known || err != nil {
			return id, err
		}
		project, err := p.Project(ctx, text)
		if rest.IsNotFound(err) {
			return "", fmt.Errorf("Frame.io has no project with the ID %s, or the token has no access to it", text)
		}
		return project.ID, err
	}
	var all []candidate
	for project, err := range frameio.Rows(ctx, "list projects", p.Projects) {
		if err != nil {
			return "", err
		}
		all = append(all, candidate{project.ID, project.Name})
	}
	found, err := pick("project", all, text, t.Archive.TriggerSuffix)
	if isNoSuchName(err) {
		err = fmt.Errorf("%w (`starter projects` lists those that the token has access to)", err)
	}
	return found.id, err
}

// findArchive finds an archive by its project's ID or name.
func (s *service) findArchive(ctx context.Context, t *config.Tenant, text string) (ledger.Archive, error) {
	id := strings.ToLower(text)
	if !untrusted.UUID(text) {
		all, err := s.everyArchive(ctx, t)
		if err != nil {
			return ledger.Archive{}, err
		}
		var names []candidate
		for _, a := range all {
			if a.ContinuedAs == "" && a.Name != "" {
				names = append(names, candidate{a.ID, a.Name})
			}
		}
		found, err := pick("archive", names, text, t.Archive.TriggerSuffix)
		if isNoSuchName(err) {
			return ledger.Archive{}, s.neverArchived(ctx, t, text, err)
		} else if err != nil {
			return ledger.Archive{}, err
		}
		id = found.id
	}
	row, known, err := s.Ledger.Tenant(t.ID).Archive(id).Get(ctx)
	if err == nil && !known {
		err = s.neverArchived(ctx, t, text, &noSuchName{"archive", id, nil})
	}
	return row, err
}

// neverArchived distinguishes a project that was never archived from a name that does not exist.
func (s *service) neverArchived(ctx context.Context, t *config.Tenant, text string, noSuchArchive error) error {
	if _, err := s.findProject(ctx, t, text); err != nil {
		return fmt.Errorf("%w (`starter archives` lists them)", noSuchArchive)
	}
	return fmt.Errorf("the project has not been archived yet: run `starter archive %q`", text)
}

func (s *service) everyArchive(ctx context.Context, t *config.Tenant) ([]ledger.Archive, error) {
	return rest.Collect(s.Ledger.Tenant(t.ID).AllArchives(ctx))
}

func (s *service) everyReview(ctx context.Context, t *config.Tenant) ([]ledger.Review, error) {
	return rest.Collect(s.Ledger.Tenant(t.ID).AllReviews(ctx))
}

// findReview finds a review by its ID or title.
func (s *service) findReview(ctx context.Context, t *config.Tenant, text string) (ledger.Review, error) {
	if row, known, err := s.Ledger.Tenant(t.ID).Review(text).Get(ctx); known || err != nil {
		return row, err
	}
	all, err := s.everyReview(ctx, t)
	if err != nil {
		return ledger.Review{}, err
	}
	var names []candidate
	for _, r := range all {
		names = append(names, candidate{r.ID, r.Title})
	}
	found, err := pick("review", names, text, "")
	if err != nil {
		return ledger.Review{}, fmt.Errorf("%w (`starter reviews` lists them)", err)
	}
	row, _, err := s.Ledger.Tenant(t.ID).Review(found.id).Get(ctx)
	return row, err
}
