package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/workflows"
)

const (
	listed      = 200   // most blockers, places and people in a plan
	typesKept   = 100   // most media types listed separately
	assumedRate = 100e6 // bytes per second, if no bandwidth is set
	outageAfter = 5     // this many unreadable projects in a row mean an outage
	otherTypes  = "other"
)

// Source holds what an account's plan is made from.
type Source struct {
	plan.Source
	Prices    config.Prices
	Bandwidth int64 // bytes per second available to transfers; 0: no limit
	Now       time.Time
	// Save, if not nil, receives the progress after each project.
	Save func(Progress)
}

// Progress is a partly made plan, with which a later attempt can continue after an interruption.
type Progress struct {
	Plan    workflows.AccountPlan `json:"plan"`
	Calls   plan.Calls            `json:"calls"`
	Minutes float64               `json:"minutes"`
	Stored  int64                 `json:"stored"` // bytes to bring over
	Done    int                   `json:"done"`   // number of projects read
	Last    string                `json:"last"`   // ID of the last project read; projects are read in the order of their IDs
	Of      int                   `json:"of"`
}

// Make reads the selected projects one by one and adds up what their archives would do. A project that Frame.io refuses to show
// becomes a blocker and does not stop the others. from is the progress of an earlier attempt.
func Make(ctx context.Context, s Source, take Selection, from Progress) (workflows.AccountPlan, error) {
	var found []Found
	for p, err := range Projects(ctx, s.Frameio, take) {
		if err != nil {
			return workflows.AccountPlan{}, err
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(x, y Found) int { return cmp.Compare(x.ID, y.ID) })
	a := &sum{Source: s, Progress: from}
	if a.Done == 0 {
		a.begin(ctx)
	}
	a.Of = len(found)
	away := 0
	for _, p := range found {
		if a.Done > 0 && p.ID <= a.Last {
			continue
		}
		err := a.project(ctx, p)
		switch class := rest.ClassOf(err); {
		case err == nil:
			away = 0
		case ctx.Err() != nil || class == rest.Unauthorized || stopped(err):
			return workflows.AccountPlan{}, err
		case class == rest.Retryable || class == rest.Throttled:
			if away++; away == outageAfter {
				return workflows.AccountPlan{}, fmt.Errorf("Frame.io could not be read: %w", err)
			}
			a.block(workflows.AccountBlocker{ProjectID: p.ID, Project: p.Name, Why: redact.Scrub(err.Error()), Outcome: "not in this plan: plan again when Frame.io answers"})
		default:
			a.block(workflows.AccountBlocker{ProjectID: p.ID, Project: p.Name, Why: redact.Scrub(err.Error()), Outcome: "this project is not migrated; the others are"})
		}
		a.Plan.Projects++
		a.Done, a.Last = a.Done+1, p.ID
		if s.Save != nil {
			s.Save(a.Progress)
		}
	}
	return a.result(), nil
}

// stopped reports whether a plan was ended by something other than a vendor's error.
func stopped(err error) bool {
	var vendor *rest.Error
	return !errors.As(err, &vendor)
}

// sum adds up the plans of projects.
type sum struct {
	Source
	Progress
}

func (a *sum) begin(ctx context.Context) {
	if a.Storage == nil {
		return
	}
	if err := a.Storage(ctx); err != nil {
		a.block(workflows.AccountBlocker{Why: redact.Scrub(err.Error()), Outcome: "every archive would fail at the start"})
	}
}

func (a *sum) project(ctx context.Context, p Found) error {
	if p.Refused != nil {
		return p.Refused
	}
	part := newPart(a.Now, int64(a.Policy.MaxFileSize))
	from := a.Source.Source
	from.Storage, from.Watch = nil, &plan.Watch{File: part.file, Share: part.share, Refused: part.refuse}
	full := p.Project
	if full.RootID == "" {
		var err error
		if full, err = a.Frameio.Project(ctx, p.ID); err != nil {
			return err
		}
	}
	made, err := plan.Make(ctx, from, full)
	if err != nil {
		return err
	}
	part.calls = from.Watch.Calls
	a.add(p, made, part)
	return nil
}

func (a *sum) add(p Found, made workflows.Plan, part *part) {
	t := &a.Plan
	t.Files, t.Bytes, t.Folders, t.Comments, t.Shares = t.Files+made.Items, t.Bytes+made.Bytes, t.Folders+made.Folders, t.Comments+made.Comments, t.Shares+made.Shares
	t.CommentsNotCounted = t.CommentsNotCounted || made.CommentsNotCounted
	for _, m := range made.ByType {
		t.ByType = addType(t.ByType, m)
	}
	t.ByAge = addAges(t.ByAge, part.ages)
	whole := slices.DeleteFunc(slices.Clone(made.Blockers), func(b workflows.Blocker) bool { return b.SourceID != "" || b.Outcome == plan.Incomplete })
	for _, b := range append(whole, part.refused...) { // blockers of single files are counted by reason, below
		a.block(workflows.AccountBlocker{ProjectID: p.ID, Project: p.Name, Why: redact.Scrub(b.Why), Outcome: b.Outcome, Path: b.Path})
	}
	for _, b := range part.blockers() {
		b.ProjectID, b.Project = p.ID, p.Name
		a.block(b)
	}
	a.access(p, made.Access)
	a.notCarried(part)
	a.Calls = a.Calls.Add(part.calls)
	a.Minutes, a.Stored = a.Minutes+part.minutes, a.Stored+part.stored
}

func (a *sum) block(b workflows.AccountBlocker) {
	if len(a.Plan.Blockers) == listed {
		a.Plan.BlockersMore++
		return
	}
	a.Plan.Blockers = append(a.Plan.Blockers, b)
}

// access adds up who will see what.
func (a *sum) access(p Found, made *workflows.PlanAccess) {
	if made == nil {
		return
	}
	t := &a.Plan.Access
	t.Mode = made.Mode
	for i, place := range made.Places {
		switch {
		case place.Open && i == 0:
			t.Open++
			continue
		case place.Open:
			continue
		case i == 0:
			t.Restricted++
		default:
			t.Within++
		}
		if len(t.Places) == listed {
			t.PlacesMore++
			continue
		}
		r := workflows.AccountReader{ProjectID: p.ID, Project: p.Name, Readers: place.Readers}
		if i > 0 {
			r.Place = place.Place
		}
		t.Places = append(t.Places, r)
	}
	t.Within += int64(made.PlacesMore)
	t.PlacesMore += made.PlacesMore
	for _, who := range made.Unmapped {
		switch {
		case slices.Contains(t.Unmapped, who):
		case len(t.Unmapped) == listed:
			t.UnmappedMore++
		default:
			t.Unmapped = append(t.Unmapped, who)
		}
	}
}

// result completes the plan with what follows from the sums. None of its lists is null in JSON.
func (a *sum) result() workflows.AccountPlan {
	out := a.Plan
	can := a.Frameio.Capabilities()
	out.ByType, out.Blockers, out.NotCarried = present(out.ByType), present(out.Blockers), present(out.NotCarried)
	out.ByAge = addAges(out.ByAge, nil)
	out.Access.Places, out.Access.Unmapped = present(out.Access.Places), present(out.Access.Unmapped)
	slices.SortStableFunc(out.ByType, func(x, y workflows.PlanType) int { return cmp.Compare(y.Bytes, x.Bytes) })
	out.APICalls = a.Calls.Total()
	rate := cmp.Or(a.Bandwidth, int64(assumedRate))
	out.Time = workflows.PlanTime{Limits: a.Calls.Seconds(can), Bytes: float64(a.Stored) / float64(rate), BytesPerSecond: rate}
	out.Cost = costOf(a.Prices, a.Stored, a.Minutes)
	if out.Comments > 0 || out.CommentsNotCounted {
		out.NotCarried = append(out.NotCarried, unknownYet(can)...)
	}
	return out
}

func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// unknownYet lists what comments may have that is not carried. Only reading them shows how much there is.
func unknownYet(can frameio.Capabilities) []workflows.PlanNotCarried {
	if !can.SharesOnly {
		return nil
	}
	return []workflows.PlanNotCarried{
		{Kind: "attachment", Reason: "Frame.io's API gives no address to download a comment's attachments from: counted while comments are read"},
		{Kind: "like", Reason: "comments in iconik have no likes: counted while comments are read"},
		{Kind: "author", Reason: "Frame.io's API may not say who wrote a reply: counted while comments are read"},
	}
}

func addType(all []workflows.PlanType, m workflows.PlanType) []workflows.PlanType {
	i := slices.IndexFunc(all, func(t workflows.PlanType) bool { return t.MediaType == m.MediaType })
	if i < 0 && len(all) >= typesKept {
		m.MediaType = otherTypes
		i = slices.IndexFunc(all, func(t workflows.PlanType) bool { return t.MediaType == otherTypes })
	}
	if i < 0 {
		return append(all, m)
	}
	all[i].Count, all[i].Bytes = all[i].Count+m.Count, all[i].Bytes+m.Bytes
	return all
}

// costOf returns what the prices add up to, or nil if none are configured.
func costOf(p config.Prices, stored int64, minutes float64) *workflows.PlanCost {
	if p.None() {
		return nil
	}
	gib := float64(stored) / (1 << 30)
	c := &workflows.PlanCost{Currency: p.Currency, GiB: gib, Minutes: minutes, Storage: []workflows.StorageCost{}, Egress: gib * p.Egress, Transcode: minutes * p.Transcode}
	for class, price := range p.Storage {
		c.Storage = append(c.Storage, workflows.StorageCost{Class: class, PerMonth: gib * price})
	}
	slices.SortFunc(c.Storage, func(x, y workflows.StorageCost) int { return cmp.Compare(x.Class, y.Class) })
	return c
}
