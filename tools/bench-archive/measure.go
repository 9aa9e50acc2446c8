package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/stack"
	"github.com/framebridge/framebridge/test/postgres"
)

// result is what one migration used. CPU is in seconds of one core.
type result struct {
	workers, files, comments            int
	took                                time.Duration
	workerCPU, temporalCPU, databaseCPU float64
	vendorsCPU, machine                 float64                   // machine: the share of all cores that was busy, for whatever reason
	memory                              []int64                   // each worker's peak
	calls                               map[string]map[string]int // to each vendor, by operation
	bound                               time.Duration
	boundBy                             string
	histories                           histories
	ledger, temporal                    int64 // bytes of the databases
	status                              string
}

func (r *result) rate() float64 { return float64(r.files) / r.took.Seconds() }

func (r *result) print(out io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "  %-34s "+format+"\n", append([]any{name}, args...)...)
	}
	fmt.Fprintf(out, "%d worker(s): %s\n", r.workers, r.status)
	line("files a second", "%.1f (%s)", r.rate(), r.took.Round(100*time.Millisecond))
	if r.bound > 0 {
		line("of what the limits alone require", "× %.2f of %s (%s)", r.took.Seconds()/r.bound.Seconds(), r.bound.Round(time.Second), r.boundBy)
	}
	cores := r.took.Seconds()
	line("cores busy: all workers", "%.2f; Temporal %.2f, PostgreSQL %.2f, simulators %.2f; the machine %.0f %%", r.workerCPU/cores, r.temporalCPU/cores, r.databaseCPU/cores, r.vendorsCPU/cores, 100*r.machine)
	line("CPU of the workers for a file", "%.1f ms", 1000*r.workerCPU/float64(r.files))
	var most int64
	for _, m := range r.memory {
		most = max(most, m)
	}
	line("memory of a worker, at most", "%d MiB", most>>20)
	for _, vendor := range []string{"Frame.io", "iconik"} {
		line("calls of "+vendor+" for a file", "%.2f", float64(sum(r.calls[vendor]))/float64(r.files))
	}
	h := r.histories
	line("histories", "%d workflows, %d events for 1,000 files, longest %d events, largest %.1f MiB", h.workflows, h.events*1000/int64(r.files), h.longest, float64(h.largest)/(1<<20))
	line("databases", "ledger %.1f MiB (%.1f KiB a file), Temporal %.1f MiB (%.1f KiB a file)", float64(r.ledger)/(1<<20), float64(r.ledger)/1024/float64(r.files), float64(r.temporal)/(1<<20), float64(r.temporal)/1024/float64(r.files))
	r.printOperations(out)
	fmt.Fprintln(out)
}

// printOperations prints the calls by operation, the most frequent first. It sums up those with less than one call per 20 files.
func (r *result) printOperations(out io.Writer) {
	for _, vendor := range []string{"iconik", "Frame.io"} {
		calls, few := r.calls[vendor], 0
		for _, op := range slices.SortedFunc(maps.Keys(calls), func(a, b string) int { return cmp.Compare(calls[b], calls[a]) }) {
			if calls[op]*20 < r.files {
				few += calls[op]
				continue
			}
			fmt.Fprintf(out, "    %6.2f a file  %s %s\n", float64(calls[op])/float64(r.files), vendor, op)
		}
		fmt.Fprintf(out, "    %6.2f a file  %s, all other operations\n", float64(few)/float64(r.files), vendor)
	}
}

