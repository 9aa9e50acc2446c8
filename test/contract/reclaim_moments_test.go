package contract

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/reclaim"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/custody/verify"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// afterFirst has something happen once the first file is deleted.
type afterFirst struct {
	reclaim.Deleter
	do func()
}

func (d *afterFirst) Delete(ctx context.Context, a frameio.Asset) error {
	err := d.Deleter.Delete(ctx, a)
	if do := d.do; do != nil {
		d.do = nil
		do()
	}
	return err
}

func (r *reclaimed) afterFirst(do func()) {
	open, d := r.acts.Reclaim.Tenant, &afterFirst{do: do}
	r.acts.Reclaim.Tenant = func(id string) (*tenant.Tenant, reclaim.Deleter, error) {
		t, deleter, err := open(id)
		d.Deleter = deleter
		return t, d, err
	}
}

func (r *reclaimed) in(run int, state ledger.ReclaimFileState) []string {
	files, err := r.rows().ReclaimFiles(r.t.Context(), run, state, 0, 100)
	require.NoError(r.t, err)
	var out []string
	for _, f := range files {
		out = append(out, f.SourceID)
	}
	return out
}

// An administrator who takes the permission back while files are deleted is obeyed before the next file: a reload makes a new
// configuration, and nothing changes in the one that the run began with.
func TestAPermissionThatIsTakenBackStopsAReclaim(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	r.afterFirst(func() {
		off := *r.config.Tenants[tenantID]
		off.Archive.Reclaim = "off"
		r.config.Tenants = map[string]*config.Tenant{tenantID: &off}
	})
	row := r.reclaim(t)
	assert.Equal(t, ledger.ReclaimStopped, row.Status)
	assert.Contains(t, row.Reason, "archive.reclaim is off")
	assert.Len(t, r.files(), 3)
}

// A pause holds before the next file also where the step that deletes has not heard of it.
func TestAPausedReclaimDeletesNothing(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	made, _, err := r.rows().RequestReclaim(t.Context(), ledger.Reclaim{Status: ledger.ReclaimExamining, RequestedBy: r.approved, ApprovedBy: r.approved, ApprovedAt: time.Now(), ApprovedHow: ledger.ApprovedByName, Accepts: r.accepts})
	require.NoError(t, err)
	env := temporaltest.Activities()
	r.acts.Register(env)
	ref := workflows.ReclaimRef{Tenant: tenantID, Archive: r.project.ID, Run: made.Run}
	for _, step := range []string{workflows.ActExamineReclaim.Name(), workflows.ActProveFiles.Name(), workflows.ActProveFiles.Name()} {
		_, err := env.ExecuteActivity(step, ref)
		require.NoError(t, err)
	}
	pause := func(paused bool) {
		_, err := env.ExecuteActivity(workflows.ActPauseReclaim.Name(), workflows.PauseReclaimInput{ReclaimRef: ref, Paused: paused})
		require.NoError(t, err)
	}
	r.afterFirst(func() { pause(true) })
	_, err = env.ExecuteActivity(workflows.ActDeleteProven.Name(), ref)
	require.ErrorContains(t, err, "paused")
	assert.Len(t, r.files(), 3)
	row, _, err := r.rows().Reclaim(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReclaimDeleting, row.Status, row.Reason)
	pause(false)
	_, err = env.ExecuteActivity(workflows.ActDeleteProven.Name(), ref)
	require.NoError(t, err)
	assert.Empty(t, r.files())
}

// onRequest has something happen with a request for an object.
type onRequest struct {
	key string
	do  func(n int)
	n   int
}

func (d *onRequest) RoundTrip(q *http.Request) (*http.Response, error) {
	if strings.Contains(q.URL.Path, d.key) {
		d.n++
		d.do(d.n)
	}
	return http.DefaultTransport.RoundTrip(q)
}

