package v4

import (
	"cmp"
	"context"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

const directoryFresh = 10 * time.Minute // how long the account's people are cached

// directory maps an account's IDs to people and groups. A nil directory knows nobody.
type directory struct {
	users  map[string]frameio.User
	groups map[string]string
	at     time.Time
}

// people caches the directory. Concurrent callers share one reading.
type people struct {
	known  atomic.Pointer[directory]
	flight singleflight.Group
}

type accountUser struct {
	User user `json:"user"`
}

func (r accountUser) key() string { return r.User.key() }

func (d *directory) add(row accountUser) {
	u := row.User.domain()
	for _, id := range []string{u.ID, text(row.User.AdobeID)} {
		if id != "" {
			d.users[id] = u
		}
	}
}

func (d *directory) user(id string) frameio.User {
	if d == nil {
		return frameio.User{ID: id}
	}
	if u, ok := d.users[id]; ok {
		return u
	}
	return frameio.User{ID: id}
}

// name returns a person's e-mail address or a group's name, or the ID if it is unknown.
func (d *directory) name(id string) string {
	if d == nil {
		return id
	}
	u := d.users[id]
	return cmp.Or(u.Email, d.groups[id], u.Name, id)
}

// directory wraps GET ~/users and GET ~/groups, with a cache. It is empty if the token may not read them.
func (c *Client) directory(ctx context.Context) (*directory, error) {
	if d := c.people.known.Load(); d != nil && c.now().Sub(d.at) < directoryFresh {
		return d, nil
	}
	v, err, _ := c.people.flight.Do("", func() (any, error) {
		d := &directory{users: map[string]frameio.User{}, groups: map[string]string{}, at: c.now()}
		err := readable(every(ctx, c, opUsers, url.Values{"include_deactivated": {"true"}}, pageSize, accountUser.key, d.add, "users"))
		if err == nil {
			err = readable(every(ctx, c, opGroups, nil, pageSize, workspace.key, func(g workspace) { d.groups[g.ID] = g.Name }, "groups"))
		}
		if err != nil {
			return nil, err
		}
		c.people.known.Store(d)
		return d, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*directory), nil
}

// readable drops the error if the token may not read something or the server does not have it.
func readable(err error) error {
	if rest.ClassOf(err) == rest.Forbidden || rest.IsNotFound(err) {
		return nil
	}
	return err
}

// whoFor reads the directory if fields of the assets name people, and returns nil if not.
func (c *Client) whoFor(ctx context.Context, rows []asset) (*directory, error) {
	for _, a := range rows {
		for _, f := range a.allFields() {
			if f.namesPeople() && len(f.Value) > 4 { // neither null nor []
				return c.directory(ctx)
			}
		}
	}
	return nil, nil
}

func (a asset) allFields() []field {
	if a.Head == nil {
		return a.Metadata
	}
	return append(a.Metadata[:len(a.Metadata):len(a.Metadata)], a.Head.Metadata...)
}
