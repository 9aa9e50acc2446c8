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

// finding is what a comparison found of a file. The zero value: both sides agree.
type finding struct {
	what  string
	stays bool // it proves nothing wrong: the file is left alone, and the rest goes on
}

func differs(format string, args ...any) finding {
	return finding{what: fmt.Sprintf(format, args...)}
}

func stays(format string, args ...any) finding {
	return finding{what: fmt.Sprintf(format, args...), stays: true}
}

// compare holds everything of a file but its bytes against each other, on both sides, and never trusts an index. It writes
// nothing. It returns iconik's record of the bytes.
func (r *run) compare(ctx context.Context, f ledger.ReclaimFile, it ledger.Item) (finding, *iconik.File, error) {
	if found, err := r.inFrameio(ctx, f, it); found.what != "" || err != nil {
		return found, nil, err
	}
	if found, err := r.asset(ctx, it); found.what != "" || err != nil {
		return found, nil, err
	}
	file, found, err := r.file(ctx, it)
	if found.what != "" || err != nil {
		return found, nil, err
	}
	found, err = r.comments(ctx, it)
	return found, file, err
}

// inFrameio compares a file with how it was when the project was examined.
func (r *run) inFrameio(ctx context.Context, f ledger.ReclaimFile, it ledger.Item) (finding, error) {
	now, err := r.frameio.Asset(ctx, it.SourceID)
	switch {
	case rest.IsNotFound(err):
		return differs("is gone from Frame.io, and no reclaim has deleted it"), nil
	case err != nil:
		return finding{}, err
	case !now.UpdatedAt.Equal(f.UpdatedAt):
		return differs("was changed in Frame.io at %s", english.Time(now.UpdatedAt.UTC())), nil
	case now.Kind != frameio.KindFile || now.Name != it.Name || now.Size != it.Size || now.Checksum != it.SourceChecksum:
		return differs("is another file in Frame.io than was archived"), nil
	}
	holds := it.FolderID
	if it.AssetKey != it.SourceID {
		holds = it.AssetKey
	}
	if now.ParentID != "" && now.ParentID != holds {
		return differs("was moved in Frame.io"), nil
	}
	node := now
	if it.AssetKey != it.SourceID {
		var found finding
		if node, found, err = r.stack(ctx, it); found.what != "" || err != nil {
			return found, err
		}
	}
	folder := ledger.Folder{SourceID: it.FolderID, Path: it.Path[:max(strings.LastIndexByte(it.Path, '/'), 0)]}
	if plan.Item(folder, node, now, it.Version, it.Versions, 0).FieldsHash != it.FieldsHash {
		return differs("has other fields in Frame.io than were archived"), nil
	}
	return finding{}, nil
}

