package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	maxPackage  = 5000 // lines, without tests
	maxFile     = 500
	maxFunction = 80
	maxWidth    = 240 // characters of a line, without its string literals and comments
)

// tooLong are the files and functions that may be longer for now. One that has become short enough fails.
var tooLong = []string{}

// TestNothingIsTooLongToRead checks the sizes of packages, files and functions, except in tests and generated code.
func TestNothingIsTooLongToRead(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	packages := map[string]int{}
	stale := slices.Clone(tooLong)
	tell := func(where string, lines, most int, why string) {
		stale = slices.DeleteFunc(stale, func(s string) bool { return s == where })
		if !slices.Contains(tooLong, where) {
			assert.Fail(t, fmt.Sprintf("%s has %d lines, %d are allowed: %s", where, lines, most, why))
		}
	}
	files := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(files, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || ast.IsGenerated(parsed) {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		lines := bytes.Count(text, []byte("\n"))
		packages[filepath.ToSlash(filepath.Dir(name))] += lines
		if lines > maxFile {
			tell(name, lines, maxFile, "split it by subject")
		}
		for line, width := range widths(files.File(parsed.Pos()), text) {
			assert.LessOrEqual(t, width, maxWidth, "%s:%d is too wide to read: break it", name, line)
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; n > maxFunction {
				tell(name+" "+f.Name.Name, n, maxFunction, "name its parts")
			}
		}
		return nil
	})
	require.NoError(t, err)
	for name, lines := range packages {
		if lines > maxPackage {
			tell(name, lines, maxPackage, "it is more than one room")
		}
	}
	assert.Empty(t, stale, "short enough now: take them out of tooLong")
	assert.Greater(t, len(packages), 20)
}

// widths returns the characters of each line without its string literals and comments, which may be as long as needed.
func widths(file *token.File, text []byte) map[int]int {
	out := map[int]int{}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		out[n] = utf8.RuneCount(bytes.TrimRight(line, "\n"))
	}
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, file.Size()), text, nil, scanner.ScanComments)
	for {
		pos, kind, literal := s.Scan()
		if kind == token.EOF {
			return out
		}
		if kind != token.STRING && kind != token.COMMENT {
			continue
		}
		at := file.Line(file.Pos(int(pos) - 1))
		for i, part := range strings.Split(literal, "\n") {
			out[at+i] -= utf8.RuneCountInString(part)
		}
	}
}

// TestAnArchiveOnlyReadsFrameio checks that an archive is given only a frameio.Reader, which keeps it from writing.
func TestAnArchiveOnlyReadsFrameio(t *testing.T) {
	sources, err := filepath.Glob("../../activities/archive/*.go")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	reads := false
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if of, ok := s.X.(*ast.Ident); ok && of.Name == "frameio" {
				reads = reads || s.Sel.Name == "Reader"
				assert.NotContains(t, []string{"Platform", "Writer"}, s.Sel.Name, "%s holds a Frame.io that can be changed", path)
			}
			return true
		})
	}
	assert.True(t, reads)
}
