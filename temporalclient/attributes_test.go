package temporalclient

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/framebridge/framebridge/config"
)

// RespondWorkflowTaskCompleted rejects what a server rejects that knows only some search attributes.
func (f *frontend) RespondWorkflowTaskCompleted(_ context.Context, in *workflowservice.RespondWorkflowTaskCompletedRequest) (*workflowservice.RespondWorkflowTaskCompletedResponse, error) {
	for _, c := range in.GetCommands() {
		upsert := c.GetUpsertWorkflowSearchAttributesCommandAttributes()
		if upsert != nil && len(upsert.GetSearchAttributes().GetIndexedFields()) == 0 {
			return nil, serviceerror.ToStatus(serviceerror.NewInvalidArgument("BadSearchAttributes: IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.")).Err()
		}
		for _, all := range []*commonpb.SearchAttributes{upsert.GetSearchAttributes(), c.GetContinueAsNewWorkflowExecutionCommandAttributes().GetSearchAttributes(),
			c.GetStartChildWorkflowExecutionCommandAttributes().GetSearchAttributes()} {
			for name := range all.GetIndexedFields() {
				if name != unusedAttribute && !f.knows[name] {
					return nil, serviceerror.ToStatus(serviceerror.NewInvalidArgument("BadSearchAttributes: Namespace default has no mapping defined for search attribute " + name)).Err()
				}
			}
		}
	}
	f.completed = append(f.completed, in)
	return &workflowservice.RespondWorkflowTaskCompletedResponse{}, nil
}

func withAttributes(names ...string) *commonpb.SearchAttributes {
	out := &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{}}
	for _, n := range names {
		out.IndexedFields[n] = &commonpb.Payload{Data: []byte(`"x"`)}
	}
	return out
}

// A workflow that sets search attributes that somebody removed continues: at once if that is known, and otherwise when Temporal
// dispatches its task again. The attributes are set again once they are registered again.
func TestRemovedSearchAttributesAreLeftOut(t *testing.T) {
	f, address := serveFrontend(t)
	f.knows = map[string]bool{"FramebridgeTenant": true}
	var logged bytes.Buffer
	a := &Attributes{Log: slog.New(slog.NewTextHandler(&logged, nil))}
	c, err := Lazy(config.Temporal{Address: address, Namespace: "default"}, slog.New(slog.DiscardHandler), Watch{Attributes: a})
	require.NoError(t, err)
	defer c.Close()
	both := withAttributes("FramebridgeTenant", "FramebridgeStatus", "Keyword02")
	complete := func() error {
		_, err := c.WorkflowService().RespondWorkflowTaskCompleted(t.Context(), &workflowservice.RespondWorkflowTaskCompletedRequest{Commands: []*commandpb.Command{
			{Attributes: &commandpb.Command_UpsertWorkflowSearchAttributesCommandAttributes{UpsertWorkflowSearchAttributesCommandAttributes: &commandpb.UpsertWorkflowSearchAttributesCommandAttributes{SearchAttributes: withAttributes("FramebridgeStatus")}}},
			{Attributes: &commandpb.Command_StartChildWorkflowExecutionCommandAttributes{StartChildWorkflowExecutionCommandAttributes: &commandpb.StartChildWorkflowExecutionCommandAttributes{SearchAttributes: both}}},
			{Attributes: &commandpb.Command_ContinueAsNewWorkflowExecutionCommandAttributes{ContinueAsNewWorkflowExecutionCommandAttributes: &commandpb.ContinueAsNewWorkflowExecutionCommandAttributes{SearchAttributes: both}}},
		}})
		return err
	}
	last := func() (upserted, child, next map[string]*commonpb.Payload) {
		all := f.completed[len(f.completed)-1].GetCommands()
		return all[0].GetUpsertWorkflowSearchAttributesCommandAttributes().GetSearchAttributes().GetIndexedFields(),
			all[1].GetStartChildWorkflowExecutionCommandAttributes().GetSearchAttributes().GetIndexedFields(),
			all[2].GetContinueAsNewWorkflowExecutionCommandAttributes().GetSearchAttributes().GetIndexedFields()
	}
	require.Error(t, complete(), "nobody has looked yet")
	assert.Contains(t, logged.String(), "continuing without search attributes")
	require.NoError(t, complete(), "the next attempt")
	a.Missing([]string{"FramebridgeStatus"})
	require.NoError(t, complete())
	upserted, child, next := last()
	assert.Contains(t, upserted, unusedAttribute)
	assert.Len(t, upserted, 1)
	assert.Contains(t, child, "FramebridgeTenant")
	assert.NotContains(t, child, "FramebridgeStatus")
	assert.Len(t, next, 1)
	assert.Len(t, both.GetIndexedFields(), 3, "the SDK keeps its map")
	f.knows["FramebridgeStatus"] = true
	a.Missing(nil)
	require.NoError(t, complete())
	upserted, child, _ = last()
	assert.Contains(t, upserted, "FramebridgeStatus")
	assert.Len(t, child, 2)
}
