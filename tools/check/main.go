// Command check is the project's only test command: form, vet, determinism of the workflows, the fast tests, and then all
// tests against real processes. With --fast it stops before those.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/test/postgres"
)

type step struct {
	name string
	args []string
	// quiet means that any output is a failure.
	quiet bool
	// slow steps are skipped with --fast, and fast ones without it.
	slow, fast bool
	// but lists packages that other steps test. This one tests all others.
	but []string
	// long steps run only with --fuzz.
	long bool
	// needsC steps are skipped, with a message, if there is no C compiler.
	needsC bool
	// beside steps run beside those after them, because they wait as much as they compute. Their output comes at the end.
	beside bool
	// needsBrowser steps print a message if there is no Chromium, and test the rest.
	needsBrowser bool
}

// inOneProcess runs tests that need no server: more packages and tests at once than cores, because many only wait, the longest first, and
// without vet, which is its own step.
var inOneProcess = []string{"go", "test", "-vet=off", "-p", "5", "-timeout", "20m", "-parallel", "12"}

// sqliteAsItIs leaves SQLite's own arithmetic with pointers, which is C's, unchecked, because the checks take a quarter of the race
// detector's time. Races are still found there, and our packages are still checked for both.
const sqliteAsItIs = "-gcflags=modernc.org/...=-d=checkptr=0"

const workflowcheck = "go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0"

var steps = []step{
	{name: "gofmt", args: []string{"sh", "-c", "gofmt -l $(git ls-files '*.go')"}, quiet: true},
	{name: "vet", args: []string{"go", "vet", "-tags", "integration", "./..."}},
	{name: "workflows are deterministic", args: []string{"go", "run", workflowcheck, "./workflows/..."}},
	{name: "lint", args: []string{"go", "tool", "-modfile=tools/lint/go.mod", "golangci-lint", "run", "./..."}, slow: true},
	{name: "tests against real processes", args: []string{"go", "test", "-tags", "integration", "-timeout", "35m", "-count", "1", "-parallel", "7", "./test/e2e"}, slow: true, beside: true},
	{name: "fast tests", args: slices.Concat(inOneProcess, []string{"./test/contract", "./..."}), fast: true},
	{name: "tests in one process, large tables in whole", args: slices.Concat(inOneProcess, []string{"-tags", "integration", "./test/contract"}), but: []string{"/console", "/signin", "/test/e2e"}, slow: true},
	// The concurrent packages, with the race detector. Temporal's test environment supports it.
	{name: "race detector", args: append([]string{"go", "test", "-race", sqliteAsItIs, "-p", "4", "-timeout", "15m"}, raced...), slow: true, needsC: true},
	{name: "fuzzing", args: []string{"go", "run", "./tools/fuzz", "-time", "3s"}, slow: true, long: true},
	{name: "chart, compose file, release and platforms", args: []string{"go", "test", "-C", "tools/lint-deploy", "-timeout", "15m"}, slow: true},
	{name: "alert rules and dashboard", args: []string{"go", "test", "-C", "tools/lint-observability", "-timeout", "10m"}, slow: true},
	{name: "the console and the sign-in in a browser", args: []string{"go", "test", "-tags", "integration", "-timeout", "9m", "-count", "1", "./console", "./signin"}, slow: true, needsBrowser: true},
}

// havePostgres installs PostgreSQL for the ledger's tests if it can: as root on Debian, and not with --fast. Without it they
// run only on SQLite. It returns an error if PostgreSQL is required and missing.
func havePostgres(fast bool) error {
	if postgres.Available() {
		return nil
	}
	if !fast {
		installed("PostgreSQL", nil, "postgresql") // by no program's name: they are not on the PATH
	}
	if !postgres.Available() && postgres.Required() {
		return fmt.Errorf("PostgreSQL is required (%s): install it, or set FRAMEBRIDGE_TEST_POSTGRES to a database", postgres.Require)
	}
	if !postgres.Available() {
		fmt.Println("== NOT TESTED: PostgreSQL is not installed; the ledger is tested on SQLite alone")
	}
	return nil
}

