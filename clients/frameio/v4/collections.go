package v4

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

type collection struct {
	ID          string  `json:"id"`
	ProjectID   string  `json:"project_id"`
	Name        *string `json:"name"`
	Description *string `json:"description"`
	Private     flag    `json:"private"`
	Mode        string  `json:"aggregation_mode"`
	Generated   bool    `json:"auto_generated"`
	RootID      *string `json:"root_folder_id"`
	Creator     *user   `json:"creator"`
	CreatedAt   instant `json:"created_at"`
	UpdatedAt   instant `json:"updated_at"`
	Shares      []struct {
		ID string `json:"id"`
	} `json:"shares"`
}

func readCollection(raw json.RawMessage) frameio.Collection {
	var c collection
	_ = json.Unmarshal(raw, &c) // what cannot be decoded stays empty
	d := frameio.Collection{ID: c.ID, ProjectID: c.ProjectID, Name: text(c.Name), Description: text(c.Description), Private: bool(c.Private), Dynamic: c.Mode == "dynamic",
		OfShare: c.Generated, RootID: text(c.RootID), CreatedAt: c.CreatedAt.Time, UpdatedAt: c.UpdatedAt.Time}
	if c.Creator != nil {
		d.Creator = c.Creator.domain()
	}
	for _, s := range c.Shares {
		d.ShareIDs = append(d.ShareIDs, s.ID)
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) == nil {
		delete(all, "shares") // they are listed separately, and may contain passphrases here
		delete(all, "project")
		delete(all, "creator")
		d.Source, _ = json.Marshal(all)
	}
	return d
}

// Collections wraps GET ~/projects/{id}/collections. One call a page.
func (c *Client) Collections(ctx context.Context, projectID, cursor string) (frameio.Page[frameio.Collection], error) {
	rows, next, err := list[json.RawMessage](ctx, c, opCollections, url.Values{"include": {"creator"}}, pageSize, cursor, "projects", projectID, "collections")
	return page(rows, next, readCollection), err
}

// CollectionItems reads a collection through the share that shows it, or through its root folder if that is the collection's
// own: V4 has no call that lists a collection, and does not say what the root folder is. If the folder is the parent of its
// children, it belongs to the project's tree, and the collection does not contain everything in it.
func (c *Client) CollectionItems(ctx context.Context, col frameio.Collection, project frameio.Project) ([]frameio.ShareItem, bool, error) {
	var out []frameio.ShareItem
	if len(col.ShareIDs) > 0 {
		page, err := c.ShareItems(ctx, frameio.Share{ID: col.ShareIDs[0]}, "")
		return page.Items, err == nil, err
	}
	if col.RootID == "" || col.RootID == project.RootID {
		return nil, false, nil
	}
	assets, err := rest.Collect(rest.Pages(ctx, vendorName, opChildren, frameio.Asset.Key, func(ctx context.Context, cursor string) ([]frameio.Asset, string, error) {
		page, err := c.Children(ctx, col.RootID, cursor)
		return page.Items, page.Next, err
	}))
	for _, a := range assets {
		if a.ParentID == col.RootID {
			return nil, false, nil
		}
		out = append(out, frameio.ShareItem{AssetID: a.ID, Kind: a.Kind})
	}
	if rest.IsNotFound(err) || rest.ClassOf(err) == rest.Forbidden {
		return nil, false, nil
	}
	return out, err == nil && len(out) > 0, err
}
