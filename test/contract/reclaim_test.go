package contract

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/custody/verify"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// reclaimed is a project that was archived and may be freed: two files, one in a folder, and a stack of two versions.
type reclaimed struct {
	*proved
	stack    string
	first    string // of the stack
	newest   string
	accepts  []string
	before   map[string]func() // by activity: what happens when it is first begun
	approved ledger.Actor
	bodies   map[string][]byte // of the files in Frame.io
}

func openReclaimed(t *testing.T, generation string, change ...func(*harnessOptions)) *reclaimed {
	t.Helper()
	p := openProved(t, generation, change...)
	r := &reclaimed{proved: p, accepts: []string{"author"}, before: map[string]func(){}, approved: ledger.Actor{Kind: ledger.ActorCommand, Name: "sam"}, bodies: map[string][]byte{p.file: []byte("a cut"), p.other: []byte("another")}}
	one, two := p.stacks.file(p.root, "scene.mov"), p.stacks.file(p.root, "scene v2.mov")
	r.first, r.newest, r.stack = one.ID, two.ID, p.frameio.AddStack(one, two).ID
	r.bodies[r.first], r.bodies[r.newest] = []byte(strings.Repeat("scene.mov", 1)), []byte(strings.Repeat("scene v2.mov", 2))
	cfg := p.config.Tenants[tenantID]
	cfg.Archive.Reclaim, cfg.Archive.ReclaimGrace, cfg.Archive.ReclaimBytes = "allowed", 0, "read"
	p.config.Report.SigningKey = config.Secrets{config.Secret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))}
	fin := p.again(t)
	require.Equal(t, p.noted(), fin.Status, fin.Reason)
	return r
}

func (r *reclaimed) rows() ledger.ArchiveLedger { return r.book.Tenant(tenantID).Archive(r.project.ID) }

// reclaim runs the real workflow with the real activities, as one that was approved by typing the project's name.
func (r *reclaimed) reclaim(t *testing.T) ledger.Reclaim {
	t.Helper()
	row := ledger.Reclaim{Project: "Stacks - Archived", Status: ledger.ReclaimExamining, RequestedBy: r.approved, RequestedAt: time.Now(), Accepts: r.accepts}
	if r.approved.Name != "" {
		row.ApprovedBy, row.ApprovedAt, row.ApprovedHow = r.approved, time.Now(), ledger.ApprovedByName
	}
	made, joined, err := r.rows().RequestReclaim(t.Context(), row)
	require.NoError(t, err)
	require.False(t, joined)
	r.runReclaim(t, made.Run)
	now, _, err := r.rows().Reclaim(t.Context())
	require.NoError(t, err)
	require.True(t, now.Status.Ended(), now.Status)
	return now
}

func (r *reclaimed) runReclaim(t *testing.T, run int) {
	t.Helper()
	env := r.skippingTime()
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if do := r.before[info.ActivityType.Name]; do != nil {
			r.before[info.ActivityType.Name] = nil
			do()
		}
	})
	env.ExecuteWorkflow(workflows.Reclaim, workflows.ReclaimInput{ReclaimRef: workflows.ReclaimRef{Tenant: tenantID, Archive: r.project.ID, Run: run}})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
}

// files are those that Frame.io still has.
func (r *reclaimed) files() []string {
	var out []string
	for _, a := range r.frameio.AssetsOf(r.project.ID) {
		if a.Type == "file" {
			out = append(out, a.ID)
		}
	}
	return out
}

// object is where the store keeps the bytes of a file.
func (r *reclaimed) object(file string) (record, bucket, key string) {
	it, ok, err := r.rows().Item(r.t.Context(), file)
	require.NoError(r.t, err)
	require.True(r.t, ok)
	for _, d := range r.iconik.Docs("files") {
		if str(d["id"]) == it.FileID {
			return it.FileID, "iconik-files", strings.TrimPrefix(str(d["directory_path"])+"/"+str(d["name"]), "/")
		}
	}
	r.t.Fatalf("no file record of %s", file)
	return "", "", ""
}

