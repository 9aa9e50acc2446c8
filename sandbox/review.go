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

const clipTitle = "Harbour Lights – Trailer.mov"

// seedReview adds a clip to iconik that can be sent to review, unless it exists.
func seedReview(s *stack.Stack) (string, error) {
	if id, ok := s.Iconik.AssetTitled(clipTitle); ok {
		return id, nil
	}
	return s.Iconik.AddAsset(clipTitle, "", samples.Media("trailer.mov"))
}

// demonstrate plays a review in seconds: the click, comments from both sides, a decision, and, with the clock moved,
// expiry and deletion.
func demonstrate(ctx context.Context, s *stack.Stack, asset string, out io.Writer) error {
	s.Iconik.AwaitProxy(asset, 10*time.Second)
	fmt.Fprintf(out, "Somebody clicks “Framebridge: send to Frame.io” on %s.\n", s.IconikURL+"/asset/"+asset)
	s.Iconik.Click(s.Actions["ASSET send"], s.Iconik.ServiceUser(), []string{asset}, nil, map[string][]string{"framebridge_reviewers": {"rita@client.example"},
		"framebridge_message": {"Please look at the trailer"}, "framebridge_quality": {"proxy"}})
	r, err := await(ctx, s, "open")
	if err != nil {
		return err
	}
	file := r.Assets[0].FileID
	fmt.Fprintf(out, "The review is open:\n  reviewer's page  %s\n  asset in iconik  %s\n  workflow         %s\n", r.Share, s.IconikURL+"/asset/"+asset, r.Temporal)
	frame, ms := int64(50), int64(3000)
	c := s.Frameio.Say(frameiosim.Comment{AssetID: file, Text: "A little darker here, please", Timestamp: &frame, Guest: &frameiosim.User{ID: "guest", Name: "Rita Reviewer", Email: "rita@client.example"},
		Annotation: `[{"tool":"rect","color":"#E74A3C","size":4,"x":0.3,"y":0.3,"w":0.3,"h":0.25,"radius":4}]`})
	s.Iconik.Comment(asset, s.Iconik.UserOf(editor), "The title is a placeholder", &ms, &ms, "", nil)
	if err := until(ctx, func() bool { return len(s.Iconik.Segments(asset)) == 2 && len(s.Frameio.CommentsOf(file)) == 2 }); err != nil {
		return err
	}
	s.Frameio.Say(frameiosim.Comment{AssetID: file, ParentID: c.ID, Text: "And the next shot, too", Guest: &frameiosim.User{ID: "guest-2", Name: "Carl Client", Email: "carl@client.example"}})
	s.Frameio.Label(file, "approved")
	if err := until(ctx, func() bool { return len(s.Iconik.Segments(asset)) == 3 && s.Iconik.Approval(asset) == "APPROVED" }); err != nil {
		return err
	}
	fmt.Fprintln(out, "Both sides have comments now. In iconik:")
	for _, g := range s.Iconik.Segments(asset) {
		fmt.Fprintf(out, "  %v\n", g["segment_text"])
	}
	fmt.Fprintln(out, "In Frame.io:")
	for _, m := range s.Frameio.CommentsOf(file) {
		fmt.Fprintf(out, "  %s\n", m.Text)
	}
	fmt.Fprintf(out, "Rita approved it: iconik shows %s.\n", s.Iconik.Approval(asset))
	s.Iconik.Decide(asset, s.Iconik.UserOf(editor), "NOT_APPROVED")
	status := func() string { return s.Frameio.StatusOf(file) }
	if err := until(ctx, func() bool { return status() == "Needs review" }); err != nil {
		return err
	}
	fmt.Fprintf(out, "Ellen rejected it in iconik: Frame.io shows %s. For the editor:\n", status())
	edl, _, err := s.Call(ctx, http.MethodGet, "/reviews/"+r.ID+"/comments.edl", "")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "  "+strings.ReplaceAll(strings.TrimSpace(string(edl)), "\n", "\n  "))
	if err := s.Expire(ctx, r.ID); err != nil {
		return err
	}
	if r, err = await(ctx, s, "expired"); err != nil {
		return err
	}
	fmt.Fprintf(out, "The expiry was moved to now: the review is %s, and its link says so.\nIts media is due for deletion on %s. Moving the clock there:\n", r.Status, r.DeleteAt.UTC().Format("January 2, 2006"))
	if err := s.Delete(ctx, r.ID); err != nil {
		fmt.Fprintf(out, "  %v\n", err) // another Temporal server may not let its clock be moved
		return nil
	}
	if r, err = await(ctx, s, "deleted"); err != nil {
		return err
	}
	fmt.Fprintf(out, "The review is %s. Its comments and decisions stay in iconik.\n", r.Status)
	return nil
}

func until(ctx context.Context, ok func() bool) error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("it took more than a minute: check Temporal's Web UI")
}

// await returns the newest review once it has the status.
func await(ctx context.Context, s *stack.Stack, status string) (stack.Review, error) {
	var last stack.Review
	var failed error
	err := until(ctx, func() bool {
		list, err := s.Reviews(ctx)
		if err != nil || len(list) == 0 {
			failed = err
			return err != nil
		}
		if last = list[0]; last.Status == "failed" {
			failed = fmt.Errorf("the review failed: %s", last.Reason)
		}
		return failed != nil || last.Status == status
	})
	if failed != nil {
		err = failed
	}
	return last, err
}