// measure migrates a new account with the given number of workers.
func measure(ctx context.Context, db *postgres.Server, s size, workers int) (*result, error) {
	dir, err := os.MkdirTemp("", "framebridge-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	temporal, err := stack.StartOnPostgres(ctx, s.bin, db.DSN, dir)
	if err != nil {
		return nil, err
	}
	defer temporal.Server.Stop()
	inFlight := fmt.Sprintf("FRAMEBRIDGE_TRANSFER_FILES_IN_FLIGHT=%d", s.inFlight)
	st, err := stack.Start(ctx, stack.Options{Bin: s.bin, Dir: dir, Temporal: temporal.Address, LedgerDSN: temporal.LedgerDSN, Signs: true, Env: []string{inFlight},
		Latency: s.latency, RateLimits: s.limits, Quicker: s.quicker, Generation: s.generation(), StoreFault: refuse,
		Quick: true, NoHook: true, Archive: map[string]string{"items_in_parallel": fmt.Sprint(s.items)}})
	if err != nil {
		return nil, err
	}
	defer st.Stop()
	processes := []*stack.Process{st.Worker}
	for n := 2; n <= workers; n++ {
		p := stack.NewProcess(fmt.Sprintf("worker-%d", n), filepath.Join(s.bin, "worker"), dir, []string{inFlight, fmt.Sprintf("FRAMEBRIDGE_WORKER_LISTEN=127.0.0.1:%d", stack.FreePort())}, "--config", st.Config)
		if err := p.Start(); err != nil {
			return nil, err
		}
		defer p.Stop()
		processes = append(processes, p)
	}
	if err := seed(st.Frameio, s); err != nil {
		return nil, err
	}
	baseline, err := databaseSizes(db, temporal)
	if err != nil {
		return nil, err
	}
	r := &result{workers: workers, files: s.files, comments: s.comments, calls: map[string]map[string]int{}}
	meter := newMeter(processes, temporal.Server, db)
	began := time.Now()
	if r.status, err = migrate(ctx, st, s, processes, meter); err != nil {
		return nil, err
	}
	r.took = time.Since(began)
	meter.into(r)
	r.calls["Frame.io"], r.calls["iconik"] = st.Frameio.Calls(), st.Iconik.Calls()
	r.bound, r.boundBy = st.Frameio.Bound()
	if b := st.Iconik.Bound(); b > r.bound {
		r.bound, r.boundBy = b, "iconik's calls"
	}
	if r.histories, err = readHistories(ctx, temporal.Address); err != nil {
		return nil, err
	}
	sizes, err := databaseSizes(db, temporal)
	r.temporal, r.ledger = sizes[0]-baseline[0], sizes[1]-baseline[1]
	return r, err
}

func sum(calls map[string]int) (n int) {
	for _, c := range calls {
		n += c
	}
	return n
}

// seed creates the account: folders of 200 small files, and a comment on each of the first files of each project.
func seed(sim *frameiosim.Sim, s size) error {
	team := sim.AddTeam("Harbour Films").ID
	for p := range s.projects {
		project := sim.AddProject(team, fmt.Sprintf("Dailies %03d", p+1))
		from, to := p*s.files/s.projects, (p+1)*s.files/s.projects
		said := (p+1)*s.comments/s.projects - p*s.comments/s.projects
		folder := ""
		for n := range to - from {
			if n%200 == 0 {
				folder = sim.AddFolder(project.RootID, fmt.Sprintf("Reel %03d", n/200+1)).ID
			}
			name := fmt.Sprintf("A%05d.txt", n)
			if s.refuses(from + n) {
				name = refused + name
			}
			f, err := sim.AddFile(folder, frameiosim.File{Name: name, Type: "text/plain", Body: fmt.Appendf(nil, "project %d, take %d\n", p, n)})
			if err != nil {
				return err
			}
			if n < said {
				sim.AddComment(frameiosim.Comment{AssetID: f.ID, Text: fmt.Sprintf("Note %d", n)})
			}
		}
	}
	return nil
}

// migrate runs the migration to its end, and makes the requested trouble on the way.
func migrate(ctx context.Context, st *stack.Stack, s size, processes []*stack.Process, m *meter) (string, error) {
	var started struct{ ID string }
	raw, _, err := st.Call(ctx, http.MethodPost, "/migrations", fmt.Sprintf(`{"projects_in_parallel": %d}`, s.parallel))
	if err == nil {
		err = json.Unmarshal(raw, &started)
	}
	if err != nil {
		return "", err
	}
	var v struct {
		Status, Reason string
		Projects       struct{ Total, Verified int64 }
		Items          struct{ Total, Copied, Verified, Failed int64 }
	}
	trouble, told := trouble{size: s, processes: processes, meter: m}, time.Now()
	for {
		if raw, _, err = st.Call(ctx, http.MethodGet, "/migrations/"+started.ID, ""); err == nil {
			err = json.Unmarshal(raw, &v)
		}
		if err != nil {
			return "", err
		}
		if time.Since(told) > time.Minute {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "  %d of %d files verified\n", v.Items.Verified, s.files)
		}
		if v.Status == "done" || v.Status == "failed" || v.Status == "cancelled" {
			break
		}
		if err := trouble.make(ctx, st, v.Items.Copied); err != nil {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	if v.Status != "done" || v.Items.Verified != int64(s.files-s.refused) || v.Items.Failed != int64(s.refused) {
		return "", fmt.Errorf("the migration is %s with %d of %d files verified and %d failed, %d of them refused: %s", v.Status, v.Items.Verified, s.files, v.Items.Failed, s.refused, v.Reason)
	}
	text := fmt.Sprintf("%d of %d projects and %d files verified", v.Projects.Verified, v.Projects.Total, v.Items.Verified)
	if s.refused > 0 {
		text += fmt.Sprintf(", %d refused files named", v.Items.Failed)
	}
	text += trouble.made()
	proved, err := prove(ctx, st, started.ID)
	return text + "; " + proved, err
}

// databaseSizes returns the size of Temporal's two databases together, and that of the ledger's.
func databaseSizes(db *postgres.Server, t *stack.OnPostgres) ([2]int64, error) {
	var out [2]int64
	for i, names := range [][]string{t.Databases[:2], t.Databases[2:]} {
		text, err := db.Query("SELECT SUM(pg_database_size(datname)) FROM pg_database WHERE datname IN ('" + strings.Join(slices.Clone(names), "', '") + "')")
		if err != nil {
			return out, err
		}
		if _, err := fmt.Sscan(text, &out[i]); err != nil {
			return out, err
		}
	}
	return out, nil
}
