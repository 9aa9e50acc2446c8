package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

// Sides is a review as both vendors show it at the moment.
type Sides struct {
	Reviewers  []Reviewer
	Listed     bool      // whether the reviewers are all the people that Frame.io admits
	LinkSeen   time.Time // when the link was last opened; zero if Frame.io does not say
	Assets     []AssetSides
	MoreAssets int
}

// Reviewer is somebody who was invited or has commented.
type Reviewer struct {
	Name, Email string
	Invited     bool
	Comments    int
	LastAt      time.Time
}

// AssetSides holds one asset's comments on both sides.
type AssetSides struct {
	N                     int
	Title, Label, Problem string
	Pairs                 []Pair
	More                  int
}

// Pair is a comment as each side shows it.
type Pair struct {
	Frame           *int64
	Frameio, Iconik Side
	Differ          bool
}

// Side is a comment on one side. An empty ID means that this side does not have it.
type Side struct {
	ID, Who, Text string
	Done          bool
	At            time.Time
}

type sideCell struct {
	Who, Text string
	When      page.Moment
	Done      bool
	There     bool
}

type pairLine struct {
	At              string
	Frameio, Iconik sideCell
	Badge           page.Badge
}

type assetSidesLine struct {
	Title, Problem string
	Decision       page.Badge
	Pairs          []pairLine
	More           int64
	Differ         int64
}

type reviewerLine struct {
	Name, Email string
	Invited     bool
	Says        string
}

type sidesBody struct {
	Title, Review string
	Reading       bool
	Took, Error   string
	Known         bool
	Read          page.Moment
	LinkSeen      string
	Listed        bool
	Reviewers     []reviewerLine
	Assets        []assetSidesLine
	MoreAssets    int64
}

func sidesTopic(review string) string { return "sides/" + review }

func (c *console) readSides(v visit, id string) live.Task {
	return c.tasks.Begin(live.About(v.tenant.ID, sidesTopic(id)), func(ctx context.Context) (any, error) {
		read, err := c.Actions.BothSides(ctx, v.tenant, id)
		return &read, err
	})
}

// sidesPage shows a review as both vendors have it now. Reading that uses their budgets, so only editors may start it.
func (c *console) sidesPage(w http.ResponseWriter, r *http.Request, v visit) {
	id := r.PathValue("id")
	row, ok, err := v.ledger.Review(id).Get(r.Context())
	var assets []ledger.ReviewAsset
	if err == nil && ok {
		assets, err = v.ledger.Review(id).Assets(r.Context())
	}
	switch {
	case err != nil:
		c.failed(w, r, err)
		return
	case !ok:
		c.problem(w, r, http.StatusNotFound, "There is no such review.")
		return
	}
	t := live.About(v.tenant.ID, sidesTopic(id))
	have, known := c.tasks.Get(t)
	if !known {
		if !v.may(config.RoleEditor) {
			c.refuse(w, r, v, config.RoleEditor)
			return
		}
		have = c.readSides(v, id) //nolint:contextcheck // it goes on without its page
	}
	b := sidesBody{Title: titleOf(row), Review: id, Reading: have.Running(), Took: english.Duration(c.Now().Sub(have.Began))}
	var refused *Refused
	switch read, _ := have.Result.(*Sides); {
	case have.Running():
	case errors.As(have.Err, &refused):
		b.Error = page.Sentence(refused.Why)
	case have.Err != nil:
		b.Error = redact.Scrub(have.Err.Error())
	case read != nil:
		b.Known, b.Read = true, c.moment(have.Ended)
		c.showSides(&b, *read, assets)
	}
	p := c.in(r, v, "reviews", "Both sides of “"+b.Title+"”")
	p.Topic, p.Version, p.Body = t.Name, have.Version(), b
	c.show(w, r, http.StatusOK, "sides", p)
}

func (c *console) showSides(b *sidesBody, read Sides, assets []ledger.ReviewAsset) {
	of := map[int]ledger.ReviewAsset{}
	for _, a := range assets {
		of[a.N] = a
	}
	b.Listed, b.MoreAssets = read.Listed, int64(read.MoreAssets)
	if !read.LinkSeen.IsZero() {
		m := c.moment(read.LinkSeen)
		b.LinkSeen = m.Text + ", " + m.Ago
	}
	for _, p := range read.Reviewers {
		says := "no comment yet"
		if p.Comments > 0 {
			says = english.Count(int64(p.Comments), "comment") + ", the last one " + c.moment(p.LastAt).Ago
		}
		b.Reviewers = append(b.Reviewers, reviewerLine{p.Name, p.Email, p.Invited, says})
	}
	for _, a := range read.Assets {
		line := assetSidesLine{Title: a.Title, Problem: redact.Scrub(a.Problem), More: int64(a.More), Decision: page.Off(a.Label)}
		for _, p := range a.Pairs {
			at := ""
			if p.Frame != nil {
				at = timecode(of[a.N], *p.Frame)
			}
			one := pairLine{At: at, Frameio: c.sideCell(p.Frameio), Iconik: c.sideCell(p.Iconik)}
			switch {
			case p.Differ:
				one.Badge = page.Fair("Different")
				line.Differ++
			case one.Frameio.There && one.Iconik.There:
				one.Badge = page.Good("Same")
			case one.Frameio.There:
				one.Badge = page.Wait("Not in iconik yet")
			default:
				one.Badge = page.Wait("Not in Frame.io yet")
			}
			line.Pairs = append(line.Pairs, one)
		}
		b.Assets = append(b.Assets, line)
	}
}

func (c *console) sideCell(s Side) sideCell {
	return sideCell{Who: s.Who, Text: strings.TrimSpace(redact.Scrub(s.Text)), When: c.moment(s.At), Done: s.Done, There: s.ID != ""}
}

// readSidesAgain reads both sides again.
func (c *console) readSidesAgain(r *http.Request, v visit) (to, done string, err error) {
	id := r.PathValue("id")
	if _, known, err := v.ledger.Review(id).Get(r.Context()); err != nil || !known {
		if err == nil {
			err = &Refused{"there is no such review"}
		}
		return "", "", err
	}
	c.readSides(v, id) //nolint:contextcheck // reading goes on when the request has been answered
	return "reviews/" + url.PathEscape(id) + "/sides", "reading", nil
}