// A file whose proof is old is read in full once more before it is deleted, which takes hours. What somebody says of it meanwhile is
// not lost.
func TestACommentWhileAFileIsReadStopsItsDeletion(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]func(r *reclaimed) string{
		"a file":    func(r *reclaimed) string { return r.file },
		"a version": func(r *reclaimed) string { return r.newest },
	} {
		t.Run(name, func(t *testing.T) {
			r := openReclaimed(t, "v4")
			file := file(r)
			r.before[onceProven] = func() {
				row, _, err := r.rows().Reclaim(t.Context())
				assert.NoError(t, err)
				_, err = r.rows().UpdateReclaimFile(t.Context(), row.Run, file, func(f *ledger.ReclaimFile) { f.ProvenAt = time.Now().Add(-25 * time.Hour) })
				assert.NoError(t, err)
				_, _, key := r.object(file)
				r.acts.Reclaim.Objects = &http.Client{Transport: &onRequest{key: path.Base(key), do: func(n int) {
					if n == 2 { // the first one looks at the size
						r.frameio.Say(frameiosim.Comment{AssetID: file, Text: "wait, not this one"})
					}
				}}}
			}
			row := r.reclaim(t)
			assert.Equal(t, ledger.ReclaimStopped, row.Status)
			assert.Contains(t, row.Reason, "wait, not this one")
			assert.Contains(t, r.files(), file)
		})
	}
}

// A version stack goes as a whole or stays as a whole, whichever of its versions must stay, and whenever that is found.
func TestAVersionStackIsNotSplit(t *testing.T) {
	t.Parallel()
	for name, moment := range map[string]string{"before": atFirst, "once all was proven": onceProven} {
		for change, do := range map[string]func(r *reclaimed){
			"a comment in iconik": func(r *reclaimed) {
				assert.NotEmpty(r.t, r.iconik.Comment(r.itemOf(r.newest).AssetID, r.iconik.ServiceUser(), "mine", nil, nil, "", nil))
			},
			"other bytes": func(r *reclaimed) { r.rewrite(r.newest, func(b []byte) []byte { b[0] ^= 1; return b }) },
		} {
			t.Run(change+" "+name, func(t *testing.T) {
				r := openReclaimed(t, "v4")
				if moment == atFirst {
					do(r)
				} else {
					r.before[moment] = func() { do(r) }
				}
				row := r.reclaim(t)
				assert.Subset(t, r.files(), []string{r.first, r.newest}, row.Reason)
				if moment == atFirst && row.Status == ledger.ReclaimDone {
					assert.ElementsMatch(t, []string{r.first, r.newest}, r.in(row.Run, ledger.ReclaimLeft))
				}
			})
		}
	}
}

// Frame.io counts more comments than its API lists, as of an account that was migrated, whose team-only comments are hidden: the files
// stay, and say why.
func TestCommentsThatFrameioHidesKeepTheirFile(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{atFirst, onceSeen} {
		r := openReclaimed(t, "v4")
		hide := func() {
			r.frameio.CountComments(func(file string, n int) any {
				if file == r.other {
					n += 5
				}
				return n
			})
		}
		if moment == atFirst {
			hide()
		} else {
			r.before[moment] = hide
		}
		row := r.reclaim(t)
		assert.Equal(t, ledger.ReclaimDone, row.Status, row.Reason)
		assert.Equal(t, []string{r.other}, r.files())
		left, err := r.rows().ReclaimFiles(t.Context(), row.Run, ledger.ReclaimLeft, 0, 100)
		require.NoError(t, err)
		require.Len(t, left, 1)
		assert.Contains(t, left[0].Reason, "more comments in Frame.io than its API lists")
	}
}

// A comment that somebody has made since refuses the whole project, although Frame.io counts more than was read, as it does of hidden ones.
func TestACommentMadeSinceRefusesTheProject(t *testing.T) {
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			r := openReclaimed(t, generation)
			before := r.files()
			r.frameio.Say(frameiosim.Comment{AssetID: r.other, Text: "use the second take"})
			row := r.reclaim(t)
			assert.Equal(t, ledger.ReclaimRefused, row.Status, row.Reason)
			assert.Contains(t, row.Reason, "comment")
			assert.ElementsMatch(t, before, r.files(), "nothing is deleted")
		})
	}
}

