package review

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
)

// linking is a Frame.io whose one link may have no address.
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

// V4's document says that a share's short_url may be null. A review without an address would count as never shared.
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
