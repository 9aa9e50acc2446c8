package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/faults"
)

// A plan names what Frame.io refuses to show, and goes on with the rest; of comments that nobody counts it says so.
func TestAPlanNamesWhatIsRefused(t *testing.T) {
	t.Parallel()
	for generation, listing := range map[string]string{"legacy": `^GET /v2/assets/[^/]+/children`, "v4": `^GET /v4/accounts/[^/]+/folders/[^/]+/children`} {
		t.Run(generation, func(t *testing.T) {
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
			if generation == "v4" {
				b.frameio.CountComments(func(string, int) any { return nil })
			}
			whole := b.plan(t)
			assert.Equal(t, generation == "v4", whole.CommentsNotCounted)
			if generation == "v4" {
				assert.Equal(t, "not counted", whole.CommentsText())
			}
			require.NoError(t, b.frameio.AddFault(faults.Fault{Match: listing, After: 1, Status: 403}))
			plan := b.plan(t)
			assert.Less(t, plan.Items, whole.Items)
			assert.Positive(t, plan.Items)
			named := 0
			for _, p := range plan.Blockers {
				if strings.Contains(p.Why, "does not show what is in the folder") {
					named++
					assert.NotEmpty(t, p.Path)
					assert.NotEmpty(t, p.SourceID)
				}
			}
			assert.Positive(t, named, "%+v", plan.Blockers)
		})
	}
}
