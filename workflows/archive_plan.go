package workflows

import (
	"strconv"

	"go.temporal.io/sdk/workflow"
)

// ArchivePlan is the dry run: what an archive of the project would bring over, what blocks it, and how long the vendors' rate
// limits make it take. It writes nothing on either side. Current programs plan in their own process. It is kept for a starter
// from before 2026-11-28 next to a newer worker, and may go when no such starter is supported.
func ArchivePlan(ctx workflow.Context, ref Ref) (Plan, error) {
	return ActPlanProject.Execute(forWalks(ctx, "read the project's folders"), ref)
}

// CommentsText returns the number of a plan's comments as text for people. Frame.io V4 gives no total: comments are read file by
// file.
func (p Plan) CommentsText() string {
	switch {
	case !p.CommentsNotCounted:
		return strconv.FormatInt(p.Comments, 10)
	case p.Comments == 0:
		return "not counted"
	}
	return strconv.FormatInt(p.Comments, 10) + ", and not counted for some files"
}
