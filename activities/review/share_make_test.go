package review

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
)

// linking is a Frame.io whose only link may have no address.
type linking struct {
	*folder
	address string
	off     bool
}

func (l *linking) CreateShare(context.Context, string, frameio.NewShare) (frameio.Share, error) {
	return frameio.Share{ID: "S", Active: true}, nil
}

func (l *linking) ShareByID(context.Context, string) (frameio.Share, error) {
	return frameio.Share{ID: "S", URL: l.address, Active: true, Access: frameio.AccessPublic}, nil
}

func (l *linking) AddToShare(context.Context, string, []string) error { return nil }

func (l *linking) UpdateShare(_ context.Context, _ string, c frameio.ShareChange) error {
	l.off = l.off || c.Active != nil && !*c.Active
	return nil
}

// V4's documentation says that a share's short_url may be null. A review without an address would count as never shared.
func TestALinkWithoutAnAddressIsNotShared(t *testing.T) {
	fio := &linking{folder: &folder{}}
	r := testReview(t, fio.folder, nil)
	r.frameio = fio
	var own *fault.Error
	require.ErrorAs(t, r.share(t.Context(), []string{"F"}), &own)
	assert.False(t, own.Final, "it may come in a moment")
	assert.False(t, fio.off)

	patience := attempt.With(t.Context(), late{attempt.Of(t.Context()), addressLag})
	require.ErrorAs(t, r.share(patience, []string{"F"}), &own)
	assert.True(t, own.Final)
	assert.True(t, fio.off, "nobody finds it, and so nobody watches it")
	assert.Empty(t, r.row.ShareID)

	fio.address = "https://f.io/x"
	require.NoError(t, r.share(t.Context(), []string{"F"}))
	assert.Equal(t, "https://f.io/x", r.row.ShareURL)
	fio.address = ""
	require.NoError(t, r.share(t.Context(), []string{"F"}))
	assert.Equal(t, "https://f.io/x", r.row.ShareURL, "what was known stays")
}

// bared is a Frame.io whose only link has lost its watermark.
type bared struct{ *linking }

func (b *bared) ShareByID(context.Context, string) (frameio.Share, error) {
	return frameio.Share{ID: "S", URL: "https://f.io/x", Active: !b.off, Access: frameio.AccessPublic, Watermark: frameio.WatermarkOff}, nil
}

// An open review continues if what was sent to it again cannot be shared. If its link had to be switched off for that, people are told.
func TestALinkThatASendSwitchesOffIsToldAsOff(t *testing.T) {
	box := make(outbox, 9)
	fio := &bared{&linking{folder: &folder{}}}
	r := mailingReview(t, fio.folder, box, nil, ledger.ReviewAsset{AssetID: "A", FileID: "F1", Title: "Take", State: ledger.AssetReady})
	r.cfg.Review.Watermark = "required"
	r.steps.Tenant = func(string) (*tenant.Tenant, frameio.Platform, error) { return r.tenant, fio, nil }
	require.NoError(t, r.update(t.Context(), func(row *ledger.Review) {
		row.Status, row.ShareID, row.ShareURL, row.OpenedAt, row.RequestedBy = ledger.ReviewOpen, "S", "https://f.io/x", time.Now(), ledger.Person{Email: "ed@post.example"}
	}))
	require.NoError(t, r.tenant.Ledger.Complete(t.Context(), ledger.LinkReviewShare, r.shareKey(), "S", ""))
	_, err := r.steps.ShareReview(t.Context(), r.ref)
	require.NoError(t, err)
	assert.True(t, fio.off)
	require.Len(t, box, 1)
	said := (<-box).Text
	assert.Contains(t, said, "did not turn on the link's watermark")
	assert.Contains(t, said, "Reviewers cannot open")
	assert.NotContains(t, said, "continues with what it showed before")
}
