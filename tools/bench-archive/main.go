// Command bench-archive migrates an account of small files from a simulated Frame.io to a simulated iconik, once for each number of
// workers. It runs everything as an operator does: Temporal's server and the ledger on PostgreSQL, and each worker as a process. It
// prints ratios: the time taken to what the vendors' limits alone require, and more workers to the first number of them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/sandbox/stack"
	"github.com/framebridge/framebridge/test/postgres"
)

// size describes what is migrated, and how.
type size struct {
	projects, files, comments int
	latency                   time.Duration
	workers                   []int
	parallel, items, inFlight int
	limits, moves             bool
	quicker                   float64
	kills, refused            int
	bin                       string // worker, starter, and Temporal's server and sql tool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench-archive:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context) error {
	var s size
	var workers string
	var scale bool
	flag.IntVar(&s.projects, "projects", 6, "projects of the account")
	flag.IntVar(&s.files, "files", 480, "small files, shared out among the projects")
	flag.IntVar(&s.comments, "comments", 240, "comments, one on each of the first files")
	flag.DurationVar(&s.latency, "latency", 50*time.Millisecond, "before each answer of the vendors")
	flag.StringVar(&workers, "workers", "1,2,4", "numbers of workers to measure, each with a new account")
	flag.IntVar(&s.parallel, "parallel", 0, "projects at once (default: as many as there are, 50 at most)")
	flag.IntVar(&s.items, "items", 16, "files of a project at once (archive.items_in_parallel)")
	flag.IntVar(&s.inFlight, "in-flight", 32, "files that one worker moves at once (transfer.files_in_flight)")
	flag.BoolVar(&s.limits, "limits", false, "the simulators enforce the vendors' rate limits")
	flag.Float64Var(&s.quicker, "quicker", 1, "the windows of Frame.io's limits are so many times shorter, which its headers say")
	flag.BoolVar(&s.moves, "moves", false, "the account is on the legacy API, and moves to V4 once half of the files are copied: all IDs are new")
	flag.IntVar(&s.kills, "kills", 0, "so many times, a worker is killed and started again")
	flag.IntVar(&s.refused, "refused", 0, "so many files, the store refuses: they have to be named, and nothing else may be missing")
	flag.StringVar(&s.bin, "bin", "", "folder of programs that are built already: worker, starter, and Temporal's server and sql (default: build them)")
	flag.BoolVar(&scale, "scale", false, "300 projects, 100,000 files and 50,000 comments: two hours on two cores")
	flag.Parse()
	if scale {
		s.projects, s.files, s.comments = 300, 100_000, 50_000
	}
	for _, text := range strings.Split(workers, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return fmt.Errorf("-workers takes numbers such as 1,2,4, not %q", workers)
		}
		s.workers = append(s.workers, n)
	}
	if s.projects < 1 || s.files < s.projects || s.comments > s.files || s.refused > s.files {
		return fmt.Errorf("an account needs projects, a file for each at least, and no more comments or refused files than files")
	}
	if s.parallel == 0 {
		s.parallel = min(s.projects, 50)
	}
	return all(ctx, s)
}

func (s size) limited() string {
	if !s.limits {
		return "limits off"
	}
	return fmt.Sprintf("iconik's limits × 1, Frame.io's × %g", s.quicker)
}

// all measures each number of workers, and compares each with the first.
func all(ctx context.Context, s size) error {
	if s.bin == "" {
		root, err := stack.Root()
		if err == nil {
			err = stack.Build(ctx, root, stack.OnTerminal(os.Stderr), "starter", "worker")
		}
		if err == nil {
			err = stack.BuildForPostgres(ctx, root)
		}
		if err != nil {
			return err
		}
		s.bin = stack.BinDir(root)
	}
	db, err := postgres.Start()
	if err != nil {
		return err
	}
	defer db.Stop()
	fmt.Printf("%d projects, %d files, %d comments; vendors answer after %s, %s; %d projects at once, %d files of each, %d files in flight for each worker\n\n", s.projects, s.files, s.comments, s.latency, s.limited(), s.parallel, s.items, s.inFlight)
	var first *result
	for _, workers := range s.workers {
		r, err := measure(ctx, db, s, workers)
		if err != nil {
			return fmt.Errorf("with %d workers: %w", workers, err)
		}
		r.print(os.Stdout)
		if first == nil {
			first = r
			continue
		}
		fmt.Printf("  %d workers instead of %d            × %.2f files a second, × %.2f CPU of the workers for a file\n\n", r.workers, first.workers, r.rate()/first.rate(), r.workerCPU/float64(r.files)/(first.workerCPU/float64(first.files)))
	}
	return nil
}
