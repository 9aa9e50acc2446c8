package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// Prefix is the path prefix of Framebridge's routes.
const Prefix = "/api/v1/services/frameio"

const (
	apiMost      = 64 << 20 // most bytes of an answer: reports can be long
	past         = time.Minute
	expiryMargin = 5 * time.Second
)

// ErrUnavailable means that Framebridge cannot answer right now, for example because the machine is busy.
var ErrUnavailable = errors.New("Framebridge is not available")

// Call calls Framebridge's API at a path below Prefix, as the sandbox's tenant.
func (s *Stack) Call(ctx context.Context, method, path, body string) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.APIURL+Prefix+path, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+APIKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, apiMost))
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		var problem struct{ Detail string }
		if json.Unmarshal(raw, &problem) != nil || problem.Detail == "" {
			problem.Detail = string(raw)
		}
		err = fmt.Errorf("%s: %s", resp.Status, problem.Detail)
		if resp.StatusCode == http.StatusServiceUnavailable {
			err = fmt.Errorf("%w (%s): %s", ErrUnavailable, resp.Status, problem.Detail)
		}
	}
	return raw, resp.Header, err
}

// Review is a review as the API returns it.
type Review struct {
	ID         string     `json:"id"`
	Title      string     `json:"title"`
	Status     string     `json:"status"`
	Reason     string     `json:"reason"`
	Share      string     `json:"share_url"`
	ExpiresAt  *time.Time `json:"expires_at"`
	DeleteAt   *time.Time `json:"delete_at"`
	WorkflowID string     `json:"workflow_id"`
	Temporal   string     `json:"temporal_url"`
	Comments   struct {
		ToIconik  int `json:"to_iconik"`
		ToFrameio int `json:"to_frameio"`
		Open      int `json:"open"`
	} `json:"comments"`
	Assets []struct {
		AssetID  string `json:"iconik_asset_id"`
		FileID   string `json:"frameio_file_id"`
		Title    string `json:"title"`
		Decision string `json:"decision"`
	} `json:"assets"`
}

// Reviews returns the tenant's reviews, newest first.
func (s *Stack) Reviews(ctx context.Context) ([]Review, error) {
	var out struct{ Reviews []Review }
	raw, _, err := s.Call(ctx, http.MethodGet, "/reviews", "")
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	return out.Reviews, err
}

// Expire makes an open review expire in a few seconds, through Framebridge's own extend, so that the link in Frame.io expires too.
func (s *Stack) Expire(ctx context.Context, review string) error {
	_, _, err := s.Call(ctx, http.MethodPost, "/reviews/"+review+"/extend", fmt.Sprintf(`{"expires_at": %q}`, time.Now().Add(expiryMargin).UTC().Format(time.RFC3339)))
	return err
}

// Delete moves the clock of an ended review to the deletion of its media. In Temporal the time passes: the warning is
// mailed on its day, and the deletion follows.
func (s *Stack) Delete(ctx context.Context, review string) error {
	raw, _, err := s.Call(ctx, http.MethodGet, "/reviews/"+review, "")
	if err != nil {
		return err
	}
	var r Review
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	if r.DeleteAt == nil || r.Status != "expired" && r.Status != "stopped" {
		return fmt.Errorf("the review is %s: its media is deleted only after it ends", r.Status)
	}
	return s.skip(ctx, r.WorkflowID, max(time.Until(*r.DeleteAt), 0)+past)
}

// skip moves a workflow's clock ahead, if the Temporal server can do that. Its timers fire in order as if the time had
// passed. Anything else that runs meanwhile takes its usual time.
func (s *Stack) skip(ctx context.Context, id string, by time.Duration) error {
	if p := s.o.TemporalProgram; p != nil && !p.Skips {
		return fmt.Errorf("cannot move the clock: this Temporal server is %s, and it needs %d.%d", p.Version, oldestSkipping[0], oldestSkipping[1])
	}
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.WorkflowService().UpdateWorkflowExecutionOptions(ctx, &workflowservice.UpdateWorkflowExecutionOptionsRequest{
		Namespace: client.DefaultNamespace, WorkflowExecution: &common.WorkflowExecution{WorkflowId: id}, Identity: "sandbox",
		WorkflowExecutionOptions: &workflow.WorkflowExecutionOptions{TimeSkippingConfig: &common.TimeSkippingConfig{
			Enabled: true, FastForwardConfig: &common.FastForwardConfig{Id: "skip-" + strconv.FormatInt(time.Now().UnixNano(), 36), Duration: durationpb.New(by)},
		}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"time_skipping_config"}},
	})
	if err != nil {
		return fmt.Errorf("this Temporal server cannot skip time (it needs %d.%d with frontend.WorkflowTimeSkippingEnabled): %w", oldestSkipping[0], oldestSkipping[1], err)
	}
	return nil
}
