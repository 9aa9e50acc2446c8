package contract

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

const commentedEvery = 5

// countedFiles is 20 in the fast suite, 60 in the whole check, or FRAMEBRIDGE_COUNTED:
//
//	FRAMEBRIDGE_COUNTED=2000 go test ./test/contract -run CommentsComeFirst -v
var countedFiles = func() int {
	if n, err := strconv.Atoi(os.Getenv("FRAMEBRIDGE_COUNTED")); err == nil && n > 0 {
		return n
	}
	return rounds(20, 60)
}()

// counted is a project of many small files, each fifth with a comment. It notes how many listings of comments there were when
// the last comment came to iconik.
type counted struct {
	quiet          bool // nobody has commented
	files          int  // 0: countedFiles
	mu             sync.Mutex
	listings, last int
	listed         map[string]int
}

func (c *counted) seed(sim *frameiosim.Sim, team string) (samples.Project, error) {
	p := sim.AddProject(team, "Dailies - Archived")
	for n := range cmp.Or(c.files, countedFiles) {
		f, err := sim.AddFile(p.RootID, frameiosim.File{Name: fmt.Sprintf("A%03d.txt", n), Type: "text/plain", Body: []byte(fmt.Sprint("take ", n))})
		if err != nil {
			return samples.Project{}, err
		}
		if !c.quiet && n%commentedEvery == commentedEvery-1 {
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
	files := max(countedFiles, 60) // so that what is listed at once is a small part of it
	with, without := counted{files: files}, counted{files: files}
	b := with.open(t, true)
	fin := b.archive(t)
	require.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Len(t, with.listed, files, "a count of 0 proves nothing: every file is read")
	assert.EqualValues(t, files/commentedEvery, fin.Counts.CommentsDone)
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

// The first comment on a file that was read already comes with the same run, whatever Frame.io counts.
func TestAFirstCommentDuringTheRunIsNotMissed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		say func(string, int) any
		// again: every file without comments is read a second time, since the counts prove nothing.
		again bool
	}{
		"counts":          {func(_ string, n int) any { return n }, false},
		"no count for 0":  {func(_ string, n int) any { return map[bool]any{true: n}[n > 0] }, false},
		"counts others":   {func(_ string, n int) any { return n + 2 }, false},
		"counts always 0": {func(string, int) any { return 0 }, true},
		"counts nothing":  {func(string, int) any { return nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var project counted
			b := project.open(t, false)
			b.frameio.CountComments(c.say)
			b.beforeCompare = func() { b.frameio.AddComment(frameiosim.Comment{AssetID: b.file(t, "A000.txt"), Text: "late"}) }
			fin := b.archive(t)
			assert.Equal(t, "verified", fin.Status, fin.Reason)
			assert.EqualValues(t, countedFiles/commentedEvery+1, fin.Counts.CommentsDone)
			twice := 0
			for _, n := range project.listed {
				if n > 1 {
					twice++
				}
			}
			assert.Equal(t, c.again, twice == countedFiles, "%d files of %d were read again", twice, countedFiles)
		})
	}
}

// archived opens it with archive.comments_again as counted, and archives it once. What Frame.io counts may be said otherwise before.
func (c *counted) archived(t *testing.T, before ...func(*harness)) *harness {
	t.Helper()
	b := c.open(t, false)
	b.config.Tenants[tenantID].Archive.CommentsAgain = "counted"
	for _, do := range before {
		do(b)
	}
	fin := b.archive(t)
	require.Equal(t, "verified", fin.Status, fin.Reason)
	return b
}

// again as a mirror's run does it, or a migration's second round.
func (b *harness) delta(t *testing.T, state ...workflows.ArchiveState) workflows.FinishArchiveResult {
	t.Helper()
	h := b.book.Tenant(tenantID).Archive(b.project.ID)
	_, _, err := h.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = h.Update(t.Context(), func(r *ledger.Archive) { r.Delta = true })
	require.NoError(t, err)
	return b.archive(t, state...)
}

// With archive.comments_again as counted a run that looks for changes reads the comments of files that had some, and of those that count
// some now. Where the counts are known to be wrong, it reads all.
func TestCommentsAreReadAgainWhereTheyAreCounted(t *testing.T) {
	t.Parallel()
	const commented = "A004.txt"
	for name, c := range map[string]struct {
		say  func(string, int) any
		kept bool
	}{
		"counts":          {func(_ string, n int) any { return n }, true},
		"no count for 0":  {func(_ string, n int) any { return map[bool]any{true: n}[n > 0] }, true},
		"counts always 0": {func(string, int) any { return 0 }, false},
		"counts nothing":  {func(string, int) any { return nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var project counted
			b := project.archived(t, func(b *harness) { b.frameio.CountComments(c.say) })
			require.Len(t, project.listed, countedFiles)

			clear(project.listed)
			first, more := b.file(t, "A000.txt"), b.file(t, commented)
			b.frameio.AddComment(frameiosim.Comment{AssetID: first, Text: "the first"})
			b.frameio.AddComment(frameiosim.Comment{AssetID: more, Text: "one more"})
			fin := b.delta(t)
			assert.Equal(t, "verified", fin.Status, fin.Reason)
			assert.EqualValues(t, countedFiles/commentedEvery+2, fin.Counts.CommentsDone)
			said := fmt.Sprintf("the comments of %d files were not read again", countedFiles-countedFiles/commentedEvery-1)
			if c.kept {
				assert.Len(t, project.listed, countedFiles/commentedEvery+1)
				assert.Contains(t, fin.Reason, said)
			} else {
				assert.Len(t, project.listed, countedFiles)
				assert.NotContains(t, fin.Reason, "not read again")
			}

			clear(project.listed)
			b.frameio.Edit(b.frameio.CommentsOf(more)[0].ID, func(c *frameiosim.Comment) { c.Text = "another" })
			fin = b.delta(t)
			assert.Equal(t, "verified", fin.Status, fin.Reason)
			texts := ""
			for _, d := range b.iconik.Docs("segments") {
				texts += str(d["segment_text"]) + "\n"
			}
			assert.Contains(t, texts, "another", "an edit counts nothing")

			clear(project.listed)
			fin = b.again(t)
			assert.Len(t, project.listed, countedFiles, "by hand, all are read")
			assert.NotContains(t, fin.Reason, "not read again")
		})
	}
}

// A file whose comments were never read, since its count was trusted, is read by a run that keeps what was read.
func TestWhatWasTrustedIsNotKept(t *testing.T) {
	t.Parallel()
	var project counted
	b := project.open(t, false)
	archive := &b.config.Tenants[tenantID].Archive
	archive.CommentCount, archive.CommentsAgain = "trust", "counted"
	b.archive(t)
	require.Len(t, project.listed, countedFiles/commentedEvery)
	archive.CommentCount = "hint"
	fin := b.delta(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Len(t, project.listed, countedFiles)
	assert.NotContains(t, fin.Reason, "not read")
}

// root is the project's topmost folder.
func (b *harness) root() string {
	all := b.frameio.AssetsOf(b.project.ID)
	return all[slices.IndexFunc(all, func(a frameiosim.Asset) bool { return a.ParentID == "" })].ID
}

// texts are all that is said in iconik.
func (b *harness) texts() (texts []string) {
	for _, d := range b.iconik.Docs("segments") {
		texts = append(texts, str(d["segment_text"]))
	}
	return texts
}

// A count of 0 says something where Frame.io is seen to count: in a project without comments it may be all that Frame.io ever says.
func TestCountsThatNothingShowsToCountKeepNothing(t *testing.T) {
	t.Parallel()
	project := counted{quiet: true}
	b := project.archived(t, func(b *harness) { b.frameio.CountComments(func(string, int) any { return 0 }) })
	b.frameio.AddComment(frameiosim.Comment{AssetID: b.file(t, "A000.txt"), Text: "the first of all"})
	fin := b.delta(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Len(t, b.texts(), 1)
}

// A file of which Frame.io counts comments that its API does not list is read each time: they may be listed by now.
func TestCommentsThatWereHiddenAreNotKeptAway(t *testing.T) {
	t.Parallel()
	var project counted
	hidden := ""
	b := project.archived(t, func(b *harness) {
		hidden = b.file(t, "A000.txt")
		b.frameio.CountComments(func(file string, n int) any {
			if file == hidden {
				return 1
			}
			return n
		})
	})
	b.frameio.AddComment(frameiosim.Comment{AssetID: hidden, Text: "restored by Frame.io's support"})
	clear(project.listed)
	fin := b.delta(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Len(t, project.listed, countedFiles/commentedEvery+1)
	assert.Len(t, b.texts(), countedFiles/commentedEvery+1)
}

// Comments that were deleted in Frame.io make no count wrong, and iconik's are named for as long as they are there: also those of a file
// that has no others.
func TestADeletedCommentMakesNoCountWrong(t *testing.T) {
	t.Parallel()
	var project counted
	b := project.archived(t)
	gone := b.frameio.CommentsOf(b.file(t, "A004.txt"))[0]
	require.True(t, b.frameio.Unsay(gone.ID))
	clear(project.listed)
	fin := b.delta(t)
	assert.Len(t, project.listed, countedFiles/commentedEvery)
	assert.EqualValues(t, countedFiles/commentedEvery-1, fin.Counts.Comments)
	row, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Get(t.Context())
	require.NoError(t, err)
	assert.False(t, row.CountsFail)
	for name, run := range map[string]func(*testing.T, ...workflows.ArchiveState) workflows.FinishArchiveResult{"delta": b.delta, "all": b.again} {
		assert.Contains(t, run(t).Reason, "deleted in Frame.io after the copy and still in iconik: 1", name)
	}
	for _, d := range b.iconik.Docs("segments") {
		if str(d["external_id"]) == "frameio:comment:"+gone.ID {
			b.iconik.Delete("segments", str(d["id"]))
		}
	}
	assert.NotContains(t, b.delta(t).Reason, "still in iconik")
}

// What is not read again is said of the files that this run has not read, whatever the run did for them in the end.
func TestOnlyWhatWasNotReadAgainIsSaidNotToBe(t *testing.T) {
	t.Parallel()
	t.Run("counts begin to fail", func(t *testing.T) {
		t.Parallel()
		var project counted
		b := project.archived(t)
		b.frameio.CountComments(func(string, int) any { return 0 })
		b.frameio.AddComment(frameiosim.Comment{AssetID: b.file(t, "A000.txt"), Text: "the first"})
		clear(project.listed)
		fin := b.delta(t)
		assert.Equal(t, "verified", fin.Status, fin.Reason)
		assert.Len(t, b.texts(), countedFiles/commentedEvery+1)
		assert.Len(t, project.listed, countedFiles)
		assert.NotContains(t, fin.Reason, "not read again")
	})
	t.Run("waited for an original", func(t *testing.T) {
		t.Parallel()
		var project counted
		b := project.open(t, false)
		archive := &b.config.Tenants[tenantID].Archive
		archive.CommentsAgain, archive.MissingOriginal = "counted", "wait"
		fin := b.archive(t)
		require.Equal(t, "verified", fin.Status, fin.Reason)
		f, err := b.frameio.AddFile(b.root(), frameiosim.File{Name: "B000.txt", Type: "text/plain", Body: []byte("late")})
		require.NoError(t, err)
		b.frameio.HideOriginal(f.ID)
		looks, h := 0, b.book.Tenant(tenantID).Archive(b.project.ID)
		require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*/files/" + f.ID + "$", Do: func() {
			if it, _, err := h.Item(t.Context(), f.ID); err != nil || it.State != ledger.Pending {
				return
			}
			if looks++; looks == 2 { // a day passes
				_, err := h.UpdateItem(t.Context(), f.ID, func(i *ledger.Item) { i.MissingSince = i.MissingSince.Add(-25 * time.Hour) })
				assert.NoError(t, err)
			}
		}}))
		clear(project.listed)
		fin = b.delta(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		assert.Len(t, project.listed, countedFiles+1, "after it has waited, all are read")
		assert.NotContains(t, fin.Reason, "not read again")
	})
	t.Run("trusted", func(t *testing.T) {
		t.Parallel()
		var project counted
		b := project.archived(t)
		b.config.Tenants[tenantID].Archive.CommentCount = "trust"
		fin := b.delta(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		assert.NotContains(t, fin.Reason, "not read again", "named once")
	})
	t.Run("one file is tried again", func(t *testing.T) {
		t.Parallel()
		var project counted
		b := project.archived(t)
		file := b.file(t, "A004.txt")
		require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*/files/" + file + "/comments", Status: 403, Times: 1}))
		fin := b.delta(t)
		require.Equal(t, "incomplete", fin.Status, fin.Reason)
		it, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Item(t.Context(), file)
		require.NoError(t, err)
		clear(project.listed)
		fin = b.againOnly(t, it.Seq)
		assert.Equal(t, "verified", fin.Status, fin.Reason)
		assert.Contains(t, fin.Reason, "not read again", "neither by this run nor by the one before")
	})
}

// A reading of the tree that a mirror's run broke off is not gone on with by one that somebody starts.
func TestAReadingThatWasBrokenOffKeepsNothing(t *testing.T) {
	t.Parallel()
	var project counted
	var folder *frameiosim.Asset
	b := project.archived(t, func(b *harness) { folder = b.frameio.AddFolder(b.root(), "Reel 2") })
	h := b.book.Tenant(tenantID).Archive(b.project.ID)
	_, _, err := h.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = h.Update(t.Context(), func(r *ledger.Archive) { r.Delta = true })
	require.NoError(t, err)
	require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*/folders/" + folder.ID + "/children", Status: 401, Times: 3}))
	env := temporaltest.Activities()
	b.acts.Register(env)
	_, err = env.ExecuteActivity(workflows.ActScanProject.Name(), workflows.ScanInput{Ref: workflows.Ref{Tenant: tenantID, Archive: b.project.ID}})
	require.Error(t, err)
	_, err = h.Update(t.Context(), func(r *ledger.Archive) { r.Status = ledger.Cancelled })
	require.NoError(t, err)
	clear(project.listed)
	fin := b.again(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Len(t, project.listed, countedFiles, "by hand, all are read")
}

// A file whose comments were refused has not been read, whatever was read of it before.
func TestRefusedCommentsAreNotKept(t *testing.T) {
	t.Parallel()
	var project counted
	b := project.archived(t)
	file := b.file(t, "A000.txt")
	require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*/files/" + file + "/comments", Status: 403, Times: 1}))
	fin := b.delta(t, workflows.ArchiveState{Waited: true})
	require.Equal(t, "incomplete", fin.Status, fin.Reason)
	clear(project.listed)
	fin = b.delta(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Contains(t, project.listed, file)
}
