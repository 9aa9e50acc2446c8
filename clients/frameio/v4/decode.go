package v4

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

// UnmarshalJSON reads what it can of an object that has an ID, so that one object does not fail the page it is listed on. It names the first
// member that is of another type than documented in odd.
func (a *asset) UnmarshalJSON(raw []byte) error {
	type plain asset
	var is plain
	err := json.Unmarshal(raw, &is) // one wrong type does not keep it from the other members
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && is.ID != "" {
		is.odd, err = cmp.Or(wrong.Field, "?"), nil
	}
	*a = asset(is)
	return err
}

// readable returns an error if a member of a file cannot be read. To go on would be to take what is in it for absent.
func (a asset) readable() error {
	return frameio.Understood(frameio.Asset{Kind: frameio.KindFile, Name: a.Name, Unreadable: a.odd})
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
