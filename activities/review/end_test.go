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

// The end of a review says that its link is off only if it is.
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

// Whatever was on its way when a review ended ends too: nothing is shown as uploading forever.
func TestNothingStaysOnItsWayAfterTheEnd(t *testing.T) {
	rows := func() []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{State: ledger.AssetPending}, {State: ledger.AssetUploading}, {State: ledger.AssetProcessing}, {State: ledger.AssetReady},
			{State: ledger.AssetFailed, Reason: "its own"}}
	}
	for name, tt := range map[string]struct {
		end  func(r *review) error
		want string
	}{
		"stopped after it was shared": {func(r *review) error {
			_, err := r.steps.RevokeLink(t.Context(), workflows.EndReviewInput{ReviewRef: r.ref, Status: "stopped"})
			return err
		}, "someone stopped the review"},
		"expired": {func(r *review) error {
			_, err := r.steps.RevokeLink(t.Context(), workflows.EndReviewInput{ReviewRef: r.ref, Status: "expired"})
			return err
		}, "the review ended before this was sent"},
		"stopped before it was shared": {func(r *review) error {
			return r.steps.FailReview(t.Context(), workflows.FailReviewInput{ReviewRef: r.ref, Status: "stopped", Reason: "stopped on request"})
		}, "someone stopped the review"},
		"failed": {func(r *review) error {
			return r.steps.FailReview(t.Context(), workflows.FailReviewInput{ReviewRef: r.ref, Status: "failed", Reason: "the storage is full"})
		}, "the storage is full"},
	} {
		r := mailingReview(t, &folder{}, make(outbox, 9), nil, rows()...)
		require.NoError(t, tt.end(r), name)
		for n := 1; n <= 3; n++ {
			assert.Equal(t, ledger.AssetFailed, r.asset(t, n).State, name)
			assert.Equal(t, tt.want, r.asset(t, n).Reason, name)
		}
		assert.Equal(t, ledger.AssetReady, r.asset(t, 4).State, name)
		assert.Equal(t, "its own", r.asset(t, 5).Reason, name)
	}
}

// V4 has no call to delete a stack: if one is left without files, it goes with the review's folder.
func TestTheFolderGoesWithItsEmptyStacks(t *testing.T) {
	stack := frameio.Asset{ID: "S", Kind: frameio.KindStack}
	for name, tt := range map[string]struct {
		left []frameio.Asset
		want []string
	}{
		"nothing":                {nil, []string{"F"}},
		"an empty stack":         {[]frameio.Asset{stack}, []string{"F"}},
		"a stack with a version": {[]frameio.Asset{stack, {ID: "theirs", Kind: frameio.KindFile, ParentID: "S"}}, nil},
		"somebody's file":        {[]frameio.Asset{{ID: "theirs", Kind: frameio.KindFile}}, nil},
		"somebody's folder":      {[]frameio.Asset{stack, {ID: "theirs", Kind: frameio.KindFolder}}, nil},
	} {
		fio := &folder{files: tt.left}
		require.NoError(t, testReview(t, fio, nil).deleteMedia(t.Context()), name)
		assert.Equal(t, tt.want, fio.deleted, name)
	}
}
