package iconik

import (
	"context"
	"fmt"
	"net/url"

	"github.com/framebridge/framebridge/clients/rest"
)

// Job is work that people see in iconik.
type Job struct {
	ID         string         `json:"id"`
	Title      string         `json:"title"`
	Type       string         `json:"type"`
	CustomType string         `json:"custom_type"`
	Status     string         `json:"status"`
	ObjectID   string         `json:"object_id"`
	ObjectType string         `json:"object_type"`
	Message    string         `json:"message"`
	Steps      []Step         `json:"steps"`
	Metadata   map[string]any `json:"metadata"`
	Created    Time           `json:"date_created"`
}

// Step is a line of a job. Status is IN_PROGRESS, WAITING, FAILED, DONE or SKIPPED.
type Step struct {
	ID           string `json:"id,omitempty"`
	Label        string `json:"label"`
	Status       string `json:"status"`
	Message      string `json:"message,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
}

// JobAction is what a job's button calls.
type JobAction struct {
	URL  string `json:"url"`
	Bulk bool   `json:"bulk"`
}

// JobRequest is the body of Create.
type JobRequest struct {
	Title         string               `json:"title"`
	Type          string               `json:"type"`
	CustomType    string               `json:"custom_type,omitempty"`
	Status        string               `json:"status"`
	ObjectType    string               `json:"object_type,omitempty"`
	ObjectID      string               `json:"object_id,omitempty"`
	Message       string               `json:"message,omitempty"`
	ErrorMessage  string               `json:"error_message,omitempty"`
	Steps         []Step               `json:"steps,omitempty"`
	Metadata      map[string]any       `json:"metadata,omitempty"`
	ActionContext map[string]JobAction `json:"action_context,omitempty"` // keys are ABORT, RESTART, PAUSE, RESUME
}

// EndedJob returns a job of the caller's type that has ended (FAILED, FINISHED, …), on the first object that was clicked. title, if
// any, becomes part of the job's title. A failure's message is only set as the error, because iconik shows the two side by side.
func EndedJob(customType, title string, assetIDs, collectionIDs []string, status, message string) JobRequest {
	req := JobRequest{Title: customType, Type: "CUSTOM", CustomType: customType, Status: status, ObjectType: "assets", Message: message}
	if title != "" {
		req.Title += ": " + title
	}
	if status == "FAILED" {
		req.Message, req.ErrorMessage = "", message
	}
	switch {
	case len(assetIDs) > 0:
		req.ObjectID = assetIDs[0]
	case len(collectionIDs) > 0:
		req.ObjectType, req.ObjectID = "collections", collectionIDs[0]
	}
	return req
}

// Clicked names what somebody has clicked, for people: the first object, and how many more there are.
func (c *Client) Clicked(ctx context.Context, assetIDs, collectionIDs []string) (string, error) {
	title, n := "", len(assetIDs)+len(collectionIDs)
	switch {
	case len(assetIDs) > 0:
		a, err := c.Assets.Get(ctx, assetIDs[0], false)
		if err != nil {
			return "", err
		}
		title = a.Title
	case len(collectionIDs) > 0:
		col, err := c.Collections.Get(ctx, collectionIDs[0])
		if err != nil {
			return "", err
		}
		title = col.Title
	}
	if n > 1 && title != "" {
		title = fmt.Sprintf("%s and %d more", title, n-1)
	}
	return title, nil
}

// Create wraps POST jobs/v1/jobs/. Whether a job may be created with steps is documented both ways: if iconik refuses them,
// Create creates it without.
func (s *JobsService) Create(ctx context.Context, req JobRequest) (*Job, error) {
	var j Job
	create := func() error { return s.c.post(ctx, "create job", path("jobs/v1/jobs"), nil, req, &j) }
	err := create()
	if err != nil && rest.ClassOf(err) == rest.Permanent && !rest.IsUncertain(err) && len(req.Steps) > 0 {
		req.Steps = nil
		err = create()
	}
	return made(&j, j.ID, "create job", err)
}

// Get wraps GET jobs/v1/jobs/{id}/.
func (s *JobsService) Get(ctx context.Context, id string) (*Job, error) {
	var j Job
	if err := s.c.get(ctx, "get job", path("jobs/v1/jobs", id), nil, &j); err != nil {
		return nil, err
	}
	return &j, nil
}

// JobPatch changes the fields that are set.
type JobPatch struct {
	Status            string  `json:"status,omitempty"`
	Message           *string `json:"message,omitempty"`
	ErrorMessage      *string `json:"error_message,omitempty"`
	ProgressProcessed *int64  `json:"progress_processed,omitempty"`
	ProgressTotal     *int64  `json:"progress_total,omitempty"`

	ActionContext map[string]JobAction `json:"action_context,omitempty"`
}

// Update wraps PATCH jobs/v1/jobs/{id}/.
func (s *JobsService) Update(ctx context.Context, id string, p JobPatch) (*Job, error) {
	var j Job
	if err := s.c.patch(ctx, "update job", path("jobs/v1/jobs", id), nil, p, &j); err != nil {
		return nil, err
	}
	return &j, nil
}

// UpdateSteps wraps PATCH jobs/v1/jobs/{id}/steps/.
func (s *JobsService) UpdateSteps(ctx context.Context, id string, steps []Step) error {
	return s.c.patch(ctx, "update job steps", path("jobs/v1/jobs", id, "steps"), nil, map[string]any{"steps": steps}, nil)
}

// JobListOptions narrow a listing.
type JobListOptions struct{ ObjectType, ObjectID, Type, Status string }

// List wraps GET jobs/v1/jobs/, all pages.
func (s *JobsService) List(ctx context.Context, o JobListOptions) ([]Job, error) {
	q := url.Values{}
	for k, v := range map[string]string{"object_type": o.ObjectType, "object_id": o.ObjectID, "type": o.Type, "status": o.Status} {
		if v != "" {
			q.Set(k, v)
		}
	}
	all, err := rest.Collect(byPage[Job](ctx, s.c, "list jobs", path("jobs/v1/jobs"), q))
	return all, orEmpty(err)
}
