package reclaim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/proof"
)

// finding is what a comparison found about a file. The zero value means that both sides agree.
type finding struct {
	what  string
	stays bool // this is no sign of trouble: leave the file alone and continue with the rest
}

func differs(format string, args ...any) finding {
	return finding{what: fmt.Sprintf(format, args...)}
}

func stays(format string, args ...any) finding {
	return finding{what: fmt.Sprintf(format, args...), stays: true}
}

// compare compares everything about a file except its bytes on both sides, and never trusts an index. It writes nothing. It
// returns iconik's record of the bytes.
func (r *run) compare(ctx context.Context, f ledger.ReclaimFile, it ledger.Item) (finding, *iconik.File, error) {
	now, found, err := r.inFrameio(ctx, f, it)
	if found.what != "" || err != nil {
		return found, nil, err
	}
	if found, err := r.asset(ctx, it); found.what != "" || err != nil {
		return found, nil, err
	}
	file, found, err := r.file(ctx, it)
	if found.what != "" || err != nil {
		return found, nil, err
	}
	found, err = r.comments(ctx, it, counted(now))
	return found, file, err
}

// inFrameio compares a file with how it was when the project was examined. It returns the file as it is now.
func (r *run) inFrameio(ctx context.Context, f ledger.ReclaimFile, it ledger.Item) (frameio.Asset, finding, error) {
	now, err := r.frameio.Asset(ctx, it.SourceID)
	switch {
	case rest.IsNotFound(err):
		return now, differs("is gone from Frame.io, and no reclaim has deleted it"), nil
	case err != nil:
		return now, finding{}, err
	case !now.UpdatedAt.Equal(f.UpdatedAt):
		return now, differs("was changed in Frame.io at %s", english.Time(now.UpdatedAt.UTC())), nil
	case now.Kind != frameio.KindFile || now.Name != it.Name || now.Size != it.Size || now.Checksum != it.SourceChecksum:
		return now, differs("is a different file in Frame.io than the one archived"), nil
	}
	holds := it.FolderID
	if it.AssetKey != it.SourceID {
		holds = it.AssetKey
	}
	if now.ParentID != "" && now.ParentID != holds {
		return now, differs("was moved in Frame.io"), nil
	}
	node := now
	if it.AssetKey != it.SourceID {
		var found finding
		if node, found, err = r.stack(ctx, it); found.what != "" || err != nil {
			return now, found, err
		}
	}
	folder := ledger.Folder{SourceID: it.FolderID, Path: mapping.ParentPath(it.Path)}
	if plan.Item(folder, node, now, it.Version, it.Versions, 0).FieldsHash != it.FieldsHash {
		return now, differs("has different fields in Frame.io than were archived"), nil
	}
	return now, finding{}, nil
}

// stack compares a stack's versions with those that were archived, except those that were reclaimed.
func (r *run) stack(ctx context.Context, it ledger.Item) (frameio.Asset, finding, error) {
	stack, err := r.frameio.Asset(ctx, it.AssetKey)
	if rest.IsNotFound(err) {
		return stack, differs("is no longer in a version stack in Frame.io"), nil
	}
	if err != nil {
		return stack, finding{}, err
	}
	versions, err := r.frameio.Versions(ctx, stack)
	if err != nil {
		return stack, finding{}, err
	}
	items, err := r.versions(ctx, it)
	if err != nil {
		return stack, finding{}, err
	}
	gone, err := r.ledger.ReclaimFiles(ctx, r.ref.Run, ledger.ReclaimDeleted, it.Seq-int64(it.Version), it.Versions) // what another run deleted has been restored since
	if err != nil {
		return stack, finding{}, err
	}
	var want, have []string
	for _, v := range items {
		if !slices.ContainsFunc(gone, func(f ledger.ReclaimFile) bool { return f.SourceID == v.SourceID }) {
			want = append(want, v.SourceID)
		}
	}
	for _, v := range versions {
		have = append(have, v.ID)
	}
	if !slices.Equal(want, have) {
		return stack, differs("has different versions in Frame.io than were archived, or in a different order"), nil
	}
	return stack, finding{}, nil
}

// versions returns the items of an item's asset, oldest first.
func (r *run) versions(ctx context.Context, it ledger.Item) ([]ledger.Item, error) {
	items, err := r.ledger.Items(ctx, it.Seq-int64(it.Version-1), it.Seq+int64(it.Versions-it.Version))
	return slices.DeleteFunc(items, func(v ledger.Item) bool { return v.AssetKey != it.AssetKey }), err
}

