package contract

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
)

const (
	tenantID = "11111111-2222-4333-8444-555555555555"
	appID    = "framebridge-app"
	token    = "a-token-for-tests"
)

// Where iconik is known to do otherwise than its document of 2025.
var iconikKnown = []string{
	// PATCH takes what it is given, although the schema requires more.
	"PATCH /v1/assets/{asset_id}/files/{file_id}/: request: ",
	"PATCH /v1/jobs/{job_id}/: request: ",
	// A job shows an empty list of related objects, and takes steps at its creation.
	"GET /v1/jobs/{job_id}/: answer: /related_objects",
	"PATCH /v1/jobs/{job_id}/: answer: /related_objects",
	"PATCH /v1/jobs/{job_id}/steps/: answer: /related_objects",
	"POST /v1/jobs/: answer: /related_objects",
	"POST /v1/jobs/: request: /steps: readOnly",
	// Two paths of one shape, of which the document's reader finds the other: that of POST …/{object_type}/{permission}/.
	"GET /API/acls/v1/acl/assets/{id}/: request: method not allowed",
	"GET /API/acls/v1/acl/collections/{id}/: request: method not allowed",
	"POST /v1/assets/{asset_id}/segments/: request: member /is_internal", // of 2026
	// Points of drawings are floats since 2026.
	"GET /v1/assets/{asset_id}/segments/: points",
	"POST /v1/assets/{asset_id}/segments/: points",
}

// The same of Frame.io's legacy API.
var legacyKnown = []string{
	// Both are lists, as every listing.
	"GET /v2/projects/{project_id}/collaborators: answer: status is not supported",
	"GET /v2/teams/{team_id}/members: answer: /: value must be an object",
	// "none" is a label in every captured answer; metadata is an object in them.
	"GET /v2/assets/{asset_id}/children: /label: value is not one of",
	"GET /v2/assets/{asset_id}: /label: value is not one of",
	"GET /v2/projects/{project_id}/presentations: /label: value is not one of",
	"GET /v2/review_links/{review_link_id}/items/shared: /label: value is not one of",
	"GET /v2/assets/{asset_id}/children: /metadata: value must be a string",
	"GET /v2/assets/{asset_id}: /metadata: value must be a string",
	"GET /v2/projects/{project_id}/presentations: /metadata: value must be a string",
}

// Where V4 is known to do otherwise than its document of July 2026.
var v4Known = []string{
	"GET /v4/accounts/{id}/shares/{id}/assets: request: method not allowed", // of August 2026
	// Fields of September 2026.
	`PATCH /v4/accounts/{account_id}/shares/{share_id}: request: /data: property "enabled" is unsupported`,
	`POST /v4/accounts/{account_id}/projects/{project_id}/shares: request: /data: property "watermark_enabled" is unsupported`,
	`POST /v4/accounts/{account_id}/projects/{project_id}/shares: request: /data: property "enabled" is unsupported`,
	// "include" takes a list, as the document's own example shows.
	"GET /v4/accounts/{account_id}/files/{file_id}/comments: request: /: value is not one of",
	"GET /v4/accounts/{account_id}/files/{file_id}: request: /: value is not one of",
	"GET /v4/accounts/{account_id}/folders/{folder_id}/children: request: /: value is not one of",
	"GET /v4/accounts/{account_id}/version_stacks/{version_stack_id}/children: request: /: value is not one of",
	// The links' own members are in the document's examples and not in its schema.
	"GET /v4/accounts/{account_id}/files/{file_id}: answer: /data/media_links/original",
	"GET /v4/accounts/{account_id}/folders/{folder_id}/children: answer: /data/N/head_version/media_links/original",
	"GET /v4/accounts/{account_id}/folders/{folder_id}/children: answer: /data/N/media_links/original",
	"GET /v4/accounts/{account_id}/version_stacks/{version_stack_id}/children: answer: /data/N/media_links/original",
	// An answer 204 has no body to be of a type.
	"DELETE /v4/accounts/{account_id}/files/{file_id}: answer: response header Content-Type",
	"DELETE /v4/accounts/{account_id}/folders/{folder_id}: answer: response header Content-Type",
	"DELETE /v4/accounts/{account_id}/comments/{comment_id}: answer: response header Content-Type",
	"POST /v4/accounts/{account_id}/shares/{share_id}/reviewers: answer: response header Content-Type",
	"PATCH /v4/accounts/{account_id}/projects/{project_id}/metadata/values: answer: response header Content-Type",
}

