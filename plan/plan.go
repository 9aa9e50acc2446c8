// Package plan decides what an archive does with each file of a project, and adds up what a whole archive would do. It
// reads Frame.io and the ledger, and writes nothing.
package plan

import (
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
	// callsPerFile and callsPerComment are what an archive asks of iconik: asset, format, file set, file, close,
	// metadata and keyframes; then asset and files when it verifies.
	callsPerFile    = 9
	callsPerComment = 1.5
	iconikPerSecond = 50.0
	iconikBurst     = 1000.0
	assumedRate     = 100e6 // bytes a second, where nothing was measured yet
)

// Source is what a plan is made from.
type Source struct {
	Frameio frameio.Reader
	Ledger  ledger.TenantLedger
	Policy  config.Archive
	// Access reads who may see what; nil: it is not asked.
	Access Access
	// Storage fails where iconik's storage cannot take the files; nil: it is not asked.
	Storage func(context.Context) error
	// Stopping, which may be nil, is asked before each page is read: its error ends the plan.
	Stopping func(context.Context) error
}

// Access reads who may see a project and its folders, and finds them in iconik. It writes nothing.
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
	listing int64 // calls to list the tree
	said    int64 // files whose comments are listed
	rules   []access.Rule
}

// premigration names what the project was archived as before Frame.io moved the account: the plan counts that, too.
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
		t, err := p.Ledger.Archive(r.ID).Totals(ctx)
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
				return fmt.Errorf("listing folder %q: %w", folder.Path, err)
			}
			switch child.Kind {
			case frameio.KindFolder:
				p.plan.Folders++
				path := JoinPath(folder.Path, child.Name)
				folders = append(folders, ledger.Folder{SourceID: child.ID, Path: path})
				if above[child.ID], err = p.folderRule(ctx, above[folder.SourceID], child, path); err != nil {
					return err
				}
			case frameio.KindStack:
				versions, err := p.Frameio.Versions(ctx, child)
				if err != nil {
					return fmt.Errorf("versions of %q: %w", child.Name, err)
				}
				p.listing++
				p.plan.Assets++
				for i, v := range versions {
					p.plan.Versions++
					p.file(Item(folder, child, v, i+1, len(versions), 0))
				}
			case frameio.KindFile:
				p.plan.Assets++
				p.file(Item(folder, child, child, 1, 1, 0))
			}
		}
	}
	for _, err := range frameio.RowsOf(ctx, "list shares", p.Frameio.Shares, project.ID) {
		if err != nil {
			return fmt.Errorf("presentations: %w", err)
		}
		p.plan.Shares++
	}
	return nil
}

// children lists a folder page by page, and counts the calls.
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

func (p *planning) file(it ledger.Item) {
	p.plan.Items++
	p.plan.Bytes += it.Size
	p.plan.Comments += int64(max(it.CommentCount, 0))
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
	switch d := Decide(p.Policy, p.Frameio, it); d.Do {
	case Skip:
		p.blocker(it.SourceID, it.Path, d.Why, "skipped: kept as a placeholder with its metadata and comments")
	case Wait:
		p.blocker(it.SourceID, it.Path, d.Why, "waits for the original")
	case Fail:
		p.blocker(it.SourceID, it.Path, d.Why, "fails: the archive would be incomplete")
	case Copy:
		if d.Rendition == frameio.RenditionProxy {
			p.blocker(it.SourceID, it.Path, d.Why, "stores the proxy, marked as a proxy")
		}
	}
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
	toIconik := float64(callsPerFile*out.Items+3*out.Folders+5*out.Shares) + callsPerComment*float64(out.Comments)
	toFrameio := float64(2 * p.listing) // the plan, and the reading at the end
	out.APICalls = int64(toIconik+toFrameio) + p.said
	out.APISeconds = max(0, toIconik-iconikBurst) / iconikPerSecond
	if can.ListLimit > 0 {
		perSecond := float64(can.ListLimit) / 60
		out.APISeconds = max(out.APISeconds, max(0, toFrameio-float64(can.ListLimit))/perSecond)
	}
	if can.CommentPolls > 0 {
		out.APISeconds = max(out.APISeconds, float64(p.said-int64(can.CommentPolls))*60/float64(can.CommentPolls))
	}
	out.TransferSeconds = float64(out.Bytes) / assumedRate
	return out
}

// Premigration finds the archives of before the move that a project, which was not archived under its present id yet, may be.
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
		if rest.IsNotFound(err) { // otherwise it is another project that is there, too
			found = append(found, r)
		} else if err != nil && rest.ClassOf(err) != rest.Forbidden {
			return nil, err
		}
	}
	return found, nil
}
