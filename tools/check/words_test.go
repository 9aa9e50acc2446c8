package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stumbling are phrases and the glossary's banned words that people must not read, and what to write instead.
var stumbling = map[*regexp.Regexp]string{
	regexp.MustCompile(`(?i)needs a hand`):                      "action needed",
	regexp.MustCompile(`(?i)\b1 files\b`):                       "english.Count",
	regexp.MustCompile(`(?i)it is looked at every`):             "Framebridge checks every …",
	regexp.MustCompile(`(?i)\bis waited for\b`):                 "waits for",
	regexp.MustCompile(`(?i)limits known`):                      "known limits",
	regexp.MustCompile(`(?i)those who are told`):                "who gets mail",
	regexp.MustCompile(`(?i)is told, not fought`):               "say what Framebridge does",
	regexp.MustCompile(`(?i)is no two-way`):                     "does not keep files in sync",
	regexp.MustCompile(`(?i)an id of (it|what was clicked) is`): "contains an invalid ID",
	regexp.MustCompile(`(?i)account was moved`):                 "account was migrated",
	regexp.MustCompile(`(?i)moved the account`):                 "migrated the account",
	regexp.MustCompile(`(?i)which mends it`):                    "to fix it",
	regexp.MustCompile(`(?i)makes? it again\b`):                 "restores it",
	regexp.MustCompile(`(?i)say which by its id`):               "choose one by its ID",
	regexp.MustCompile(`(?i)not in iconik any more`):            "no longer in iconik",
	regexp.MustCompile(`(?i)in what was clicked`):               "in the selection",
	regexp.MustCompile(`(?i)\bthe link was shut\b`):             "switched the link off",
	regexp.MustCompile(`(?i) (heals?|healed)\b`):                "repair",
}

// maySay are the places that may say a stumbling word, with the reason.
var maySay = map[string]string{
	"CONTRIBUTING.md":            "its glossary lists the banned words",
	"docs/developer.md":          "written by its own rules, for engineers",
	"tools/check/words_test.go":  "this list",
	"workflows/record_test.go":   "answers of recorded histories, which never change",
	"workflows/testdata":         "recorded histories",
	"ledger/testdata":            "stored rows",
	"sandbox/temporal":           "says what Temporal's own documentation says",
	"workflows/archive_test.go":  "what an older worker has sent",
	"workflows/archive_steps.go": "the advice of an older worker",
}

func mayBeSaid(name string) bool {
	for place := range maySay {
		if name == place || strings.HasPrefix(name, place+"/") {
			return true
		}
	}
	return false
}

// stumbles are what stumbling phrases a text holds.
func stumbles(text string) (found []string) {
	text = strings.Join(strings.Fields(text), " ") // Markdown breaks its lines anywhere
	for phrase, better := range stumbling {
		if hit := phrase.FindString(text); hit != "" {
			found = append(found, strconv.Quote(hit)+": write "+strconv.Quote(better))
		}
	}
	return found
}

// TestPeopleReadPlainEnglish looks at all Markdown, and at the string literals of Go code that is not a test.
func TestPeopleReadPlainEnglish(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	read := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || mayBeSaid(name) {
			return nil
		}
		switch {
		case strings.HasSuffix(name, ".md"):
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			read++
			for _, s := range stumbles(string(raw)) {
				assert.Fail(t, s, name)
			}
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			read++
			for _, s := range stumblingLiterals(t, path) {
				assert.Fail(t, s, name)
			}
		}
		return nil
	}))
	assert.Greater(t, read, 100)
}

func stumblingLiterals(t *testing.T, path string) (found []string) {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, 0)
	require.NoError(t, err)
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(lit.Value)
		require.NoError(t, err)
		for _, s := range stumbles(text) {
			found = append(found, files.Position(lit.Pos()).String()+": "+s)
		}
		return true
	})
	return found
}

// TestStumblesAreFound shows that the test above can fail.
func TestStumblesAreFound(t *testing.T) {
	assert.NotEmpty(t, stumbles("the account\nwas moved to V4"))
	assert.Empty(t, stumbles("the account was migrated to V4"))
}

const longestSubject = 72 // characters of a commit's first line

// TestSubjectsAreShort looks at every commit since the rule was written down in CONTRIBUTING.md.
func TestSubjectsAreShort(t *testing.T) {
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", "../.."}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	since, err := git("log", "--diff-filter=A", "--format=%H", "--", "CONTRIBUTING.md")
	if err != nil || since == "" {
		t.Skip("no git history is here")
	}
	commits := strings.Fields(since)
	subjects, err := git("log", "--no-merges", "--format=%s", commits[len(commits)-1]+"..HEAD")
	require.NoError(t, err)
	for subject := range strings.Lines(subjects) {
		subject = strings.TrimSpace(subject)
		assert.LessOrEqual(t, len([]rune(subject)), longestSubject, subject)
	}
}