// generations are the tests' two Frame.ios, and what is known of their documents.
var generations = map[string][]string{"legacy": legacyReviewKnown, "v4": v4Known}

// TestAnArchiveKeepsToTheVendorsDocuments archives the sample project with everything it holds, and holds each call and
// each answer against the vendors' documents.
func TestAnArchiveKeepsToTheVendorsDocuments(t *testing.T) {
	t.Parallel()
	dir := specs(t)
	for generation, known := range generations {
		t.Run(generation, func(t *testing.T) {
			ick, err := Iconik(dir)
			require.NoError(t, err)
			fio, err := Frameio(dir, generation)
			require.NoError(t, err)
			ick.Known, fio.Known = iconikKnown, known
			b := openWith(t, rawInParts, ick, fio, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
			fin := b.archive(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Contains(t, b.iconik.Tree(), "Überblick")
			assert.Empty(t, strings.Join(ick.Problems(), "\n"))
			assert.Empty(t, strings.Join(fio.Problems(), "\n"))
			assert.GreaterOrEqual(t, len(ick.Seen()), 25, "iconik's operations: %v", ick.Seen())
			assert.GreaterOrEqual(t, len(fio.Seen()), 7, "Frame.io's operations: %v", fio.Seen())
			b.commentsReadOnce(t, fio.Seen())
		})
	}
}

// A file without a frame rate, sound or a video that Frame.io gives none of, has its comments counted at 24 frames a second,
// and says so for as long as that is so.
func TestAnAssumedFrameRateIsSaid(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
			at, root := int64(48), ""
			for _, a := range b.frameio.AssetsOf(b.project.ID) {
				if a.ParentID == "" {
					root = a.ID
				}
			}
			add := func(f frameiosim.File, at *int64) string {
				file, err := b.frameio.AddFile(root, f)
				require.NoError(t, err)
				b.frameio.AddComment(frameiosim.Comment{AssetID: file.ID, Text: "here: " + f.Name, Timestamp: at})
				return file.ID
			}
			video := frameiosim.File{Name: "odd.mov", Type: "video/quicktime", Body: samples.Media("25.mov")}
			rated := video
			rated.Name, rated.FPS, rated.Frames = "rated.mov", 25, 250
			silent, sound, known := add(video, &at), add(frameiosim.File{Name: "mix.wav", Type: "audio/wav", Body: []byte("sound")}, &at), add(rated, &at)
			whole := add(frameiosim.File{Name: "notes.txt", Type: "text/plain", Body: []byte("text")}, nil)
			b.archive(t)
			why := func(id string) string {
				it, ok, err := b.book.Tenant(tenantID).Archive(b.project.ID).Item(t.Context(), id)
				require.NoError(t, err)
				require.True(t, ok)
				require.Equal(t, ledger.ItemVerified, it.State, it.Reason)
				return it.Why()
			}
			for _, id := range []string{silent, sound} {
				assert.Contains(t, why(id), "no frame rate: comment times assume 24 fps")
			}
			assert.Empty(t, why(known)+why(whole))
			row, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Item(t.Context(), silent)
			require.NoError(t, err)
			assert.EqualValues(t, 2000, b.iconik.Segments(row.AssetID)[0]["time_start_milliseconds"])

			b.frameio.SetMedia(silent, 25, 250, "")
			_, _, err = b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
			require.NoError(t, err)
			b.archive(t)
			assert.Empty(t, why(silent), "Frame.io gives the rate by now")
			assert.EqualValues(t, 1920, b.iconik.Segments(row.AssetID)[0]["time_start_milliseconds"])
		})
	}
}