// asset compares an item's asset, its place and the fields of its newest version.
func (r *run) asset(ctx context.Context, it ledger.Item) (finding, error) {
	asset, err := r.iconik.Assets.Get(ctx, it.AssetID, true)
	switch {
	case iconik.Gone(asset, err):
		return differs("was deleted in iconik"), nil
	case err != nil:
		return finding{}, err
	case !slices.ContainsFunc(asset.Versions, func(v iconik.Version) bool {
		return v.ID == it.VersionID && (v.Status == "" || v.Status == "ACTIVE")
	}):
		return differs("has lost its version in iconik"), nil
	}
	items, err := r.versions(ctx, it)
	if err != nil {
		return finding{}, err
	}
	if rows := comparing.Versions(asset, items, nil); len(rows) > 0 {
		return differs("differs in iconik: %s is %s instead of %s", rows[0].Property, rows[0].Iconik, rows[0].Frameio), nil
	}
	collection, found, err := r.collection(ctx, it.FolderID)
	if found.what != "" || err != nil {
		return found, err
	}
	kind := ledger.LinkFile
	if it.AssetKey != it.SourceID {
		kind = ledger.LinkStack
	}
	link, _, err := r.tenant.Ledger.Link(ctx, kind, it.AssetKey)
	if err != nil {
		return finding{}, err
	}
	before := proof.ReadWritten(link.Written)
	if link.TargetID != it.AssetID || asset.ExternalID != mapping.ExternalID(string(kind), it.AssetKey) {
		return differs("is a different asset in iconik than the one created from it"), nil
	}
	if rows := proof.Compare(comparing.WantedAsset(it.Title, collection), comparing.FoundAsset(asset, collection, before), before, false); len(rows) > 0 {
		return differs("differs in iconik: its %s", rows[0].Property), nil
	}
	return r.fields(ctx, it)
}

// collection returns the collection of a folder, which must exist. It and those above it must have the titles and places they
// were archived with.
func (r *run) collection(ctx context.Context, folder string) (string, finding, error) {
	kind, id := ledger.LinkFolder, folder
	if folder == r.archive.RootID {
		kind, id = ledger.LinkProject, r.archive.ID
	}
	link, _, err := r.tenant.Ledger.Link(ctx, kind, id)
	if err != nil {
		return "", finding{}, err
	}
	found, seen := r.collections[folder]
	if !seen {
		if found, err = r.place(ctx, folder, link); err != nil {
			return "", finding{}, err
		}
		r.collections[folder] = found
	}
	return link.TargetID, found, nil
}

// place compares a folder's collection, and those above it, with what they were last given.
func (r *run) place(ctx context.Context, folder string, link ledger.Link) (finding, error) {
	if link.TargetID == "" {
		return differs("is in a collection that was deleted in iconik"), nil
	}
	c, err := r.iconik.Collections.Get(ctx, link.TargetID)
	switch {
	case iconik.Gone(c, err):
		return differs("is in a collection that was deleted in iconik"), nil
	case err != nil:
		return finding{}, err
	}
	parent, title, written := strings.Cut(link.Hash, "\x00")
	if !written || len(comparing.Collection(comparing.WantedCollection(title, parent), c, comparing.WrittenCollection(link), false)) > 0 {
		return stays("is in a collection with a different title or place in iconik than it was archived with: %q", c.Title), nil
	}
	if folder == r.archive.RootID {
		return r.above(ctx, c)
	}
	row, known, err := r.ledger.Folder(ctx, folder)
	if err != nil || !known || row.ParentID == "" {
		return stays("is in a folder that the ledger does not know"), err
	}
	_, found, err := r.collection(ctx, row.ParentID)
	return found, err
}

// above checks the collections above the project's: its workspace's and the topmost one. Deleting one may delete everything in it, too,
// which takes iconik a while.
func (r *run) above(ctx context.Context, c *iconik.Collection) (finding, error) {
	for range 2 {
		if c.ParentID == "" {
			break
		}
		var err error
		if c, err = r.iconik.Collections.Get(ctx, c.ParentID); iconik.Gone(c, err) {
			return differs("is below a collection that was deleted in iconik"), nil
		} else if err != nil {
			return finding{}, err
		}
	}
	return finding{}, nil
}

