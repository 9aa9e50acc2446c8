package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long files must be unchanged before they are read, because editors and deployments write in several steps.
const settle = 300 * time.Millisecond

// Watch reloads the configuration on SIGHUP, and when its file, a file in tenants.d or a file named by file:PATH changes. It
// returns when ctx ends. If the system reports no changes, as on network file systems, SIGHUP still works.
func (l *Live) Watch(ctx context.Context, log *slog.Logger) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	l.watch(ctx, hup, log)
}

func (l *Live) watch(ctx context.Context, hup <-chan os.Signal, log *slog.Logger) {
	var events <-chan fsnotify.Event
	var errs <-chan error
	w, err := fsnotify.NewWatcher()
	if err == nil {
		defer w.Close()
		events, errs = w.Events, w.Errors
		err = l.follow(w)
	}
	if err != nil {
		log.Warn("cannot watch the configuration for changes: send SIGHUP after each change", "error", err)
	}
	quiet := time.NewTimer(0) // also picks up what changed since the program read it
	defer quiet.Stop()
	for {
		why := "a file changed"
		select {
		case <-ctx.Done():
			return
		case <-hup:
			why = "SIGHUP"
		case e := <-events:
			if l.concerns(e.Name) {
				quiet.Reset(settle)
			}
			continue
		case err := <-errs:
			log.Warn("changes to the configuration may have been missed: send SIGHUP", "error", err)
			continue
		case <-quiet.C:
			if !l.differs() {
				continue
			}
		}
		l.reload(log, why)
		if w != nil {
			_ = l.follow(w) // directories created since
		}
	}
}

// follow watches the directories of all files, because files are replaced rather than written.
func (l *Live) follow(w *fsnotify.Watcher) error {
	l.mu.Lock()
	named := slices.Clone(l.named)
	l.mu.Unlock()
	dir := filepath.Dir(l.path)
	if err := w.Add(dir); err != nil {
		return err
	}
	for _, d := range append([]string{filepath.Join(dir, tenantDir, "any")}, named...) {
		_ = w.Add(filepath.Dir(d)) // the parent reports one that does not exist yet, or it is a problem of the configuration
	}
	return nil
}

// mountedData is the symlink that Kubernetes switches to new versions of mounted files.
const mountedData = "..data"

// concerns reports whether an event may concern a configuration file. The ledger's file may be in the same directory and causes
// events with every write.
func (l *Live) concerns(name string) bool {
	base := filepath.Base(name)
	if base == filepath.Base(l.path) || base == tenantDir || base == mountedData || isTenantFile(name) {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.named, func(f string) bool { return filepath.Base(f) == base })
}

func isTenantFile(name string) bool {
	return filepath.Base(filepath.Dir(name)) == tenantDir && filepath.Ext(name) == ".yaml"
}

// differs reports whether any file has changed since it was last read.
func (l *Live) differs() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fingerprint(l.path, l.named) != l.read
}

// fingerprint returns a hash of all files that make up a configuration.
func fingerprint(path string, named []string) [sha256.Size]byte {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), tenantDir, "*.yaml"))
	sum := sha256.New()
	for _, file := range slices.Concat([]string{path}, files, named) {
		text, err := os.ReadFile(file)
		fmt.Fprintf(sum, "%s %d %t ", file, len(text), err == nil)
		sum.Write(text)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}
