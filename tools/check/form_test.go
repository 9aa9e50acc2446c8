package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sources returns the repository's Go files that git does not ignore, without generated ones.
func sources(t *testing.T, files *token.FileSet) map[string]*ast.File {
	t.Helper()
	out, err := exec.Command("git", "-C", "../..", "ls-files", "-co", "--exclude-standard", "--deduplicate", "*.go").Output()
	require.NoError(t, err)
	parsed := map[string]*ast.File{}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		f, err := parser.ParseFile(files, filepath.Join("../..", name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || ast.IsGenerated(f) {
			continue // deleted, or not ours to form
		}
		parsed[name] = f
	}
	require.Greater(t, len(parsed), 300)
	return parsed
}

// TestImportsStandInTheirGroups checks the groups: the standard library's, others' and ours, separated by empty lines.
func TestImportsStandInTheirGroups(t *testing.T) {
	files := token.NewFileSet()
	for name, f := range sources(t, files) {
		group, line := 0, 0
		for _, im := range f.Imports {
			path, err := strconv.Unquote(im.Path.Value)
			require.NoError(t, err)
			host, _, _ := strings.Cut(path, "/")
			is := 1
			switch {
			case strings.HasPrefix(path+"/", module):
				is = 3
			case strings.Contains(host, "."):
				is = 2
			}
			at := files.Position(im.Pos()).Line
			if group != 0 {
				assert.GreaterOrEqual(t, is, group, "%s: %s stands after imports of a later group", name, path)
				assert.False(t, is != group && at == line+1, "%s: an empty line is missing before %s", name, path)
			}
			group, line = is, at
		}
	}
}

// knowGenerations may name the generation of Frame.io's API that a tenant is on: the configuration, whose key it is, and the
// report, which tells people. Everything else asks the port what it can do.
var knowGenerations = []string{"config/", "report/version.go", "clients/frameio/", "sandbox/", "test/", "tools/"}

func TestNobodyElseComparesGenerations(t *testing.T) {
	files := token.NewFileSet()
	known := map[string]bool{}
	for name, f := range sources(t, files) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING || !slices.Contains([]string{`"v4"`, `"legacy"`, `"v2"`}, lit.Value) {
				return true
			}
			i := slices.IndexFunc(knowGenerations, func(p string) bool { return strings.HasPrefix(name, p) })
			if assert.GreaterOrEqual(t, i, 0, "%s names a generation: ask the port's Capabilities", files.Position(lit.Pos())) {
				known[knowGenerations[i]] = true
			}
			return true
		})
	}
	assert.True(t, known["config/"] && known["report/version.go"] && known["clients/frameio/"], "the exceptions are still needed")
}

// impatient are the SDK's functions for a test environment or a replayer that fail if the machine stalls for a second or three.
var impatient = []string{"NewTestWorkflowEnvironment", "NewTestActivityEnvironment", "NewWorkflowReplayer", "NewWorkflowReplayerWithOptions"}

func TestTemporalsTestsHavePatience(t *testing.T) {
	files := token.NewFileSet()
	seen := 0
	for name, f := range sources(t, files) {
		ast.Inspect(f, func(n ast.Node) bool {
			called, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains(impatient, called.Sel.Name) {
				return true
			}
			seen++
			assert.Equal(t, "test/temporaltest/temporaltest.go", name, "%s: open it with test/temporaltest", files.Position(called.Pos()))
			return true
		})
	}
	assert.Equal(t, 3, seen)
}
