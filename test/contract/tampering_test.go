package contract

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// When somebody tampers: before the reclaim begins, when both sides were compared, and when every file was proven.
const (
	atFirst    = ""
	onceSeen   = "ProveReclaimFiles"
	onceProven = "DeleteProvenFiles"
)

// tampering is one way to make something otherwise than it was archived. do changes it, of the file or of a place of its own, and
// returns the files that must not be freed then; nil is none of them.
type tampering struct {
	name  string
	early bool // it matters only before the reclaim begins
	only  string
	do    func(r *reclaimed, file string) []string
}

// whole keeps the file, and the other version of its stack.
func whole(f func(r *reclaimed, file string)) func(*reclaimed, string) []string {
	return func(r *reclaimed, file string) []string {
		f(r, file)
		if file == r.first || file == r.newest {
			return []string{r.first, r.newest}
		}
		return []string{file}
	}
}

func none(f func(r *reclaimed)) func(*reclaimed, string) []string {
	return func(r *reclaimed, _ string) []string { f(r); return nil }
}

// commented keeps the file with the comments.
func commented(f func(r *reclaimed)) func(*reclaimed, string) []string {
	return func(r *reclaimed, _ string) []string { f(r); return []string{r.file} }
}

func (r *reclaimed) itemOf(file string) ledger.Item {
	it, ok, err := r.rows().Item(r.t.Context(), file)
	require.NoError(r.t, err)
	require.True(r.t, ok)
	return it
}

func (r *reclaimed) doc(kind, id string, set map[string]any) {
	r.iconik.ChangeDoc(kind, id, func(d map[string]any) bool {
		for k, v := range set {
			d[k] = v
		}
		return true
	})
}

func (r *reclaimed) rewrite(file string, change func([]byte) []byte) {
	_, bucket, key := r.object(file)
	body, err := r.store.Get(bucket, key)
	require.NoError(r.t, err)
	require.NoError(r.t, r.store.Put(bucket, key, "application/octet-stream", change(slices.Clone(body))))
}

func (r *reclaimed) change(change func(*ledger.Archive)) {
	_, err := r.rows().Update(r.t.Context(), change)
	require.NoError(r.t, err)
}

func (r *reclaimed) changeItem(file string, change func(*ledger.Item)) {
	_, err := r.rows().UpdateItem(r.t.Context(), file, change)
	require.NoError(r.t, err)
}

func (r *reclaimed) say(comment string, change func(*frameiosim.Comment)) {
	require.True(r.t, r.frameio.Edit(comment, change))
}

// above returns the collection that many levels above the project's.
func (r *reclaimed) above(levels int) string {
	row, _, err := r.rows().Get(r.t.Context())
	require.NoError(r.t, err)
	id := row.CollectionID
	for range levels {
		for _, d := range r.iconik.Docs("collections") {
			if str(d["id"]) == id {
				id = str(d["parent_id"])
				break
			}
		}
	}
	require.NotEmpty(r.t, id)
	return id
}

// rewriteAudit changes the audit log by hand, past the ledger.
func (r *reclaimed) rewriteAudit(statement string) {
	for range 2 {
		_, err := r.book.AppendAudit(r.t.Context(), ledger.AuditEntry{Tenant: tenantID, Actor: ledger.Actor{Kind: ledger.ActorAPI}, Action: "retry"})
		require.NoError(r.t, err)
	}
	db, err := sql.Open("sqlite", strings.TrimPrefix(r.dsn, "sqlite:"))
	require.NoError(r.t, err)
	defer db.Close()
	res, err := db.ExecContext(r.t.Context(), statement)
	require.NoError(r.t, err)
	n, err := res.RowsAffected()
	require.NoError(r.t, err)
	require.EqualValues(r.t, 1, n)
}

// review lets a review be open that shows an asset, or one whose upload a file is.
func (r *reclaimed) review(asset, file string) {
	_, _, err := r.book.RequestReview(r.t.Context(), ledger.Review{Tenant: tenantID, ID: "r-1", Status: ledger.ReviewOpen, Title: "A cut", Click: "c", CreatedAt: time.Now()}, time.Second)
	require.NoError(r.t, err)
	_, err = r.book.Tenant(tenantID).Review("r-1").AddAssets(r.t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: asset, FileID: file}}
	})
	require.NoError(r.t, err)
}

