package transfer_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/transfer"
)

// What a host answers for the first byte determines the file's size. Impossible answers are refused, and the size is never
// negative.
func TestTheFirstByteOfASource(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]int64{
		"bytes 0-0/100": 100, "bytes 0-0/1": 1, " bytes 0-0/100 ": 100,
		"bytes 0-0/-5": -1, "bytes -0-0/100": -1, "bytes +0-0/100": -1, "bytes 0-0/+100": -1, "bytes 0--1/100": -1, "bytes 0-0/0": -1, "bytes 0-99/100": -1, "bytes 5-2/100": -1,
		"bytes 1-1/100": -1, "bytes 0-0/9223372036854775808": -1, "bytes 0-0/9999999999999999999999": -1, "bytes 0-0/*": -1, "bytes */100": -1, "bytes */-1": -1, "bytes 0-0": -1, "bytes": -1,
		"": -1, "items 0-0/100": -1, "bytes 0-0/1e3": -1, "bytes 0x0-0/100": -1, "bytes 0-0/100/100": -1, "bytes 0-100/100": -1,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", header)
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write([]byte("x"))
		}))
		src, err := open(t.Context(), srv, -1)
		srv.Close()
		if want < 0 {
			assert.ErrorContains(t, err, "the response", "%q", header)
			continue
		}
		require.NoError(t, err, header)
		assert.Equal(t, want, src.Size())
	}
	for header, good := range map[string]bool{"": true, "bytes */0": true, "bytes */100": false, "bytes */-1": false, "bytes 0-0/100": false, "nonsense": false} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", header)
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}))
		src, err := open(t.Context(), srv, -1)
		srv.Close()
		if assert.Equal(t, good, err == nil, "%q: %v", header, err) && good {
			assert.Zero(t, src.Size())
		}
	}
}

func open(ctx context.Context, srv *httptest.Server, size int64) (*transfer.HTTPSource, error) {
	return transfer.NewHTTPSource(ctx, srv.Client(), func(context.Context, bool) (transfer.Location, error) {
		return transfer.Location{URL: srv.URL + "/f", Size: size, Ranges: true}, nil
	})
}
