package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

const (
	reviewLasts     = 15 * time.Second // the demonstration's review
	reviewRetention = "15s"
)

type reviewStatus struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Reason string `json:"reason"`
	Share  string `json:"share_url"`
	URL    string `json:"temporal_url"`
	Assets []struct {
		AssetID string `json:"iconik_asset_id"`
		FileID  string `json:"frameio_file_id"`
	} `json:"assets"`
}

// seedReview puts a clip into iconik that can be sent to review.
func seedReview(s *stack.Stack) (string, error) {
	return s.Iconik.AddAsset("Harbour Lights – Trailer.mov", "", samples.Media("25.mov"))
}

// demonstrate plays a review in half a minute: the click, comments from both sides, a decision, expiry and deletion.
func demonstrate(ctx context.Context, s *stack.Stack, asset string, out io.Writer) error {
	api := s.APIURL + "/api/v1/services/frameio/reviews"
	s.Iconik.AwaitProxy(asset, 10*time.Second)
	fmt.Fprintf(out, "Somebody clicks “Framebridge: send to Frame.io” on %s.\n", s.IconikURL+"/asset/"+asset)
	s.Iconik.Click(s.Actions["ASSET send"], s.Iconik.ServiceUser(), []string{asset}, nil, map[string][]string{"framebridge_reviewers": {"rita@client.example"},
		"framebridge_message": {"Please look at the trailer"}, "framebridge_quality": {"proxy"}})
	r, err := await(ctx, api, "open")
	if err != nil {
		return err
	}
	file := r.Assets[0].FileID
	fmt.Fprintf(out, "The review is open:\n  reviewer's page  %s\n  asset in iconik  %s\n  workflow         %s\n", r.Share, s.IconikURL+"/asset/"+asset, r.URL)
	frame, ms := int64(50), int64(3000)
	c := s.Frameio.Say(frameiosim.Comment{AssetID: file, Text: "A little darker here, please", Timestamp: &frame, Guest: &frameiosim.User{ID: "guest", Name: "Rita Reviewer", Email: "rita@client.example"},
		Annotation: `[{"tool":"rect","color":"#E74A3C","size":4,"x":0.3,"y":0.3,"w":0.3,"h":0.25,"radius":4}]`})
	s.Iconik.Comment(asset, s.Iconik.ServiceUser(), "The title is a placeholder", &ms, &ms, "", nil)
	if err := until(ctx, func() bool { return len(s.Iconik.Segments(asset)) == 2 && len(s.Frameio.CommentsOf(file)) == 2 }); err != nil {
		return err
	}
	s.Frameio.Say(frameiosim.Comment{AssetID: file, ParentID: c.ID, Text: "And the next shot, too", Guest: &frameiosim.User{ID: "guest", Name: "Rita Reviewer", Email: "rita@client.example"}})
	s.Frameio.Label(file, "approved")
	if err := until(ctx, func() bool { return len(s.Iconik.Segments(asset)) == 3 && s.Iconik.Approval(asset) == "APPROVED" }); err != nil {
		return err
	}
	fmt.Fprintln(out, "Both sides have said something. In iconik:")
	for _, g := range s.Iconik.Segments(asset) {
		fmt.Fprintf(out, "  %v\n", g["segment_text"])
	}
	fmt.Fprintln(out, "In Frame.io:")
	for _, m := range s.Frameio.CommentsOf(file) {
		fmt.Fprintf(out, "  %s\n", m.Text)
	}
	fmt.Fprintf(out, "Rita approved it: iconik says %s. For the editor:\n", s.Iconik.Approval(asset))
	edl, err := fetch(ctx, http.MethodGet, api+"/"+r.ID+"/comments.edl", "")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "  "+strings.ReplaceAll(strings.TrimSpace(edl), "\n", "\n  "))
	if _, err := fetch(ctx, http.MethodPost, api+"/"+r.ID+"/extend", fmt.Sprintf(`{"expires_at": %q}`, time.Now().Add(reviewLasts).UTC().Format(time.RFC3339))); err != nil {
		return err
	}
	fmt.Fprintf(out, "It expires in %s and its media is deleted %s later (30 days, otherwise). Try the pages meanwhile.\n", reviewLasts, reviewRetention)
	for _, status := range []string{"expired", "deleted"} {
		if r, err = await(ctx, api, status); err != nil {
			return err
		}
		fmt.Fprintf(out, "The review is %s.\n", r.Status)
	}
	return nil
}

func until(ctx context.Context, ok func() bool) error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("it took more than a minute: look at Temporal's Web UI")
}

// await returns the newest review once it has a status.
func await(ctx context.Context, api, status string) (reviewStatus, error) {
	var last reviewStatus
	var failed error
	err := until(ctx, func() bool {
		var out struct{ Reviews []reviewStatus }
		if _, failed = get(ctx, api, &out); failed != nil || len(out.Reviews) == 0 {
			return failed != nil
		}
		last = out.Reviews[0]
		if last.Status == "failed" {
			failed = fmt.Errorf("the review failed: %s", last.Reason)
		}
		return failed != nil || last.Status == status
	})
	if failed != nil {
		err = failed
	}
	return last, err
}

func fetch(ctx context.Context, method, url, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+stack.APIKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", resp.Status, raw)
	}
	return string(raw), err
}
