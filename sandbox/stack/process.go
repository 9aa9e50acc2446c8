package stack

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const stopTimeout = 35 * time.Second // the programs promise to stop within 30

// Process is a program of ours that can be stopped, killed and started again.
type Process struct {
	Name string
	path string
	args []string
	env  []string // in addition to this process's own
	dir  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

// NewProcess returns a process of a program that keeps its log in dir, with env added to its environment. It does not start it.
func NewProcess(name, path, dir string, env []string, args ...string) *Process {
	return &Process{Name: name, path: path, args: args, env: env, dir: dir}
}

// program returns the path of one of Framebridge's programs.
func (s *Stack) program(name string) string {
	return filepath.Join(cmp.Or(s.o.Bin, BinDir(s.o.Root)), name)
}

// Command returns a command of starter, as somebody on this machine would run it.
func (s *Stack) Command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, s.program("starter"), args...)
}

func (s *Stack) process(name string, args ...string) *Process {
	return NewProcess(name, s.program(name), s.o.Dir, s.o.Env, args...)
}

// Replace stops the process, and starts the program of the same name in the folder bin with the same arguments.
func (p *Process) Replace(bin string) error {
	p.Stop()
	p.path = filepath.Join(bin, filepath.Base(p.path))
	return p.Start()
}

// Another returns one more process of a program, with its own name for its log.
func (s *Stack) Another(program, name string, args ...string) *Process {
	p := s.process(program, args...)
	p.Name = name
	return p
}

// LogFile returns where the process writes its log.
func (p *Process) LogFile() string { return filepath.Join(p.dir, p.Name+".log") }

func (p *Process) pidFile() string { return filepath.Join(p.dir, p.Name+".pid") }

// Start starts the process. It first kills one left over from a killed sandbox.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLeftover()
	log, err := os.OpenFile(p.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, p.dir
	cmd.Env = append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches only the sandbox, which stops everything in order
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

// Running reports whether the process is running.
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

// Pid returns the process's id, or 0 if it was not started.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Kill kills the process, as a power cut would.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop asks the process to end, waits for it, and returns how long that took.
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

// tail returns the end of the log, for error messages.
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
