package api

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/workflows"
)

// Temporal's UI shows names. If histories are encrypted, the name is in the summary and the memo, which are encrypted too, and in
// no search attribute. Attributes that the server does not know are left out, and the rest are set.
func TestTemporalShowsNames(t *testing.T) {
	for name, tt := range map[string]struct {
		keys    []config.Secret
		missing []string
		want    []string
	}{
		"all":                 {nil, nil, []string{"FramebridgeProject", "FramebridgeProjectName", "FramebridgeStatus", "FramebridgeTenant"}},
		"encrypted":           {[]config.Secret{"a codec key that is kept by a test"}, nil, []string{"FramebridgeProject", "FramebridgeStatus", "FramebridgeTenant"}},
		"of an older release": {nil, []string{"FramebridgeProjectName", "FramebridgeExpires"}, []string{"FramebridgeProject", "FramebridgeStatus", "FramebridgeTenant"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newTestServer(t)
			f.Config().Temporal.Codec.Keys = tt.keys
			f.UseSearchAttributes(tt.missing)
			var got client.StartWorkflowOptions
			f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewNotFound("none"))
			f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
				got, _ = args.Get(1).(client.StartWorkflowOptions)
			}).Return(nil, nil)
			tenant, _ := f.Config().Tenant(tenantA)
			_, err := f.StartArchive(t.Context(), tenant, frameio.Project{ID: project, Name: "Regatta - Archived"}, "")
			require.NoError(t, err)
			assert.Equal(t, "Archive of Regatta - Archived", got.StaticSummary)
			assert.Equal(t, "Regatta - Archived", got.Memo["project"])
			var names []string
			for _, k := range workflows.SearchAttributes() {
				if got.TypedSearchAttributes.ContainsKey(k) {
					names = append(names, k.GetName())
				}
			}
			assert.ElementsMatch(t, tt.want, names)
		})
	}
}
