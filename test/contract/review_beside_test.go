package contract

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// An iconik that always fails to list decisions, or does not list them at all, does not keep comments from counting as synced. After
// an hour, people read once that decisions stay where they are made, and no longer once they are listed again.
func TestDecisionsThatCannotBeReadCostOnlyThemselves(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 404, 405, 429, 500, 501, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			d := decisionsOn(t, plain, plain)
			d.update(func(r *ledger.Review) { r.OpenedAt = time.Now().Add(-3 * time.Hour) })
			_, otherFile := d.addFile("Other.mov")
			fault := faults.Fault{Match: "GET .*/versions/.*/approvals", Status: status, Header: http.Header{"Retry-After": {"0"}}}
			if status == 429 { // the limit of all of iconik's calls
				fault.Match, fault.Times = "GET .*/versions/.*/approvals", 1
			}
			require.NoError(t, d.iconik.AddFault(fault))
			d.iconik.Decide(d.asset, d.ed, "APPROVED")
			d.frameio.AddComment(frameiosim.Comment{AssetID: d.file, Text: "remark 1"})
			d.frameio.AddComment(frameiosim.Comment{AssetID: otherFile, Text: "remark 2"})
			d.synced(2)
			assert.Len(t, d.segmentIDs(), 1)
			assert.WithinDuration(t, time.Now(), d.row().LastSyncAt, 10*time.Second)
			assert.Empty(t, d.row().Reason)
			refused := status == 400 || status == 403
			assert.Equal(t, refused, len(d.row().Notes) == 1, d.notes())
			d.update(func(r *ledger.Review) {
				for p, at := range r.Failing {
					r.Failing[p] = at.Add(-2 * time.Hour)
				}
			})
			d.synced(3)
			assert.Equal(t, status != 429, len(d.row().Notes) == 1, d.notes())
			assert.Empty(t, d.row().Reason)
			t.Log(d.notes())

			d.iconik.ClearFaults()
			d.synced(3)
			d.shows("approved")
			assert.Equal(t, refused || status == 404 || status == 405 || status == 501, len(d.row().Notes) == 1, d.notes())
			assert.Empty(t, d.row().Failing)
		})
	}
}

// What cannot be decided, looked at or shown for long is told once each, while comments flow.
func TestWhatFailsBesideTheCommentsIsToldOnce(t *testing.T) {
	t.Parallel()
	for match, told := range map[string]string{
		"GET .*/shares/[^/]+$":        "the review link in Frame.io",
		"PATCH .*/metadata/values":    "bring decisions over",
		"PUT .*/assets/[^/]+/views/.": "the review's fields",
	} {
		t.Run(told, func(t *testing.T) {
			t.Parallel()
			d := decisionsOn(t, plain, plain)
			d.update(func(r *ledger.Review) { r.OpenedAt = time.Now().Add(-3 * time.Hour) })
			fault := faults.Fault{Match: match, Status: http.StatusServiceUnavailable}
			require.NoError(t, d.iconik.AddFault(fault))
			require.NoError(t, d.frameio.AddFault(fault))
			d.iconik.Decide(d.asset, d.ed, "APPROVED")
			d.frameio.Label(d.file, "none")
			for n := range 3 {
				d.frameio.AddComment(frameiosim.Comment{AssetID: d.file, Text: fmt.Sprint("remark ", n)})
				d.synced(1)
				assert.Len(t, d.segmentIDs(), n+1)
				assert.Equal(t, n > 1, len(d.row().Notes) == 1, d.notes())
				d.update(func(r *ledger.Review) {
					for p, at := range r.Failing {
						r.Failing[p] = at.Add(-40 * time.Minute)
					}
				})
			}
			d.synced(2)
			assert.Contains(t, d.notes(), told)
			assert.Len(t, d.row().Notes, 1)
			d.iconik.ClearFaults()
			d.frameio.ClearFaults()
			d.synced(2)
			assert.Empty(t, d.notes())
			d.shows("approved")
		})
	}
}

// The last sync is repeated while iconik fails to list decisions, for an hour.
func TestTheLastSyncWaitsForDecisions(t *testing.T) {
	t.Parallel()
	d := decisionsOn(t, plain, plain)
	require.NoError(t, d.iconik.AddFault(faults.Fault{Match: "GET .*/versions/.*/approvals", Status: 503}))
	d.iconik.Decide(d.asset, d.ed, "APPROVED")
	last := d.full
	last.Last, last.Wait = true, true
	require.Error(t, d.sync(last, 0))
	d.update(func(r *ledger.Review) { r.EndedAt = r.EndedAt.Add(-2 * time.Hour) })
	require.NoError(t, d.sync(last, 0))
	d.update(func(r *ledger.Review) { r.EndedAt = time.Now() })
	d.iconik.ClearFaults()
	require.NoError(t, d.sync(last, 0))
	assert.Equal(t, "approved", d.decisionShown())
}

// A quiet file is asked for once in a full sync, and again where what is decided meanwhile would be missed.
func TestAQuietFileIsAskedForOnce(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			d := decisionsIn(t, generation, plain, plain)
			call := map[string]string{"v4": "GET files/{id}", "legacy": "GET /v2/assets/{id}"}[generation]
			asked := func(do func()) int {
				before := d.frameio.Calls()[call]
				do()
				return d.frameio.Calls()[call] - before
			}
			d.synced(2)
			quiet := asked(func() { d.synced(1) })
			d.frameio.AddComment(frameiosim.Comment{AssetID: d.file, Text: "remark 1"})
			assert.Equal(t, quiet+1, asked(func() { d.synced(1) }), "with a new comment")
			assert.Equal(t, quiet, asked(func() { d.synced(1) }))
			t.Log(quiet)
		})
	}
}
