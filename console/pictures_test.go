//go:build integration

package console

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/plan/schedule"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/workflows"
)

// story is a tenant on an ordinary day.
func story(t *testing.T, role config.Role) *harness {
	h := serve(t, role)
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
	h.actions.checks = []doctor.Check{{ID: "frameio.webhooks.enabled", Status: doctor.Fail, Seen: "Frame.io has turned the webhook of “Harbour Films” off", Meaning: "Frame.io sends nothing, and Framebridge reacts only when it polls", Do: "run `starter setup`"},
		{ID: "ledger", Status: doctor.OK, Seen: "reachable"}, {ID: "iconik.storage", Status: doctor.OK, Seen: "an S3 bucket that accepts uploads"}}
	h.account(t)
	return h
}

// account has a migration under way, mirrors, a deletion that waits for approval, and the vendors' limits.
func (h *harness) account(t *testing.T) {
	t.Helper()
	pace, err := json.Marshal(schedule.Pace{BytesRate: 88 << 20, Weight: 1})
	require.NoError(t, err)
	done := func(id, name string, state ledger.ProjectState, why string, files, size int64) ledger.MigrationProject {
		return ledger.MigrationProject{ID: id, Name: name, Team: "Harbour Films", State: state, Reason: why, Counts: ledger.ProjectCounts{Items: files, Copied: files, Bytes: size << 30, BytesDone: size << 30}}
	}
	half := done("lights", "Harbour Lights", ledger.ProjectRunning, "", 412, 348)
	half.Counts.Copied, half.Counts.BytesDone = 260, 232<<30
	broken := done("ferry", "The Ferryman", ledger.ProjectIncomplete, "1 file failed, 3 of 4 files verified", 4, 86)
	broken.Counts.Copied, broken.Counts.Failed = 3, 1
	queued := func(id, name string, size int64) ledger.MigrationProject {
		return ledger.MigrationProject{ID: id, Name: name, Team: "Harbour Films", Counts: ledger.ProjectCounts{Bytes: size << 30}}
	}
	h.migration(t, "mig", account.Request{Selection: account.Selection{Status: "inactive"}, ProjectsInParallel: 4, Canary: 2, Windows: []schedule.Window{{Days: "mon-fri", From: "20:00", To: "06:00", Zone: "America/Los_Angeles"}}}, func(m *ledger.Migration) {
		m.Pace, m.ETA, m.RequestedBy, m.StartedAt = pace, today.Add(9*time.Hour), "pat@harbour.example", today.Add(-6*time.Hour)
	}, done("Pilot", "Pilot", ledger.ProjectVerified, "", 96, 120), done("Teaser", "Teaser", ledger.ProjectVerified, "", 12, 9), broken, half, queued("Summer Campaign", "Summer Campaign", 640), queued("Winter Catalog", "Winter Catalog", 75), queued("Trailer 2027", "Trailer 2027", 30))
	h.actions.mirrors = []Mirror{{Name: "nightly", At: "02:00", Days: "daily", Zone: "America/Los_Angeles", LastAt: today.Add(-2 * time.Hour), NextAt: today.Add(22 * time.Hour), Last: &workflows.MirrorResult{Projects: 12, Verified: 12}}}
	h.cfg.Tenants[acme].Archive.Reclaim, h.cfg.Tenants[acme].Archive.ReclaimGrace = "allowed", 168*time.Hour
	_, err = h.ledger.Tenant(acme).Archive("Pilot").Update(t.Context(), func(a *ledger.Archive) { a.ProvenSince = today.Add(-400 * time.Hour) })
	require.NoError(t, err)
	l := h.ledger.Tenant(acme).Archive("Pilot")
	made, _, err := l.RequestReclaim(t.Context(), ledger.Reclaim{Project: "Pilot", Status: ledger.ReclaimWaiting, Reason: "Somebody else has to approve the deletion", RequestedBy: ledger.Actor{Kind: ledger.ActorConsole, Name: "olga@harbour.example"}, RequestedAt: today.Add(-20 * time.Minute)})
	require.NoError(t, err)
	require.NoError(t, l.PutReclaimFiles(t.Context(), made.Run, []ledger.ReclaimFile{{Seq: 1, SourceID: "x1", Path: "Day 1/A001C001.mov", Size: 111 << 30, State: ledger.ReclaimReady}, {Seq: 2, SourceID: "x2", Path: "Cut/Pilot v3.mov", Size: 9 << 30, State: ledger.ReclaimLeft, Reason: "only Frame.io has its attachment \"notes.pdf\""}}))
	h.actions.budgets = []Budget{{Vendor: "Frame.io", Name: "GET comments", Left: 4, Of: 100, Window: time.Minute, PausedUntil: today.Add(4 * time.Minute), Refused: 2, RefusedAt: today.Add(-2 * time.Minute)}, {Vendor: "iconik", Name: "assets", Left: 46, Of: 50, Window: time.Second}}
	h.actions.accountPlan = func(func(done, of int)) (workflows.AccountPlan, error) {
		return workflows.AccountPlan{Projects: 40, Files: 12480, Folders: 910, Bytes: 31 << 40, Comments: 5207, Shares: 64, APICalls: 92000, Time: workflows.PlanTime{Limits: 14400, Bytes: 341000, BytesPerSecond: 100e6},
			Cost:       &workflows.PlanCost{Currency: "USD", Storage: []workflows.StorageCost{{Class: "deep archive", PerMonth: 31.4}}, Egress: 0, Transcode: 120, Minutes: 4800},
			Blockers:   []workflows.AccountBlocker{{Project: "Night Shift", Why: "the upload of these files to Frame.io was never completed", Outcome: "skips them and says so", Files: 2, Bytes: 9 << 30}},
			NotCarried: []workflows.PlanNotCarried{{Kind: "attachment", Reason: "Frame.io's API gives no address to download it from"}}, Access: workflows.AccountAccess{Mode: "mirror", Open: 36, Restricted: 4, Within: 12}, ByType: []workflows.PlanType{{MediaType: "video/quicktime", Count: 11000, Bytes: 30 << 40}}}, nil
	}
}

