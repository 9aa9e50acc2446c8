package contract

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// toV4 is the same installation with the tenant's generation changed.
func (b *harness) toV4(t *testing.T) {
	t.Helper()
	cfg := *b.config
	cfg.Tenants[tenantID].Frameio.Generation = "v4"
	var err error
	b.acts, err = activities.New(config.Hold(&cfg), b.book, b.engine, transfer.NewHTTPClient(nil, nil), nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
}

var sourceIDs = regexp.MustCompile(`frameio:[a-z_]+:[0-9a-f-]{36}`)

// TestAnArchiveGoesOnUnderOtherIDs archives a project on the legacy API, moves the account to V4 under other ids, and
// archives it again: nothing is brought over twice, and iconik learns the new ids.
func TestAnArchiveGoesOnUnderOtherIDs(t *testing.T) {
	t.Parallel()
	for name, projects := range map[string]bool{"all ids are new": true, "the project keeps its id": false} {
		t.Run(name, func(t *testing.T) {
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
			fin := b.archive(t)
			require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			count := func() map[string]int {
				out := map[string]int{}
				for _, kind := range []string{"assets", "segments", "files", "formats"} {
					for _, d := range b.iconik.Docs(kind) {
						if d["status"] != "DELETED" && !strings.HasPrefix(str(d["external_id"]), "frameio:report:") {
							out[kind]++
						}
					}
				}
				return out
			}
			files := func() int { return strings.Count(b.iconik.Tree(), "stored ") }
			before, stored := count(), files()
			old := b.project.ID
			ids := b.frameio.MigrateAnew(projects)
			b.toV4(t)
			if projects {
				// Whoever retries the old archive is told which one to start.
				_, _, err := b.book.Tenant(tenantID).Archive(old).Request(t.Context(), "test", time.Now())
				require.NoError(t, err)
				b.project.ID = old
				failure := b.archiveFailing(t)
				assert.ErrorContains(t, failure, "starter archive "+ids[old])
				assert.ErrorContains(t, failure, "continues where this one stopped")
				_, err = b.book.Tenant(tenantID).Archive(old).Update(t.Context(), func(r *ledger.Archive) { r.Status = ledger.Failed })
				require.NoError(t, err)
				b.project.ID = ids[old]
			}
			shown := b.frameio.AddShare(frameiosim.Share{Kind: "review_link", Name: "Client showcase", ProjectID: b.project.ID, Items: b.visible()})
			for range 2 { // which of them was the review link cannot be told
				b.frameio.AddShare(frameiosim.Share{Kind: "review_link", Name: "Director's review", ProjectID: b.project.ID})
			}
			plan := b.plan(t)
			if assert.NotEmpty(t, plan.Blockers) {
				said := fmt.Sprint(plan.Blockers)
				assert.Contains(t, said, "as project "+old)
				assert.Contains(t, said, "17 of 18 files in iconik")
				assert.Contains(t, said, "not copied again")
			}
			_, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
			require.NoError(t, err)
			fin = b.archive(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Contains(t, fin.Reason, "17 of 18 files verified")
			assert.Equal(t, before["assets"], count()["assets"], "no asset is there twice")
			assert.Equal(t, before["segments"], count()["segments"], "no comment is there twice")
			assert.InDelta(t, stored, files(), 5, "no file is stored twice; the five forms of the report may be")
			tree := b.iconik.Tree()
			assert.Equal(t, 1, strings.Count(tree, "frameio:project:"))
			assert.Equal(t, 1, strings.Count(tree, "frameio:team:"))
			assert.Equal(t, 1, strings.Count(tree, "Client showcase"), "a share goes on as the presentation's collection\n%s", tree)
			assert.Contains(t, tree, "frameio:share:"+shown.ID)
			assert.Equal(t, 3, strings.Count(tree, "Director's review"), "what cannot be told apart is not guessed")
			stale := map[string]bool{}
			for _, e := range sourceIDs.FindAllString(tree, -1) {
				kind, id, _ := strings.Cut(strings.TrimPrefix(e, "frameio:"), ":")
				if _, gone := ids[id]; gone && kind != "presentation" && kind != "review_link" && kind != "report" && kind != "presentations" {
					stale[e] = true
				}
			}
			assert.Empty(t, stale, "iconik knows the new ids")
			// Nothing is left to do by the next run.
			_, _, err = b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
			require.NoError(t, err)
			again := b.archive(t)
			assert.False(t, again.Changed, again.Reason)
			assert.NotContains(t, fmt.Sprint(b.plan(t).Blockers), "as project")
			if projects {
				row, _, err := b.book.Tenant(tenantID).Archive(old).Get(t.Context())
				require.NoError(t, err)
				assert.Contains(t, row.Reason, b.project.ID)
			}
		})
	}
}

// plan is a dry run.
func (b *harness) plan(t *testing.T) workflows.Plan {
	t.Helper()
	env := temporaltest.Activities()
	env.RegisterActivity(b.acts.Archive.PlanProject)
	value, err := env.ExecuteActivity(b.acts.Archive.PlanProject, workflows.Ref{Tenant: tenantID, Archive: b.project.ID})
	require.NoError(t, err)
	var plan workflows.Plan
	require.NoError(t, value.Get(&plan))
	return plan
}

// visible are two files of the project.
func (b *harness) visible() (ids []string) {
	for _, a := range b.frameio.AssetsOf(b.project.ID) {
		if a.Type == "file" && len(ids) < 2 {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// Where Frame.io keeps all ids, a presentation that is a share by now stays one collection.
func TestAPresentationBecomesAShare(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
	b.archive(t)
	before := b.iconik.Tree()
	require.Equal(t, 1, strings.Count(before, "frameio:presentation:"))
	b.frameio.Migrate()
	b.toV4(t)
	for _, changed := range []bool{true, false} {
		_, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
		require.NoError(t, err)
		fin := b.archive(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		assert.Equal(t, changed, fin.Changed)
		for _, name := range []string{"Client showcase", "Director's review"} {
			assert.Equal(t, strings.Count(before, name), strings.Count(b.iconik.Tree(), name), name)
		}
		assert.Equal(t, 2, strings.Count(b.iconik.Tree(), "frameio:share:"))
	}
}

func str(v any) string { s, _ := v.(string); return s }

// Two files of one path and size that cannot be told apart are not guessed at.
func TestWhatCannotBeToldApartIsSaid(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
	folder := ""
	for _, a := range b.frameio.AssetsOf(b.project.ID) {
		if a.Type == "folder" {
			folder = a.ID
		}
	}
	for range 4 { // at least two in one second
		_, err := b.frameio.AddFile(folder, frameiosim.File{Name: "twice.txt", Type: "text/plain", Body: []byte("the same")})
		require.NoError(t, err)
	}
	b.archive(t)
	b.frameio.MigrateAnew(false)
	b.toV4(t)
	_, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
	require.NoError(t, err)
	fin := b.archive(t)
	assert.Contains(t, fin.Reason, "could not match them")
	assert.Contains(t, fin.Reason, "twice.txt")
}

// TestAnOpenReviewIsFoundAgainUnderOtherIDs moves the account while a review is open, and no id stays: the review goes on
// with its files and comments, none of them twice and none taken for deleted.
func TestAnOpenReviewIsFoundAgainUnderOtherIDs(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"})
	b.frameio.SetWatermark(true)
	asset, err := b.iconik.AddAsset("Take.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	ref := b.request(t, time.Hour, asset)
	project := b.frameio.AddProject(b.project.TeamID, "iconik Reviews")
	row, err := b.book.Tenant(tenantID).Review(reviewID).Update(t.Context(), func(r *ledger.Review) {
		r.Title, r.Status, r.Generation, r.ShareID, r.ProjectID = "Take", ledger.ReviewOpen, "legacy", "a-link", project.ID
	})
	require.NoError(t, err)
	folder := b.frameio.AddFolder(project.RootID, "Take "+row.CreatedAt.Format("2006-01-02")+" "+reviewID[:8])
	var files []*frameiosim.Asset
	for range 2 { // one asset sent twice: two versions that look alike
		f, err := b.frameio.AddFile(folder.ID, frameiosim.File{Name: "Take.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250})
		require.NoError(t, err)
		files = append(files, f)
	}
	stack := b.frameio.AddStack(files...)
	_, err = b.book.Tenant(tenantID).Review(reviewID).AddAssets(t.Context(), func([]ledger.ReviewAsset) (out []ledger.ReviewAsset) {
		for _, f := range files {
			out = append(out, ledger.ReviewAsset{AssetID: asset, VersionID: b.iconik.CurrentVersion(asset), Title: "Take.mov", Name: "Take.mov", Size: int64(len(samples.Media("25.mov"))),
				FileID: f.ID, StackID: stack.ID, State: ledger.AssetReady, FrameNum: 25, FrameDen: 1, SeenIconik: true})
		}
		return out
	})
	require.NoError(t, err)
	c := &chaos{harness: b, t: t, asset: asset}
	in := workflows.SyncInput{ReviewRef: ref, Hints: []workflows.Hint{{Asset: asset}}}
	at := int64(10)
	said := b.frameio.AddComment(frameiosim.Comment{AssetID: files[1].ID, Text: "from Frame.io", Timestamp: &at})
	b.frameio.AddComment(frameiosim.Comment{AssetID: files[1].ID, ParentID: said.ID, Text: "a reply"})
	b.frameio.AddComment(frameiosim.Comment{AssetID: files[0].ID, Text: "on the first version", Timestamp: &at})
	b.iconik.Comment(asset, b.iconik.ServiceUser(), "from iconik", nil, nil, "", nil)
	require.NoError(t, c.sync(in, 0))
	require.NoError(t, c.sync(in, 0))
	require.Len(t, b.iconik.Segments(asset), 4)
	require.Len(t, b.frameio.CommentsOf(files[1].ID), 3)

	old := files[1].ID
	ids := b.frameio.MigrateAnew(true)
	b.toV4(t)
	for range 2 {
		require.NoError(t, c.sync(in, 0))
	}
	rows, err := b.book.Tenant(tenantID).Review(reviewID).Assets(t.Context())
	require.NoError(t, err)
	for i, f := range []string{files[0].ID, files[1].ID} {
		assert.Equal(t, ledger.AssetReady, rows[i].State, rows[i].Reason)
		assert.Equal(t, f, rows[i].FileID, "version %d", i+1)
	}
	row, _, err = b.book.Tenant(tenantID).Review(reviewID).Get(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, row.ShareURL, "there is a new link")
	assert.Equal(t, folder.ID, row.FolderID)
	assert.Equal(t, ids[old], rows[1].FileID)
	assert.Len(t, b.iconik.Segments(asset), 4)
	assert.Len(t, b.frameio.CommentsOf(rows[1].FileID), 3)
	assert.Empty(t, row.Notes[min(len(row.Notes), 1):], "%v", row.Notes)
	b.frameio.Edit(said.ID, func(c *frameiosim.Comment) { c.Text = "edited after the move" })
	require.NoError(t, c.sync(in, 0))
	assert.Contains(t, segmentTexts(b.iconik.Segments(asset)), "edited after the move")
}

func segmentTexts(segments []map[string]any) string {
	var out []string
	for _, g := range segments {
		out = append(out, str(g["segment_text"]))
	}
	return strings.Join(out, "|")
}

// A comment that could not be written in its author's name is known again by the name in its text, once the account has moved.
func TestANamedCommentIsKnownAgainUnderOtherIDs(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
	b.iconik.AddUser("priya@partner.example", "Priya", "Rao")
	b.iconik.Change(func(o *iconiksim.Options) { o.OwnName = true })
	b.frameio.AddComment(frameiosim.Comment{AssetID: b.file(t, "Storyboard.pdf"), Text: "Page two is better", Owner: &frameiosim.User{ID: "u-priya", Name: "Priya Rao", Email: "priya@partner.example"}})
	b.archive(t)
	before := len(b.iconik.Docs("segments"))
	b.frameio.MigrateAnew(false)
	b.toV4(t)
	fin := b.again(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	assert.Equal(t, before, len(b.iconik.Docs("segments")), "no comment is there twice")
	assert.False(t, b.again(t).Changed)
}