func (r *reclaimed) newFile(name string) *frameiosim.Asset {
	f, err := r.frameio.AddFile(r.root, frameiosim.File{Name: name, Type: "video/quicktime", Body: []byte("newer"), FPS: 25, Frames: 250})
	require.NoError(r.t, err)
	return f
}

var at75, tamperings = int64(75), []tampering{
	{name: "a byte in the store", do: whole(func(r *reclaimed, f string) { r.rewrite(f, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }) })},
	{name: "fewer bytes in the store", do: whole(func(r *reclaimed, f string) { r.rewrite(f, func(b []byte) []byte { return b[:len(b)-1] }) })},
	{name: "more bytes in the store", do: whole(func(r *reclaimed, f string) { r.rewrite(f, func(b []byte) []byte { return append(b, 0) }) })},
	{name: "iconik's checksum", do: whole(func(r *reclaimed, f string) {
		r.doc("files", r.itemOf(f).FileID, map[string]any{"checksum": "xxh64:0000000000000000"})
	})},
	{name: "iconik's size", do: whole(func(r *reclaimed, f string) { r.doc("files", r.itemOf(f).FileID, map[string]any{"size": 1}) })},
	{name: "the file deleted in iconik", do: whole(func(r *reclaimed, f string) { r.doc("files", r.itemOf(f).FileID, map[string]any{"status": "DELETED"}) })},
	{name: "the file missing in iconik", do: whole(func(r *reclaimed, f string) { r.doc("files", r.itemOf(f).FileID, map[string]any{"status": "MISSING"}) })},
	{name: "the file archived in iconik", do: whole(func(r *reclaimed, f string) { r.doc("files", r.itemOf(f).FileID, map[string]any{"status": "ARCHIVED"}) })},
	{name: "a format deleted", do: whole(func(r *reclaimed, f string) {
		r.doc("formats", r.itemOf(f).FormatID, map[string]any{"status": "DELETED"})
	})},
	{name: "a file set deleted", do: whole(func(r *reclaimed, f string) {
		r.doc("file_sets", r.itemOf(f).FileSetID, map[string]any{"status": "DELETED"})
	})},
	{name: "the title", do: whole(func(r *reclaimed, f string) { r.doc("assets", r.itemOf(f).AssetID, map[string]any{"title": "Final"}) })},
	{name: "out of its collection", do: whole(func(r *reclaimed, f string) {
		r.doc("assets", r.itemOf(f).AssetID, map[string]any{"in_collections": []string{}})
	})},
	{name: "another asset's identity", do: whole(func(r *reclaimed, f string) {
		r.doc("assets", r.itemOf(f).AssetID, map[string]any{"external_id": "theirs"})
	})},
	{name: "the asset deleted", do: whole(func(r *reclaimed, f string) { r.iconik.Delete("assets", r.itemOf(f).AssetID) })},
	{name: "a field", do: whole(func(r *reclaimed, f string) {
		r.iconik.SetValues(r.itemOf(f).AssetID, map[string]string{"framebridge_source_path": "elsewhere"})
	})},
	{name: "a version added in iconik", do: whole(func(r *reclaimed, f string) {
		require.NoError(r.t, r.iconik.AddVersion(r.itemOf(f).AssetID, "mine.mov", []byte("mine")))
	})},
	{name: "versions reordered in iconik", do: func(r *reclaimed, _ string) []string {
		r.iconik.ChangeDoc("assets", r.itemOf(r.first).AssetID, func(d map[string]any) bool {
			raw, _ := json.Marshal(d["versions"])
			var list []map[string]any
			require.NoError(r.t, json.Unmarshal(raw, &list))
			list[0]["version_number"], list[1]["version_number"] = list[1]["version_number"], list[0]["version_number"]
			d["versions"] = list
			return true
		})
		return []string{r.first, r.newest}
	}},
	{name: "a collection deleted", do: func(r *reclaimed, _ string) []string {
		r.iconik.Delete("collections", r.collection("Day 1", func(map[string]any) {}))
		return []string{r.other}
	}},
	{name: "a collection's title", do: func(r *reclaimed, _ string) []string {
		r.collection("Day 1", func(d map[string]any) { d["title"] = "Mine" })
		return []string{r.other}
	}},
	{name: "a collection moved", do: func(r *reclaimed, _ string) []string {
		r.collection("Day 1", func(d map[string]any) { d["parent_id"] = "elsewhere" })
		return []string{r.other}
	}},
	{name: "the project's collection moved", do: none(func(r *reclaimed) {
		r.collection("Stacks", func(d map[string]any) { d["parent_id"] = "elsewhere" })
	})},

	{name: "the workspace's collection deleted", do: none(func(r *reclaimed) {
		r.iconik.Delete("collections", r.above(1))
	})},
	{name: "the root collection deleted", do: none(func(r *reclaimed) {
		r.iconik.Delete("collections", r.above(2))
	})},

	{name: "a comment's text in iconik", do: commented(func(r *reclaimed) { r.edit(r.over, map[string]any{"segment_text": "much darker"}) })},
	{name: "a comment's time in iconik", do: commented(func(r *reclaimed) {
		r.edit(r.over, map[string]any{"time_start_milliseconds": 480, "time_end_milliseconds": 520})
	})},
	{name: "a comment's drawing in iconik", do: commented(func(r *reclaimed) { r.edit(r.drawn, map[string]any{"drawing": nil}) })},
	{name: "a comment completed in iconik", do: commented(func(r *reclaimed) { r.edit(r.over, map[string]any{"segment_checked": true}) })},
	{name: "a comment's author in iconik", do: commented(func(r *reclaimed) {
		r.doc("segments", str(r.segment(r.over)["id"]), map[string]any{"user_id": "somebody"})
	})},
	{name: "a comment's fields in iconik", do: commented(func(r *reclaimed) {
		id, none := str(r.segment(r.over)["id"]), map[string]string{}
		for field := range r.iconik.Values("segments", id) {
			none[field] = ""
		}
		require.NotEmpty(r.t, none)
		r.iconik.SetSegmentValues(id, none)
	})},
	{name: "a reply's thread in iconik", do: commented(func(r *reclaimed) {
		r.doc("segments", str(r.segment(r.reply)["id"]), map[string]any{"parent_id": str(r.segment(r.drawn)["id"])})
	})},
	{name: "a comment deleted in iconik", do: commented(func(r *reclaimed) {
		g := r.segment(r.drawn)
		require.NoError(r.t, r.iconik.DeleteSegment(str(g["asset_id"]), str(g["id"])))
	})},
	{name: "a comment added in iconik", do: whole(func(r *reclaimed, f string) {
		require.NotEmpty(r.t, r.iconik.Comment(r.itemOf(f).AssetID, r.iconik.ServiceUser(), "mine", nil, nil, "", nil))
	})},

	{name: "a comment's text", do: commented(func(r *reclaimed) { r.say(r.over, func(c *frameiosim.Comment) { c.Text = "lighter" }) })},
	{name: "a comment's time", do: commented(func(r *reclaimed) { r.say(r.over, func(c *frameiosim.Comment) { c.Timestamp = &at75 }) })},
	{name: "a comment's drawing", do: commented(func(r *reclaimed) { r.say(r.drawn, func(c *frameiosim.Comment) { c.Annotation = "" }) })},
	{name: "a comment's attachment", only: "v4", do: commented(func(r *reclaimed) {
		r.say(r.over, func(c *frameiosim.Comment) {
			c.Attachments = []frameiosim.Attachment{{ID: "a", Name: "notes.pdf", Size: 3}}
		})
	})},
	{name: "a comment completed", do: commented(func(r *reclaimed) { _, _ = r.frameio.Complete(r.over, true) })},
	{name: "a comment deleted", do: commented(func(r *reclaimed) { require.True(r.t, r.frameio.Unsay(r.drawn)) })},
	{name: "a comment added", do: whole(func(r *reclaimed, f string) { r.frameio.Say(frameiosim.Comment{AssetID: f, Text: "one more"}) })},
	{name: "comments that only Frame.io counts", only: "v4", do: none(func(r *reclaimed) {
		r.frameio.CountComments(func(_ string, n int) any { return n + 5 })
	})},
	{name: "a file deleted", do: whole(func(r *reclaimed, f string) { r.frameio.DeleteAsset(f) })},
	{name: "a file renamed", do: whole(func(r *reclaimed, f string) { r.frameio.RenameAsset(f, "final.mov") })},
	{name: "a file moved", do: func(r *reclaimed, _ string) []string { r.frameio.MoveAsset(r.file, r.day); return []string{r.file} }},
	{name: "a file taken out of its stack", do: func(r *reclaimed, _ string) []string {
		r.frameio.MoveAsset(r.first, r.root)
		return []string{r.first, r.newest}
	}},
	{name: "a file added", do: func(r *reclaimed, _ string) []string { return []string{r.newFile("new.mov").ID} }},
	{name: "a version added", do: func(r *reclaimed, _ string) []string {
		newer := r.newFile("cut.mov").ID
		r.frameio.Stack(r.file, newer)
		return []string{r.file, newer}
	}},
	{name: "versions reordered", do: func(r *reclaimed, _ string) []string {
		r.frameio.Reorder(r.stack, r.newest, r.first)
		return []string{r.first, r.newest}
	}},
	{name: "a file's status", do: whole(func(r *reclaimed, f string) { r.frameio.Label(f, "approved") })},
	{name: "a folder renamed", early: true, do: func(r *reclaimed, _ string) []string {
		r.frameio.RenameAsset(r.day, "Monday")
		return []string{r.other}
	}},
	{name: "the project renamed", early: true, do: none(func(r *reclaimed) { r.frameio.Rename(r.project.ID, "Others - Archived") })},
	{name: "the project changed", early: true, do: none(func(r *reclaimed) {
		r.frameio.EditProject(r.project.ID, func(p *frameiosim.Project) { p.Updated = time.Now().UTC().Add(time.Minute) })
	})},
	{name: "a field of Frame.io", only: "v4", do: whole(func(r *reclaimed, f string) { r.frameio.SetField(f, r.frameio.AddField("Scene", "text"), "12") })},

	{name: "a share made", do: none(func(r *reclaimed) {
		r.frameio.AddShare(frameiosim.Share{Kind: "review_link", Name: "For the client", ProjectID: r.project.ID, Items: []string{r.other}})
	})},
	{name: "a file added to a share", do: none(func(r *reclaimed) {
		r.frameio.EditShare(r.share, func(s *frameiosim.Share) { s.Items = append(s.Items, r.other) })
	})},
	{name: "a stack added to a share", do: none(func(r *reclaimed) {
		r.frameio.EditShare(r.share, func(s *frameiosim.Share) { s.Items = append(s.Items, r.stack) })
	})},

	{name: "the comparison is old", early: true, do: none(func(r *reclaimed) {
		r.change(func(a *ledger.Archive) { a.FinishedAt = time.Now().Add(-25 * time.Hour) })
	})},
	{name: "not verified", do: none(func(r *reclaimed) { r.change(func(a *ledger.Archive) { a.Status = ledger.Incomplete }) })},
	{name: "the archive runs", do: none(func(r *reclaimed) { r.change(func(a *ledger.Archive) { a.Status = ledger.Running }) })},
	{name: "the grace is not over", early: true, do: none(func(r *reclaimed) { r.config.Tenants[tenantID].Archive.ReclaimGrace = time.Hour })},
	{name: "no signing key", early: true, do: none(func(r *reclaimed) { r.config.Report.SigningKey = nil })},
	{name: "not allowed", do: none(func(r *reclaimed) { r.config.Tenants[tenantID].Archive.Reclaim = "off" })},
	{name: "nobody approved", early: true, do: none(func(r *reclaimed) { r.approved = ledger.Actor{} })},
	{name: "an open review of the asset", do: whole(func(r *reclaimed, f string) { r.review(r.itemOf(f).AssetID, "theirs") })},
	{name: "a file of a review", do: whole(func(r *reclaimed, f string) { r.review("theirs", f) })},
	{name: "a comment's link lost", do: commented(func(r *reclaimed) {
		require.NoError(r.t, r.book.Tenant(tenantID).Delete(r.t.Context(), ledger.LinkComment, r.over))
	})},
	{name: "the ledger's checksum", do: whole(func(r *reclaimed, f string) {
		r.changeItem(f, func(i *ledger.Item) { i.Checksum = "0000000000000000" })
	})},
	{name: "the ledger's size", do: whole(func(r *reclaimed, f string) { r.changeItem(f, func(i *ledger.Item) { i.Size++ }) })},
	{name: "skipped", early: true, do: whole(func(r *reclaimed, f string) { r.changeItem(f, func(i *ledger.Item) { i.State = ledger.Skipped }) })},
	{name: "a proxy", early: true, do: whole(func(r *reclaimed, f string) { r.changeItem(f, func(i *ledger.Item) { i.Rendition = "proxy" }) })},
	{name: "an attachment that only Frame.io has", early: true, do: whole(func(r *reclaimed, f string) {
		require.NoError(r.t, r.rows().SetNotCarried(r.t.Context(), f, "comments", []ledger.NotCarried{{Object: f, Kind: "attachment", Name: "notes.pdf"}}))
	})},
	{name: "the audit log", early: true, do: none(func(r *reclaimed) { r.rewriteAudit("UPDATE audit_log SET reason = 'another' WHERE seq = 1") })},
	{name: "the audit log's end", early: true, do: none(func(r *reclaimed) {
		r.rewriteAudit("DELETE FROM audit_log WHERE seq = (SELECT max(seq) FROM audit_log)")
	})},
	{name: "a difference in the report", early: true, do: whole(func(r *reclaimed, f string) {
		require.NoError(r.t, r.rows().SetDifferences(r.t.Context(), f, "asset", 1, []ledger.Difference{{Kind: ledger.DifferenceChanged, Property: "title"}}))
	})},
}

