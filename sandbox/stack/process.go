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

const stopTimeout = 35 * time.Second // the programs promise 30

// Process is a program of ours that can be stopped, killed and started again.
type Process struct {
	Name string
	path string
	args []string
	env  []string // beside this process's own
	dir  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

// NewProcess is a program that keeps its log in dir, with more in its environment.
func NewProcess(name, path, dir string, env []string, args ...string) *Process {
	return &Process{Name: name, path: path, args: args, env: env, dir: dir}
}

// program is the path of one of Framebridge's programs.
func (s *Stack) program(name string) string {
	return filepath.Join(cmp.Or(s.o.Bin, BinDir(s.o.Root)), name)
}

// Command is one of starter's commands, as somebody on this machine runs it.
func (s *Stack) Command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, s.program("starter"), args...)
}

func (s *Stack) process(name string, args ...string) *Process {
	return NewProcess(name, s.program(name), s.o.Dir, s.o.Env, args...)
}

// Replace stops the process, and starts the program of the same name in another folder with the same arguments.
func (p *Process) Replace(bin string) error {
	p.Stop()
	p.path = filepath.Join(bin, filepath.Base(p.path))
	return p.Start()
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
	cmd := exec.Command(p.path, p.args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, p.dir
	cmd.Env = append(os.Environ(), p.env...)
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