// A run that has ended stays ended, with its reason: an attempt after one whose answer was lost neither goes on nor changes the reason,
// whatever is right by then.
func TestAReclaimThatHasEndedStaysSo(t *testing.T) {
	t.Parallel()
	examine, prove, del := workflows.ActExamineReclaim.Name(), workflows.ActProveFiles.Name(), workflows.ActDeleteProven.Name()
	for name, c := range map[string]struct {
		before []string // steps that succeed
		step   string   // the step that finds something
		status ledger.ReclaimStatus
	}{
		"refused when it was examined": {nil, examine, ledger.ReclaimRefused},
		"refused when it was proven":   {[]string{examine}, prove, ledger.ReclaimRefused},
		"stopped":                      {[]string{examine, prove, prove}, del, ledger.ReclaimStopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openReclaimed(t, "v4")
			made, _, err := r.rows().RequestReclaim(t.Context(), ledger.Reclaim{Status: ledger.ReclaimExamining, RequestedBy: r.approved, ApprovedBy: r.approved, ApprovedAt: time.Now(), ApprovedHow: ledger.ApprovedByName, Accepts: r.accepts})
			require.NoError(t, err)
			env := temporaltest.Activities()
			r.acts.Register(env)
			ref := workflows.ReclaimRef{Tenant: tenantID, Archive: r.project.ID, Run: made.Run}
			play := func(step string) workflows.ReclaimProgress {
				var out workflows.ReclaimProgress
				res, err := env.ExecuteActivity(step, ref)
				require.NoError(t, err)
				require.NoError(t, res.Get(&out))
				return out
			}
			for _, step := range c.before {
				require.False(t, play(step).Ended)
			}
			id := r.itemOf(r.other).AssetID
			r.doc("assets", id, map[string]any{"title": "Mine"})
			if c.step == examine { // it does not read iconik
				r.frameio.Label(r.other, "approved")
			}
			first := play(c.step)
			require.True(t, first.Ended)
			ended, _, err := r.rows().Reclaim(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.status, ended.Status, ended.Reason)
			require.Contains(t, ended.Reason, "other.mov")

			r.doc("assets", id, map[string]any{"title": "other.mov"})
			r.frameio.Label(r.other, "")
			assert.Equal(t, first, play(c.step))
			now, _, err := r.rows().Reclaim(t.Context())
			require.NoError(t, err)
			assert.Equal(t, ended.Status, now.Status)
			assert.Equal(t, ended.Reason, now.Reason)
		})
	}
}

// The starter got no answer from Temporal when it started the run, and recorded and reported it as refused. If the workflow did begin, it
// deletes nothing.
func TestAReclaimWhoseStartWasGivenUpDeletesNothing(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	before := r.files()
	made, _, err := r.rows().RequestReclaim(t.Context(), ledger.Reclaim{Status: ledger.ReclaimExamining, RequestedBy: r.approved, ApprovedBy: r.approved, ApprovedAt: time.Now(), ApprovedHow: ledger.ApprovedByName, Accepts: r.accepts})
	require.NoError(t, err)
	why := "Framebridge could not reach Temporal: ask again"
	_, err = r.rows().UpdateReclaim(t.Context(), func(row *ledger.Reclaim) error {
		row.Status, row.Reason, row.FinishedAt = ledger.ReclaimRefused, why, time.Now().UTC()
		return nil
	})
	require.NoError(t, err)
	r.runReclaim(t, made.Run)
	row, _, err := r.rows().Reclaim(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReclaimRefused, row.Status)
	assert.Equal(t, why, row.Reason)
	assert.ElementsMatch(t, before, r.files())

	again := r.reclaim(t)
	assert.Equal(t, ledger.ReclaimDone, again.Status, again.Reason)
}

