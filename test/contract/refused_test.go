package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
)

// failedItems are the paths of the items that failed, with their reasons.
func (b *harness) failedItems(t *testing.T) map[string]string {
	t.Helper()
	items, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).ItemsPage(t.Context(), 0, 1000)
	require.NoError(t, err)
	failed := map[string]string{}
	for _, it := range items {
		if it.State == ledger.ItemFailed {
			failed[it.Path] = it.Reason
		}
	}
	return failed
}

// What a vendor refuses of one object costs that object. A retry after the refusals brings it over.
func TestOneRefusedObjectCostsThatObject(t *testing.T) {
	for _, tt := range []struct {
		name           string
		frameio, match string
		after          int
		status         int
		reason         string // of the item that fails
	}{
		{name: "comment", match: `^POST /API/assets/v1/assets/[^/]+/segments/?$`, after: 3, status: 422, reason: "comments were not brought over"},
		{name: "asset while verifying", match: `^GET /API/files/v1/assets/[^/]+/versions/[^/]+/files/?$`, after: 3, status: 403, reason: "it could not be compared: "},
	} {
		for generation := range generations {
			t.Run(tt.name+" "+generation, func(t *testing.T) {
				t.Parallel()
				b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
				if tt.frameio != "" {
					require.NoError(t, b.frameio.AddFault(faults.Fault{Match: tt.frameio, After: tt.after, Status: tt.status}))
				} else {
					require.NoError(t, b.iconik.AddFault(faults.Fault{Match: tt.match, After: tt.after, Status: tt.status}))
				}
				fin := b.archive(t)
				assert.Equal(t, "incomplete", fin.Status, fin.Reason)
				failed := b.failedItems(t)
				require.NotEmpty(t, failed)
				for path, reason := range failed {
					assert.Contains(t, reason, tt.reason, path)
				}
				b.frameio.ClearFaults()
				b.iconik.ClearFaults()
				fin = b.again(t)
				assert.True(t, strings.HasPrefix(fin.Status, "verified"), fin.Reason)
				assert.Empty(t, b.failedItems(t))
			})
		}
	}
}
