package contract

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// Where the legacy API serves a watermarked file under the original's name, its bytes tell, and no archive takes it for the
// original, whatever its length; the next one does not try again for nothing.
func TestAWatermarkedStreamIsNoOriginal(t *testing.T) {
	for policy, want := range map[string]struct {
		state     ledger.ItemState
		rendition string
	}{"wait": {ledger.Skipped, ""}, "proxy": {ledger.ItemVerified, "proxy"}, "fail": {ledger.ItemFailed, ""}} {
		for name, longer := range map[string]int{"longer": 7, "as long": 0} {
			t.Run(policy+", "+name, func(t *testing.T) {
				b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
				b.acts.Config.Tenants[tenantID].Archive.MissingOriginal = policy
				require.NoError(t, b.frameio.StreamWatermarked(longer))
				file := ""
				for _, a := range b.frameio.AssetsOf(b.project.ID) {
					if a.Name == "Screener.mov" {
						file = a.ID
					}
				}
				calls := 0
				for range 2 {
					b.archive(t)
					it, ok, err := b.book.Item(t.Context(), tenantID, b.project.ID, file)
					require.NoError(t, err)
					require.True(t, ok)
					assert.Equal(t, want.state, it.State, it.Reason)
					assert.True(t, policy == "fail" || it.Rendition == want.rendition, it.Rendition)
					if want.state != ledger.ItemVerified {
						assert.Contains(t, it.Reason, "watermarked stream")
					}
					calls = b.frameio.Calls()["GET /v2/assets/{id}"]
					_, _, err = b.book.RequestArchive(t.Context(), tenantID, b.project.ID, "test", time.Now())
					require.NoError(t, err)
				}
				b.archive(t)
				if policy != "fail" {
					assert.Equal(t, calls, b.frameio.Calls()["GET /v2/assets/{id}"], "nothing is asked for again")
				}
			})
		}
	}
}
