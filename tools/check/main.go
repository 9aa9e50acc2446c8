// Command check is the project's one test command: form, vet, determinism, then every test.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

type step struct {
	name string
	args []string
	// quiet: printing anything is a failure.
	quiet bool
}

var steps = []step{
	{"gofmt", []string{"sh", "-c", "gofmt -l $(git ls-files '*.go')"}, true},
	{"vet", []string{"go", "vet", "./..."}, false},
	{"tests", []string{"go", "test", "./..."}, false},
}

func main() {
	begun := time.Now()
	for _, s := range steps {
		at := time.Now()
		fmt.Printf("== %s\n", s.name)
		var out strings.Builder
		cmd := exec.Command(s.args[0], s.args[1:]...) //nolint:gosec // the commands above
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if s.quiet {
			cmd.Stdout = &out
		}
		err := cmd.Run()
		fmt.Print(out.String())
		if err != nil || s.quiet && out.Len() > 0 {
			fmt.Printf("== %s failed after %s\n", s.name, time.Since(at).Round(time.Second))
			os.Exit(1)
		}
		fmt.Printf("== %s: %s\n", s.name, time.Since(at).Round(time.Second))
	}
	fmt.Printf("== all in %s\n", time.Since(begun).Round(time.Second))
}
