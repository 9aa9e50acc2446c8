package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

// Limits on what is read of a review from both vendors: looking at it must not use up the budget that the sync needs.
const (
	sidesTimeLimit  = time.Minute
	mostSidesAssets = 20
	mostSidesRows   = 500
)

// BothSides is a review as both vendors show it at the moment.
type BothSides struct {
	Listed     bool // whether Reviewers are all the people that Frame.io admits
	Reviewers  []ReviewerView
	LinkSeen   time.Time // when the link was last opened; zero if never, or if Frame.io does not say
	Assets     []AssetSides
	MoreAssets int
}

// ReviewerView is a person who was invited or has commented.
type ReviewerView struct {
	Name, Email string
	Invited     bool
	Comments    int
	LastAt      time.Time // time of the last comment
}

// AssetSides are the comments of one asset, in pairs.
type AssetSides struct {
	N       int
	Title   string
	Label   string // in Frame.io; "" if there is none
	Pairs   []CommentPair
	More    int
	Problem string // what could not be read
}

// CommentPair is a comment as each side shows it. A side that does not have it is empty.
type CommentPair struct {
	Frame           *int64
	Frameio, Iconik CommentSide
	Differ          bool
}

// CommentSide is a comment on one side.
type CommentSide struct {
	ID, Who, Text string
	Done          bool
	At            time.Time
}

// ErrNoReview is returned if the review does not exist.
var ErrNoReview = errors.New("there is no such review")

// ReadBothSides reads a review's comments and reviewers from both vendors, within limits.
func (s *Service) ReadBothSides(ctx context.Context, t *config.Tenant, id string) (BothSides, error) {
	ctx, cancel := context.WithTimeout(ctx, sidesTimeLimit)
	defer cancel()
	var out BothSides
	review := s.Ledger.Tenant(t.ID).Review(id)
	row, ok, err := review.Get(ctx)
	if err != nil || !ok {
		return out, cmp.Or(err, ErrNoReview)
	}
	assets, err := review.Assets(ctx)
	if err != nil {
		return out, err
	}
	known, err := review.Comments(ctx, 0)
	if err != nil {
		return out, err
	}
	platform, err := s.Platform(t)
	if err != nil {
		return out, err
	}
	media, err := s.Iconik(t)
	if err != nil {
		return out, err
	}
	assets = slices.DeleteFunc(assets, func(a ledger.ReviewAsset) bool { return a.FileID == "" || a.State == ledger.AssetDeleted })
	out.MoreAssets = max(len(assets)-mostSidesAssets, 0)
	for _, a := range assets[:len(assets)-out.MoreAssets] {
		sides, err := readSides(ctx, platform, media, row, a, known)
		if err != nil && ctx.Err() != nil {
			return out, fmt.Errorf("both sides could not be read within %s: %w", english.Duration(sidesTimeLimit), ctx.Err())
		}
		if err != nil {
			sides.Problem = err.Error() // already scrubbed by the client that returned it
		}
		out.Assets = append(out.Assets, sides)
	}
	return out, s.readReviewers(ctx, platform, row, known, &out)
}

func readSides(ctx context.Context, platform frameio.Platform, media *iconik.Client, row ledger.Review, a ledger.ReviewAsset, known []ledger.ReviewComment) (AssetSides, error) {
	out := AssetSides{N: a.N, Title: cmp.Or(a.Title, a.Name)}
	there, err := platform.Asset(ctx, a.FileID)
	if err != nil {
		return out, fmt.Errorf("the file in Frame.io: %w", err)
	}
	if there.Label != "none" {
		out.Label = there.Label
	}
	theirs, err := rest.Collect(frameio.RowsOf(frameio.AtAGlance(ctx), "list comments", platform.Comments, a.FileID))
	if err != nil {
		return out, fmt.Errorf("comments in Frame.io: %w", err)
	}
	ours, err := media.Segments.List(ctx, a.AssetID, iconik.SegmentListOptions{Type: "COMMENT", VersionID: a.VersionID, WithUsers: true})
	if rest.IsNotFound(err) { // the asset is gone, or it has no comments: iconik responds in this way to pages beyond the end
		_, err = media.Assets.Get(ctx, a.AssetID, false)
	}
	if err != nil {
		return out, fmt.Errorf("comments in iconik: %w", err)
	}
	out.Pairs = pairs(row, a.N, theirs, ours, known)
	if out.More = max(len(out.Pairs)-mostSidesRows, 0); out.More > 0 {
		out.Pairs = out.Pairs[:mostSidesRows]
	}
	return out, nil
}

