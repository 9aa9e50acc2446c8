package contract

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
)

// failedItems are the paths of the items that failed, with their reasons.
func (b *harness) failedItems(t *testing.T) map[string]string {
	t.Helper()
	items, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).ItemsPage(t.Context(), 0, 1000)
	require.NoError(t, err)
	failed := map[string]string{}
	for _, it := range items {
		if it.State == ledger.ItemFailed {
			failed[it.Path] = it.Reason
		}
	}
	return failed
}

// Two files are refused. One is tried again alone, and the other stays as it was; with the last one, the project is proved again.
func TestOneFileIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, "v4")
	refuse := func(names ...string) {
		b.frameio.ClearFaults()
		for _, name := range names {
			require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^GET .*" + b.file(t, name) + "/comments", Status: 403}))
		}
	}
	refuse("A001C001.mov", "Screener.mov")
	fin := b.archive(t)
	require.Equal(t, "incomplete", fin.Status, fin.Reason)
	items, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).BrowseItems(t.Context(), ledger.ItemFilter{States: []ledger.ItemState{ledger.ItemFailed}}, 0, 100)
	require.NoError(t, err)
	require.Len(t, items, 2)

	refuse(items[1].Name)
	fin = b.againOnly(t, items[0].Seq)
	assert.Equal(t, "incomplete", fin.Status, fin.Reason)
	failed := b.failedItems(t)
	assert.NotContains(t, failed, items[0].Path)
	assert.Equal(t, items[1].Reason, failed[items[1].Path], "nobody has tried it")
	it, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Item(t.Context(), items[0].SourceID)
	require.NoError(t, err)
	assert.Equal(t, ledger.ItemVerified, it.State, "it was compared")

	refuse()
	fin = b.againOnly(t, items[1].Seq)
	assert.True(t, strings.HasPrefix(fin.Status, "verified"), fin.Reason)
	assert.Empty(t, b.failedItems(t))
}

// iconik's document of 2025 has whole numbers for the points of drawings. A comment comes over without a drawing that iconik refuses,
// follows Frame.io as others do, and the report says what it lacks.
func TestADrawingThatIsRefusedCostsNoComment(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, "v4")
	b.iconik.Change(func(o *iconiksim.Options) { o.WholePoints = true })
	drawn := func() (source, text string) {
		for _, a := range b.iconik.Docs("assets") {
			for _, s := range b.iconik.Segments(str(a["id"])) {
				assert.Nil(t, s["drawing"])
				values := b.iconik.Values("segments", str(s["id"]))
				if _, id, _ := strings.Cut(str(s["external_id"]), "frameio:comment:"); source == "" && values["framebridge_annotation"] != "" {
					source, text = id, str(s["segment_text"])
				}
			}
		}
		return source, text
	}
	fin := b.archive(t)
	require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	require.Empty(t, b.failedItems(t))
	assert.Contains(t, fin.Reason, "not kept by iconik as written")
	source, text := drawn()
	require.NotEmpty(t, source, "its source is kept")
	assert.False(t, b.again(t).Changed)

	require.True(t, b.frameio.Edit(source, func(c *frameiosim.Comment) { c.Text = "Said otherwise" }))
	fin = b.again(t)
	require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	require.Empty(t, b.failedItems(t))
	_, now := drawn()
	assert.NotEqual(t, text, now)
	assert.Contains(t, now, "Said otherwise")
}

// A token that may write in its own user's name only need not be told so: the author of a comment is not lost.
func TestAnAuthorThatIsPassedOverIsKept(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
	b.iconik.AddUser("priya@partner.example", "Priya", "Rao")
	b.iconik.Change(func(o *iconiksim.Options) { o.OwnName = true })
	fin := b.archive(t)
	require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	assert.NotContains(t, fin.Reason, "not kept by iconik")
	found := 0
	for _, a := range b.iconik.Docs("assets") {
		for _, s := range b.iconik.Segments(str(a["id"])) {
			if text := str(s["segment_text"]); strings.HasSuffix(text, "Agreed, take 4 is sharper") {
				found++
				assert.Contains(t, text, "Priya Rao <priya@partner.example>: ")
				assert.Equal(t, "priya@partner.example", b.iconik.Values("segments", str(s["id"]))["framebridge_author_email"])
			}
		}
	}
	assert.Equal(t, 1, found)
	assert.False(t, b.again(t).Changed)
}

// What a vendor refuses of one object costs that object. A retry after the refusals brings it over.
func TestOneRefusedObjectCostsThatObject(t *testing.T) {
	t.Parallel()
	for i, tt := range []struct {
		name           string
		frameio, match string
		after          int
		status         int
		reason         string             // of the items that fail
		other          ledger.FailureKind // of what fails beside them
	}{
		{name: "comment", match: `^POST /API/assets/v1/assets/[^/]+/segments/?$`, after: 3, status: 422, reason: "comments were not brought over"},
		{name: "comments of a file", frameio: `^GET .*/comments$`, after: 1, status: 403, reason: "403 Forbidden"},
		{name: "folder", frameio: `^GET .*/children$`, after: 1, status: 403, other: ledger.FailedFolder},
		{name: "collection", match: `^POST /API/assets/v1/collections/?$`, after: 4, status: 422, reason: "has no collection in iconik", other: ledger.FailedCollection},
		{name: "share", match: `^POST /API/assets/v1/collections/[^/]+/contents/?$`, status: 422, other: ledger.FailedShare},
		{name: "report", match: `^POST /API/files/v1/assets/[^/]+/formats/?$`, after: 18, status: 422, other: ledger.FailedReport},
		{name: "asset while verifying", match: `^GET /API/files/v1/assets/[^/]+/versions/[^/]+/files/?$`, after: 3, status: 403, reason: "comparison failed: "},
	} {
		for _, generation := range played() {
			if !sampled(i, 2) {
				continue
			}
			t.Run(tt.name+" "+generation, func(t *testing.T) {
				t.Parallel()
				b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
				var hit atomic.Int64
				add, match := b.iconik.AddFault, tt.match
				if tt.frameio != "" {
					add, match = b.frameio.AddFault, tt.frameio
				}
				require.NoError(t, add(faults.Fault{Match: match, After: tt.after, Status: tt.status, Do: func() { hit.Add(1) }}))
				fin := b.archive(t)
				assert.Equal(t, "incomplete", fin.Status, fin.Reason)
				require.NotZero(t, hit.Load(), "nothing was refused")
				failed := b.failedItems(t)
				others, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Failures(t.Context(), "", 100)
				require.NoError(t, err)
				require.NotEmpty(t, len(failed)+len(others))
				kinds := map[ledger.FailureKind]bool{}
				for _, f := range others {
					kinds[f.Kind] = true
					assert.Contains(t, fin.Reason, f.Place)
				}
				require.Equal(t, tt.other != "", kinds[tt.other], fin.Reason)
				for path, reason := range failed {
					assert.Contains(t, reason, tt.reason, path)
				}
				b.frameio.ClearFaults()
				b.iconik.ClearFaults()
				fin = b.again(t)
				assert.True(t, strings.HasPrefix(fin.Status, "verified"), fin.Reason)
				assert.Empty(t, b.failedItems(t))
				others, _, err = b.book.Tenant(tenantID).Archive(b.project.ID).Failures(t.Context(), "", 100)
				require.NoError(t, err)
				assert.Empty(t, others)
			})
		}
	}
}
