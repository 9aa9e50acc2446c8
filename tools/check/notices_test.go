package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const notices = "../../THIRD_PARTY_NOTICES"

var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// withoutText are modules that come without a license text, and where their authors state it.
var withoutText = map[string]string{"github.com/nexus-rpc/nexus-proto-annotations": "https://github.com/nexus-rpc/nexus-proto-annotations"}

// linked returns the modules that worker and starter link on Linux, by path, with the folder of their sources.
func linked(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=Module", "./worker", "./starter")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	require.NoError(t, err)
	modules := map[string]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return modules
		}
		require.NoError(t, err)
		if p.Module != nil && !p.Module.Main {
			modules[p.Module.Path+" "+p.Module.Version] = p.Module.Dir
		}
	}
}

func noticesOf(t *testing.T, modules map[string]string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("Third-party software in Framebridge's worker and starter, with its licenses.\n" +
		"Generated: FRAMEBRIDGE_UPDATE=1 go test ./tools/check -run TestNotices\n")
	names := make([]string, 0, len(modules))
	for name := range modules {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		files, err := os.ReadDir(modules[name])
		require.NoError(t, err)
		found := false
		for _, f := range files {
			if f.IsDir() || !licenseFile.MatchString(f.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(modules[name], f.Name()))
			require.NoError(t, err)
			fmt.Fprintf(&b, "\n%s\n%s (%s)\n\n%s\n", strings.Repeat("-", 80), name, f.Name(), strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
			found = true
		}
		if at, ok := withoutText[strings.Fields(name)[0]]; !found && ok {
			fmt.Fprintf(&b, "\n%s\n%s (neither the module nor its repository has a license file: see %s)\n", strings.Repeat("-", 80), name, at)
			continue
		}
		require.True(t, found, "%s has no license file", name)
	}
	return b.String()
}

// TestNoticesNameWhatIsLinked checks the shipped notices against the modules that the programs link.
func TestNoticesNameWhatIsLinked(t *testing.T) {
	modules := linked(t)
	require.Greater(t, len(modules), 20)
	want := noticesOf(t, modules)
	if os.Getenv("FRAMEBRIDGE_UPDATE") != "" {
		require.NoError(t, os.WriteFile(notices, []byte(want), 0o644))
	}
	have, err := os.ReadFile(notices)
	require.NoError(t, err)
	require.True(t, want == string(have), "other modules or licenses are linked: FRAMEBRIDGE_UPDATE=1 go test ./tools/check -run TestNotices")
}
