package contract

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
)

const commentedEvery = 5

// countedFiles is 60, or FRAMEBRIDGE_COUNTED:
//
//	FRAMEBRIDGE_COUNTED=2000 go test ./test/contract -run CommentsComeFirst -v
var countedFiles = func() int {
	if n, err := strconv.Atoi(os.Getenv("FRAMEBRIDGE_COUNTED")); err == nil && n > 0 {
		return n
	}
	return 60
}()

// counted is a project of many small files, each fifth with a comment. It notes how many listings of comments there were when
// the last comment came to iconik.
type counted struct {
	mu             sync.Mutex
	listings, last int
	listed         map[string]int
}

func (c *counted) seed(sim *frameiosim.Sim, team string) (samples.Project, error) {
	p := sim.AddProject(team, "Dailies - Archived")
	for n := range countedFiles {
		f, err := sim.AddFile(p.RootID, frameiosim.File{Name: fmt.Sprintf("A%03d.txt", n), Type: "text/plain", Body: []byte(fmt.Sprint("take ", n))})
		if err != nil {
			return samples.Project{}, err
		}
		if n%commentedEvery == commentedEvery-1 {
			sim.AddComment(frameiosim.Comment{AssetID: f.ID, Text: fmt.Sprint("note ", n)})
		}
	}
	return samples.Project{ID: p.ID, Name: p.Name, TeamID: team}, nil
}

// open seeds it. busy: Frame.io says that most of the limit of listings is used.
func (c *counted) open(t *testing.T, busy bool) *harness {
	c.listed = map[string]int{}
	set := harnessOptions{generation: "v4", storage: "S3", settings: map[string]any{"bucket": "iconik-files", "path": "media"}, seed: c.seed,
		frameio: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if path, ok := strings.CutSuffix(r.URL.Path, "/comments"); ok && r.Method == http.MethodGet {
					c.mu.Lock()
					c.listings++
					c.listed[path[strings.LastIndex(path, "/")+1:]]++
					c.mu.Unlock()
					if busy {
						w = busyLimit{w}
					}
				}
				h.ServeHTTP(w, r)
			})
		},
		iconik: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/segments/") {
					c.mu.Lock()
					c.last = c.listings
					c.mu.Unlock()
				}
				h.ServeHTTP(w, r)
			})
		},
		objects: plain}
	return set.open(t)
}

// busyLimit says that few calls are left of a limit that is far from small.
type busyLimit struct{ http.ResponseWriter }

func (b busyLimit) WriteHeader(status int) {
	for name, value := range map[string]string{"limit": "100000", "remaining": "10", "window": "60000"} {
		b.Header().Set("x-ratelimit-"+name, value)
	}
	b.ResponseWriter.WriteHeader(status)
}

// Under V4's limit of listings, their number is the time. Every file is read all the same before the archive is verified.
func TestCommentsComeFirstWhereFrameioCountsThem(t *testing.T) {
	t.Parallel()
	var with, without counted
	b := with.open(t, true)
	fin := b.archive(t)
	require.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Len(t, with.listed, countedFiles, "a count of 0 proves nothing: every file is read")
	assert.EqualValues(t, countedFiles/commentedEvery, fin.Counts.CommentsDone)
	b = without.open(t, true)
	b.config.Tenants[tenantID].Archive.CommentCount = "ignore"
	fin = b.archive(t)
	require.Equal(t, "verified", fin.Status, fin.Reason)
	ratio := float64(with.last) / float64(without.last)
	t.Logf("listings until the last comment was in iconik: %d of %d, without counts %d of %d; %.2f", with.last, with.listings, without.last, without.listings, ratio)
	assert.LessOrEqual(t, ratio, 0.3)
}

// A count that says the opposite of what is there costs time and nothing else; one that is not there changes nothing.
func TestACountThatLiesIsCaught(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(string, int) any{
		"lies":   func(_ string, n int) any { return 1 - n },
		"absent": func(string, int) any { return nil },
		"odd":    func(string, int) any { return "many" },
	} {
		t.Run(name, func(t *testing.T) {
			var c counted
			b := c.open(t, false)
			b.frameio.CountComments(say)
			fin := b.archive(t)
			assert.Equal(t, "verified", fin.Status, fin.Reason)
			assert.EqualValues(t, countedFiles/commentedEvery, fin.Counts.CommentsDone)
			assert.Len(t, c.listed, countedFiles)
		})
	}
}

// Trusted, what counts none is not read, and the archive says that it was not.
func TestATrustedCountIsNamed(t *testing.T) {
	t.Parallel()
	var c counted
	b := c.open(t, false)
	b.config.Tenants[tenantID].Archive.CommentCount = "trust"
	fin := b.archive(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status)
	assert.Contains(t, fin.Reason, fmt.Sprintf("the comments of %d files were not read", countedFiles-countedFiles/commentedEvery))
	assert.Len(t, c.listed, countedFiles/commentedEvery)
	assert.EqualValues(t, countedFiles/commentedEvery, fin.Counts.CommentsDone)
	b.config.Tenants[tenantID].Archive.CommentCount = "hint"
	fin = b.again(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Len(t, c.listed, countedFiles, "nothing is trusted any more")
}

// The first comment on a file that was read already comes with the same run.
func TestAFirstCommentDuringTheRunIsSeenByItsCount(t *testing.T) {
	t.Parallel()
	var c counted
	b := c.open(t, false)
	b.beforeCompare = func() { b.frameio.AddComment(frameiosim.Comment{AssetID: b.file(t, "A000.txt"), Text: "late"}) }
	fin := b.archive(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.EqualValues(t, countedFiles/commentedEvery+1, fin.Counts.CommentsDone)
}