// Somebody restores in Frame.io what was deleted, and archives it again: it can be freed again, stacks included.
func TestWhatWasRestoredIsFreedAgain(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			r := openReclaimed(t, generation)
			row := r.reclaim(t)
			require.Equal(t, ledger.ReclaimDone, row.Status, row.Reason)
			require.Empty(t, r.files())
			r.frameio.RestoreAsset(r.stack)
			for file := range r.bodies {
				r.frameio.RestoreAsset(file)
			}
			require.Len(t, r.files(), 4)
			fin := r.again(t)
			require.Equal(t, r.noted(), fin.Status, fin.Reason)
			again := r.reclaim(t)
			assert.Equal(t, ledger.ReclaimDone, again.Status, again.Reason)
			assert.Empty(t, r.files())
			r.certificate(t, again, 4)
		})
	}
}

// If somebody creates a share or adds to one, the project is refused, or the run stops before the next files: people look at them.
func TestAShareMadeSinceRefusesTheProject(t *testing.T) {
	t.Parallel()
	for name, share := range map[string]func(r *reclaimed){
		"made": func(r *reclaimed) {
			r.frameio.AddShare(frameiosim.Share{Kind: "review_link", Name: "For the client", ProjectID: r.project.ID, Items: []string{r.other}})
		},
		"added to": func(r *reclaimed) {
			r.frameio.EditShare(r.share, func(s *frameiosim.Share) { s.Items = append(s.Items, r.stack) })
		},
	} {
		for _, generation := range played() {
			for _, moment := range []string{atFirst, onceProven} {
				t.Run(name+" "+generation+moment, func(t *testing.T) {
					t.Parallel()
					r := openReclaimed(t, generation)
					before, want := r.files(), ledger.ReclaimRefused
					if moment == atFirst {
						share(r)
					} else {
						r.before[moment], want = func() { share(r) }, ledger.ReclaimStopped
					}
					row := r.reclaim(t)
					assert.Equal(t, want, row.Status, row.Reason)
					assert.Contains(t, row.Reason, "the share")
					assert.ElementsMatch(t, before, r.files())
					fin := r.again(t)
					require.Equal(t, r.noted(), fin.Status, fin.Reason)
					row = r.reclaim(t)
					assert.Equal(t, ledger.ReclaimDone, row.Status, row.Reason)
				})
			}
		}
	}
}

// Somebody deletes the collection above the project's, or the topmost one: nothing below it is freed.
func TestACollectionAboveTheProjectsIsLookedAt(t *testing.T) {
	t.Parallel()
	for _, levels := range []int{1, 2} {
		for _, moment := range []string{atFirst, onceProven} {
			t.Run(strings.Repeat("above", levels)+moment, func(t *testing.T) {
				t.Parallel()
				r := openReclaimed(t, "v4")
				before := r.files()
				r.before[moment] = func() { r.iconik.Delete("collections", r.above(levels)) }
				if moment == atFirst {
					r.before[moment]()
				}
				row := r.reclaim(t)
				assert.Contains(t, row.Reason, "below a collection that was deleted in iconik")
				assert.ElementsMatch(t, before, r.files())
			})
		}
	}
}

// A certificate that iconik refuses is made once iconik accepts it: the run's end is played again, with the same outcome.
func TestARefusedCertificateIsMadeLater(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	made, _, err := r.rows().RequestReclaim(t.Context(), ledger.Reclaim{Status: ledger.ReclaimExamining, RequestedBy: r.approved, ApprovedBy: r.approved, ApprovedAt: time.Now(), ApprovedHow: ledger.ApprovedByName, Accepts: r.accepts})
	require.NoError(t, err)
	env := temporaltest.Activities()
	r.acts.Register(env)
	ref := workflows.ReclaimRef{Tenant: tenantID, Archive: r.project.ID, Run: made.Run}
	for _, step := range []string{workflows.ActExamineReclaim.Name(), workflows.ActProveFiles.Name(), workflows.ActProveFiles.Name(), workflows.ActDeleteProven.Name()} {
		_, err := env.ExecuteActivity(step, ref)
		require.NoError(t, err)
	}
	_, err = env.ExecuteActivity(workflows.ActFinishReclaim.Name(), workflows.FinishReclaimInput{ReclaimRef: ref})
	require.NoError(t, err)
	ended, _, err := r.rows().Reclaim(t.Context())
	require.NoError(t, err)
	require.Equal(t, ledger.ReclaimDone, ended.Status)
	end := r.skippingTime()
	end.ExecuteWorkflow(workflows.Reclaim, workflows.ReclaimInput{ReclaimRef: ref, State: workflows.ReclaimOver()})
	require.NoError(t, end.GetWorkflowError())
	row, _, err := r.rows().Reclaim(t.Context())
	require.NoError(t, err)
	r.certificate(t, row, 4)
	row.Certificate = ""
	assert.Equal(t, ended, row)
}

