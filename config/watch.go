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

// settle is how long files must be quiet before they are read: editors and deployments write in several steps.
const settle = 300 * time.Millisecond

// Watch reads the configuration again on SIGHUP, and when its file, one in tenants.d or one that a file:PATH names changes.
// It returns with ctx. Where the system tells of no changes, as network file systems do, SIGHUP still works.
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
	quiet := time.NewTimer(0) // what changed since the program has read it is read again, too
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
			_ = l.follow(w) // directories that came since
		}
	}
}

// follow watches the directories of all files, as files are replaced rather than written.
func (l *Live) follow(w *fsnotify.Watcher) error {
	l.mu.Lock()
	named := slices.Clone(l.named)
	l.mu.Unlock()
	dir := filepath.Dir(l.path)
	if err := w.Add(dir); err != nil {
		return err
	}
	for _, d := range append([]string{filepath.Join(dir, tenantDir, "any")}, named...) {
		_ = w.Add(filepath.Dir(d)) // one that is not there yet is told of by its parent, or is a problem of the configuration
	}
	return nil
}

// mountedData is the link that Kubernetes turns to new versions of mounted files.
const mountedData = "..data"

// concerns tells whether an event may be of a file that is read: the ledger's, which may lie beside, comes with each write.
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

// differs tells whether a file holds another text than when it was last read.
func (l *Live) differs() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fingerprint(l.path, l.named) != l.read
}

// fingerprint is of the text of every file that a configuration is made of.
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