// What is proven is deleted, file by file, with a certificate that holds; nothing else is touched.
func TestWhatIsProvenIsFreed(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			r := openReclaimed(t, generation)
			folders := len(r.frameio.AssetsOf(r.project.ID)) - len(r.files())
			row := r.reclaim(t)
			require.Equal(t, ledger.ReclaimDone, row.Status, row.Reason)
			assert.Empty(t, r.files())
			left := 1 // the stack: V4 has none without files
			if generation == "legacy" {
				left = 0
			}
			assert.Equal(t, folders-left, len(r.frameio.AssetsOf(r.project.ID)), "folders stay")
			assert.Len(t, r.frameio.Shares(r.project.ID), 1, "shares stay")
			r.certificate(t, row, 4)
			told := map[events.Kind]int{}
			for _, e := range events.Catalog() {
				all, err := r.book.Tenant(tenantID).EventsSince(t.Context(), e.Kind, time.Time{})
				require.NoError(t, err)
				if strings.HasPrefix(string(e.Kind), "reclaim.") && len(all) > 0 {
					told[e.Kind] = len(all)
				}
				if e.Kind == events.ReclaimDone {
					require.Len(t, all, 1)
					assert.Contains(t, all[0].Data.Links[len(all[0].Data.Links)-1].URL, row.Certificate)
					assert.EqualValues(t, 4, all[0].Data.Counts["deleted"])
				}
			}
			assert.Equal(t, map[events.Kind]int{events.ReclaimAsked: 1, events.ReclaimApproved: 1, events.ReclaimDone: 1}, told)

			entries, err := r.book.Tenant(tenantID).AuditPage(t.Context(), ledger.AuditFilter{Action: "deleted in Frame.io"}, 0, 100)
			require.NoError(t, err)
			require.Len(t, entries, 4)
			assert.Contains(t, string(entries[0].Detail), `"checksum":"xxh64:`)
			_, err = r.book.Tenant(tenantID).VerifyAudit(t.Context())
			require.NoError(t, err)

			r.approved.Name = "sam"
			again := r.reclaim(t)
			assert.Equal(t, ledger.ReclaimRefused, again.Status, "there is nothing left to free: %s", again.Reason)
			r.certificate(t, row, 4) // the last one there is stays at hand
		})
	}
}

// certificate reads the certificate from iconik's store and verifies it, as somebody without Framebridge would.
func (r *reclaimed) certificate(t *testing.T, row ledger.Reclaim, files int) {
	t.Helper()
	require.NotEmpty(t, row.Certificate)
	public := r.config.Report.SigningKeyInUse().Public()
	seen := 0
	for _, d := range r.iconik.Docs("files") {
		if str(d["asset_id"]) != row.Certificate {
			continue
		}
		seen++
		body, err := r.store.Get("iconik-files", strings.TrimPrefix(str(d["directory_path"])+"/"+str(d["name"]), "/"))
		require.NoError(t, err)
		assert.Equal(t, string(body), r.download(t, str(d["original_name"])), "as the starter hands it out")
		name := filepath.Join(t.TempDir(), str(d["name"]))
		require.NoError(t, os.WriteFile(name, body, 0o600))
		res, err := verify.File(name, verify.Options{Trusted: verify.Keys(public)})
		require.NoError(t, err)
		assert.Empty(t, res.Problems)
		if strings.HasSuffix(name, ".json") {
			assert.Equal(t, verify.KindCertificate, res.Kind)
			assert.Contains(t, strings.Join(res.Checked, "\n"), "4 deleted")
		}
		at := slices.Index(body, '4')
		body[at] ^= 1
		require.NoError(t, os.WriteFile(name, body, 0o600))
		res, err = verify.File(name, verify.Options{Trusted: verify.Keys(public)})
		require.NoError(t, err)
		assert.NotEmpty(t, res.Problems, "a changed byte shows")
	}
	assert.Equal(t, 2, seen, "as a page and as JSON")
}

// download reads the certificate as the starter's API and console do.
func (r *reclaimed) download(t *testing.T, file string) string {
	t.Helper()
	service := control.New(config.Hold(r.config), "", ledger.Actor{}, r.book, nil, slog.New(slog.DiscardHandler))
	body, err := service.Certificate(t.Context(), r.config.Tenants[tenantID], r.project.ID, file)
	require.NoError(t, err)
	defer body.Close()
	all, err := io.ReadAll(body)
	require.NoError(t, err)
	_, err = service.Certificate(t.Context(), r.config.Tenants[tenantID], r.project.ID, "other.json")
	require.ErrorIs(t, err, control.ErrNoCertificate)
	return string(all)
}

