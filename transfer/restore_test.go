package transfer_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
)

// ended is a sink whose upload is gone once all parts are stored. asked is its error when asked for the whole file.
type ended struct {
	keep
	asked error
}

func (e *ended) Complete(context.Context, []transfer.Receipt, transfer.Whole) error {
	return transfer.ErrUploadGone
}
func (e *ended) Done(context.Context, int64) (bool, error) { return false, e.asked }

// An upload is given up on if the file is not there, but not while nobody can say whether it is.
func TestAnUploadIsNotGivenUpBlindly(t *testing.T) {
	t.Parallel()
	file := sinktest.File(part + 1)
	for _, c := range []struct {
		asked error
		gone  bool
	}{{nil, true}, {&transfer.SourceError{Status: http.StatusForbidden}, true}, {&transfer.SourceError{Status: http.StatusBadGateway}, false}, {errors.New("iconik: 502"), false}} {
		sink := &ended{keep: keep{parts: map[int][]byte{}}, asked: c.asked}
		_, err := transfer.NewEngine(transfer.Options{}).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: sink, Size: int64(len(file))})
		require.Error(t, err)
		assert.Equal(t, c.gone, errors.Is(err, transfer.ErrUploadGone), "%v: %v", c.asked, err)
	}
}
