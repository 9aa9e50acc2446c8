package workflows

import (
	"strconv"

	"go.temporal.io/sdk/workflow"
)

// ArchivePlan is the dry run: what an archive of the project would bring over, what stands in its way, and how long the
// vendors' rate limits make it take. It writes nothing, on either side. Programs of today plan in their own process; it is kept for a
// starter from before 2026-11-28 beside a newer worker, and may go when no such starter is supported.
func ArchivePlan(ctx workflow.Context, ref Ref) (Plan, error) {
	return ActPlanProject.Execute(forWalks(ctx, "read the project's folders"), ref)
}

// CommentsText is how many comments a plan has, for people. V4 counts none: they are read one file after the other.
func (p Plan) CommentsText() string {
	switch {
	case !p.CommentsNotCounted:
		return strconv.FormatInt(p.Comments, 10)
	case p.Comments == 0:
		return "not counted"
	}
	return strconv.FormatInt(p.Comments, 10) + ", and not counted for some files"
}
