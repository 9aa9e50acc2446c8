// Command check is the project's one test command: form, vet, determinism of the workflows, the fast tests, then every
// test against real processes. With --fast it stops before these.
package main

import (
	"flag"
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
	// slow steps are left out by --fast.
	slow bool
}

const workflowcheck = "go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0"

var steps = []step{
	{name: "gofmt", args: []string{"sh", "-c", "gofmt -l $(git ls-files '*.go')"}, quiet: true},
	{name: "vet", args: []string{"go", "vet", "-tags", "integration", "./..."}},
	{name: "workflows are deterministic", args: []string{"go", "run", workflowcheck, "./workflows/..."}},
	{name: "lint", args: []string{"go", "tool", "-modfile=tools/lint/go.mod", "golangci-lint", "run", "./..."}, slow: true},
	{name: "fast tests", args: []string{"go", "test", "-timeout", "10m", "./..."}},
	{name: "tests against real processes", args: []string{"go", "test", "-tags", "integration", "-timeout", "35m", "-count", "1", "-parallel", "5", "./test/e2e"}, slow: true},
}

func main() {
	fast := flag.Bool("fast", false, "leave out the tests that start servers")
	flag.Parse()
	begun := time.Now()
	for _, s := range steps {
		if s.slow && *fast {
			continue
		}
		at := time.Now()
		fmt.Printf("== %s\n", s.name)
		var out strings.Builder
		cmd := exec.Command(s.args[0], s.args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if s.quiet {
			cmd.Stdout = &out
		}
		err := cmd.Run()
		fmt.Print(out.String())
		if err != nil || s.quiet && out.Len() > 0 {
			fmt.Printf("== %s: FAILED after %s\n", s.name, time.Since(at).Round(time.Second))
			os.Exit(1)
		}
		fmt.Printf("== %s: %s\n", s.name, time.Since(at).Round(time.Second))
	}
	fmt.Printf("== all in %s\n", time.Since(begun).Round(time.Second))
}