// fields compares an item's fields with those of its version.
func (r *run) fields(ctx context.Context, it ledger.Item) (finding, error) {
	before, older := proof.ReadWritten(it.FieldsWritten), it.Version != it.Versions
	if it.FieldsOwed || older && !before.Fields { // iconik only writes those of the current version
		return finding{}, nil
	}
	want, err := comparing.WantedFields(ctx, r.tenant, it, map[string]string{"framebridge_checksum": comparing.Checksum(it), "framebridge_rendition": it.Rendition})
	if err != nil {
		return finding{}, err
	}
	stored := map[string][]string{}
	for _, view := range comparing.Views(want) {
		var values map[string][]string
		if older {
			values, err = r.iconik.Metadata.VersionValues(ctx, it.AssetID, it.VersionID, view)
		} else {
			values, err = r.iconik.Metadata.Values(ctx, "assets", it.AssetID, view)
		}
		if err != nil {
			return finding{}, err
		}
		maps.Copy(stored, values)
	}
	if rows := comparing.FieldDifferences(want, comparing.CompareFields(want, comparing.In(stored), before, false)); len(rows) > 0 {
		return differs("has another value in the field %q in iconik", rows[0].Name), nil
	}
	return finding{}, nil
}

// file finds the stored file's record and compares it, and the size of the object behind it. If a copy that iconik or people
// have put on another storage is the only one left, it takes the file's place.
func (r *run) file(ctx context.Context, it ledger.Item) (*iconik.File, finding, error) {
	files, err := r.iconik.Files.SignedFiles(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return nil, finding{}, err
	}
	var ours *iconik.File
	for i, f := range files {
		switch {
		case f.Deleted() || f.FormatID != it.FormatID:
		case f.ID == it.FileID:
			ours = &files[i]
		case f.FileSetID == it.FileSetID:
			return nil, differs("has two files in iconik instead of one"), nil
		case ours == nil && comparing.HasBytes(f) && f.Size == it.StoredSize && f.Checksum == comparing.Checksum(it):
			ours = &files[i]
		}
	}
	if ours == nil {
		return nil, differs("no longer has a file in iconik"), nil
	}
	problem, err := comparing.Content(ctx, r.steps.Objects, r.iconik, it, *ours)
	if problem != "" || err != nil {
		return nil, finding{what: problem}, err
	}
	if ours.Status != "CLOSED" {
		return nil, stays("its bytes cannot be read back: iconik has archived them"), nil
	}
	found, err := r.holder(ctx, it, *ours)
	return ours, found, err
}

// holder checks what contains a file in iconik: a deleted format or file set takes its files with it.
func (r *run) holder(ctx context.Context, it ledger.Item, file iconik.File) (finding, error) {
	formats, err := r.iconik.Files.Formats(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return finding{}, err
	}
	sets, err := r.iconik.Files.FileSets(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return finding{}, err
	}
	active := func(status string) bool { return status == "" || status == "ACTIVE" }
	switch {
	case !slices.ContainsFunc(formats, func(f iconik.Format) bool { return f.ID == file.FormatID && active(f.Status) }):
		return differs("has lost its format in iconik"), nil
	case !slices.ContainsFunc(sets, func(s iconik.FileSet) bool { return s.ID == file.FileSetID && active(s.Status) }):
		return differs("has lost its file set in iconik"), nil
	}
	return finding{}, nil
}

// counted returns a file's number of comments by Frame.io's own count, which includes those that its API hides, or -1 if it does not say.
func counted(a frameio.Asset) int {
	if a.CommentHint != nil {
		return max(a.CommentCount, *a.CommentHint)
	}
	return a.CommentCount
}

// hidden returns the problem if Frame.io counts more comments on a file than were read, or "".
func hidden(counted, read int) string {
	if counted <= read {
		return ""
	}
	return fmt.Sprintf("has more comments in Frame.io than its API lists: it counts %d, and %d were read", counted, read)
}

