package account

import (
	"slices"
	"strconv"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/workflows"
)

// ages are the classes in which files are counted, by the number of days since their upload.
var ages = []ageClass{{"less than 30 days", 30}, {"30 days to 1 year", 365}, {"1 to 3 years", 3 * 365}, {"more than 3 years", 0}}

type ageClass struct {
	name string
	days int // exclusive upper bound; 0 marks the last class
}

// part is what one project contributes. It counts only once the project's whole tree has been read.
type part struct {
	now         time.Time
	limit       int64 // archive.max_file_size
	ages        []workflows.PlanAge
	blocked     map[string]*workflows.AccountBlocker
	order       []string // keys of blocked, in order of appearance
	refused     []workflows.Blocker
	minutes     float64
	stored      int64
	lacking     int64 // files without an original
	passphrases int64
	calls       plan.Calls
}

func newPart(now time.Time, limit int64) *part {
	return &part{now: now, limit: limit, ages: addAges(nil, nil), blocked: map[string]*workflows.AccountBlocker{}}
}

// addAges returns the sum of both counts, with an entry for every class.
func addAges(to, more []workflows.PlanAge) []workflows.PlanAge {
	out := make([]workflows.PlanAge, len(ages))
	for i, a := range ages {
		out[i].Age = a.name
		for _, list := range [][]workflows.PlanAge{to, more} {
			for _, n := range list {
				if n.Age == a.name {
					out[i].Count, out[i].Bytes = out[i].Count+n.Count, out[i].Bytes+n.Bytes
				}
			}
		}
	}
	return out
}

func (p *part) file(f frameio.Asset, it ledger.Item, d plan.Decision) {
	uploaded := f.UploadedAt
	if uploaded.IsZero() {
		uploaded = f.CreatedAt
	}
	days := int(p.now.Sub(uploaded).Hours() / 24)
	i := slices.IndexFunc(ages, func(a ageClass) bool { return a.days == 0 || days < a.days })
	p.ages[i].Count++
	p.ages[i].Bytes += it.Size
	if d.Do == plan.Copy || d.Do == plan.Wait {
		p.stored += it.Size
		if f.Class == frameio.ClassStream {
			p.minutes += f.Duration / 60
		}
	}
	if d.Do == plan.Copy && d.Rendition == frameio.RenditionOriginal {
		return
	}
	if d.Do != plan.Wait {
		p.lacking++
	}
	key, why := string(d.Do)+it.Original, d.Why
	if it.Size > p.limit {
		key, why = string(d.Do)+"size", "over the size limit: archive.max_file_size is "+strconv.FormatInt(p.limit, 10)+" bytes"
	}
	b, ok := p.blocked[key]
	if !ok {
		b = &workflows.AccountBlocker{Why: why, Outcome: plan.Outcome(d), Path: it.Path}
		p.blocked[key], p.order = b, append(p.order, key)
	}
	b.Files++
	b.Bytes += it.Size
}

func (p *part) refuse(b workflows.Blocker) { p.refused = append(p.refused, b) }

func (p *part) share(s frameio.Share) {
	if s.HasPassphrase {
		p.passphrases++
	}
}

// blockers returns the files that cannot be brought over, one line per reason.
func (p *part) blockers() []workflows.AccountBlocker {
	out := make([]workflows.AccountBlocker, len(p.order))
	for i, key := range p.order {
		out[i] = *p.blocked[key]
	}
	return out
}

// notCarried counts what the project has and iconik will not have.
func (a *sum) notCarried(p *part) {
	for _, n := range []struct {
		kind, reason string
		count        int64
	}{
		{"original", "Frame.io does not give the original, or the size limit leaves it out: see the problems", p.lacking},
		{"share setting", "passphrases are secrets: only that a share has one is brought over", p.passphrases},
	} {
		if n.count == 0 {
			continue
		}
		i := slices.IndexFunc(a.Plan.NotCarried, func(have workflows.PlanNotCarried) bool { return have.Kind == n.kind })
		if i < 0 {
			count := n.count
			a.Plan.NotCarried = append(a.Plan.NotCarried, workflows.PlanNotCarried{Kind: n.kind, Count: &count, Reason: n.reason})
			continue
		}
		*a.Plan.NotCarried[i].Count += n.count
	}
}
