package stack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func script(version string) []byte { return []byte("#!/bin/sh\necho '" + version + "'\n") }

func TestTheTemporalCommandOnThePathIsTakenWhereItIsNewEnough(t *testing.T) {
	for name, c := range map[string]struct {
		says, note string
		want       *TemporalProgram
	}{
		"new":       {"temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)", "", &TemporalProgram{From: "on the PATH", Version: "1.32", Skips: true}},
		"no skips":  {"temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)", "", &TemporalProgram{From: "on the PATH", Version: "1.29"}},
		"old":       {"temporal version 1.1.0 (Server 1.25.0, UI 2.30.3)", "Framebridge needs 1.29", nil},
		"no server": {"tctl 1.18", "it has no server", nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "temporal")
			require.NoError(t, os.WriteFile(path, script(c.says), 0o700))
			t.Setenv("PATH", dir+":/usr/bin:/bin")
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			var notes []string
			got := FindTemporal(t.Context(), true, func(n string) { notes = append(notes, n) })
			if c.want == nil {
				assert.Nil(t, got)
				assert.Contains(t, strings.Join(notes, "\n"), c.note)
				return
			}
			c.want.Path = path
			assert.Equal(t, c.want, got)
			assert.Empty(t, notes)
		})
	}
}

func release(t *testing.T, program []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, body := range map[string][]byte{"LICENSE": []byte("MIT"), "temporal": program} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(body)), Mode: 0o755}))
		_, err := w.Write(body)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestAFetchedCommandIsTheReleases(t *testing.T) {
	t.Parallel()
	archive := release(t, script("temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)"))
	name := fmt.Sprintf("temporal_cli_%s_%s_%s.tar.gz", released, runtime.GOOS, runtime.GOARCH)
	good := fmt.Sprintf("%x  other.tar.gz\n%x  %s\n", sha256.Sum256(nil), sha256.Sum256(archive), name)
	for test, c := range map[string]struct {
		sums, want string
		status     int
		silent     bool
	}{
		"good":           {sums: good},
		"other checksum": {sums: fmt.Sprintf("%x  %s\n", sha256.Sum256(nil), name), want: "checksum does not match the release's"},
		"not for us":     {sums: "abc  temporal_cli_plan9.tar.gz\n", want: "the release has none for"},
		"refused":        {status: http.StatusForbidden, want: "403"},
		"silent":         {silent: true, want: "no connection"},
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			over := make(chan struct{})
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case c.silent:
					<-over
				case c.status != 0:
					w.WriteHeader(c.status)
				case strings.HasSuffix(r.URL.Path, "/checksums.txt"):
					_, _ = w.Write([]byte(c.sums))
				case strings.HasSuffix(r.URL.Path, "/v"+released+"/"+name):
					_, _ = w.Write(archive)
				default:
					http.NotFound(w, r)
				}
			}))
			defer srv.Close()
			defer close(over)
			path := filepath.Join(t.TempDir(), "cache", "temporal")
			began := time.Now()
			err := fetchTemporal(t.Context(), srv.URL, path)
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				assert.NoFileExists(t, path, "nothing that was not looked at is kept")
				assert.Less(t, time.Since(began), silence+time.Minute, "a minute for a busy machine")
				return
			}
			require.NoError(t, err)
			p, why := inspect(t.Context(), path, "fetched")
			require.NotNil(t, p, why)
			assert.True(t, p.Skips)
		})
	}
}

// TestThePageIsThereBeforeTheStack checks that the page shows the build, then the stack.
func TestThePageIsThereBeforeTheStack(t *testing.T) {
	t.Parallel()
	f := &Front{began: time.Now()}
	f.Note("Temporal's server is <here>.")
	f.Now("building temporal … 1m3s")
	ask := func() string {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Body.String()
	}
	assert.Contains(t, ask(), "building temporal … 1m3s")
	assert.Contains(t, ask(), "&lt;here&gt;")
	f.show(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("everything")) }))
	assert.Equal(t, "everything", ask())
}
