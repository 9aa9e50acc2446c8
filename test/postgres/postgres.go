// Package postgres starts a PostgreSQL server for tests, if the binaries are installed.
package postgres

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is a server that Start started, or one that somebody else runs (FRAMEBRIDGE_TEST_POSTGRES).
type Server struct {
	DSN string

	cmd *exec.Cmd
	dir string
}

const patience = time.Minute

// Require is the environment variable that makes a missing server a failure, so that nothing is merged that was only tested on SQLite.
const Require = "FRAMEBRIDGE_REQUIRE_POSTGRES"

// Required reports whether a test that finds no server must fail.
func Required() bool { return os.Getenv(Require) != "" }

// Available reports whether Start will find a server or its binaries.
func Available() bool { return os.Getenv("FRAMEBRIDGE_TEST_POSTGRES") != "" || binaries() != "" }

// binaries returns the folder of the newest installed server, or "" if there is none.
func binaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if p, err := exec.LookPath("initdb"); err == nil { // may be a link to the folder with all its programs
		if p, err = filepath.EvalSymlinks(p); err == nil {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// Start starts a server with an empty database in a temporary folder. If this process is root, the server runs as the user
// postgres, because it refuses root.
func Start() (*Server, error) {
	if dsn := os.Getenv("FRAMEBRIDGE_TEST_POSTGRES"); dsn != "" {
		return &Server{DSN: dsn}, nil
	}
	bin := binaries()
	if bin == "" {
		return nil, errors.New("no PostgreSQL binaries here, and FRAMEBRIDGE_TEST_POSTGRES is not set")
	}
	dir, err := os.MkdirTemp("", "framebridge-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	var as *syscall.SysProcAttr
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir, cmd.SysProcAttr = dir, as
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "framebridge", "-A", "trust", "--no-sync").CombinedOutput(); err != nil {
		s.Stop()
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	s.cmd = run("postgres", "-D", data, "-p", strconv.Itoa(address.Port), "-k", dir, "-c", "fsync=off", "-c", "max_connections=300", "-c", "listen_addresses=127.0.0.1")
	if err := s.cmd.Start(); err != nil {
		s.Stop()
		return nil, err
	}
	s.DSN = fmt.Sprintf("postgres://framebridge@%s/postgres?sslmode=disable", address)
	ready := filepath.Join(bin, "pg_isready")
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if exec.Command(ready, "-h", "127.0.0.1", "-p", strconv.Itoa(address.Port)).Run() == nil {
			return s, nil
		}
	}
	s.Stop()
	return nil, errors.New("PostgreSQL does not answer")
}

// Pid returns the process's id, or 0 if somebody else runs the server.
func (s *Server) Pid() int {
	if s.cmd == nil || s.cmd.Process == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Query returns the result of a query as psql prints it.
func (s *Server) Query(query string) (string, error) {
	out, err := exec.Command(filepath.Join(binaries(), "psql"), s.DSN, "-Atc", query).Output()
	return strings.TrimSpace(string(out)), err
}

// Stop ends a server that Start started, and removes its data.
func (s *Server) Stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(os.Interrupt)
		_ = s.cmd.Wait()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}
