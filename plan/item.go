package plan

import (
	"encoding/json"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// JoinPath returns the path of an object called name in the folder parent.
func JoinPath(parent, name string) string {
	if parent == "" {
		return mapping.PathName(name)
	}
	return parent + "/" + mapping.PathName(name)
}

// Item returns the ledger's item for one version of an asset. node is the file itself or the stack that contains it.
func Item(folder ledger.Folder, node, file frameio.Asset, version, versions, scan int) ledger.Item {
	path := JoinPath(folder.Path, file.Name)
	in := Fields(file, path)
	in.Stack = stackJSON(node, file)
	fields := mapping.Fields(in)
	encoded, _ := json.Marshal(fields) // a map of strings always encodes
	return addFields(ledger.Item{
		SourceID: file.ID, AssetKey: node.ID, FolderID: folder.SourceID, Version: version, Versions: versions,
		Name: file.Name, Title: mapping.Title(node.Name), Path: path, Size: file.Size, MediaType: file.MediaType, Class: string(file.Class),
		FrameNum: file.FrameRate.Num, FrameDen: file.FrameRate.Den, Frames: file.Frames, StartTimecode: file.StartTimecode,
		Width: file.Width, Height: file.Height, SourceChecksum: file.Checksum, Original: string(file.Original), HasProxy: file.HasProxy,
		Watermarked: file.Watermark == frameio.WatermarkOn, CommentCount: file.CommentCount, CommentHint: file.CommentHint, Fields: encoded,
		FieldsHash: mapping.FieldsHash(fields) + mapping.FieldsHash(map[string]string{"title": node.Name, "folder": folder.SourceID}),
		State:      ledger.Pending, Scan: scan,
	}, file)
}

// CountComments applies archive.comment_count to Frame.io's own count of an item's comments.
func CountComments(cfg config.Archive, it ledger.Item) ledger.Item {
	switch {
	case cfg.CommentCount == config.IgnoreComments:
		it.CommentHint = nil
	case cfg.CommentCount == config.TrustComments && it.CommentCount == ledger.CommentsUnknown && it.CommentHint != nil && *it.CommentHint == 0:
		it.CommentCount = 0
	}
	return it
}

// Fields returns what goes into the archive's metadata view.
func Fields(f frameio.Asset, path string) mapping.FieldsInput {
	return mapping.FieldsInput{
		SourceID: f.ID, SourceURL: f.URL, SourcePath: path, Label: f.Label, Description: f.Description,
		UploaderName: f.Uploader.Name, UploaderEmail: f.Uploader.Email, UploadedAt: f.UploadedAt, CreatedAt: f.CreatedAt,
		Rating: f.Rating, Properties: f.Properties,
	}
}

// SourceFields returns the asset's metadata fields that are worth keeping.
func SourceFields(f frameio.Asset) []mapping.SourceField {
	out := make([]mapping.SourceField, len(f.Fields))
	for i, v := range f.Fields {
		out[i] = mapping.SourceField{ID: v.ID, Name: v.Name, Type: string(v.Type), BuiltIn: v.BuiltIn, State: string(v.State), Values: v.Values, Options: v.Options,
			Unresolved: v.Unresolved, Source: v.Source}
	}
	return mapping.Kept(out)
}

// addFields adds to an item the V4 metadata that goes beyond the archive's own view.
func addFields(it ledger.Item, file frameio.Asset) ledger.Item {
	fields := SourceFields(file)
	if len(fields) == 0 {
		return it
	}
	it.Custom, _ = json.Marshal(fields) // text and raw JSON always encode
	it.FieldsHash += mapping.SourceFieldsHash(fields)
	return it
}

// stackJSON encodes a stack's own data. It returns "" if that adds nothing to what its versions say.
func stackJSON(node, file frameio.Asset) string {
	if node.Kind != frameio.KindStack {
		return ""
	}
	said := map[string]any{"id": node.ID, "name": node.Name, "url": node.URL}
	if !node.CreatedAt.IsZero() {
		said["created_at"] = node.CreatedAt.Format(time.RFC3339)
	}
	if node.Uploader != (frameio.User{}) {
		said["creator"] = map[string]string{"name": node.Uploader.Name, "email": node.Uploader.Email}
	}
	if fields := mapping.SourceFieldsJSON(SourceFields(node)); fields != "" {
		said["metadata"] = json.RawMessage(fields)
	}
	if len(node.Properties) > 0 {
		said["properties"] = node.Properties
	}
	if len(said) == 3 || said["creator"] == nil && said["metadata"] == nil && node.Name == file.Name {
		return ""
	}
	encoded, err := json.Marshal(said)
	if err != nil {
		return ""
	}
	return string(encoded)
}
