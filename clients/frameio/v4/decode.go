package v4

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

// row is an asset of which some members may be of another type than documented, so that it does not fail the page it is listed on. odd names
// the first of them; all others are set.
type row struct{ asset }

// UnmarshalJSON returns an error for what has no ID.
func (r *row) UnmarshalJSON(raw []byte) error {
	r.asset = asset{}
	err := json.Unmarshal(raw, &r.asset) // one wrong type does not keep it from the other members
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && r.ID != "" {
		r.odd, err = cmp.Or(wrong.Field, "?"), nil
	}
	return err
}

// listRows reads one page of assets.
func listRows(ctx context.Context, c *Client, op string, q url.Values, size int, cursor string, segments ...string) ([]asset, string, error) {
	rows, next, err := list[row](ctx, c, op, q, size, cursor, segments...)
	out := make([]asset, len(rows))
	for i, r := range rows {
		out[i] = r.asset
	}
	return out, next, err
}

// readFile reads a file, all of it: to go on without a member that cannot be read would be to take what is in it for absent.
func readFile(ctx context.Context, c *Client, q url.Values, id string) (asset, error) {
	r, err := one[row](ctx, c, opFile, q, nil, "files", id)
	if err == nil {
		err = frameio.Understood(frameio.Asset{Kind: frameio.KindFile, Name: r.Name, Unreadable: r.odd})
	}
	return r.asset, err
}

// again reads a file by itself that cannot be read where it is listed.
func (c *Client) again(ctx context.Context, listed frameio.Asset) (frameio.Asset, error) {
	is, err := c.asset(ctx, listed.ID, frameio.KindFile)
	switch {
	case err == nil:
		return is, nil
	case rest.IsRefused(err):
		return listed, nil
	}
	return listed, err
}
