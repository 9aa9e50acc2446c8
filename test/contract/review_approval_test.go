package contract

import (
	"cmp"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// label returns the status of the reviewed file in Frame.io.
func (c *chaos) label() string {
	for _, a := range c.frameio.AssetsOf(c.row().ProjectID) {
		if a.ID == c.file {
			return cmp.Or(a.Label, "none")
		}
	}
	return "no file"
}

// What somebody approves or rejects in iconik is the file's status in Frame.io, once, and is not brought back as Frame.io's decision.
func TestADecisionInIconikReachesFrameio(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			full := workflows.SyncInput{ReviewRef: ref, Full: true}
			require.NoError(t, c.sync(full, 0))
			editor := c.iconik.AddUser("ed@post.example", "Ed", "Itor")

			c.iconik.Decide(c.asset, editor, "APPROVED")
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "approved", c.label())
			assert.Equal(t, "approved", c.decisionShown())
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "approved", c.label())

			c.iconik.Decide(c.asset, editor, "NOT_APPROVED")
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "needs_review", c.label())
			assert.Equal(t, "changes requested", c.decisionShown())

			c.statusLater()
			c.frameio.Label(c.file, "approved") // the reviewer decides later
			require.NoError(t, c.sync(full, 0))
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "approved", c.label())
			assert.Equal(t, "approved", c.decisionShown())
			assert.Equal(t, "APPROVED", c.iconik.Approval(c.asset))
			assert.Empty(t, c.notes())
		})
	}
}

// What somebody withdraws in iconik leaves Frame.io as it was before, unless somebody has decided there meanwhile.
func TestAWithdrawnDecisionIsWithdrawnInFrameio(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			full := workflows.SyncInput{ReviewRef: ref, Full: true}
			editor := c.iconik.AddUser("ed@post.example", "Ed", "Itor")
			c.frameio.Label(c.file, "in_progress")
			require.NoError(t, c.sync(full, 0))
			c.iconik.Decide(c.asset, editor, "APPROVED")
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "approved", c.label())
			c.iconik.Withdraw(c.asset, editor)
			require.NoError(t, c.sync(full, 0))
			c.statusLater()
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "in_progress", c.label())
			assert.Equal(t, "none", c.decisionShown())

			c.iconik.Decide(c.asset, editor, "APPROVED")
			require.NoError(t, c.sync(full, 0))
			c.frameio.Label(c.file, "needs_review")
			require.NoError(t, c.sync(full, 0))
			c.iconik.Withdraw(c.asset, editor)
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "needs_review", c.label(), "the reviewer's own")
		})
	}
}

// Decisions that are older than the review, that lose to a later one, or that are not to go to Frame.io stay in iconik.
func TestADecisionThatStaysInIconik(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(c *chaos, editor string){
		"older than the review": func(c *chaos, editor string) {
			c.iconik.Decide(c.asset, editor, "APPROVED")
			c.edit(func(row *ledger.ReviewAsset) { row.ClickedAt = time.Now().Add(time.Minute) })
		},
		"before the reviewer's": func(c *chaos, editor string) {
			c.iconik.Decide(c.asset, editor, "APPROVED")
			time.Sleep(2 * time.Millisecond) // what Frame.io's clock tells apart
			c.frameio.Label(c.file, "needs_review")
		},
		"switched off": func(c *chaos, editor string) {
			tenant, _ := c.config.Tenant(tenantID)
			tenant.Review.Decisions = config.DecisionsToIconik
			c.iconik.Decide(c.asset, editor, "APPROVED")
		},
		"only asked for": func(c *chaos, editor string) { c.iconik.Decide(c.asset, editor, "REQUESTED") },
		"on another version": func(c *chaos, editor string) {
			require.NoError(c.t, c.iconik.AddVersion(c.asset, "Take 2.mov", samples.Media("25.mov")))
			c.iconik.Decide(c.asset, editor, "APPROVED")
		},
		"an iconik that lists none": func(c *chaos, editor string) {
			c.iconik.Decide(c.asset, editor, "APPROVED")
			require.NoError(c.t, c.iconik.AddFault(faults.Fault{Match: "GET .*/approvals", Times: 10, Status: http.StatusMethodNotAllowed}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, ref := openReview(t, "v4", 0)
			do(c, c.iconik.AddUser("ed@post.example", "Ed", "Itor"))
			for range 3 {
				require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
			}
			assert.NotEqual(t, "approved", c.label())
			assert.Empty(t, c.notes())
		})
	}
}

// A status that Frame.io refuses, or does not have, is told once and costs nothing else. It is set again later.
func TestADecisionThatFrameioRefuses(t *testing.T) {
	t.Parallel()
	for name, match := range map[string]string{"the status": "PATCH .*/metadata/values", "its options": "GET .*/files/.*/metadata", "the approvals": "GET .*/approvals"} {
		t.Run(name, func(t *testing.T) {
			c, ref := openReview(t, "v4", 0)
			full := workflows.SyncInput{ReviewRef: ref, Full: true}
			fault := faults.Fault{Match: match, Times: 1, Status: http.StatusForbidden}
			require.NoError(t, c.frameio.AddFault(fault))
			require.NoError(t, c.iconik.AddFault(fault))
			c.iconik.Decide(c.asset, c.iconik.AddUser("ed@post.example", "Ed", "Itor"), "APPROVED")
			for range 3 {
				require.NoError(t, c.sync(full, 0))
			}
			assert.Len(t, c.row().Notes, 1, c.notes())
			c.statusLater()
			for range 3 {
				require.NoError(t, c.sync(full, 0))
			}
			assert.Equal(t, "approved", c.label())
		})
	}
}
