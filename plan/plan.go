// Package plan decides what an archive does with each file of a project, and adds up what a whole archive would do. It reads
// Frame.io and the ledger, and writes nothing.
package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

const (
	blockersListed = 200
	// callsPerFile and callsPerComment are the iconik calls that an archive makes: asset, format, file set, file, close and
	// metadata, plus asset and files during verification. Keyframes are requested for many files at once.
	callsPerFile    = 8
	callsPerComment = 1.5
	iconikPerSecond = 50.0
	iconikBurst     = 1000.0
	assumedRate     = 100e6 // bytes per second, until a rate has been measured
)

// Source holds what a plan is made from.
type Source struct {
	Frameio frameio.Reader
	Ledger  ledger.TenantLedger
	Policy  config.Archive
	// Access reads who may see what. If nil, the plan leaves access out.
	Access Access
	// Storage returns an error if iconik's storage cannot take the files. If nil, it is not checked.
	Storage func(context.Context) error
	// Stopping, if not nil, is called before each page is read. An error from it ends the plan.
	Stopping func(context.Context) error
	// Watch, if not nil, receives what is found.
	Watch *Watch
}

// Watch observes the making of a plan, for callers that add up several.
type Watch struct {
	File  func(frameio.Asset, ledger.Item, Decision)
	Share func(frameio.Share)
	// Refused, if not nil, receives what Frame.io refuses to show.
	Refused func(workflows.Blocker)
	Calls   Calls // set once the plan is made
}

// Calls counts the vendor calls that an archive makes.
type Calls struct {
	Iconik   float64 `json:"iconik"`
	Listings float64 `json:"listings"` // of Frame.io's folders and version stacks
	Comments float64 `json:"comments"` // listings of comments
}

// Add returns the sum of both.
func (c Calls) Add(more Calls) Calls {
	return Calls{c.Iconik + more.Iconik, c.Listings + more.Listings, c.Comments + more.Comments}
}

// Total returns the number of calls.
func (c Calls) Total() int64 { return int64(c.Iconik+c.Listings) + int64(c.Comments) }

// Seconds returns the shortest time in which the vendors' limits allow these calls.
func (c Calls) Seconds(can frameio.Capabilities) float64 {
	least := max(0, c.Iconik-iconikBurst) / iconikPerSecond
	if can.ListLimit > 0 {
		perSecond := float64(can.ListLimit) / 60
		least = max(least, max(0, c.Listings-float64(can.ListLimit))/perSecond)
	}
	if can.CommentPolls > 0 {
		least = max(least, (c.Comments-float64(can.CommentPolls))*60/float64(can.CommentPolls))
	}
	return least
}

// Access reads who may see a project and its folders, and looks those people up in iconik. It writes nothing.
type Access interface {
	ProjectRule(ctx context.Context, p frameio.Project) (access.Rule, error)
	FolderRule(ctx context.Context, above access.Rule, id, place string) (access.Rule, bool, error)
	Resolve(ctx context.Context, r *access.Rule) error
}

// Make reads the project's tree and adds up what an archive would do.
func Make(ctx context.Context, s Source, project frameio.Project) (workflows.Plan, error) {
	p := &planning{Source: s, plan: workflows.Plan{Project: project.Name, Team: project.Team.Name}, types: map[string]*workflows.PlanType{}}
	if err := p.walk(ctx, project); err != nil {
		return workflows.Plan{}, err
	}
	if err := p.readers(ctx, project); err != nil {
		return workflows.Plan{}, err
	}
	if err := p.premigration(ctx, project); err != nil {
		return workflows.Plan{}, err
	}
	if s.Storage != nil {
		if err := s.Storage(ctx); err != nil {
			p.blocker("", "", err.Error(), "the archive would fail at the start")
		}
	}
	return p.result(s.Frameio.Capabilities()), nil
}

type planning struct {
	Source
	plan    workflows.Plan
	types   map[string]*workflows.PlanType
	listing int64 // calls that list the tree
	said    int64 // files whose comments will be listed
	rules   []access.Rule
}

