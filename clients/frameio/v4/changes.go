package v4

import (
	"context"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

// CreateFolder wraps POST ~/folders/{id}/folders.
func (c *Client) CreateFolder(ctx context.Context, parentID, name string) (frameio.Asset, error) {
	a, err := one[asset](ctx, c, opCreateFolder, nil, map[string]any{"name": name}, "folders", parentID, "folders")
	a.Type = string(frameio.KindFolder)
	return a.domain(true, nil), frameio.Made(a.ID, opCreateFolder, err)
}

// BeginUpload wraps POST ~/folders/{id}/files/local_upload. Frame.io decides the parts and their sizes.
func (c *Client) BeginUpload(ctx context.Context, folderID string, f frameio.NewFile) (frameio.Upload, error) {
	var up frameio.Upload
	a, err := one[struct {
		asset
		URLs []struct {
			Size int64  `json:"size"`
			URL  string `json:"url"`
		} `json:"upload_urls"`
	}](ctx, c, opUpload, nil, map[string]any{"name": f.Name, "file_size": f.Size}, "folders", folderID, "files", "local_upload")
	if err := frameio.Made(a.ID, opUpload, err); err != nil {
		return up, err
	}
	c.remember(a.ID, frameio.KindFile)
	up.FileID, up.MediaType = a.ID, text(a.MediaType)
	for _, p := range a.URLs {
		up.Parts = append(up.Parts, frameio.UploadPart{URL: p.URL, Size: p.Size})
	}
	return up, nil
}

// AddVersion wraps POST ~/folders/{id}/version_stacks for the first two versions, and PATCH ~/files/{id}/move for later ones.
func (c *Client) AddVersion(ctx context.Context, folderID string, target frameio.Asset, fileID string) (frameio.Asset, error) {
	stackID := ""
	if target.Kind == frameio.KindStack {
		stackID = target.ID
	} else {
		now, err := c.asset(ctx, target.ID, frameio.KindFile)
		if err != nil {
			return frameio.Asset{}, err
		}
		if now.ParentID != "" && now.ParentID != folderID {
			parent, err := c.Asset(ctx, now.ParentID)
			switch {
			case err == nil && parent.Kind == frameio.KindStack:
				stackID = now.ParentID // already in a stack
			case err != nil && !rest.IsNotFound(err):
				return frameio.Asset{}, err
			default: // somebody has moved it to another folder, and files from two folders cannot form a stack
				folderID = now.ParentID
				if err := c.moveFile(ctx, fileID, folderID); err != nil {
					return frameio.Asset{}, err
				}
			}
		}
	}
	if stackID == "" {
		a, err := one[asset](ctx, c, opCreateStack, nil, map[string]any{"file_ids": []string{target.ID, fileID}}, "folders", folderID, "version_stacks")
		a.Type = string(frameio.KindStack)
		return a.domain(true, nil), frameio.Made(a.ID, opCreateStack, err)
	}
	if err := c.moveFile(ctx, fileID, stackID); err != nil {
		return frameio.Asset{}, err
	}
	return c.asset(ctx, stackID, frameio.KindStack)
}

// moveFile wraps PATCH ~/files/{id}/move; the parent is a folder or a stack.
func (c *Client) moveFile(ctx context.Context, fileID, parentID string) error {
	_, err := one[asset](ctx, c, opMoveFile, nil, map[string]any{"parent_id": parentID}, "files", fileID, "move")
	return err
}

// Delete wraps DELETE ~/files/{id} and ~/folders/{id}. A stack disappears with its files: there is no call to delete it.
func (c *Client) Delete(ctx context.Context, a frameio.Asset) error {
	op, route := opDeleteFile, "files"
	switch a.Kind {
	case frameio.KindStack:
		return nil
	case frameio.KindFolder:
		op, route = opDeleteFolder, "folders"
	}
	path, err := c.in(ctx, route, a.ID)
	if err == nil {
		err = c.do(ctx, op, path, nil, nil, nil)
	}
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}
