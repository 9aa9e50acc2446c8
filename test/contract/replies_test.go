package contract

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/transfer"
)

// Frame.io does not document whether a reply by itself says who wrote it. Once it does, the next run gives replies their authors.
func TestRepliesGetTheirAuthorsOnceFrameioTells(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}, "v4")
	said := func() (texts []string) {
		for _, a := range b.iconik.Docs("assets") {
			for _, s := range b.iconik.Segments(fmt.Sprint(a["id"])) {
				texts = append(texts, fmt.Sprint(s["segment_text"]))
			}
		}
		return texts
	}
	unnamed := func() (n int) {
		lost, err := b.book.Tenant(tenantID).Archive(b.project.ID).NotCarried(t.Context(), 100)
		require.NoError(t, err)
		for _, l := range lost {
			if l.Kind == "author" {
				n++
			}
		}
		return n
	}
	fin := b.archive(t)
	require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	assert.Equal(t, 2, unnamed())
	assert.Contains(t, said(), "Frame.io user: Agreed, take 4 is sharper")

	b.frameio.Change(func(o *frameiosim.Options) { o.Replies = frameiosim.RepliesWithAuthors })
	acts, err := activities.New(config.Hold(b.config), b.book, b.engine, transfer.NewHTTPClient(nil, nil), nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	b.acts = acts // of another worker: this one asks again in an hour only
	fin = b.again(t)
	require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	assert.Zero(t, unnamed(), fin.Reason)
	assert.NotContains(t, said(), "Frame.io user: Agreed, take 4 is sharper")
	assert.Contains(t, said(), "Priya Rao <priya@partner.example>: Agreed, take 4 is sharper")

	fin = b.again(t)
	assert.False(t, fin.Changed, "a re-run that finds nothing to do writes nothing")
}