// premigration names the archives that the project has from before Frame.io migrated the account. Their files are also counted by
// the plan.
func (p *planning) premigration(ctx context.Context, project frameio.Project) error {
	row, known, err := p.Ledger.Archive(project.ID).Get(ctx)
	if err != nil {
		return err
	}
	found := []ledger.Archive{row}
	switch {
	case known && row.CollectionID != "" && !frameio.Migrated(p.Frameio, row.Generation):
		return nil
	case !known || row.CollectionID == "":
		if found, err = Premigration(ctx, p.Source, project); err != nil {
			return err
		}
	}
	for _, r := range found {
		t, err := p.Ledger.Archive(r.ID).Progress(ctx)
		if err != nil {
			return err
		}
		outcome := "continues that archive: files with the same path, size and version are not copied again, although this plan counts them"
		switch {
		case len(found) > 1:
			outcome = "the archive would fail at the start: several archived projects match this one"
		case r.ID != project.ID && !r.Status.Ended():
			outcome = "the archive would fail at the start: cancel the other one first"
		}
		p.blocker("", "", fmt.Sprintf("archived before the account migration as project %s: %d of %s in iconik", r.ID, t.Copied+t.Verified, english.Count(t.Items, "file")), outcome)
	}
	return nil
}

func (p *planning) walk(ctx context.Context, project frameio.Project) error {
	folders := []ledger.Folder{{SourceID: project.RootID, Name: project.Name}}
	rule, err := p.projectRule(ctx, project)
	if err != nil {
		return err
	}
	above := map[string]access.Rule{project.RootID: rule}
	for len(folders) > 0 {
		folder := folders[0]
		folders = folders[1:]
		for child, err := range frameio.Rows(ctx, "list a folder", p.children(folder.SourceID)) {
			if err != nil {
				if err = p.refused(folder.SourceID, cmp.Or(folder.Path, project.Name), "what is in the folder", err); err != nil {
					return fmt.Errorf("listing folder %q: %w", folder.Path, err)
				}
				break
			}
			if odd := frameio.Understood(child); odd != nil {
				if err := p.refused(child.ID, JoinPath(folder.Path, child.Name), "an object", odd); err != nil {
					return err
				}
				continue
			}
			switch child.Kind {
			case frameio.KindFolder:
				p.plan.Folders++
				path := JoinPath(folder.Path, child.Name)
				folders = append(folders, ledger.Folder{SourceID: child.ID, Path: path})
				if above[child.ID], err = p.folderRule(ctx, above[folder.SourceID], child, path); err != nil {
					if err = p.refused(child.ID, path, "who may see the folder", err); err != nil {
						return err
					}
					above[child.ID] = above[folder.SourceID]
				}
			case frameio.KindStack:
				versions, err := p.Frameio.Versions(ctx, child)
				if err != nil {
					if err = p.refused(child.ID, JoinPath(folder.Path, child.Name), "the versions of the stack", err); err != nil {
						return fmt.Errorf("versions of %q: %w", child.Name, err)
					}
					continue
				}
				p.listing++
				p.plan.Assets++
				for i, v := range versions {
					p.plan.Versions++
					p.file(v, Item(folder, child, v, i+1, len(versions), 0))
				}
			case frameio.KindFile:
				p.plan.Assets++
				p.file(child, Item(folder, child, child, 1, 1, 0))
			}
		}
	}
	for share, err := range frameio.RowsOf(ctx, "list shares", p.Frameio.Shares, project.ID) {
		if err != nil {
			if err = p.refused("", "Presentations", "the project's shares", err); err != nil {
				return fmt.Errorf("presentations: %w", err)
			}
			break
		}
		p.plan.Shares++
		if p.Watch != nil {
			p.Watch.Share(share)
		}
	}
	return nil
}

// Incomplete is the outcome of anything that Frame.io refuses to show.
const Incomplete = "fails: the archive would be incomplete"

// refused records what Frame.io refuses to show. It returns any other error, such as a rejected token or an outage.
func (p *planning) refused(id, path, what string, err error) error {
	switch rest.ClassOf(err) {
	case rest.Permanent, rest.Forbidden, rest.NotFound, rest.Unsupported:
		b := workflows.Blocker{SourceID: id, Path: path, Why: "Frame.io does not show " + what + ": " + err.Error(), Outcome: Incomplete}
		p.blocker(b.SourceID, b.Path, b.Why, b.Outcome)
		if p.Watch != nil && p.Watch.Refused != nil {
			p.Watch.Refused(b)
		}
		return nil
	}
	return err
}

