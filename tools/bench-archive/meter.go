package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/framebridge/framebridge/sandbox/stack"
	"github.com/framebridge/framebridge/test/postgres"
)

const ticksPerSecond = 100 // in /proc

// meter reads from /proc what processes have used since it was created.
type meter struct {
	workers                     []*stack.Process
	temporal, database          int
	worker, server, db, vendors float64 // CPU at the start
	busy, all                   float64 // of the machine, at the start
	killed                      float64 // CPU of killed workers
	memory                      []int64
}

func newMeter(workers []*stack.Process, temporal *stack.Process, db *postgres.Server) *meter {
	m := &meter{workers: workers, temporal: temporal.Pid(), database: db.Pid()}
	for _, p := range workers {
		m.worker += cpu(p.Pid())
	}
	m.server, m.db, m.vendors = cpu(m.temporal), tree(m.database), cpu(os.Getpid())
	m.busy, m.all = machine()
	return m
}

// keep notes what a worker that is about to be killed has used.
func (m *meter) keep(p *stack.Process) {
	m.killed += cpu(p.Pid())
	m.memory = append(m.memory, peak(p.Pid()))
}

func (m *meter) into(r *result) {
	r.workerCPU, r.memory = m.killed-m.worker, m.memory
	for _, p := range m.workers {
		r.workerCPU += cpu(p.Pid())
		r.memory = append(r.memory, peak(p.Pid()))
	}
	r.temporalCPU, r.databaseCPU, r.vendorsCPU = cpu(m.temporal)-m.server, tree(m.database)-m.db, cpu(os.Getpid())-m.vendors
	busy, all := machine()
	r.machine = (busy - m.busy) / (all - m.all)
}

// fieldsOf returns the fields after a process's name in /proc: state, parent, …. It returns none if the process is gone.
func fieldsOf(pid int) []string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(raw[strings.LastIndex(string(raw), ")")+1:]))
}

// cpu returns what a process has used, in seconds of one core.
func cpu(pid int) float64 { return ticks(pid, 2) }

// ticks adds up the first n of utime, stime, cutime and cstime. The last two are those of children that have ended.
func ticks(pid, n int) float64 {
	f := fieldsOf(pid)
	ticks := 0.0
	for i := 11; i < 11+n && i < len(f); i++ {
		n, _ := strconv.ParseFloat(f[i], 64)
		ticks += n
	}
	return ticks / ticksPerSecond
}

// tree returns what a process and its children have used. PostgreSQL has a child for each connection.
func tree(pid int) float64 {
	total := ticks(pid, 4)
	all, _ := os.ReadDir("/proc")
	for _, e := range all {
		child, err := strconv.Atoi(e.Name())
		if f := fieldsOf(child); err == nil && len(f) > 1 && f[1] == strconv.Itoa(pid) {
			total += cpu(child)
		}
	}
	return total
}

// machine returns the busy time of all cores, and their total time.
func machine() (busy, all float64) {
	raw, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(raw), "\n")
	for i, text := range strings.Fields(line) {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || i > 8 {
			continue
		}
		all += n
		if i != 4 && i != 5 { // idle, and waiting for I/O
			busy += n
		}
	}
	return busy, all
}

// peak returns a process's peak memory, in bytes.
func peak(pid int) int64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(raw)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

type histories struct {
	workflows        int
	events           int64
	longest, largest int64 // events, bytes
}

// readHistories adds up the histories of all workflows in Temporal.
func readHistories(ctx context.Context, address string) (histories, error) {
	var h histories
	c, err := client.Dial(client.Options{HostPort: address, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return h, err
	}
	defer c.Close()
	for next := []byte(nil); ; {
		page, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 500, NextPageToken: next})
		if err != nil {
			return h, err
		}
		for _, one := range page.GetExecutions() {
			info, err := c.DescribeWorkflowExecution(ctx, one.GetExecution().GetWorkflowId(), one.GetExecution().GetRunId())
			if err != nil {
				return h, err
			}
			events, size := info.GetWorkflowExecutionInfo().GetHistoryLength(), info.GetWorkflowExecutionInfo().GetHistorySizeBytes()
			h.workflows++
			h.events += events
			h.longest, h.largest = max(h.longest, events), max(h.largest, size)
		}
		if next = page.GetNextPageToken(); len(next) == 0 {
			return h, nil
		}
	}
}