// comments compares all comments of a file with their segments, in both directions. Frame.io must not count more of them.
func (r *run) comments(ctx context.Context, it ledger.Item, counted int) (finding, error) {
	source, err := r.tenant.FileComments(ctx, it.SourceID)
	if rest.IsNotFound(err) {
		return differs("is gone from Frame.io, and no reclaim has deleted it"), nil
	}
	if err != nil {
		return finding{}, err
	}
	listed, err := r.iconik.Segments.List(ctx, it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", VersionID: it.VersionID})
	if err != nil && !rest.IsNotFound(err) {
		return finding{}, err
	}
	ours := map[string]bool{}
	for _, c := range source {
		link, _, err := r.tenant.Ledger.Link(ctx, ledger.LinkComment, c.ID)
		if err != nil {
			return finding{}, err
		}
		if link.TargetID == "" {
			return differs("has a comment in Frame.io that was not archived: %q", mapping.Excerpt(c.Text)), nil
		}
		ours[link.TargetID] = true
		if found, err := r.comment(ctx, it, c, link); found.what != "" || err != nil {
			return found, err
		}
	}
	for _, s := range listed {
		if ours[s.ID] || s.Deleted() {
			continue
		}
		found, err := r.extra(ctx, it, s)
		if found.what != "" || err != nil {
			return found, err
		}
	}
	return finding{what: hidden(counted, len(source)), stays: true}, nil
}

// comment compares a comment with its segment in iconik's store.
func (r *run) comment(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link) (finding, error) {
	name := mapping.Excerpt(c.Text)
	have, err := r.iconik.Segments.Get(ctx, it.AssetID, link.TargetID)
	if iconik.Gone(have, err) {
		return differs("has lost a comment in iconik: %q", name), nil
	}
	if err != nil {
		return finding{}, err
	}
	user, err := r.tenant.UserFor(ctx, c.Author)
	if err != nil {
		return finding{}, err
	}
	draft := func(user string) mapping.SegmentDraft {
		return mapping.Segment(plan.Comment(it, c, user, r.tenant.DrawingFrame()))
	}
	if link.Hash != draft(user).Hash() && link.Hash != draft("").Hash() {
		return differs("has a comment that was changed in Frame.io: %q", name), nil
	}
	me, err := r.tenant.CurrentUser(ctx)
	if err != nil {
		return finding{}, err
	}
	as := user
	if have.UserID != user {
		as = ""
	}
	if have.UserID != user && have.UserID != "" && have.UserID != me.ID || have.VersionID != "" && have.VersionID != it.VersionID || have.ExternalID != mapping.ExternalID("comment", c.ID) {
		return differs("has a comment in iconik that was given another author or version: %q", name), nil
	}
	parent := ""
	if c.ParentID != "" {
		above, _, err := r.tenant.Ledger.Link(ctx, ledger.LinkComment, c.ParentID)
		if err != nil {
			return finding{}, err
		}
		parent = above.TargetID
	}
	want, is, before := comparing.WantedComment(draft(as), have, parent), comparing.FoundComment(have), proof.ReadWritten(link.Written)
	if comparing.HasFields(draft(as), before) {
		view, err := r.tenant.View(ctx, mapping.CommentView)
		if err != nil {
			return finding{}, err
		}
		stored, err := r.iconik.Metadata.SegmentValues(ctx, it.AssetID, have.ID, view)
		if err != nil {
			return finding{}, err
		}
		fields := comparing.CommentFields(draft(as))
		want.Fields, is.Fields = comparing.FieldsOf(fields, nil), comparing.FieldsOf(fields, comparing.In(stored))
	}
	if rows := comparing.CommentDifferences(c.Text, proof.Compare(want.Object(), is.Object(), before, false)); len(rows) > 0 {
		return differs("has a comment that was changed in iconik: the %s of %q", rows[0].Property, name), nil
	}
	return finding{}, nil
}

// extra decides what a comment in iconik means that no comment in Frame.io corresponds to. Comments of reviews belong there.
func (r *run) extra(ctx context.Context, it ledger.Item, s iconik.Segment) (finding, error) {
	reviews, err := r.tenant.Ledger.ReviewsOfSegment(ctx, s.ID)
	if err != nil || len(reviews) > 0 {
		return finding{}, err
	}
	if now, err := r.iconik.Segments.Get(ctx, it.AssetID, s.ID); iconik.Gone(now, err) {
		return finding{}, nil
	} else if err != nil {
		return finding{}, err
	}
	if kind, _, ours := mapping.ParseExternalID(s.ExternalID); ours && kind == "comment" {
		return differs("has lost a comment in Frame.io: %q", mapping.Excerpt(s.Text)), nil
	}
	return stays("somebody commented on it in iconik, so this file stays in Frame.io: %q", mapping.Excerpt(s.Text)), nil
}
