package workflows

import "go.temporal.io/sdk/workflow"

// ArchivePlan is the dry run: what an archive of the project would bring over, what stands in its way, and how long the
// vendors' rate limits make it take. It writes nothing, on either side.
func ArchivePlan(ctx workflow.Context, ref Ref) (Plan, error) {
	return ActPlanProject.Execute(forWalks(ctx, "read the project's folders"), ref)
}