// TestAStoppedReclaimIsToldOnce has the stored bytes of a file change when they were proven: nothing more is deleted, and every channel
// hears of it once, however often the step is repeated and a delivery begun.
func TestAStoppedReclaimIsToldOnce(t *testing.T) {
	t.Parallel()
	post, err := mailtest.Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(post.Close)
	temporal := &notifier{}
	r := openReclaimed(t, "v4", func(set *harnessOptions) { set.mail, set.temporal = post.URL(), temporal })
	var mu sync.Mutex
	heard := map[string]int{} // by channel: of what has stopped
	channels := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(string(body), "has stopped") {
			heard[req.URL.Path]++
		}
	}))
	t.Cleanup(channels.Close)
	n := &r.config.Tenants[tenantID].Notify
	n.SlackURL, n.TeamsURL = config.Secret(channels.URL+"/slack"), config.Secret(channels.URL+"/teams")
	n.Webhook = config.Webhook{URL: config.Secret(channels.URL + "/webhook"), Secret: config.Secrets{"a secret of the webhook's receiver"}}
	r.before[workflows.ActDeleteProven.Name()] = func() {
		_, bucket, key := r.object(r.other)
		assert.NoError(t, r.store.Put(bucket, key, "video/quicktime", []byte("anothEr")))
	}
	row := r.reclaim(t)
	require.Equal(t, ledger.ReclaimStopped, row.Status, row.Reason)
	assert.Contains(t, row.Reason, "other.mov")
	assert.Contains(t, r.files(), r.other)

	env := temporaltest.Activities()
	r.acts.Register(env)
	_, err = env.ExecuteActivity(workflows.ActDeleteProven.Name(), workflows.ReclaimRef{Tenant: tenantID, Archive: r.project.ID, Run: row.Run})
	require.NoError(t, err, "an attempt that follows one whose end was lost")
	for range 2 {
		for _, in := range temporal.begun() {
			env := r.skippingTime()
			env.ExecuteWorkflow(workflows.Notification, in)
			require.NoError(t, env.GetWorkflowError())
		}
	}
	assert.Equal(t, map[string]int{"/slack": 1, "/teams": 1, "/webhook": 1}, heard)
	waiting, err := r.book.Outbox().Claim(t.Context(), time.Now().Add(time.Hour), 50)
	require.NoError(t, err)
	mailed := 0
	for _, b := range waiting {
		for _, m := range b.Mails {
			if strings.Contains(m.Subject, "has stopped") {
				mailed++
				assert.Equal(t, []string{"ops@post.example"}, m.To)
				assert.Contains(t, m.Text, "other.mov")
			}
		}
	}
	assert.Equal(t, 1, mailed)
}

// notifier is Temporal as far as deliveries are started.
type notifier struct {
	client.Client
	mu  sync.Mutex
	all []workflows.NotificationInput
}

func (n *notifier) ExecuteWorkflow(_ context.Context, _ client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if in, ok := args[0].(workflows.NotificationInput); ok {
		n.all = append(n.all, in)
	}
	return nil, nil
}

func (n *notifier) begun() []workflows.NotificationInput {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.all)
}

// A worker that dies with a deletion under way costs nothing: the next one sees what it did.
func TestAKilledReclaimGoesOn(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	made, _, err := r.rows().RequestReclaim(t.Context(), ledger.Reclaim{Status: ledger.ReclaimExamining, RequestedBy: r.approved, ApprovedBy: r.approved, ApprovedAt: time.Now(), ApprovedHow: ledger.ApprovedByName, Accepts: r.accepts})
	require.NoError(t, err)
	r.before[workflows.ActDeleteProven.Name()] = func() { // as it was left when the worker died: deleted, and not written down
		_, err := r.rows().UpdateReclaimFile(t.Context(), made.Run, r.other, func(f *ledger.ReclaimFile) { f.State = ledger.ReclaimIntends })
		require.NoError(t, err)
		r.frameio.DeleteAsset(r.other)
	}
	r.runReclaim(t, made.Run)
	row, _, err := r.rows().Reclaim(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReclaimDone, row.Status, row.Reason)
	assert.Empty(t, r.files())
}

// A run that somebody terminates in Temporal after it has deleted is closed by its workflow's end alone: with a certificate, and an entry
// in the audit log.
func TestATerminatedReclaimIsCertified(t *testing.T) {
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
	_, err = r.rows().UpdateReclaim(t.Context(), func(row *ledger.Reclaim) error {
		row.Status, row.Reason = ledger.ReclaimStopped, "its workflow was ended in Temporal"
		return nil
	})
	require.NoError(t, err)
	end := r.skippingTime()
	end.ExecuteWorkflow(workflows.Reclaim, workflows.ReclaimInput{ReclaimRef: ref, State: workflows.ReclaimOver()})
	require.NoError(t, end.GetWorkflowError())
	row, _, err := r.rows().Reclaim(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReclaimStopped, row.Status)
	assert.False(t, row.FinishedAt.IsZero())
	assert.WithinRange(t, row.Began(), row.ApprovedAt, row.FinishedAt)
	r.certificate(t, row, 4)
	entries, err := r.book.Tenant(tenantID).AuditPage(t.Context(), ledger.AuditFilter{Action: "reclaim stopped"}, 0, 10)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}
