package review

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// The end of a review says that its link is off only where it is.
func TestAFailedReviewSaysWhetherItsLinkIsOff(t *testing.T) {
	for says, locked := range map[string]error{
		"The link is off.":                  nil,
		"check in Frame.io that it is off.": &rest.Error{Vendor: "Frame.io", Operation: "share", Status: 401, Class: rest.Unauthorized},
	} {
		fio, box := &folder{locked: locked}, make(outbox, 1)
		r := mailingReview(t, fio, box, nil)
		require.NoError(t, r.update(t.Context(), func(row *ledger.Review) {
			row.OpenedAt, row.ShareID, row.RequestedBy = time.Now(), "S", ledger.Person{Email: "ed@post.example"}
		}))
		err := r.steps.FailReview(t.Context(), workflows.FailReviewInput{ReviewRef: r.ref, Status: "failed", Reason: "why"})
		assert.Equal(t, locked != nil, err != nil, "tried again until it is off: %v", err)
		require.Len(t, box, 1)
		assert.Contains(t, (<-box).Text, says)
	}
}
