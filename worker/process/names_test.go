package process

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"github.com/framebridge/framebridge/activities"
)

type names []string

func (n *names) RegisterActivityWithOptions(_ any, o activity.RegisterOptions) {
	*n = append(*n, o.Name)
}

// TestTheWorkerDoesEveryActivity: an activity that no worker registers blocks every workflow that gets to it.
func TestTheWorkerDoesEveryActivity(t *testing.T) {
	raw, err := os.ReadFile("../../workflows/testdata/golden/names.txt")
	require.NoError(t, err)
	var all []string
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "activity "); ok {
			all = append(all, name)
		}
	}
	var registered names
	a := &activities.Activities{}
	a.Register(&registered)
	a.RegisterTransfers(&registered)
	require.NotEmpty(t, all)
	require.ElementsMatch(t, all, registered)
}
