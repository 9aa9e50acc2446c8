package review

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// A sync that is under way when somebody extends the review does not take the link's new expiry for a change by hand.
func TestAnExtensionDuringASyncIsNotSomebodyElses(t *testing.T) {
	for name, extendDuring := range map[string]func(fio *folder, extend, look func()){
		"before the link is read": func(_ *folder, extend, look func()) { extend(); look() },
		"after the link is read":  func(fio *folder, extend, look func()) { fio.shown = extend; look() },
		"while it is changed":     func(fio *folder, extend, look func()) { fio.changed = look; extend() },
	} {
		t.Run(name, func(t *testing.T) {
			fio, box := &folder{}, make(outbox, 9)
			r := sharedReview(t, fio, box)
			extend := func() {
				require.NoError(t, r.steps.ExtendReview(t.Context(), workflows.ExtendInput{ReviewRef: r.ref, ExpiresAt: r.row.ExpiresAt.Add(48 * time.Hour)}))
			}
			extendDuring(fio, extend, func() { require.NoError(t, r.lookAtShare(t.Context())) })
			assert.Empty(t, box)
			require.NoError(t, r.lookAtShare(t.Context()))
			assert.Empty(t, box)
			assert.Empty(t, r.row.Notes)

			fio.share.ExpiresAt = fio.share.ExpiresAt.Add(-24 * time.Hour)
			require.NoError(t, r.lookAtShare(t.Context()))
			assert.Len(t, box, 1, "somebody has changed it by hand")
		})
	}
}

// A sync whose worker was lost may still be running when the review ends.
func TestTheEndsOwnLinkIsNotSwitchedOffBySomebody(t *testing.T) {
	fio, box := &folder{}, make(outbox, 9)
	r := sharedReview(t, fio, box)
	_, err := r.steps.RevokeLink(t.Context(), workflows.EndReviewInput{ReviewRef: r.ref, Status: "stopped"})
	require.NoError(t, err)
	require.False(t, fio.share.Active)
	require.NoError(t, r.lookAtShare(t.Context()))
	assert.Empty(t, box)
	assert.Empty(t, r.row.Notes)

	fio = &folder{}
	r = sharedReview(t, fio, box)
	fio.share.Active = false
	require.NoError(t, r.lookAtShare(t.Context()))
	assert.Len(t, box, 1, "somebody did it")
}

// Whoever asked for an extension may not wait for its result: what Frame.io refuses stays with the review.
func TestARefusedExtensionIsNoted(t *testing.T) {
	for class, noted := range map[rest.Class]bool{rest.Forbidden: true, rest.Retryable: false} {
		fio := &folder{}
		r := sharedReview(t, fio, make(outbox, 9))
		fio.locked = &rest.Error{Vendor: "Frame.io", Operation: "share", Class: class}
		require.Error(t, r.steps.ExtendReview(t.Context(), workflows.ExtendInput{ReviewRef: r.ref, ExpiresAt: time.Date(2027, 1, 15, 23, 59, 59, 0, time.UTC)}))
		require.NoError(t, r.reread(t.Context()))
		assert.Equal(t, noted, len(r.row.Notes) == 1, "%v %v", class, r.row.Notes)
		assert.Equal(t, noted, r.row.ExtendingTo.IsZero(), "a retry is still to come, or not")
		for _, note := range r.row.Notes {
			assert.Contains(t, note, "not extended to 2027-01-15 23:59 UTC")
		}
	}
}

// sharedReview returns an open review whose link has the review's expiry.
func sharedReview(t *testing.T, fio *folder, box outbox) *review {
	t.Helper()
	r := mailingReview(t, fio, box, nil)
	require.NoError(t, r.update(t.Context(), func(row *ledger.Review) {
		row.Status, row.ShareID, row.RequestedBy = ledger.ReviewOpen, "S", ledger.Person{Email: "ed@post.example"}
	}))
	fio.share = frameio.Share{ID: "S", Active: true, Watermark: frameio.WatermarkOn, ExpiresAt: r.row.ExpiresAt}
	return r
}
