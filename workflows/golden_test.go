package workflows

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/test/golden"
)

// TestNamesInHistoriesStay checks every name that is recorded in histories or sent between processes of different versions.
func TestNamesInHistoriesStay(t *testing.T) {
	var registered registry
	Register(&registered)
	names := registered.workflows
	kinds := []struct{ prefix, kind string }{{"Act", "activity"}, {"Signal", "signal"}, {"Query", "query"}, {"Update", "update"}, {"Attribute", "search attribute"}}
	for goName, value := range declared(t) {
		for _, k := range kinds {
			if rest, ok := strings.CutPrefix(goName, k.prefix); ok && rest != "" && rest[0] < 'a' {
				names = append(names, k.kind+" "+value)
			}
		}
	}
	ids := []string{
		ArchiveID("TENANT", "PROJECT"), ArchiveCopyID("TENANT", "PROJECT", Range{From: 1, To: 2}), ArchiveQueueID("TENANT"),
		ArchiveMailID("TENANT", "PROJECT", 3, "KIND"), PlanID("TENANT", "PROJECT"), MirrorID("TENANT", "NAME"), MirrorRunID("TENANT", "NAME"), ReviewID("TENANT", "REVIEW"),
		ReclaimID("TENANT", "PROJECT"),
		MigrationID("TENANT"), MigrationMailID("TENANT", "MIGRATION"),
		UpkeepID("TENANT"),
	}
	ids = append(ids, NotificationID("TENANT", "EVENT", "CHANNEL"))
	for _, id := range ids {
		names = append(names, "workflow id "+id)
	}
	names = append(names, "task queue "+TransferQueue("QUEUE"))
	for n, s := range archiveSteps() { // the number is in the state, the name in the status
		names = append(names, fmt.Sprintf("archive step %d %s", n, s.name))
	}
	for goName, value := range declared(t) {
		if strings.HasPrefix(goName, "phase") {
			names = append(names, "review phase "+value)
		}
	}
	golden.Names(t, "testdata/golden/names.txt",
		"a running workflow of a version before, or another process that is not upgraded yet, still uses it: its next step would find nothing of that name", names)
}

// registry records the names of workflows.
type registry struct{ workflows []string }

func (r *registry) RegisterWorkflow(any) { panic("a workflow without a name of its own") }

func (r *registry) RegisterWorkflowWithOptions(_ any, o workflow.RegisterOptions) {
	r.workflows = append(r.workflows, "workflow "+o.Name)
}

func (r *registry) RegisterDynamicWorkflow(any, workflow.DynamicRegisterOptions) {
	panic("a workflow without a name of its own")
}

// sources parses the package without its tests.
func sources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	set := token.NewFileSet()
	var out []*ast.File
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, p, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		out = append(out, f)
	}
	return set, out
}

// declared returns the package's constants and variables made from a single string, with that string.
func declared(t *testing.T) map[string]string {
	t.Helper()
	_, files := sources(t)
	out := map[string]string{}
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				v, ok := s.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for i, value := range v.Values {
					ast.Inspect(value, func(n ast.Node) bool {
						if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
							text, err := strconv.Unquote(lit.Value)
							require.NoError(t, err)
							out[v.Names[i].Name] = text
						}
						return true
					})
				}
			}
		}
	}
	return out
}

// TestStateKeepsItsNames checks the JSON of everything that workflows and activities accept, hand on and return, because it is in
// histories. The keys here are used only by this test.
func TestStateKeepsItsNames(t *testing.T) {
	golden.JSON(t, "testdata/golden/state.json", map[string]any{
		"Archive input": ArchiveInput{}, "Archive result": FinishArchiveResult{}, "Archive status": ArchiveStatus{},
		"ArchiveCopy input": RangeInput{}, "ArchiveCopy result": Counts{},
		"ArchiveQueue input": QueueState{}, "ArchiveQueue signal": Ticket{}, "ArchiveQueue move": MoveUpdate{},
		"ArchivePlan input": Ref{}, "ArchivePlan result": Plan{},
		"Mirror input": MirrorInput{}, "Mirror result": MirrorResult{}, "MirrorProjects input": MirrorProjectsInput{}, "MirrorProjects result": MirrorPage{},
		"MirrorProject input": MirrorProjectInput{}, "MirrorProject result": MirrorProjectResult{},
		"ArchiveMail input": NotifyInput{},
		"Review input":      ReviewInput{}, "Review result": ReviewStatus{}, "Review extend": ExtendUpdate{}, "Review wake": Hint{},

		"Archive hold":    HoldSignal{},
		"Migration input": MigrationInput{}, "Migration result": MigrationResult{}, "Migration status": MigrationStanding{},
		"Migration control": ControlUpdate{}, "Migration order": OrderUpdate{},
		"StartProjects input": StartProjectsInput{}, "StartProjects result": StartProjectsResult{}, "HoldProjects input": HoldProjectsInput{},
		"OrderProject input": OrderProjectInput{}, "Migration add": AddUpdate{}, "AddProjects input": AddProjectsInput{}, "AddProjects result": AddProjectsResult{}, "SetMigrationStatus input": MigrationStatusInput{},
		"WriteAccountReport input": AccountReportInput{}, "FinishMigration input": MigrationEndInput{},

		"JoinQueue input": JoinQueueInput{}, "QueuePositions input": QueuePositionsInput{}, "ClosedArchives input": ClosedArchivesInput{},
		"OpenArchive input": OpenArchiveInput{}, "OpenArchive result": OpenArchiveResult{},
		"ScanProject input": ScanInput{}, "ScanProject result": ScanResult{},
		"NextRanges input": NextRangesInput{}, "NextRanges result of one": Range{}, "RangeItems result of one": CopyItem{},
		"CopyTogether input": RangeInput{}, "CopyTogether result": CopyTogetherResult{},
		"OpenVersion input": OpenVersionInput{}, "OpenVersion result": OpenVersionResult{},
		"TransferFile input": ItemInput{}, "FailItem input": FailItemInput{},
		"RecheckOriginals result": RecheckResult{}, "CopyComments input": CommentsInput{},
		"VerifyItems input": VerifyInput{}, "VerifyTree result": TreeResult{},
		"SetStatus input": SetStatusInput{}, "FinishArchive input": FinishInput{},

		"PrepareReview input": ReviewRef{}, "PrepareReview result": PrepareReviewResult{}, "ReviewWork result": ReviewWorkResult{},
		"StageAsset input": AssetInput{}, "ShareReview result": ShareReviewResult{},
		"SyncReview input": SyncInput{}, "SyncReview result": SyncResult{},
		"ExtendReview input": ExtendInput{}, "EndReview input": EndReviewInput{}, "EndReview result": EndReviewResult{},
		"FailReview input": FailReviewInput{},

		"Reclaim input": ReclaimInput{}, "Reclaim result": ReclaimResult{}, "Reclaim status": ReclaimStatus{},
		"ExamineReclaim input": ReclaimRef{}, "ExamineReclaim result": ReclaimProgress{},
		"PauseReclaim input": PauseReclaimInput{}, "FinishReclaim input": FinishReclaimInput{},
		"Notification input": NotificationInput{}, "Notification result": NotificationResult{}, "EndDelivery input": EndNotificationInput{},
		"Upkeep input": UpkeepInput{}, "Upkeep day": UpkeepDay{}, "Upkeep result of a day": UpkeepResult{},
	})
}