// children lists a folder page by page and counts the calls.
func (p *planning) children(folder string) func(context.Context, string) (frameio.Page[frameio.Asset], error) {
	return func(ctx context.Context, cursor string) (frameio.Page[frameio.Asset], error) {
		if p.Stopping != nil {
			if err := p.Stopping(ctx); err != nil {
				return frameio.Page[frameio.Asset]{}, err
			}
		}
		p.listing++
		return p.Frameio.Children(ctx, folder, cursor)
	}
}

func (p *planning) file(f frameio.Asset, it ledger.Item) {
	it = CountComments(p.Policy, it)
	p.plan.Items++
	p.plan.Bytes += it.Size
	switch {
	case it.CommentCount > 0:
		p.plan.Comments += int64(it.CommentCount)
	case it.CommentHint != nil:
		p.plan.Comments += int64(*it.CommentHint)
	case it.CommentCount < 0:
		p.plan.CommentsNotCounted = true
	}
	if it.CommentCount != 0 {
		p.said++
	}
	t, ok := p.types[it.MediaType]
	if !ok {
		t = &workflows.PlanType{MediaType: it.MediaType}
		p.types[it.MediaType] = t
	}
	t.Count++
	t.Bytes += it.Size
	d := Decide(p.Policy, p.Frameio, it)
	if p.Watch != nil {
		p.Watch.File(f, it, d)
	}
	if outcome := Outcome(d); outcome != "" {
		p.blocker(it.SourceID, it.Path, d.Why, outcome)
	}
}

// Outcome returns what happens to a file that is not simply copied, or "" for one that is.
func Outcome(d Decision) string {
	switch d.Do {
	case Skip:
		return "skipped: kept as a placeholder with its metadata and comments"
	case Wait:
		return "waits for the original"
	case Fail:
		return "fails: the archive would be incomplete"
	case Copy:
		if d.Rendition == frameio.RenditionProxy {
			return "stores the proxy, marked as a proxy"
		}
	}
	return ""
}

func (p *planning) blocker(id, path, why, outcome string) {
	if len(p.plan.Blockers) == blockersListed {
		p.plan.BlockersMore++
		return
	}
	p.plan.Blockers = append(p.plan.Blockers, workflows.Blocker{SourceID: id, Path: path, Why: why, Outcome: outcome})
}

func (p *planning) result(can frameio.Capabilities) workflows.Plan {
	out := p.plan
	if out.Blockers == nil {
		out.Blockers = []workflows.Blocker{}
	}
	for _, t := range p.types {
		out.ByType = append(out.ByType, *t)
	}
	slices.SortFunc(out.ByType, func(x, y workflows.PlanType) int { return int(min(max(y.Bytes-x.Bytes, -1), 1)) })
	calls := Calls{
		Iconik:   float64(callsPerFile*out.Items+3*out.Folders+5*out.Shares) + callsPerComment*float64(out.Comments),
		Listings: float64(2 * p.listing), // once for the plan, once for the scan at the end
		Comments: float64(p.said),
	}
	if p.Watch != nil {
		p.Watch.Calls = calls
	}
	out.APICalls, out.APISeconds = calls.Total(), calls.Seconds(can)
	out.TransferSeconds = float64(out.Bytes) / assumedRate
	return out
}

// Premigration finds archives from before the account migration that may be this project's. Call it for a project that has not been
// archived under its present ID yet.
func Premigration(ctx context.Context, s Source, project frameio.Project) ([]ledger.Archive, error) {
	title := func(name string) string { return mapping.ProjectTitle(name, s.Policy.TriggerSuffix) }
	var found []ledger.Archive
	for r, err := range s.Ledger.AllArchives(ctx) {
		if err != nil {
			return nil, err
		}
		if r.ID == project.ID || r.ContinuedAs != "" || r.CollectionID == "" || !frameio.Migrated(s.Frameio, r.Generation) || r.TeamName != project.Team.Name || title(r.Name) != title(project.Name) {
			continue
		}
		_, err := s.Frameio.Project(ctx, r.ID)
		if rest.IsNotFound(err) { // if that ID still exists, it is a different project
			found = append(found, r)
		} else if err != nil && rest.ClassOf(err) != rest.Forbidden {
			return nil, err
		}
	}
	return found, nil
}
