package workflows

import "go.temporal.io/sdk/workflow"

// marker is one change to workflows that may be running while it is installed. Its id stands in histories and never
// changes. A further change at the same place is another marker.
//
// A marker, and what it keeps for old runs, may be removed when Temporal has no run from before it any more, closed ones
// within the namespace's retention included (a query replays them):
//
//	temporal workflow count --query "WorkflowType = 'Archive' AND StartTime < '2026-11-25T20:00:00Z'"
//
// Its histories leave testdata together with it.
type marker struct {
	id    string
	since string // the commit that brought it to main; "" until it is there
}

// isSet says whether a run has the change. A run decides once, at the first call, and keeps to it.
func (m marker) isSet(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, m.id, workflow.DefaultVersion, markerSet) == markerSet
}

// markerSet is the version that is recorded with a marker.
const markerSet = workflow.Version(1)

// All markers, each with the commit that brought it. They are held by TestEveryMarkerHasHistoriesOfBothSides.
var (
	// Of ArchiveCopy, since 2026-11-25: comments are read while other ranges are copied, since each
	// vendor's limits count for themselves. Old runs read them when everything was copied. It may go when no ArchiveCopy
	// from before is open or retained; those live for hours or days.
	markerCommentsWithCopy = marker{id: "comments with the copy", since: "5752b14"}

	// Of ArchiveCopy, since 2026-11-29: one activity copies the small files of a range. Old runs copy each with three. It may go
	// when no ArchiveCopy from before is open or retained.
	markerSmallTogether = marker{id: "small files together", since: "d6a4abe"}

	// Of Archive, since 2026-11-25: a mail is sent by a workflow of its own. Old runs send it themselves and wait
	// for the mail server. It may go when no Archive from before is open or retained; one that waits for originals may be
	// open for months.
	markerMailsByThemselves = marker{id: "mails by themselves", since: "4e750c2"}

	// Of Archive, since 2026-11-28: the workflow of a mail has an id of its own, which names its tenant: its activity has that
	// tenant's turn. Old runs have it started under a random id. It may go together with the one before.
	markerMailsHaveIDs = marker{id: "mails have ids", since: "509419f"}

	// Of Archive, since 2026-11-25: one that is queued joins the queue again every hour. Old runs wait for their
	// turn alone. It may go when no Archive from before is open or retained.
	markerJoinsAgain = marker{id: "joins again", since: "94a3ed5"}

	// Of Archive, since 2026-11-28: a run that is stuck says so by mail, and leaves its turn to others until it goes on. Old runs
	// keep it. It may go when no Archive from before is open or retained.
	markerYieldsTurn = marker{id: "yields its turn while stuck", since: "2269975"}

	// Of Migration, since 2026-11-29: it ends when all that is left waits for originals in Frame.io; those archives go on by
	// themselves. Old runs wait for them, which may take months. It may go when no Migration from before is open or retained.
	markerEndsWithoutOriginals = marker{id: "ends without originals", since: "d6a4abe"}

	// Of Review, since 2026-11-25: extensions go one at a time, and neither the end nor the deletion comes beside
	// one. Old runs may have had an extension beside others or beside their end. It may go when no Review from before is
	// open or retained: its longest lifetime and the media's retention after the commit.
	markerOneExtension = marker{id: "extensions one at a time", since: "7e3d5ea"}

	// Of Review, since 2026-11-25: a run hands over to the next only where nobody waits for its answer, and takes
	// in what came last. Old runs wait for those that wait. It may go together with the one before.
	markerContinueAlone = marker{id: "continue when nobody waits", since: "7e3d5ea"}

	// Of Review, since 2026-11-25: a stop cancels what is being sent. Old runs send it to its end first. It may go
	// together with the ones before.
	markerStopCancels = marker{id: "a stop cancels what is sent", since: "0563c13"}

	// Of Review, since 2026-11-28: at the end the link is switched off first; the last sync comes then, for as long as the
	// media is kept. Old runs sync first, for 15 minutes at most. It may go together with the ones before.
	markerLinkOffFirst = marker{id: "the link off first", since: "301435e"}

	// Of Review, since 2026-11-28: a stop ends a sync on its way. Old runs wait for it. It may go together with the ones
	// before.
	markerStopEndsSync = marker{id: "a stop ends a sync", since: "301435e"}

	// Of Review, since 2026-11-28: a stop ends the sharing, and the telling of it. Old runs finish both first. It may go
	// together with the ones before.
	markerStopEndsSharing = marker{id: "a stop ends the sharing", since: "301435e"}

	// Of Review, since 2026-11-29: what is away at the last sync, and counts as deleted, is looked for until the media is
	// deleted. Old runs never look again. It may go together with the ones before.
	markerLooksForAway = marker{id: "looks for what is away", since: "a17a18c"}

	// Of Review, since 2026-11-29: a run whose history grows while it sends hands what is left to send over to the next one.
	// Old runs send it all. It may go together with the ones before.
	markerHandsOverSending = marker{id: "hands over while it sends", since: "ba4dbe3"}
)
