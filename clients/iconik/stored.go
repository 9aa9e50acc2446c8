package iconik

import (
	"context"
	"io"

	"github.com/framebridge/framebridge/clients/rest"
)

// OpenStored opens a file of an asset's current version by its name, for reading up to most bytes. The caller must close it. If
// there is no complete file with that name, the error's class is rest.NotFound.
func (c *Client) OpenStored(ctx context.Context, assetID, name string, most int64) (io.ReadCloser, error) {
	const op = "read stored file"
	a, err := c.Assets.Get(ctx, assetID, false)
	if err != nil {
		return nil, err
	}
	none := &rest.Error{Vendor: vendor, Operation: op, Class: rest.NotFound, Detail: "the asset has no such file that is whole"}
	current, ok := a.CurrentVersion()
	if !ok {
		return nil, none
	}
	files, err := c.Files.SignedFiles(ctx, assetID, current.ID)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if f.Status == "CLOSED" && !f.Deleted() && f.URL != "" && (f.OriginalName == name || f.Name == name) {
			return c.rest.Stream(ctx, op, f.URL, most)
		}
	}
	return nil, none
}