// stack compares a stack's versions with those that were archived, but for those that this run has deleted.
func (r *run) stack(ctx context.Context, it ledger.Item) (frameio.Asset, finding, error) {
	stack, err := r.frameio.Asset(ctx, it.AssetKey)
	if rest.IsNotFound(err) {
		return stack, differs("is in no version stack in Frame.io any more"), nil
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
	var want, have []string
	for _, v := range items {
		gone, err := r.ledger.Reclaimed(ctx, v.SourceID)
		if err != nil {
			return stack, finding{}, err
		}
		if !gone {
			want = append(want, v.SourceID)
		}
	}
	for _, v := range versions {
		have = append(have, v.ID)
	}
	if !slices.Equal(want, have) {
		return stack, differs("has other versions, or another order of them, in Frame.io than it was archived with"), nil
	}
	return stack, finding{}, nil
}

// versions are the items of an item's asset, oldest first.
func (r *run) versions(ctx context.Context, it ledger.Item) ([]ledger.Item, error) {
	items, err := r.ledger.Items(ctx, it.Seq-int64(it.Version-1), it.Seq+int64(it.Versions-it.Version))
	return slices.DeleteFunc(items, func(v ledger.Item) bool { return v.AssetKey != it.AssetKey }), err
}

// asset compares an item's asset, its place and, of the newest version, its fields.
func (r *run) asset(ctx context.Context, it ledger.Item) (finding, error) {
	asset, err := r.iconik.Assets.Get(ctx, it.AssetID, true)
	switch {
	case rest.IsNotFound(err) || err == nil && asset.Status == "DELETED":
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
	if rows := comparing.Versions(asset, items); len(rows) > 0 {
		return differs("is otherwise in iconik: %s is %s instead of %s", rows[0].Property, rows[0].Iconik, rows[0].Frameio), nil
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
		return differs("is another asset in iconik than was made of it"), nil
	}
	if rows := proof.Compare(comparing.WantedAsset(it.Title, collection), comparing.FoundAsset(asset, collection, before), before, false); len(rows) > 0 {
		return differs("is otherwise in iconik: its %s", rows[0].Property), nil
	}
	return r.fields(ctx, it)
}

// collection is the collection of a folder, which must be there.
func (r *run) collection(ctx context.Context, folder string) (string, finding, error) {
	kind := ledger.LinkFolder
	id := folder
	if folder == r.archive.RootID {
		kind, id = ledger.LinkProject, r.archive.ID
	}
	link, _, err := r.tenant.Ledger.Link(ctx, kind, id)
	if err != nil {
		return "", finding{}, err
	}
	problem, seen := r.collections[folder]
	if !seen {
		c, err := r.iconik.Collections.Get(ctx, link.TargetID)
		switch {
		case link.TargetID == "" || rest.IsNotFound(err) || err == nil && c.Status == "DELETED":
			problem = "lies in a collection that was deleted in iconik"
		case err != nil:
			return "", finding{}, err
		}
		r.collections[folder] = problem
	}
	return link.TargetID, finding{what: problem}, nil
}

// fields compares an item's fields with those of its version.
func (r *run) fields(ctx context.Context, it ledger.Item) (finding, error) {
	before, older := proof.ReadWritten(it.FieldsWritten), it.Version != it.Versions
	if it.FieldsOwed || older && !before.Fields { // iconik writes those of the current version only
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

// file finds the stored file's record and compares it, and the size of the object behind it. A copy that iconik or people have put
// on another storage stands for it where it is the only one.
func (r *run) file(ctx context.Context, it ledger.Item) (*iconik.File, finding, error) {
	files, err := r.iconik.Files.SignedFiles(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return nil, finding{}, err
	}
	var ours *iconik.File
	for i, f := range files {
		switch {
		case f.Status == "DELETED" || f.FormatID != it.FormatID:
		case f.ID == it.FileID:
			ours = &files[i]
		case f.FileSetID == it.FileSetID:
			return nil, differs("has two files in iconik instead of one"), nil
		case ours == nil && comparing.HasBytes(f) && f.Size == it.StoredSize && f.Checksum == comparing.Checksum(it):
			ours = &files[i]
		}
	}
	if ours == nil {
		return nil, differs("has no file in iconik any more"), nil
	}
	problem, err := comparing.Content(ctx, r.steps.Objects, r.iconik, it, *ours)
	if problem != "" || err != nil {
		return nil, finding{what: problem}, err
	}
	if ours.Status != "CLOSED" {
		return nil, stays("its bytes cannot be read back: iconik has archived them"), nil
	}
	return ours, finding{}, nil
}

// comments compares all comments of a file with their segments, both ways.
func (r *run) comments(ctx context.Context, it ledger.Item) (finding, error) {
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
		if ours[s.ID] || s.Status == "DELETED" {
			continue
		}
		found, err := r.extra(ctx, it, s)
		if found.what != "" || err != nil {
			return found, err
		}
	}
	return finding{}, nil
}

// comment compares a comment with its segment, as iconik's store has it.
func (r *run) comment(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link) (finding, error) {
	name := mapping.Excerpt(c.Text)
	have, err := r.iconik.Segments.Get(ctx, it.AssetID, link.TargetID)
	if rest.IsNotFound(err) || err == nil && have.Status == "DELETED" {
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
	rows := proof.Compare(comparing.WantedComment(draft(as), have, parent).Object(), comparing.FoundComment(have).Object(), proof.ReadWritten(link.Written), false)
	if len(rows) > 0 {
		return differs("has a comment that was changed in iconik: the %s of %q", rows[0].Property, name), nil
	}
	return finding{}, nil
}

// extra says of a comment in iconik that no comment in Frame.io stands for what that means. Those of reviews are at home there.
func (r *run) extra(ctx context.Context, it ledger.Item, s iconik.Segment) (finding, error) {
	reviews, err := r.tenant.Ledger.ReviewsOfSegment(ctx, s.ID)
	if err != nil || len(reviews) > 0 {
		return finding{}, err
	}
	if now, err := r.iconik.Segments.Get(ctx, it.AssetID, s.ID); rest.IsNotFound(err) || err == nil && now.Status == "DELETED" {
		return finding{}, nil
	} else if err != nil {
		return finding{}, err
	}
	if kind, _, ours := mapping.ParseExternalID(s.ExternalID); ours && kind == "comment" {
		return differs("has lost a comment in Frame.io: %q", mapping.Excerpt(s.Text)), nil
	}
	return stays("somebody commented on it in iconik, where no reclaim may judge it: %q", mapping.Excerpt(s.Text)), nil
}
