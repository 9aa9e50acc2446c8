package workflows

import "go.temporal.io/sdk/workflow"

// A marker is one change to workflows that may be running when it is deployed. Its id is recorded in histories and never changes.
// A further change at the same place is another marker.
//
// A marker, and the old code it keeps, may be removed once Temporal no longer has a run from before it. That includes closed runs
// within the namespace's retention, because a query replays them:
//
//	temporal workflow count --query "WorkflowType = 'Archive' AND StartTime < '2026-11-25T20:00:00Z'"
//
// Remove its histories from testdata with it.
type marker struct {
	id    string
	since string // the commit that brought it to main; "" until then
}

// isSet reports whether a run has the change. A run decides once, at the first call, and keeps to it.
func (m marker) isSet(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, m.id, workflow.DefaultVersion, markerSet) == markerSet
}

// markerSet is the version that is recorded with a marker.
const markerSet = workflow.Version(1)

// All markers, each with the commit that brought it. TestEveryMarkerHasHistoriesOfBothSides checks them.
var (
	// Of ArchiveCopy, since 2026-11-25: comments are read while other ranges are copied, because each vendor's limits count
	// separately. Old runs read them after everything was copied. It may go when no earlier ArchiveCopy is open or retained;
	// those live for hours or days.
	markerCommentsWithCopy = marker{id: "comments with the copy", since: "5752b14"}

	// Of ArchiveCopy, since 2026-11-29: one activity copies the small files of a range. Old runs copy each file with three
	// activities. It may go when no earlier ArchiveCopy is open or retained.
	markerSmallTogether = marker{id: "small files together", since: "d6a4abe"}

	// Of Archive, since 2026-11-25: mail is sent by a workflow of its own. Old runs send it themselves and wait for the mail
	// server. It may go when no earlier Archive is open or retained; one that waits for originals may be open for months.
	markerMailsByThemselves = marker{id: "mails by themselves", since: "4e750c2"}

	// Of Archive, since 2026-11-28: a mail's workflow has an ID of its own that contains the tenant, so that its activity counts
	// toward that tenant's fair share. Old runs start it under a random ID. It may go together with the one before.
	markerMailsHaveIDs = marker{id: "mails have ids", since: "509419f"}

	// Of Archive, since 2026-11-25: a queued archive rejoins the queue every hour. Old runs only wait for their turn. It may go
	// when no earlier Archive is open or retained.
	markerJoinsAgain = marker{id: "joins again", since: "94a3ed5"}

	// Of Archive, since 2026-11-28: a stuck run sends a mail and yields its turn to others until it continues. Old runs keep it.
	// It may go when no earlier Archive is open or retained.
	markerYieldsTurn = marker{id: "yields its turn while stuck", since: "2269975"}

	// Of Migration, since 2026-11-29: it ends when all that is left waits for originals in Frame.io; those archives continue on
	// their own. Old runs wait for them, which may take months. It may go when no earlier Migration is open or retained.
	markerEndsWithoutOriginals = marker{id: "ends without originals", since: "d6a4abe"}

	// Of Review, since 2026-11-25: extensions run one at a time, and neither the end nor the deletion runs during one. Old runs
	// may have had an extension alongside others or alongside their end. It may go when no earlier Review is open or retained:
	// after its longest lifetime plus the media's retention.
	markerOneExtension = marker{id: "extensions one at a time", since: "7e3d5ea"}

	// Of Review, since 2026-11-25: a run continues as new only when nobody waits for its answer, and first takes in what just
	// arrived. Old runs wait until everyone has an answer. It may go together with the one before.
	markerContinueAlone = marker{id: "continue when nobody waits", since: "7e3d5ea"}

	// Of Review, since 2026-11-25: a stop cancels what is being sent. Old runs finish sending first. It may go together with the
	// ones before.
	markerStopCancels = marker{id: "a stop cancels what is sent", since: "0563c13"}

	// Of Review, since 2026-11-28: at the end the link is switched off first, and the last sync comes after it, retried for as
	// long as the media is kept. Old runs sync first, for at most 15 minutes. It may go together with the ones before.
	markerLinkOffFirst = marker{id: "the link off first", since: "301435e"}

	// Of Review, since 2026-11-28: a stop ends a sync in progress. Old runs wait for it. It may go together with the ones before.
	markerStopEndsSync = marker{id: "a stop ends a sync", since: "301435e"}

	// Of Review, since 2026-11-28: a stop ends the sharing and its announcement. Old runs finish both first. It may go together
	// with the ones before.
	markerStopEndsSharing = marker{id: "a stop ends the sharing", since: "301435e"}

	// Of Review, since 2026-11-29: assets that were absent at the last sync, and count as deleted, are looked for until the media
	// is deleted. Old runs never look again. It may go together with the ones before.
	markerLooksForAway = marker{id: "looks for what is away", since: "a17a18c"}

	// Of Review, since 2026-11-29: a run whose history grows while it sends leaves the rest of the sending to the next run. Old
	// runs send everything. It may go together with the ones before.
	markerHandsOverSending = marker{id: "hands over while it sends", since: "ba4dbe3"}

	// Of Review, since 2026-12-01: while an open review sends or shares more, it is synced, can be extended, and ends on time. Old
	// runs do nothing else meanwhile. It may go together with the ones before.
	markerSyncsWhileSending = marker{id: "syncs while it sends more"}
)
