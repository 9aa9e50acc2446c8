package v4

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

// spread lists the calls that all credentials share. They read single files, and their limits set the pace of an archive. The
// tree is read with the first credential only: Frame.io silently omits from a listing what its user may not see.
var spread = map[string]bool{opComments: true, opComment: true, opFile: true}

// openPool opens the additional credentials. Each is a Frame.io user with rate limits of its own.
func (c *Client) openPool(cfg config.Frameio, opts []Option) error {
	var more []*rest.Credential
	for i, own := range cfg.Credentials {
		own.Credentials = nil
		name := "frameio.credentials." + strconv.Itoa(i)
		other, err := New(own, append(slices.Clone(opts), func(r *rest.Config, o *Client) {
			o.tokens.kept, r.Credential = TokenName+"/"+name, name
		})...)
		if err != nil {
			return err
		}
		more = append(more, &rest.Credential{Name: name, Client: other.rest, Send: other.sendAs, Prove: func(ctx context.Context) error { return c.sameAccess(ctx, other) }})
	}
	c.pool = rest.NewPool(&rest.Credential{Name: "frameio", Client: c.rest, Send: c.sendAs}, more...)
	return nil
}

// sameAccess returns an error unless another credential has the same roles in the account.
func (c *Client) sameAccess(ctx context.Context, other *Client) error {
	account, err := c.accountID(ctx)
	if err != nil {
		return err
	}
	var roles [2][]string
	for i, who := range []*Client{c, other} {
		found := false
		if roles[i], found, err = who.roles(ctx, account); err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%w: it does not belong to account %s", rest.ErrOtherAccess, account)
		}
	}
	if !slices.Equal(roles[0], roles[1]) {
		return fmt.Errorf("%w: its roles in the account are %v, but the first one's are %v", rest.ErrOtherAccess, roles[1], roles[0])
	}
	return nil
}

// roles returns the roles of the client's user in an account, and whether the user belongs to it.
func (c *Client) roles(ctx context.Context, account string) (roles []string, found bool, err error) {
	var out struct {
		Data []struct {
			ID    string   `json:"id"`
			Roles []string `json:"roles"`
		} `json:"data"`
	}
	if _, err := c.sendAs(ctx, rest.Request{Operation: opAccounts, Method: http.MethodGet, Path: "accounts", Query: url.Values{"page_size": {"100"}}}, &out); err != nil {
		return nil, false, err
	}
	for _, a := range out.Data {
		if a.ID == account {
			slices.Sort(a.Roles)
			return a.Roles, true, nil
		}
	}
	return nil, false, nil
}

// OnTakenOut has told called for each credential that is not used for a while, with the reason.
func (c *Client) OnTakenOut(told func(name string, err error)) { c.pool.OnTakenOut(told) }
