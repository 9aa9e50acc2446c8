// Command record records workflow histories from deployed code: go run ./tools/record COMMIT [TEST]. The tests of workflows
// replay them, so that a change never breaks a workflow that is running for a customer. Recording them from the code under
// test would prove nothing. So the caller must name the commit, which must be on main and is checked out next to this tree.
// What is already recorded is never recorded again.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// scenarios are the files that are copied into the commit's tree: what to record, and the fakes.
const scenarios = "workflows/record*_test.go"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("name the deployed commit to record from, and if need be one test of " + scenarios + ": task record -- 97c2cd7 TestArchiveQueued")
	}
	top, err := git(".", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	commit, err := deployed(top, args[0])
	if err != nil {
		return err
	}
	tests := "."
	if len(args) == 2 {
		tests = "^" + args[1] + "$"
	}
	return record(top, commit, tests)
}

// deployed returns the short hash of a commit from which histories may be recorded.
func deployed(top, name string) (string, error) {
	dirty, err := git(top, "status", "--porcelain")
	if err != nil {
		return "", err
	}
	if dirty != "" {
		return "", errors.New("there are changes that are not committed. Histories are evidence of code that has a name: commit or stash them first:\n" + dirty)
	}
	commit, err := git(top, "rev-parse", "--verify", "--quiet", name+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("there is no commit %s: name the one that is deployed", name)
	}
	main := "main"
	if _, err := git(top, "rev-parse", "--verify", "--quiet", main); err != nil {
		main = "origin/main"
	}
	if _, err := git(top, "merge-base", "--is-ancestor", commit, main); err != nil {
		return "", fmt.Errorf("%s is not on %s: what was never merged was never deployed, and a history of a branch under test replays by itself. Record from the commit that is deployed", name, main)
	}
	return git(top, "rev-parse", "--short=7", commit)
}

// record runs the scenarios in a worktree of the commit, with a Temporal server built from this tree.
func record(top, commit, tests string) (err error) {
	server := filepath.Join(top, ".sandbox", "bin", "temporal")
	fmt.Println("building Temporal's server (minutes the first time)")
	if err := command(top, nil, "go", "build", "-C", filepath.Join(top, "sandbox", "temporal"), "-o", server, "."); err != nil {
		return err
	}
	out := filepath.Join(top, "workflows", "testdata", "histories", commit)
	if err := os.MkdirAll(out, 0o750); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "record-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tree := filepath.Join(dir, commit)
	if _, err := git(top, "worktree", "add", "--detach", tree, commit); err != nil {
		return err
	}
	defer func() {
		_, rerr := git(top, "worktree", "remove", "--force", tree)
		err = errors.Join(err, rerr)
	}()
	if err := copyScenarios(top, tree); err != nil {
		return err
	}
	fmt.Printf("recording from %s into %s\n", commit, out)
	return command(tree, []string{"FRAMEBRIDGE_RECORD=" + out, "FRAMEBRIDGE_TEMPORAL=" + server},
		"go", "test", "-tags", "record", "-count", "1", "-parallel", "2", "-timeout", "20m", "-run", tests, "./workflows")
}

func copyScenarios(top, tree string) error {
	files, err := filepath.Glob(filepath.Join(top, scenarios))
	for _, file := range files {
		text, rerr := os.ReadFile(file)
		if rerr == nil {
			rerr = os.WriteFile(filepath.Join(tree, filepath.Dir(scenarios), filepath.Base(file)), text, 0o600)
		}
		err = errors.Join(err, rerr)
	}
	return err
}

func git(dir string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) && len(failed.Stderr) > 0 {
		err = errors.New(strings.TrimSpace(string(failed.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

func command(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
