// Command fuzz runs each fuzzer of the project for a while, because go test takes only one at a time. What it finds stays in
// the package's testdata/fuzz, and is a test from then on.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var fuzzer = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

func main() {
	each := flag.Duration("time", 10*time.Second, "how long each fuzzer runs")
	only := flag.String("run", "", "a part of the name of those that are meant")
	flag.Parse()
	found := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, name := range fuzzer.FindAllSubmatch(text, -1) {
			if !strings.Contains(string(name[1]), *only) {
				continue
			}
			found++
			dir := "./" + filepath.ToSlash(filepath.Dir(path))
			fmt.Printf("%s %s\n", dir, name[1])
			cmd := exec.Command("go", "test", dir, "-run", "^$", "-fuzz", "^"+string(name[1])+"$", "-fuzztime", each.String())
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s %s: %w", dir, name[1], err)
			}
		}
		return nil
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("there is no fuzzer named like %q", *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
