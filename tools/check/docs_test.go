package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	inCode   = regexp.MustCompile("`([^`\n]+)`")
	goFile   = regexp.MustCompile(`^[A-Za-z0-9_./-]+\.go$`)
	goName   = regexp.MustCompile(`^(?:[A-Za-z]+\.)?([A-Za-z]*[a-z][A-Z][A-Za-z]*|[A-Z][a-z]+)$`) // CommentTimes, startArchive, frameio.Reader
	besides  = regexp.MustCompile("`([a-z0-9_/]+\\.go)`: (`[A-Za-z.]+`(?:, `[A-Za-z.]+`)*)")      // FILE: NAME, NAME
	standsIn = regexp.MustCompile("`([A-Za-z]+)` in\\s`([a-z0-9_/]+\\.go)`")                      // NAME in FILE
	folder   = regexp.MustCompile(`^[a-z0-9]+(/[a-z0-9]+)+/?$`)                                   // activities/review
)

// tourProblems returns the files and names in a text that do not exist below root. Files must be given by their whole path.
func tourProblems(root, text string, declared map[string]map[string]bool) (problems []string) {
	for _, m := range inCode.FindAllStringSubmatch(text, -1) {
		switch name := m[1]; {
		case goFile.MatchString(name) && !strings.Contains(name, "/"):
			problems = append(problems, name+": write its whole path")
		case goFile.MatchString(name) && declared[name] == nil:
			problems = append(problems, name+": there is no such file")
		case folder.MatchString(name):
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				problems = append(problems, name+": there is no such package")
			}
		case goName.MatchString(name):
			in, _, qualified := strings.Cut(name, ".")
			found, ours := false, false
			for file, names := range declared {
				found = found || names[goName.FindStringSubmatch(name)[1]]
				ours = ours || filepath.Base(filepath.Dir(file)) == in
			}
			if !found && (ours || !qualified) { // frontend.WorkflowTimeSkippingEnabled is Temporal's
				problems = append(problems, name+": nothing has this name")
			}
		}
	}
	in := func(file, name string) {
		if name = name[strings.LastIndex(name, ".")+1:]; !declared[file][name] {
			problems = append(problems, file+" has no "+name)
		}
	}
	for _, m := range besides.FindAllStringSubmatch(text, -1) {
		for _, n := range inCode.FindAllStringSubmatch(m[2], -1) {
			in(m[1], n[1])
		}
	}
	for _, m := range standsIn.FindAllStringSubmatch(text, -1) {
		in(m[2], m[1])
	}
	return problems
}

// declarations returns the functions, methods, types, variables and constants of each Go file below root, by path.
func declarations(t *testing.T, root string) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "stub") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		names := map[string]bool{}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
		rel, err := filepath.Rel(root, path)
		all[filepath.ToSlash(rel)] = names
		return err
	}))
	return all
}

// TestTheTourNamesWhatIsThere checks that a newcomer who follows the developer's manual finds every file, package and
// name in it.
func TestTheTourNamesWhatIsThere(t *testing.T) {
	const root = "../.."
	raw, err := os.ReadFile(filepath.Join(root, "docs", "developer.md"))
	require.NoError(t, err)
	declared := declarations(t, root)
	assert.Empty(t, tourProblems(root, string(raw), declared))
	assert.Greater(t, len(besides.FindAllString(string(raw), -1))+len(standsIn.FindAllString(string(raw), -1)), 12)

	for _, wrong := range []string{
		"`time.go`", "`mapping/no_such.go`", "`activities/nosuch`", "`NoSuchName`", "`frameio.NoSuchReader`",
		"`mapping/time.go`: `CommentTimes`, `Reconcile`", "`Reconcile` in\n`mapping/time.go`",
	} {
		assert.Len(t, tourProblems(root, wrong, declared), 1, wrong)
	}
	assert.Empty(t, tourProblems(root, "`mapping/time.go`: `CommentTimes`; `Reconcile` in `mapping/reconcile.go`; `frameio.Reader`", declared))
}

var link = regexp.MustCompile(`\]\(([^)#:"]+)(#[^)]*)?\)`)

// TestTheIndexNamesEveryPage checks the index of docs, and that no link between files is dead.
func TestTheIndexNamesEveryPage(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	index, err := os.ReadFile("../../docs/README.md")
	require.NoError(t, err)
	for _, page := range append(pages, "../../README.md", "../../CONTRIBUTING.md") {
		if name := filepath.Base(page); filepath.Dir(page) == "../../docs" && name != "README.md" {
			assert.Contains(t, string(index), "("+name+")")
		}
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(raw), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(page), m[1]))
			assert.NoError(t, err, "%s links to %s", page, m[1])
		}
	}
}