// pairs matches the comments of both sides, as the ledger knows them. It omits what iconik had before the review.
func pairs(row ledger.Review, n int, theirs []frameio.Comment, ours []iconik.Segment, known []ledger.ReviewComment) []CommentPair {
	partner, older := map[string]string{}, map[string]bool{}
	for _, k := range known {
		if k.N != n {
			continue
		}
		if older[k.IconikID] = k.Older; k.FrameioID != "" && k.IconikID != "" {
			partner[k.FrameioID] = k.IconikID
		}
	}
	segment := map[string]iconik.Segment{}
	for _, g := range ours {
		segment[g.ID] = g
	}
	var out []CommentPair
	taken := map[string]bool{}
	for _, c := range theirs {
		if taken[c.ID] { // a page may repeat a comment
			continue
		}
		taken[c.ID] = true
		p := CommentPair{Frame: c.Frame, Frameio: CommentSide{ID: c.ID, Who: cmp.Or(c.Author.Name, c.Author.Email), Text: c.Text, Done: c.Completed, At: c.CreatedAt}}
		if g, ok := segment[partner[c.ID]]; ok {
			taken[g.ID] = true
			p.Iconik = sideOf(g)
			p.Differ = !sameText(p.Frameio.Text, p.Iconik.Text) || p.Frameio.Done != p.Iconik.Done
		}
		out = append(out, p)
	}
	for _, g := range ours {
		if taken[g.ID] || older[g.ID] || g.Created.Before(row.CreatedAt) {
			continue
		}
		taken[g.ID] = true
		out = append(out, CommentPair{Iconik: sideOf(g)})
	}
	slices.SortStableFunc(out, func(a, b CommentPair) int { return a.at().Compare(b.at()) })
	return out
}

func (p CommentPair) at() time.Time {
	if p.Frameio.ID != "" {
		return p.Frameio.At
	}
	return p.Iconik.At
}

func sideOf(g iconik.Segment) CommentSide {
	return CommentSide{ID: g.ID, Who: strings.TrimSpace(g.FirstName + " " + g.LastName), Text: g.Text, Done: g.Checked, At: g.Created.Time}
}

// sameText reports whether one text contains the other. Framebridge adds who wrote it and what it replies to.
func sameText(a, b string) bool {
	a, b = strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " ")
	return strings.Contains(a, b) || strings.Contains(b, a)
}

func (s *Service) readReviewers(ctx context.Context, platform frameio.Platform, row ledger.Review, known []ledger.ReviewComment, out *BothSides) error {
	people := map[string]*ReviewerView{}
	person := func(email, name string) *ReviewerView {
		key := strings.ToLower(cmp.Or(email, name))
		if people[key] == nil {
			people[key] = &ReviewerView{Email: email}
		}
		people[key].Name = cmp.Or(people[key].Name, name)
		return people[key]
	}
	for _, email := range row.Reviewers {
		person(email, "").Invited = true
	}
	if row.ShareID != "" && row.Status.Running() {
		share, err := platform.ShareByID(ctx, row.ShareID)
		if err != nil && !rest.IsNotFound(err) {
			return fmt.Errorf("the link in Frame.io: %w", err)
		}
		if text, ok := share.Settings["last_viewed_at"].(string); ok {
			out.LinkSeen, _ = time.Parse(time.RFC3339, text)
		}
		listed, err := platform.Reviewers(ctx, row.ShareID)
		switch class := rest.ClassOf(err); {
		case err == nil:
			out.Listed = listed.Listed
			for _, u := range listed.People {
				person(u.Email, u.Name).Invited = true
			}
		case class != rest.NotFound && class != rest.Unsupported && class != rest.Forbidden:
			return fmt.Errorf("the reviewers in Frame.io: %w", err)
		}
	}
	for _, k := range known {
		if k.Deleted || k.Older || k.Origin != ledger.FromFrameio || k.Author+k.Email == "" {
			continue
		}
		p := person(k.Email, k.Author)
		p.Comments++
		if k.CreatedAt.After(p.LastAt) {
			p.LastAt = k.CreatedAt
		}
	}
	for _, p := range people {
		out.Reviewers = append(out.Reviewers, *p)
	}
	slices.SortFunc(out.Reviewers, func(a, b ReviewerView) int {
		return cmp.Compare(cmp.Or(a.Email, a.Name), cmp.Or(b.Email, b.Name))
	})
	return nil
}
