package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// heldBy names, for each command in the manuals' blocks, the test that runs it, or that checks it if nothing here can run it.
var heldBy = map[string]string{
	"starter":    "starter/manual_test.go TestTheManualsCommandsWork",
	"worker":     "test/e2e/first_test.go TestFromAFreshInstallationToTheFirstArchive",
	"go":         "test/e2e/sandbox_test.go TestTheReadmesCommandsShowWhatItSays",
	"pg_dump":    "ledger/backup_test.go TestABackupOfTheRunningLedgerIsWhole",
	"pg_restore": "ledger/backup_test.go TestABackupOfTheRunningLedgerIsWhole",
	"sqlite3":    "ledger/backup_test.go TestABackupOfTheRunningLedgerIsWhole",
	"createdb":   "ledger/backup_test.go TestABackupOfTheRunningLedgerIsWhole",
	"docker":     "tools/lint-deploy/compose_test.go TestComposeRunsTheSandbox",
	"cp":         "tools/lint-deploy/compose_test.go TestComposeReadsTheFile",
	"helm":       "tools/lint-deploy/chart_test.go TestTheChartPassesHelmsLinter",
	"kubectl":    "tools/lint-deploy/chart_test.go TestTheChartPassesHelmsLinter",
	"curl":       "starter/api/server_test.go TestTheDescriptionIsOfTheRoutesThatExist",
	"temporal":   "starter/api/codec_test.go TestTheCodecEndpointIsForAdministratorsAndTemporalsUI",
	// A machine's own tools, used with files that tests check: tools/check/deploy_test.go.
	"install": "", "useradd": "", "chgrp": "", "chmod": "", "systemctl": "", "systemd-run": "", "createuser": "",
}

// notCommands begin blocks that show something else.
var notCommands = []string{"starter, worker  →", "configuration framebridge.yaml has", "3200 parts"}

var (
	block   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	setting = regexp.MustCompile(`^[A-Z_]+=\S+ `)
)

// TestEveryCommandOfTheManualsIsHeld exists because a command block that no test knows is wrong sooner or later.
func TestEveryCommandOfTheManualsIsHeld(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, page := range append(pages, "../../README.md", "../../CONTRIBUTING.md") {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range block.FindAllStringSubmatch(string(raw), -1) {
			text := strings.ReplaceAll(m[2], "\\\n", " ")
			if m[1] != "" && m[1] != "sh" || hasAnyPrefix(text, notCommands) {
				continue
			}
			shown := strings.HasPrefix(text, "$ ") // the other lines are its output
			for line := range strings.Lines(text) {
				for _, one := range strings.Split(line, " && ") {
					one = setting.ReplaceAllString(strings.TrimPrefix(strings.TrimSpace(one), "$ "), "")
					one = setting.ReplaceAllString(one, "")
					word, _, _ := strings.Cut(strings.TrimPrefix(one, "bin/"), " ")
					_, known := heldBy[word]
					assert.True(t, known || word == "", "%s: nothing holds %q", page, one)
					seen[word] = true
				}
				if shown {
					break
				}
			}
		}
	}
	for word, by := range heldBy {
		assert.True(t, seen[word], "%s is in no manual any more", word)
		file, name, _ := strings.Cut(by, " ")
		if file == "" {
			continue
		}
		raw, err := os.ReadFile("../../" + file)
		if assert.NoError(t, err, word) {
			assert.Contains(t, string(raw), "func "+name, "%s: the test that holds it", word)
		}
	}
}

func hasAnyPrefix(text string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}