var raced = []string{"./transfer", "./clients/rest", "./clients/frameio/v4", "./workflows", "./activities/...", "./ledger", "./console", "./starter/...", "./temporalclient", "./config"}

// installed reports whether one of the programs is installed. As root on Debian, it first installs packages that provide one.
func installed(what string, programs []string, packages string) bool {
	found := func() bool {
		for _, name := range programs {
			if _, err := exec.LookPath(name); name != "" && err == nil {
				return true
			}
		}
		return false
	}
	if _, err := exec.LookPath("apt-get"); err == nil && os.Getuid() == 0 && !found() {
		fmt.Println("== installing", what)
		cmd := exec.Command("sh", "-c", "apt-get update -q && apt-get install -q -y --no-install-recommends "+packages)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stderr = os.Stderr
		_ = cmd.Run() // all that counts is whether it is then there
	}
	return found()
}

// haveCompiler reports whether there is a C compiler, which the race detector needs.
func haveCompiler() bool {
	return installed("a C compiler", []string{os.Getenv("CC"), "gcc", "clang", "cc"}, "gcc libc6-dev")
}

// packages returns all packages except some. It returns none if but is empty, because the step's arguments then name them.
func packages(but []string) (out []string) {
	if len(but) == 0 {
		return nil
	}
	listed, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		return []string{"./..."} // the step will then show what is wrong
	}
	for p := range strings.FieldsSeq(string(listed)) {
		if !slices.ContainsFunc(but, func(end string) bool { return strings.HasSuffix(p, end) }) {
			out = append(out, p)
		}
	}
	return out
}

func main() {
	fast := flag.Bool("fast", false, "leave out the tests that start servers")
	fuzz := flag.Bool("fuzz", false, "run each fuzzer for three seconds, too: their builds take minutes")
	flag.Parse()
	begun := time.Now()
	if err := havePostgres(*fast); err != nil {
		fmt.Println("==", err)
		os.Exit(1)
	}
	ok := true
	var beside []func() bool
	for _, s := range steps {
		if s.slow && *fast || s.fast && !*fast || s.long && !*fuzz {
			continue
		}
		if s.needsC && !haveCompiler() {
			fmt.Printf("== %s: NOT TESTED: there is no C compiler on this machine; install gcc or clang\n", s.name)
			continue
		}
		if s.needsBrowser && !installed("Chromium", []string{"chromium", "chromium-browser", "google-chrome", "chrome"}, "chromium") {
			fmt.Printf("== %s: NOT TESTED in a browser: there is no Chromium on this machine; install it\n", s.name)
		}
		if s.beside {
			fmt.Printf("== %s, beside what follows\n", s.name)
			beside = append(beside, s.start(*fast))
			continue
		}
		fmt.Printf("== %s\n", s.name)
		if ok = s.run(*fast, os.Stdout, os.Stderr); !ok {
			break
		}
	}
	for _, wait := range beside {
		ok = wait() && ok
	}
	if !ok {
		os.Exit(1)
	}
	fmt.Printf("== all in %s\n", time.Since(begun).Round(time.Second))
}

// start runs the step in the background. wait prints its output once it has ended, and reports whether it is green.
func (s step) start(fast bool) (wait func() bool) {
	var out bytes.Buffer
	green := make(chan bool)
	go func() { green <- s.run(fast, &out, &out) }()
	return func() bool {
		is := <-green
		fmt.Print(out.String())
		return is
	}
}

// run reports whether the step is green.
func (s step) run(fast bool, stdout, stderr io.Writer) bool {
	at := time.Now()
	var said strings.Builder
	cmd := exec.Command(s.args[0], append(s.args[1:], packages(s.but)...)...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if s.quiet {
		cmd.Stdout = io.MultiWriter(stdout, &said)
	}
	switch {
	case s.needsC:
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	case !fast: // as in releases, so that all steps, and the image, share what is compiled
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	err := cmd.Run()
	took := time.Since(at).Round(time.Second)
	if err != nil || said.Len() > 0 {
		fmt.Fprintf(stdout, "== %s: FAILED after %s\n", s.name, took)
		return false
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	fmt.Fprintf(stdout, "== %s: %s, %s of processor time\n", s.name, took, used.Round(time.Second))
	return true
}
