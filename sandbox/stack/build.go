package stack

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/english"
)

// Root returns the module's folder, from any folder below it.
func Root() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/framebridge/framebridge").Output()
	if err != nil {
		return "", fmt.Errorf("run this inside a checkout of Framebridge: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// BinDir returns where Build puts the programs.
func BinDir(root string) string { return filepath.Join(root, ".sandbox", "bin") }

// Programs returns what a stack runs, with or without a Temporal server.
func Programs(temporal bool) []string {
	if temporal {
		return []string{"starter", "worker", "temporal"}
	}
	return []string{"starter", "worker"}
}

// Build compiles programs. Temporal's server takes minutes the first time, so it calls report, unless that is nil, once a
// second with what it is building, and at the end with "built in …".
func Build(ctx context.Context, root string, report func(text string, done bool), programs ...string) error {
	if report == nil {
		report = func(string, bool) {}
	}
	type result struct {
		name string
		err  error
	}
	results := make(chan result, len(programs))
	for _, name := range programs {
		dir, pkg := root, "./"+name
		if name == "temporal" {
			dir, pkg = filepath.Join(root, "sandbox", "temporal"), "."
		}
		go func() {
			args := []string{"build", "-C", dir, "-o", filepath.Join(BinDir(root), name), pkg}
			if raw, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
				results <- result{name, fmt.Errorf("building %s: %w\n%s", name, err, raw)}
				return
			}
			results <- result{name, nil}
		}()
	}
	began, left := time.Now(), slices.Clone(programs)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for len(left) > 0 {
		select {
		case r := <-results:
			if r.err != nil {
				return r.err
			}
			left = slices.DeleteFunc(left, func(n string) bool { return n == r.name })
		case <-tick.C:
			report(building(left, time.Since(began)), false)
		}
	}
	report("built in "+english.Duration(time.Since(began)), true)
	return nil
}

func building(left []string, since time.Duration) string {
	text := "building " + strings.Join(left, ", ") + " … " + english.Duration(since)
	if slices.Contains(left, "temporal") && since > 10*time.Second {
		text += " (Temporal's server is large: the first build takes minutes, later ones seconds; with the temporal command installed, none is needed)"
	}
	return text
}

// OnTerminal returns a function that writes what Build reports: on a single line on a terminal, otherwise a line every 20
// seconds, and nothing if the build takes no time.
func OnTerminal(out io.Writer) func(string, bool) {
	var wrote, last time.Time
	over := terminal(out)
	return func(text string, done bool) {
		switch {
		case done && wrote.IsZero():
		case over && done:
			fmt.Fprintf(out, "\r\033[K%s\n", text)
		case over:
			fmt.Fprintf(out, "\r\033[K%s", text)
			wrote = time.Now()
		case last.IsZero():
			last = time.Now()
		case done || time.Since(last) > 20*time.Second:
			fmt.Fprintln(out, text)
			wrote, last = time.Now(), time.Now()
		}
	}
}

// terminal reports whether out is a terminal, where a line can be overwritten.
func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