func fromEnv(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 63); err == nil {
		return n
	}
	return otherwise
}

// Whatever somebody changes, on either side and at any moment: a file of which anything is otherwise than it was archived stays in
// Frame.io, and of every file that is freed the store has the bytes. FRAMEBRIDGE_TAMPERINGS says how many, FRAMEBRIDGE_SEED which.
func TestNoByteIsFreedThatIsNotProven(t *testing.T) {
	t.Parallel()
	seed, n := fromEnv("FRAMEBRIDGE_SEED", 1), int(fromEnv("FRAMEBRIDGE_TAMPERINGS", uint64(rounds(12, 30))))
	order := rand.New(rand.NewPCG(seed, 0))
	var deck []int
	for i := range n {
		if len(deck) == 0 {
			deck = order.Perm(len(tamperings))
		}
		c := tamperings[deck[0]]
		deck = deck[1:]
		pick := rand.New(rand.NewPCG(seed, uint64(i)+1))
		generation := []string{"legacy", "v4"}[pick.IntN(2)]
		if c.only != "" {
			generation = c.only
		}
		moment := []string{atFirst, onceSeen, onceProven}[pick.IntN(3)]
		if c.early {
			moment = atFirst
		}
		which := pick.IntN(4)
		t.Run(fmt.Sprintf("%d %s, %s, file %d, %s", i, generation, c.name, which, moment), func(t *testing.T) {
			t.Parallel()
			r := openReclaimed(t, generation)
			file := []string{r.file, r.other, r.first, r.newest}[which]
			stored := map[string][]byte{}
			var spared []string
			all := false
			tamper := func() {
				spared = c.do(r, file)
				all = spared == nil
			}
			if moment == atFirst {
				tamper()
			} else {
				r.before[moment] = tamper
			}
			row := r.reclaim(t)
			freed, err := r.rows().ReclaimFiles(t.Context(), row.Run, ledger.ReclaimDeleted, 0, 100)
			require.NoError(t, err)
			for _, f := range freed {
				assert.False(t, all, "%s was freed: %s", f.Path, row.Reason)
				assert.NotContains(t, spared, f.SourceID, "%s was freed: %s", f.Path, row.Reason)
				_, bucket, key := r.object(f.SourceID)
				stored[f.SourceID], err = r.store.Get(bucket, key)
				require.NoError(t, err)
				assert.Equal(t, r.bodies[f.SourceID], stored[f.SourceID], "%s is freed, and its bytes are not in the store", f.Path)
			}
			if all || len(freed) == 0 {
				assert.NotEqual(t, ledger.ReclaimDone, row.Status)
			}
			assert.NotEmpty(t, row.Reason)
		})
	}
}