// manualPictures maps the files of the manual's pictures to their pages.
var manualPictures = map[string]string{
	"console-archives": "archives", "console-archive": "archives/ferry", "console-plan": "start/p9", "console-review": "reviews/cut?q=tom#comments", "console-stop": "reviews/cut/do/stop", "console-audit": "audit", "console-setup": "setup#checks",
	"console-waits": "archives/cold", "console-prove": "archives/ferry?q=Mix#files", "console-extend": "reviews/cut/do/extend", "console-order": "archives#queue",
	"console-migration": "account/migrations/mig#projects", "console-account-plan": "account/plan?canary=2", "console-reclaim": "archives/Pilot/reclaim",
}

// TestThePicturesOfTheManual takes them again: FRAMEBRIDGE_MANUAL=../docs/images go test -tags integration ./console -run Manual
func TestThePicturesOfTheManual(t *testing.T) {
	to := os.Getenv("FRAMEBRIDGE_MANUAL")
	if to == "" {
		t.Skip("FRAMEBRIDGE_MANUAL names no folder")
	}
	b := openBrowser(t)
	h := story(t, config.RoleAdmin)
	h.planned(t)
	for _, path := range []string{"start/p9", "setup", "account/plan?canary=2"} {
		h.get(t, path)
	}
	b.look(1100, 660, "light")
	for file, path := range manualPictures {
		b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(h.server.URL+"/ui/"+acme+"/"+path), chromedp.WaitReady("main"))
		taken, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		taken = inFewColors(t, taken)
		require.Less(t, len(taken), 60<<10, file)
		require.NoError(t, os.WriteFile(filepath.Join(to, file+".png"), taken, 0o644))
	}
}

// inFewColors makes a picture's file small. A page has few colors, and the edges of letters may use the nearest of them.
func inFewColors(t *testing.T, taken []byte) []byte {
	t.Helper()
	in, err := png.Decode(bytes.NewReader(taken))
	require.NoError(t, err)
	count, box := map[color.RGBA]int{}, in.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[color.RGBAModel.Convert(in.At(x, y)).(color.RGBA)]++
		}
	}
	all := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(uint32(a.R)<<16|uint32(a.G)<<8|uint32(a.B), uint32(b.R)<<16|uint32(b.G)<<8|uint32(b.B)))
	})
	var few color.Palette
	for _, c := range all[:min(len(all), 64)] {
		few = append(few, c)
	}
	nearest := map[color.RGBA]uint8{}
	out := image.NewPaletted(box, few)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := color.RGBAModel.Convert(in.At(x, y)).(color.RGBA)
			at, known := nearest[c]
			if !known {
				at = uint8(few.Index(c))
				nearest[c] = at
			}
			out.SetColorIndex(x, y, at)
		}
	}
	var small bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, out))
	return small.Bytes()
}
