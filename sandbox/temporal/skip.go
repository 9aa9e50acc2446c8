package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/headers"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

const skipTimeout = 10 * time.Second

// skip moves one workflow's clock ahead: `temporal skip --workflow-id ID --by 720h`. Its timers fire in order as if the
// time had passed; whatever runs meanwhile takes the time that it takes.
func skip(args []string) error {
	f := flag.NewFlagSet("temporal skip", flag.ContinueOnError)
	address := f.String("address", "127.0.0.1:7233", "of the server")
	namespace := f.String("namespace", "default", "of the workflow")
	id := f.String("workflow-id", "", "whose clock is moved")
	by := f.Duration("by", 0, "how far ahead")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *id == "" || *by <= 0 {
		return errors.New("skip needs --workflow-id and a positive --by")
	}
	conn, err := grpc.NewClient(*address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(headers.SetVersions(context.Background()), skipTimeout)
	defer cancel()
	_, err = workflowservice.NewWorkflowServiceClient(conn).UpdateWorkflowExecutionOptions(ctx, &workflowservice.UpdateWorkflowExecutionOptionsRequest{
		Namespace: *namespace, WorkflowExecution: &common.WorkflowExecution{WorkflowId: *id}, Identity: "sandbox",
		WorkflowExecutionOptions: &workflow.WorkflowExecutionOptions{TimeSkippingConfig: &common.TimeSkippingConfig{
			Enabled: true, FastForwardConfig: &common.FastForwardConfig{Id: "skip-" + strconv.FormatInt(time.Now().UnixNano(), 36), Duration: durationpb.New(*by)},
		}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"time_skipping_config"}},
	})
	if err != nil {
		return fmt.Errorf("moving the clock of %s: %w", *id, err)
	}
	return nil
}