// A file that somebody deletes in Frame.io while the archive runs takes nothing else with it.
func TestAFileDeletedMeanwhileFailsNoArchive(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		for name, after := range map[string]int{"before its comments are copied": 0, "before it is verified": 1} {
			t.Run(generation+", "+name, func(t *testing.T) {
				b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
				file := ""
				for _, a := range b.frameio.AssetsOf(b.project.ID) {
					if a.Name == "A001C001.mov" {
						file = a.ID
					}
				}
				require.NotEmpty(t, file)
				require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*" + file + "/comments", After: after, Times: 1, Do: func() { b.frameio.DeleteAsset(file) }}))
				fin := b.archive(t)
				if after == 1 && generation == "v4" { // after the last look at the tree; the legacy API still shows the comments
					assert.Equal(t, "incomplete", fin.Status, fin.Reason)
					it, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Item(t.Context(), file)
					require.NoError(t, err)
					assert.Contains(t, it.Reason, "removed from Frame.io")
					_, _, err = b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
					require.NoError(t, err)
					fin = b.archive(t)
				}
				assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
				if after == 0 || generation == "v4" {
					assert.Contains(t, fin.Reason, "16 of 17 files verified")
				}
			})
		}
	}
	t.Run("while it waits for its original", func(t *testing.T) {
		b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
		b.config.Tenants[tenantID].Archive.MissingOriginal = "wait"
		b.frameio.Archive(b.project.ID, "archived")
		looks := 0
		require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*/projects/" + b.project.ID + "$", After: 1, Do: func() {
			if looks++; looks == 3 {
				b.frameio.Archive(b.project.ID, "standard")
				for _, a := range b.frameio.AssetsOf(b.project.ID) {
					if a.Name == "A001C001.mov" {
						b.frameio.DeleteAsset(a.ID)
					}
				}
			}
		}}))
		fin := b.archive(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		assert.Contains(t, fin.Reason, "of 17 files verified")
		assert.GreaterOrEqual(t, looks, 3)
	})
}

// commentsReadOnce: a file's comments are listed when they are copied, and once more when they are verified; where
// Frame.io does not count them, those of every file are listed to know.
func (b *harness) commentsReadOnce(t *testing.T, seen map[string]int) {
	t.Helper()
	items, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).ItemsPage(t.Context(), 0, 1000)
	require.NoError(t, err)
	want, listed := 0, 0
	for _, it := range items {
		if it.CommentCount > 0 {
			want += 2
		} else if b.generation == "v4" && it.AssetID != "" {
			want++
		}
	}
	for op, n := range seen {
		if strings.HasPrefix(op, "GET ") && strings.HasSuffix(op, "_id}/comments") {
			listed += n
		}
	}
	assert.Equal(t, want, listed, "listings of comments: %v", seen)
}

// TestEveryKindOfStorageTakesAnArchive brings the sample project, a camera original in parts and proxies included, to each
// kind of iconik storage, with iconik's calls held against its document.
func TestEveryKindOfStorageTakesAnArchive(t *testing.T) {
	t.Parallel()
	dir := specs(t)
	for name, tt := range map[string]struct {
		method   string
		settings map[string]any
	}{
		"S3":               {"S3", map[string]any{"bucket": "iconik-files"}},
		"S3 enforcing MD5": {"S3", map[string]any{"bucket": "iconik-files", "presign_md5_checksum": true}},
		"GCS":              {"GCS", map[string]any{"bucket": "gcs"}},
		"Azure":            {"AZURE", map[string]any{"bucket": "container", "path": "media"}},
		"B2":               {"B2", map[string]any{"bucket": "b2"}},
	} {
		t.Run(name, func(t *testing.T) {
			ick, err := Iconik(dir)
			require.NoError(t, err)
			ick.Known = iconikKnown
			b := openWith(t, rawInParts, ick, &Checker{}, tt.method, tt.settings)
			fin := b.archive(t)
			assert.Empty(t, strings.Join(ick.Problems(), "\n"))
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Contains(t, fin.Reason, "17 of 18 files verified")
			tree := b.iconik.Tree()
			assert.Contains(t, tree, fmt.Sprintf("stored %d bytes", rawInParts))
			assert.NotContains(t, tree, "no object")
		})
	}
}

func TestAStorageThatCannotBeReachedIsRefusedInThePlan(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "FILE", nil)
	fin := b.archiveFailing(t)
	assert.ErrorContains(t, fin, "does not accept uploads over the internet")
	assert.Empty(t, b.iconik.Docs("assets"), "nothing was made")
}
