package archive

import (
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
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

// PlanProject reads the project's tree and adds up what an archive would do. Nothing is written, not even here.
func (a *Activities) PlanProject(ctx context.Context, ref workflows.Ref) (workflows.Plan, error) {
	arc, err := a.archive(ref)
	if err != nil {
		return workflows.Plan{}, err
	}
	project, err := arc.frameio.Project(ctx, ref.Archive)
	if rest.IsNotFound(err) {
		return workflows.Plan{}, fault.Content("Frame.io has no project %s, or the token's user has no access to it", ref.Archive)
	}
	if err != nil {
		return workflows.Plan{}, err
	}
	p := &planning{archive: arc, plan: workflows.Plan{Project: project.Name, Team: project.Team.Name}, types: map[string]*workflows.PlanType{}}
	if err := p.walk(ctx, project); err != nil {
		return workflows.Plan{}, err
	}
	if err := p.premigration(ctx, project); err != nil {
		return workflows.Plan{}, err
	}
	if _, err := arc.filesStorage(ctx); err != nil {
		p.blocker("", "", err.Error(), "the archive would fail at the start")
	}
	return p.result(arc.frameio.Capabilities()), nil
}

type planning struct {
	archive *archive
	plan    workflows.Plan
	types   map[string]*workflows.PlanType
	listing int64 // calls to list the tree
	said    int64 // files whose comments are listed
}

// premigration names what the project was archived as before Frame.io moved the account: the plan counts that, too.
func (p *planning) premigration(ctx context.Context, project frameio.Project) error {
	row, known, err := p.archive.ledger.Get(ctx)
	if err != nil {
		return err
	}
	found := []ledger.Archive{row}
	switch {
	case known && row.CollectionID != "" && !frameio.Migrated(p.archive.frameio, row.Generation):
		return nil
	case !known || row.CollectionID == "":
		if found, err = p.archive.findPremigration(ctx, project); err != nil {
			return err
		}
	}
	for _, r := range found {
		t, err := p.archive.tenant.Ledger.Archive(r.ID).Totals(ctx)
		if err != nil {
			return err
		}
		outcome := "continues that archive: files with the same path, size and version are not copied again, although this plan counts them"
		switch {
		case len(found) > 1:
			outcome = "the archive would fail at the start: several archived projects match this one"
		case r.ID != p.archive.ref.Archive && !r.Status.Ended():
			outcome = "the archive would fail at the start: cancel the other one first"
		}
		p.blocker("", "", fmt.Sprintf("archived before the account migration as project %s: %d of %s in iconik", r.ID, t.Copied+t.Verified, english.Count(t.Items, "file")), outcome)
	}
	return nil
}

func (p *planning) walk(ctx context.Context, project frameio.Project) error {
	folders := []ledger.Folder{{SourceID: project.RootID, Name: project.Name}}
	for len(folders) > 0 {
		folder := folders[0]
		folders = folders[1:]
		for cursor := ""; ; {
			if err := attempt.Stopping(ctx); err != nil {
				return err
			}
			page, err := p.archive.frameio.Children(ctx, folder.SourceID, cursor)
			if err != nil {
				return fmt.Errorf("listing folder %q: %w", folder.Path, err)
			}
			p.listing++
			for _, child := range page.Items {
				switch child.Kind {
				case frameio.KindFolder:
					p.plan.Folders++
					folders = append(folders, ledger.Folder{SourceID: child.ID, Path: joinPath(folder.Path, child.Name)})
				case frameio.KindStack:
					versions, err := p.archive.frameio.Versions(ctx, child)
					if err != nil {
						return fmt.Errorf("versions of %q: %w", child.Name, err)
					}
					p.listing++
					p.plan.Assets++
					for i, v := range versions {
						p.plan.Versions++
						p.file(itemOf(folder, child, v, i+1, len(versions), 0))
					}
				case frameio.KindFile:
					p.plan.Assets++
					p.file(itemOf(folder, child, child, 1, 1, 0))
				}
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	for cursor := ""; ; {
		page, err := p.archive.frameio.Shares(ctx, project.ID, cursor)
		if err != nil {
			return fmt.Errorf("presentations: %w", err)
		}
		p.plan.Shares += int64(len(page.Items))
		if cursor = page.Next; cursor == "" {
			return nil
		}
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
	switch v := p.archive.decide(it); v.do {
	case "skip":
		p.blocker(it.SourceID, it.Path, v.why, "skipped: kept as a placeholder with its metadata and comments")
	case "wait":
		p.blocker(it.SourceID, it.Path, v.why, "waits for the original")
	case "fail":
		p.blocker(it.SourceID, it.Path, v.why, "fails: the archive would be incomplete")
	case "copy":
		if v.rendition == frameio.RenditionProxy {
			p.blocker(it.SourceID, it.Path, v.why, "stores the proxy, marked as a proxy")
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
