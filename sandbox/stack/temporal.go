package stack

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// The first build of Temporal's server takes minutes, so an existing one is preferred: the `temporal` command on the PATH, or
// Temporal's release of it, downloaded once and kept. Otherwise the server is built here.

// The oldest server that Framebridge is tested with, and the oldest whose clock can be moved.
var (
	oldestServer   = [2]int{1, 29}
	oldestSkipping = [2]int{1, 32}
)

const (
	released      = "1.9.1" // of Temporal's CLI: server 1.32.0
	releases      = "https://github.com/temporalio/cli/releases/download"
	silence       = 3 * time.Second // of the network, after which the server is built instead
	fetchTimeout  = 2 * time.Minute
	archiveMost   = 512 << 20
	checksumsMost = 1 << 20
)

// TemporalProgram is a command that supports `server start-dev`.
type TemporalProgram struct {
	Path    string
	From    string // for people, such as "on the PATH"
	Version string // of its server
	// Skips means that its server can move a workflow's clock.
	Skips bool
}

// FindTemporal returns a Temporal server that need not be built, or nil if there is none. It calls note with each one that it
// found and cannot use. It downloads nothing if offline is set, or in CI.
func FindTemporal(ctx context.Context, offline bool, note func(string)) *TemporalProgram {
	if path, err := exec.LookPath("temporal"); err == nil {
		p, why := inspect(ctx, path, "on the PATH")
		if p != nil {
			return p
		}
		note("The temporal command on the PATH is not used: " + why + ".")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	path := filepath.Join(cache, "framebridge", "temporal-cli-"+released, "temporal")
	if _, err := os.Stat(path); err == nil {
		if p, _ := inspect(ctx, path, "fetched before"); p != nil {
			return p
		}
	}
	if offline || os.Getenv("CI") != "" {
		return nil
	}
	if err := fetchTemporal(ctx, releases, path); err != nil {
		note("Could not download Temporal's command (" + err.Error() + "), so the server is built here instead.")
		return nil
	}
	p, why := inspect(ctx, path, "downloaded from Temporal's releases")
	if p == nil {
		note("The downloaded temporal command is not used: " + why + ".")
	}
	return p
}

var serverVersion = regexp.MustCompile(`[Ss]erver v?(\d+)\.(\d+)`)

// inspect asks a temporal command for its server's version.
func inspect(ctx context.Context, path, from string) (p *TemporalProgram, why string) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if err != nil {
		return nil, "it does not report its version"
	}
	m := serverVersion.FindStringSubmatch(string(out))
	if m == nil {
		return nil, fmt.Sprintf("it has no server (%s)", strings.TrimSpace(string(out)))
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	newer := func(than [2]int) bool { return major > than[0] || major == than[0] && minor >= than[1] }
	if !newer(oldestServer) {
		return nil, fmt.Sprintf("its server is %s.%s, and Framebridge needs %d.%d", m[1], m[2], oldestServer[0], oldestServer[1])
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return &TemporalProgram{Path: path, From: from, Version: m[1] + "." + m[2], Skips: newer(oldestSkipping)}, ""
}

// fetchTemporal downloads the released command, and keeps it if its checksum is the release's.
func fetchTemporal(ctx context.Context, base, path string) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: silence, TLSHandshakeTimeout: silence}}
	name := fmt.Sprintf("temporal_cli_%s_%s_%s.tar.gz", released, runtime.GOOS, runtime.GOARCH)
	sums, err := download(ctx, client, base+"/v"+released+"/checksums.txt", checksumsMost)
	if err != nil {
		return err
	}
	want := ""
	for lines := bufio.NewScanner(bytes.NewReader(sums)); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 2 && strings.TrimPrefix(f[1], "*") == name {
			want = f[0]
		}
	}
	if want == "" {
		return errors.New("the release has none for " + runtime.GOOS + "/" + runtime.GOARCH)
	}
	raw, err := download(ctx, client, base+"/v"+released+"/"+name, archiveMost)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != want {
		return errors.New("its checksum does not match the release's")
	}
	return unpack(raw, path)
}

func download(ctx context.Context, client *http.Client, url string, most int64) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(silence, cancel) // do not wait for a silent network
	defer quiet.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, errors.New("no connection to Temporal's releases")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New("the download server responds with " + resp.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(heard{resp.Body, quiet}, most))
	if err != nil {
		return nil, errors.New("the download was cut off")
	}
	return raw, nil
}

// heard resets a timer whenever something is read.
type heard struct {
	io.Reader
	quiet *time.Timer
}

func (h heard) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	h.quiet.Reset(silence)
	return n, err
}

// unpack writes `temporal` from the archive, completely or not at all.
func unpack(archive []byte, path string) error {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("the downloaded file contains no temporal command")
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || filepath.Base(h.Name) != "temporal" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		f, err := os.CreateTemp(filepath.Dir(path), "fetched-")
		if err != nil {
			return err
		}
		defer os.Remove(f.Name())
		_, err = io.Copy(f, io.LimitReader(t, archiveMost))
		if err = errors.Join(err, f.Chmod(0o700), f.Close()); err != nil {
			return err
		}
		return os.Rename(f.Name(), path)
	}
}

// searchAttributes are the search attributes that Framebridge's workflows set.
var searchAttributes = []string{"FramebridgeTenant", "FramebridgeProject", "FramebridgeAsset", "FramebridgeStatus"}

// startDev returns the arguments of a development server, which are those of the stock command.
func startDev(port, ui int, db string) []string {
	args := []string{"server", "start-dev", "--port", strconv.Itoa(port), "--ui-port", strconv.Itoa(ui), "--db-filename", db, "--log-level", "error",
		"--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true", "--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000"}
	for _, name := range searchAttributes {
		args = append(args, "--search-attribute", name+"=Keyword")
	}
	return args
}

// temporalServer returns the server's process. Each version has its own database file, because a development server does not migrate.
func (s *Stack) temporalServer(port, ui int) *Process {
	program := TemporalProgram{Path: filepath.Join(BinDir(s.o.Root), "temporal"), Version: "1.32.1"}
	if s.o.TemporalProgram != nil {
		program = *s.o.TemporalProgram
	}
	db := filepath.Join(s.o.Dir, "temporal-"+program.Version+".db")
	return &Process{Name: "temporal", path: program.Path, dir: s.o.Dir, args: startDev(port, ui, db)}
}
