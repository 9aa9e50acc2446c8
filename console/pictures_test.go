//go:build integration

package console

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/workflows"
)

// story is a tenant on an ordinary day.
func story(t *testing.T) *harness {
	h := serve(t, config.RoleAdmin)
	h.person = signin.Person{Name: "Pat Producer"}
	h.archive(t, "lights", func(a *ledger.Archive) {
		a.Name, a.TeamName, a.Status, a.StartedAt, a.CopyingSince = "Harbour Lights", "Harbour Films", ledger.Running, today.Add(-40*time.Minute), today.Add(-35*time.Minute)
	})
	h.items(t, "lights", ledger.Item{SourceID: "l1", Path: "Day 1/A001C001.mov", Size: 212 << 30, State: ledger.Copied, BytesDone: 212 << 30}, ledger.Item{SourceID: "l2", Path: "Day 1/A001C002.mov", Size: 96 << 30, State: ledger.Copying, BytesDone: 20 << 30}, ledger.Item{SourceID: "l3", Path: "Day 2/A002C001.mov", Size: 40 << 30, State: ledger.Pending})
	for i, name := range []string{"Summer Campaign", "Winter Catalog", "Trailer 2027"} {
		h.archive(t, name, func(a *ledger.Archive) { a.Name, a.TeamName, a.QueuePosition = name, "Harbour Films", i+1 })
	}
	h.archive(t, "cold", func(a *ledger.Archive) {
		a.Name, a.TeamName, a.Status, a.StartedAt = "Lighthouse Keeper", "Harbour Films", ledger.Waiting, today.Add(-26*time.Hour)
		a.Reason = "14 files have no original in Frame.io right now: unarchive the project in Frame.io. Framebridge checks every 15 minutes"
	})
	h.archive(t, "ferry", func(a *ledger.Archive) {
		a.Name, a.TeamName, a.Status, a.QueuedAt, a.StartedAt, a.FinishedAt = "The Ferryman", "Harbour Films", ledger.Incomplete, today.Add(-5*time.Hour), today.Add(-5*time.Hour), today.Add(-3*time.Hour)
		a.Reason, a.CollectionID, a.ProjectURL, a.RequestedBy = "1 file failed, 3 of 4 files verified", "c1", "https://next.frame.io/project/ferry", "pat@harbour.example"
	})
	h.items(t, "ferry", ledger.Item{SourceID: "f1", Path: "Cuts/Ferryman v7.mov", Size: 42 << 30, State: ledger.ItemFailed, Fault: "content", Reason: "Frame.io sent 41.2 GiB of 42.0 GiB three times: upload the file again in Frame.io, then retry"},
		ledger.Item{SourceID: "f2", Path: "Cuts/Ferryman v6.mov", Size: 41 << 30, State: ledger.ItemVerified, BytesDone: 41 << 30, Checksum: "8d1f0c77a2be9b13", AssetID: "a2", CommentCount: 18, CommentsDone: 18},
		ledger.Item{SourceID: "f3", Path: "Sound/Mix 5.1.wav", Size: 3 << 30, State: ledger.ItemVerified, BytesDone: 3 << 30, Checksum: "01c3d977f00a6e21", AssetID: "a3"}, ledger.Item{SourceID: "f4", Path: "Stills/Poster.tif", Size: 400 << 20, State: ledger.ItemVerified, BytesDone: 400 << 20, Checksum: "e7b2c6d81a90f455", AssetID: "a4", CommentCount: 2, CommentsDone: 2})
	for i, name := range []string{"Pilot", "Behind the Scenes", "Teaser"} {
		h.archive(t, name, func(a *ledger.Archive) {
			a.Name, a.TeamName, a.Status, a.StartedAt, a.FinishedAt, a.Reason = name, "Harbour Films", ledger.Verified, today.Add(-time.Duration(30+i)*time.Hour), today.Add(-time.Duration(28+i)*time.Hour), "Every file, version, comment and share was read back and is the same"
		})
	}
	h.review(t, ledger.Review{ID: "cut", Title: "Ferryman, rough cut", Status: ledger.ReviewOpen, ShareURL: "https://f.io/x", ExpiresAt: today.Add(30 * time.Hour), OpenComments: 2, ToIconik: 3, ToFrameio: 1, Reviewers: []string{"rita@agency.example", "tom@agency.example"}, RequestedBy: ledger.Person{Name: "Ellen Editor"}, LastSyncAt: today.Add(-40 * time.Second), Quality: "proxy", Watermark: "on", Access: "secure"})
	h.review(t, ledger.Review{ID: "old", Title: "Ferryman, assembly", Status: ledger.ReviewStopped, CreatedAt: today.Add(-90 * time.Hour), EndedAt: today.Add(-28 * time.Hour)})
	_, err := h.ledger.Tenant(acme).Review("cut").AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: "a9", Title: "Ferryman v7", State: ledger.AssetReady, FrameNum: 25, FrameDen: 1, FileID: "fi", Size: 900 << 20, Decision: "changes requested"}}
	})
	require.NoError(t, err)
	at := func(frame int64) *int64 { return &frame }
	require.NoError(t, h.ledger.Tenant(acme).PutReviewComments(t.Context(), ledger.ReviewComment{Review: "cut", ID: "c1", N: 1, FrameioID: "x", IconikID: "y", Author: "Rita", Text: "A little darker here, please.", Frame: at(1262), Origin: ledger.FromFrameio, CreatedAt: today.Add(-3 * time.Hour), Completed: true},
		ledger.ReviewComment{Review: "cut", ID: "c2", N: 1, ParentID: "c1", FrameioID: "x2", IconikID: "y2", Author: "Ellen Editor", Text: "Done in v8.", Origin: ledger.FromIconik, CreatedAt: today.Add(-2 * time.Hour)},
		ledger.ReviewComment{Review: "cut", ID: "c3", N: 1, FrameioID: "x3", Author: "Tom", Guest: true, Text: "Can we hold this two seconds longer?", Frame: at(3310), Origin: ledger.FromFrameio, CreatedAt: today.Add(-time.Minute)}))
	for _, e := range []ledger.AuditEntry{{At: today.Add(-30 * time.Hour), Action: "extend", ObjectKind: "review", ObjectID: "cut", Review: "cut", Actor: ledger.Actor{Kind: ledger.ActorConsole, Name: "pat@harbour.example", Address: "192.0.2.14"}, Detail: ledger.AuditText("2026-11-30T18:00:00Z")},
		{At: today.Add(-28 * time.Hour), Action: "stop", ObjectKind: "review", ObjectID: "old", Review: "old", Actor: ledger.Actor{Kind: ledger.ActorIconik, Name: "ellen@harbour.example"}},
		{At: today.Add(-5 * time.Hour), Action: "start", ObjectKind: "archive", ObjectID: "ferry", Archive: "ferry", Actor: ledger.Actor{Kind: ledger.ActorConsole, Name: "pat@harbour.example", Address: "192.0.2.14"}}} {
		e.Tenant = acme
		_, err := h.ledger.AppendAudit(t.Context(), e)
		require.NoError(t, err)
	}
	h.actions.plan = func(context.Context) (workflows.Plan, error) {
		return workflows.Plan{Project: "Night Shift", Items: 412, Assets: 380, Versions: 64, Folders: 31, Bytes: 3 << 40, Comments: 207, Shares: 4, APISeconds: 260, TransferSeconds: 33000,
			ByType:   []workflows.PlanType{{MediaType: "video/quicktime", Count: 366, Bytes: 3 << 40}, {MediaType: "audio/wav", Count: 46, Bytes: 9 << 30}},
			Blockers: []workflows.Blocker{{Path: "Rushes/B004C011.mov", Why: "the upload to Frame.io was never completed", Outcome: "skips it and says so"}},
			Access:   &workflows.PlanAccess{Places: []workflows.PlanPlace{{Place: "Night Shift", Readers: []string{"Harbour editors", "Pat Producer"}}}, Unmapped: []string{"freelance@post.example"}}}, nil
	}
	return h
}

// TestThePicturesOfTheManual takes them anew: FRAMEBRIDGE_MANUAL=../docs/images go test -tags integration ./console -run Manual
func TestThePicturesOfTheManual(t *testing.T) {
	to := os.Getenv("FRAMEBRIDGE_MANUAL")
	if to == "" {
		t.Skip("FRAMEBRIDGE_MANUAL names no folder")
	}
	b := openBrowser(t)
	h := story(t)
	for _, path := range []string{"start/p9", "setup"} {
		h.get(t, path)
	}
	b.look(1000, 760, "light")
	for file, path := range map[string]string{"console-archives": "archives", "console-archive": "archives/ferry", "console-plan": "start/p9", "console-review": "reviews/cut", "console-stop": "reviews/cut/do/stop", "console-audit": "audit", "console-setup": "setup"} {
		b.do(chromedp.Navigate(h.server.URL+"/ui/"+acme+"/"+path), chromedp.WaitReady("main"))
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		require.Less(t, len(png), 100<<10, file)
		require.NoError(t, os.WriteFile(filepath.Join(to, file+".png"), png, 0o644))
	}
}
