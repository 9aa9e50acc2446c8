package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stumbling are phrases that were once corrected, and what to write instead. The banned words are in CONTRIBUTING's glossary.
var stumbling = map[*regexp.Regexp]string{
	regexp.MustCompile(`(?i)\b1 files\b`):                                                    "english.Count",
	regexp.MustCompile(`(^|[^ /]|[^f] )%d (files|folders|projects|tenants)\b`):               "english.Count; of %d files is fine",
	regexp.MustCompile(`(?i)\w*[^\Wp]\(s\)`):                                                 "english.Count",
	regexp.MustCompile(`(?i)it is looked at every`):                                          "Framebridge checks every …",
	regexp.MustCompile(`(?i)\bis waited for\b`):                                              "waits for",
	regexp.MustCompile(`(?i)limits known`):                                                   "known limits",
	regexp.MustCompile(`(?i)those who are told`):                                             "who gets mail",
	regexp.MustCompile(`(?i)is told, not fought`):                                            "say what Framebridge does",
	regexp.MustCompile(`(?i)is no two-way`):                                                  "does not keep files in sync",
	regexp.MustCompile(`(?i)an id of (it|what was clicked) is`):                              "contains an invalid ID",
	regexp.MustCompile(`(?i)account was moved`):                                              "account was migrated",
	regexp.MustCompile(`(?i)moved the account`):                                              "migrated the account",
	regexp.MustCompile(`(?i)which mends it`):                                                 "to fix it",
	regexp.MustCompile(`(?i)say which by its id`):                                            "choose one by its ID",
	regexp.MustCompile(`(?i)\bany ?(more|longer)\b`):                                         "no longer",
	regexp.MustCompile(`(?i)\bstands? still\b`):                                              "pauses, is paused",
	regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`):                                            "fix",
	regexp.MustCompile(`(?i)\bis otherwise\b`):                                               "differs",
	regexp.MustCompile(`(?i)in what was clicked`):                                            "in the selection",
	regexp.MustCompile(`(?i)\bthe link was shut\b`):                                          "switched the link off",
	regexp.MustCompile(`(?i)\bis no (URL|cursor|event|network|name)\b`):                      "is not a …",
	regexp.MustCompile(`(?i)of no use without`):                                              "needs …",
	regexp.MustCompile(`(?i)\bstands twice\b`):                                               "appears twice",
	regexp.MustCompile(`(?i)what is special in`):                                             "special characters in",
	regexp.MustCompile(`(?i)(everything|nothing) of this tenant`):                            "all (none) of this tenant's work",
	regexp.MustCompile(`(?i)\bbegins? anew\b`):                                               "starts over",
	regexp.MustCompile(`(?i)\bgo(es)? in circles\b`):                                         "repeats itself",
	regexp.MustCompile(`(?i)\bis kept encrypted\b`):                                          "is stored encrypted",
	regexp.MustCompile(`(?i)\bholds no (id|upload|comment|review|certificate|PEM|secret)\b`): "contains no …",
	regexp.MustCompile(`(?i)\bin percents\b`):                                                "percent-encoded",
	regexp.MustCompile(`(?i)nobody is told`):                                                 "nobody gets e-mail",
	regexp.MustCompile(`(?i)\blets nobody\b`):                                                "does not allow",
	regexp.MustCompile(`(?i)\b\d{1,2} (January|February|March|April|June|July|August|September|October|November|December) \d{4}`): "December 1, 2026",
	regexp.MustCompile(`(?i)\b2 January 2006\b`):                    "January 2, 2006",
	regexp.MustCompile(`(?i)\bnames no (file|server|time|token)\b`): "has no …",
	regexp.MustCompile(`(?i)\bnobody has said\b`):                   "nobody has confirmed",
}

// maySay are the places that may contain a stumbling word, with the reason.
var maySay = map[string]string{
	"CONTRIBUTING.md":           "its glossary lists the banned words",
	"tools/check/words_test.go": "this list",
	"workflows/record_test.go":  "answers of recorded histories, which never change",
	"workflows/testdata":        "recorded histories",
	"ledger/testdata":           "stored rows",
	"tools/bench-archive":       "prints figures for those who measure",
	"tools/bench-transfer":      "has rclone's flags",
	"sandbox/temporal":          "says what Temporal's own documentation says",
	"workflows/archive_test.go": "what an older worker has sent",
}

func mayBeSaid(name string) bool {
	for place := range maySay {
		if name == place || strings.HasPrefix(name, place+"/") {
			return true
		}
	}
	return false
}

var notWord = regexp.MustCompile("`([^`]+)`")

// glossary parses the banned words, which are the code in the last column, and the terms to write instead.
func glossary(markdown string) map[*regexp.Regexp]string {
	banned := map[*regexp.Regexp]string{}
	for line := range strings.Lines(markdown) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 {
			continue
		}
		for _, word := range notWord.FindAllStringSubmatch(cells[4], -1) {
			banned[regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(word[1])+`s?\b`)] = strings.TrimSpace(cells[1])
		}
	}
	return banned
}

var bannedWords = sync.OnceValue(func() map[*regexp.Regexp]string {
	raw, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		panic(err)
	}
	banned := glossary(string(raw))
	maps.Copy(banned, stumbling)
	return banned
})

// stumbles returns the banned words and phrases in a text.
func stumbles(text string) (found []string) {
	text = strings.Join(strings.Fields(text), " ") // Markdown breaks its lines anywhere
	for phrase, better := range bannedWords() {
		if hit := phrase.FindString(text); hit != "" {
			found = append(found, strconv.Quote(hit)+": write "+strconv.Quote(better))
		}
	}
	return found
}

// TestPeopleReadPlainEnglish checks all Markdown, and the string literals of Go code except tests.
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
	tags := map[*ast.BasicLit]bool{} // names in JSON stay
	ast.Inspect(f, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok && field.Tag != nil {
			tags[field.Tag] = true
		}
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING || tags[lit] {
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
	for _, bad := range []string{"Somebody needs a hand", "moved accounts", "ims.token_url is no URL", "on 1 December 2026", "read %d files", "%d files", "2 problem(s)", "it is not there any more", "the queue stands still", "after the cause is mended"} {
		assert.Len(t, stumbles(bad), 1, bad)
	}
	assert.Empty(t, stumbles("%d of %d files, %d/%d files, an http(s) URL"))
}

func TestTheGlossaryBansWhatItSays(t *testing.T) {
	banned := glossary("| term | means | whose word | not |\n|---|---|---|---|\n| repair | to fix | ours | `mend`, fix |\n")
	require.Len(t, banned, 1)
	for word, better := range banned {
		assert.Equal(t, "repair", better)
		assert.True(t, word.MatchString("it Mends a file"))
		assert.False(t, word.MatchString("to fix, or recommend"))
	}
	assert.Greater(t, len(bannedWords()), len(stumbling)+8, "CONTRIBUTING has its glossary")
}

const longestSubject = 72 // characters of a commit's first line

// TestSubjectsAreShort checks every commit since CONTRIBUTING.md was added, which has the rule.
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