// A worker dies with a deletion under way, and the run is ended before another worker sees what became of it: the certificate says it.
func TestTheLastDeletionOfAnEndedRunIsCertified(t *testing.T) {
	t.Parallel()
	for gone, want := range map[bool]string{true: "3 deleted, 1 left", false: "2 deleted, 2 left"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			r := openReclaimed(t, "v4")
			made, _, err := r.rows().RequestReclaim(t.Context(), ledger.Reclaim{Status: ledger.ReclaimExamining, RequestedBy: r.approved, ApprovedBy: r.approved, ApprovedAt: time.Now(), ApprovedHow: ledger.ApprovedByName, Accepts: r.accepts})
			require.NoError(t, err)
			env := temporaltest.Activities()
			r.acts.Register(env)
			ref := workflows.ReclaimRef{Tenant: tenantID, Archive: r.project.ID, Run: made.Run}
			for _, step := range []string{workflows.ActExamineReclaim.Name(), workflows.ActProveFiles.Name(), workflows.ActProveFiles.Name()} {
				_, err := env.ExecuteActivity(step, ref)
				require.NoError(t, err)
			}
			for _, file := range []string{r.first, r.newest, r.other} {
				if file == r.other && !gone {
					_, err = r.rows().UpdateReclaimFile(t.Context(), made.Run, file, func(f *ledger.ReclaimFile) { f.State = ledger.ReclaimIntends })
					require.NoError(t, err)
					continue
				}
				_, err = r.rows().UpdateReclaimFile(t.Context(), made.Run, file, func(f *ledger.ReclaimFile) {
					if f.State = ledger.ReclaimIntends; file != r.other {
						f.State, f.DeletedAt = ledger.ReclaimDeleted, time.Now()
					}
				})
				require.NoError(t, err)
				r.frameio.DeleteAsset(file)
			}
			_, err = r.rows().UpdateReclaim(t.Context(), func(row *ledger.Reclaim) error {
				row.Status, row.Reason = ledger.ReclaimStopped, "its workflow was ended in Temporal"
				return nil
			})
			require.NoError(t, err)
			end := r.skippingTime()
			end.ExecuteWorkflow(workflows.Reclaim, workflows.ReclaimInput{ReclaimRef: ref, State: workflows.ReclaimOver()})
			require.NoError(t, end.GetWorkflowError())
			name := filepath.Join(t.TempDir(), "certificate.json")
			service := control.New(config.Hold(r.config), "", ledger.Actor{}, r.book, nil, slog.New(slog.DiscardHandler))
			body, err := service.Certificate(t.Context(), r.config.Tenants[tenantID], r.project.ID, custody.CertificateData)
			require.NoError(t, err)
			defer body.Close()
			all, err := io.ReadAll(body)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(name, all, 0o600))
			res, err := verify.File(name, verify.Options{Trusted: verify.Keys(r.config.Report.SigningKeyInUse().Public())})
			require.NoError(t, err)
			assert.Empty(t, res.Problems)
			assert.Contains(t, strings.Join(res.Checked, "\n"), want)
			assert.Equal(t, gone, strings.Contains(string(all), "no longer had it when asked again"))
			assert.Equal(t, !gone, strings.Contains(string(all), "the outcome is unknown"))
		})
	}
}
