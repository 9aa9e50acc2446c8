package stack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const stopTimeout = 35 * time.Second // the programs promise 30

// Process is a program of ours that can be stopped, killed and started again.
type Process struct {
	Name string
	path string
	args []string
	dir  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

func (s *Stack) process(name string, args ...string) *Process {
	return &Process{Name: name, path: filepath.Join(BinDir(s.o.Root), name), args: args, dir: s.o.Dir}
}

// Another makes one more process of a program, with a name of its own for its log.
func (s *Stack) Another(program, name string, args ...string) *Process {
	p := s.process(program, args...)
	p.Name = name
	return p
}

// LogFile is where the process writes.
func (p *Process) LogFile() string { return filepath.Join(p.dir, p.Name+".log") }

func (p *Process) pidFile() string { return filepath.Join(p.dir, p.Name+".pid") }

// Start starts the process. One left over from a sandbox that was killed is ended first.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLeftover()
	log, err := os.OpenFile(p.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.path, p.args...) //nolint:gosec // our own programs
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches the sandbox alone, which stops all in order
	dieWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.Name, err)
	}
	_ = os.WriteFile(p.pidFile(), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
	p.cmd, p.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(p.done)
	return nil
}

func (p *Process) endLeftover() {
	raw, err := os.ReadFile(p.pidFile())
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err == nil && strings.TrimSuffix(exe, " (deleted)") == p.path {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = os.Remove(p.pidFile())
}

// Running says whether the process lives.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Pid is the process's id.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Kill ends the process as a power cut would.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop asks the process to end and waits for it. It returns how long that took.
func (p *Process) Stop() time.Duration {
	at := time.Now()
	p.end(syscall.SIGTERM)
	return time.Since(at)
}

func (p *Process) end(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.cmd = nil
	_ = os.Remove(p.pidFile())
}

// tail is the end of the log, for error messages.
func (p *Process) tail() string {
	if p == nil {
		return ""
	}
	raw, err := os.ReadFile(p.LogFile())
	if err != nil || len(raw) == 0 {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
	return "; its log (" + p.LogFile() + ") ends:\n" + string(bytes.Join(lines[max(0, len(lines)-15):], []byte("\n")))
}

// Root finds the module's folder, from any folder below it.
func Root() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/framebridge/framebridge").Output()
	if err != nil {
		return "", fmt.Errorf("run this inside a checkout of Framebridge: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// BinDir is where Build puts the programs.
func BinDir(root string) string { return filepath.Join(root, ".sandbox", "bin") }

// Build compiles the programs. The first time takes minutes, for Temporal's server is large; a line tells how long it has
// been at it.
func Build(ctx context.Context, root string, out io.Writer) error {
	type result struct {
		name string
		err  error
	}
	builds := map[string][]string{
		"temporal": {"build", "-C", filepath.Join(root, "sandbox", "temporal"), "-o", filepath.Join(BinDir(root), "temporal"), "."},
		"worker":   {"build", "-C", root, "-o", filepath.Join(BinDir(root), "worker"), "./worker"},
		"starter":  {"build", "-C", root, "-o", filepath.Join(BinDir(root), "starter"), "./starter"},
	}
	results := make(chan result, len(builds))
	for name, args := range builds {
		go func() {
			if raw, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
				results <- result{name, fmt.Errorf("building %s: %w\n%s", name, err, raw)}
				return
			}
			results <- result{name, nil}
		}()
	}
	began, shown := time.Now(), false
	every, before, after := time.Second, "\r\033[K", ""
	if !terminal(out) {
		every, before, after = 20*time.Second, "", "\n"
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	left := map[string]bool{"temporal": true, "worker": true, "starter": true}
	for len(left) > 0 {
		select {
		case r := <-results:
			if r.err != nil {
				return r.err
			}
			delete(left, r.name)
		case <-tick.C:
			if t := time.Since(began); t > 2*time.Second {
				note := ""
				if left["temporal"] && t > 10*time.Second {
					note = " (Temporal's server is large: 4 to 8 minutes the first time, seconds afterwards)"
				}
				fmt.Fprintf(out, "%sbuilding %s … %s%s%s", before, names(left), t.Round(time.Second), note, after)
				shown = true
			}
		}
	}
	if shown {
		fmt.Fprintf(out, "%sbuilt in %s\n", before, time.Since(began).Round(time.Second))
	}
	return nil
}

func names(left map[string]bool) string {
	var out []string
	for _, n := range []string{"starter", "worker", "temporal"} {
		if left[n] {
			out = append(out, n)
		}
	}
	return strings.Join(out, ", ")
}

// terminal says whether a line can be written over.
func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
