package console

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

const endingSoon = 48 * time.Hour

// reviewRow is a review in a list.
type reviewRow struct {
	ID, Title, Why       string
	Badge                page.Badge
	Expires, When        page.Moment
	Comments             string
	ToIconik, ToFrameio  int64
	Open                 int64
	RequestedBy, Created string
}

func (c *console) reviewRow(r ledger.Review) reviewRow {
	out := reviewRow{ID: r.ID, Title: titleOf(r), Why: page.Sentence(r.Reason), Badge: page.Labeled(reviewBadges, r.Status), When: c.moment(r.CreatedAt),
		ToIconik: int64(r.ToIconik), ToFrameio: int64(r.ToFrameio), Open: int64(r.OpenComments)}
	out.Comments = english.Count(out.Open, "open comment")
	out.RequestedBy = r.RequestedBy.Name
	if out.RequestedBy == "" {
		out.RequestedBy = r.RequestedBy.Email
	}
	switch {
	case r.Status.Running():
		out.Expires = c.moment(r.ExpiresAt)
	case !r.EndedAt.IsZero():
		out.When = c.moment(r.EndedAt)
	}
	return out
}

func titleOf(r ledger.Review) string {
	if r.Title == "" {
		return "Review " + r.ID
	}
	return r.Title
}

type reviewsBody struct {
	Whole                bool
	Sending, Soon, Open  []reviewRow
	Running, SoonCount   int64
	MoreOpen             string
	Rows                 []reviewRow
	Filters              []filterLink
	Filter, Search, Next string
	Later                bool
}

var reviewFilters = []struct {
	Key, Text string
	statuses  []ledger.ReviewStatus
}{
	{"", "All", nil},
	{"open", "Open", []ledger.ReviewStatus{ledger.ReviewOpen, ledger.ReviewSending}},
	{"expired", "Expired", []ledger.ReviewStatus{ledger.ReviewExpired}},
	{"stopped", "Stopped", []ledger.ReviewStatus{ledger.ReviewStopped}},
	{"deleted", "Media deleted", []ledger.ReviewStatus{ledger.ReviewDeleted}},
	{"failed", "Failed", []ledger.ReviewStatus{ledger.ReviewFailed}},
}

var endedReviews = []ledger.ReviewStatus{ledger.ReviewExpired, ledger.ReviewStopped, ledger.ReviewDeleted, ledger.ReviewFailed}

// runningReviews returns the reviews that are being sent, those that end soon, and the other open ones, by expiry.
func (c *console) runningReviews(ctx context.Context, h ledger.TenantLedger) (sending, soon, open []ledger.Review, counts map[ledger.ReviewStatus]int64, err error) {
	if sending, _, err = h.BrowseReviews(ctx, ledger.ReviewFilter{Statuses: []ledger.ReviewStatus{ledger.ReviewSending}}, "", rowsShown); err != nil {
		return nil, nil, nil, nil, err
	}
	all, err := h.OpenReviews(ctx, time.Time{}, time.Time{}, "", rowsShown+1)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	until := c.Now().Add(endingSoon)
	for _, r := range all {
		if r.ExpiresAt.Before(until) {
			soon = append(soon, r)
		} else {
			open = append(open, r)
		}
	}
	counts, err = h.RunningReviews(ctx)
	return sending, soon, open, counts, err
}

func (c *console) reviewsState(ctx context.Context, h ledger.TenantLedger) (live.State, error) {
	sending, soon, open, counts, err := c.runningReviews(ctx, h)
	if err != nil {
		return live.State{}, err
	}
	return reviewsStateOf(sending, soon, open, counts, c.temporal.Ready(ctx)), nil
}

func reviewsStateOf(sending, soon, open []ledger.Review, counts map[ledger.ReviewStatus]int64, temporal bool) live.State {
	var seen []any
	for _, list := range [][]ledger.Review{sending, soon, open} {
		for _, r := range list {
			seen = append(seen, r.ID, r.Status, r.Title, r.Reason, r.ExpiresAt, r.OpenComments, r.ToIconik, r.ToFrameio)
		}
		seen = append(seen, "")
	}
	return live.State{Version: live.VersionOf(seen, counts, temporal)}
}

// reviewsPage shows the reviews, those that end soon first. With a filter or a search, it shows only the matches.
func (c *console) reviewsPage(w http.ResponseWriter, r *http.Request, v visit) {
	q := r.URL.Query()
	p := c.in(r, v, "reviews", "Reviews")
	b := reviewsBody{Filter: q.Get("status"), Search: page.Searched(q.Get("q"))}
	after := q.Get("after")
	statuses := []ledger.ReviewStatus(nil)
	for _, f := range reviewFilters {
		b.Filters = append(b.Filters, filterLink{f.Text, page.Address(p.Path+"reviews", "status", f.Key, "q", b.Search), f.Key == b.Filter})
		if f.Key == b.Filter {
			statuses = f.statuses
		}
	}
	if b.Filter == "" && b.Search == "" {
		statuses = endedReviews
	}
	b.Later, b.Whole = after != "", b.Filter == "" && b.Search == "" && after == ""
	if b.Whole {
		sending, soon, open, counts, err := c.runningReviews(r.Context(), v.ledger)
		if err != nil {
			c.failed(w, r, err)
			return
		}
		p.Topic, p.Version = "reviews", reviewsStateOf(sending, soon, open, counts, c.temporal.Ready(r.Context())).Version
		for _, n := range counts {
			b.Running += n
		}
		if len(soon)+len(open) > rowsShown && len(open) > 0 {
			open = open[:len(open)-1]
			b.MoreOpen = page.Address(p.Path+"reviews", "status", "open")
		}
		b.Sending, b.Soon, b.Open = c.reviewRows(sending), c.reviewRows(soon), c.reviewRows(open)
	}
	rows, next, err := v.ledger.BrowseReviews(r.Context(), ledger.ReviewFilter{Statuses: statuses, Title: b.Search}, after, rowsShown)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	b.Rows = c.reviewRows(rows)
	if next != "" {
		b.Next = page.Address(p.Path+"reviews", "status", b.Filter, "q", b.Search, "after", next)
	}
	p.Body = b
	c.show(w, r, http.StatusOK, "reviews", p)
}

func (c *console) reviewRows(rows []ledger.Review) []reviewRow {
	out := make([]reviewRow, len(rows))
	for i, r := range rows {
		out[i] = c.reviewRow(r)
	}
	return out
}

// frameText returns a comment's position: a page or a timecode, or "".
func frameText(a ledger.ReviewAsset, m ledger.ReviewComment) string {
	switch {
	case m.Page != nil:
		return "page " + strconv.Itoa(*m.Page)
	case m.Frame == nil:
		return ""
	}
	return timecode(a, *m.Frame)
}
