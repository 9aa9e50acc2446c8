//go:build integration

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// patience is how long anything may take on a machine that is busy with other tests. It costs time only if something is wrong.
const patience = 5 * time.Minute

// TestAReviewFromTheClickToTheDeletion is the whole second feature.
func TestAReviewFromTheClickToTheDeletion(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Review = map[string]string{"retention": "6s", "warn_before": "3s"}
	s := open(t, o)
	asset := s.asset("Interview A.mov")
	was := s.Iconik.Comment(asset, s.Iconik.ServiceUser(), "said before the review", frames(0), frames(0), "", nil)
	require.NotEmpty(t, was)
	r := s.sendReview(form(map[string][]string{"framebridge_passphrase": {"open-sesame-4711"}}), asset)
	r = s.reviewIs(r.ID, "open")
	require.Len(t, r.Assets, 1)
	file := r.Assets[0].FileID
	assert.Equal(t, "open", s.Iconik.Values("assets", asset)["framebridge_review_status"])
	assert.Equal(t, r.ShareURL, s.Iconik.Values("assets", asset)["framebridge_review_link"])
	mails := s.Frameio.Mails()
	require.Len(t, mails, 2, "each reviewer is invited once")
	assert.Equal(t, "Please look", mails[0].Message)
	assert.Empty(t, s.frameioTexts(file), "what was said before stays inside the house")

	// From Frame.io to iconik.
	rita := &frameiosim.User{ID: "guest-1", Name: "Rita", Email: "rita@client.example"}
	annotation := `[{"tool":"rect","color":"#E74A3C","size":4,"x":0.1,"y":0.2,"w":0.3,"h":0.25,"radius":4}]`
	c := s.Frameio.Say(frameiosim.Comment{AssetID: file, Text: "Darker here", Timestamp: frames(50), Duration: frames(25), Annotation: annotation, Guest: rita})
	s.soon("the comment is in iconik", func() bool { return len(s.Iconik.Segments(asset)) == 2 })
	seg := s.Iconik.Segments(asset)[1]
	assert.Equal(t, "Rita <rita@client.example> (Frame.io guest): Darker here", seg["segment_text"])
	assert.EqualValues(t, 2000, seg["time_start_milliseconds"])
	assert.EqualValues(t, 2960, seg["time_end_milliseconds"])
	assert.Equal(t, true, seg["has_drawing"])
	s.Frameio.Say(frameiosim.Comment{AssetID: file, ParentID: c.ID, Text: "Even darker", Guest: rita})
	s.soon("the reply is in iconik", func() bool { return len(s.Iconik.Segments(asset)) == 3 })
	assert.Equal(t, seg["id"], s.Iconik.Segments(asset)[2]["parent_id"])
	s.Frameio.Edit(c.ID, func(c *frameiosim.Comment) { c.Text = "Much darker here" })
	s.soon("the edit is in iconik", func() bool {
		return slices.Contains(s.segmentTexts(asset), "Rita <rita@client.example> (Frame.io guest): Much darker here")
	})
	s.Frameio.Complete(c.ID, true)
	s.soon("it is checked in iconik", func() bool { return s.Iconik.Segments(asset)[1]["segment_checked"] == true })

	// From iconik to Frame.io.
	drawing := map[string]any{"primitives": []any{map[string]any{"type": "ARROW", "color": "#00FF00", "width": 3, "points": []any{map[string]any{"x": 0.5, "y": 0.5}, map[string]any{"x": 0.75, "y": 0.25}}},
		map[string]any{"type": "TEXT", "color": "#00FF00", "text": "look", "points": []any{map[string]any{"x": 0.1, "y": 0.1}}}}}
	mine := s.Iconik.Comment(asset, s.Iconik.ServiceUser(), "We fixed it", frames(4000), frames(4000), "", drawing)
	s.soon("the comment is in Frame.io", func() bool { return len(s.Frameio.CommentsOf(file)) == 3 })
	there := s.Frameio.CommentsOf(file)[2]
	assert.Contains(t, there.Text, "We fixed it")
	assert.Contains(t, there.Text, `also drawn in iconik: text "look"`)
	require.NotNil(t, there.Timestamp)
	assert.EqualValues(t, 100, *there.Timestamp)
	assert.Contains(t, there.Annotation, `"tool":"arrow"`)
	s.Iconik.Comment(asset, s.Iconik.ServiceUser(), "reply of ours", nil, nil, fmt.Sprint(seg["id"]), nil)
	s.soon("the reply is in Frame.io", func() bool { return len(s.Frameio.CommentsOf(file)) == 4 })
	assert.Equal(t, c.ID, s.Frameio.CommentsOf(file)[3].ParentID)
	require.NoError(t, s.Iconik.EditSegment(asset, mine, map[string]any{"segment_text": "We fixed it twice", "segment_checked": true}))
	s.soon("the edit is in Frame.io", func() bool {
		c := s.Frameio.CommentsOf(file)[2]
		return strings.Contains(c.Text, "We fixed it twice") && c.Completed
	})
	require.NoError(t, s.Iconik.DeleteSegment(asset, mine))
	s.soon("the deletion is in Frame.io", func() bool { return len(s.Frameio.CommentsOf(file)) == 3 })

	// A decision.
	s.Frameio.Label(file, "approved")
	s.soon("the decision is in iconik", func() bool { return s.Iconik.Values("assets", asset)["framebridge_decision"] == "approved" })
	assert.Equal(t, "APPROVED", s.Iconik.Approval(asset))

	// Nothing echoes.
	time.Sleep(3 * time.Second)
	assert.Len(t, s.Frameio.CommentsOf(file), 3, "%v", s.frameioTexts(file))
	assert.Len(t, s.Iconik.Segments(asset), 4, "%v", s.segmentTexts(asset))

	for _, kind := range []string{"csv", "json", "edl", "fcpxml", "xml", "txt", "otio"} {
		assert.Equal(t, http.StatusOK, s.call(http.MethodGet, "/reviews/"+r.ID+"/comments."+kind, nil, nil), kind)
	}

	// The end.
	assert.Equal(t, http.StatusAccepted, s.call(http.MethodPost, "/reviews/"+r.ID+"/extend", map[string]string{"expires_at": time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano)}, nil))
	s.reviewIs(r.ID, "expired")
	assert.True(t, s.Frameio.Shares(s.reviewProject())[0].Inactive, "the link is revoked")
	other, err := s.Frameio.AddFile(s.reviewRoot(), frameiosim.File{Name: "not ours.mov", Type: "video/quicktime", Body: []byte("not ours")})
	require.NoError(t, err)
	s.reviewIs(r.ID, "deleted")
	var left []string
	for _, a := range s.Frameio.AssetsOf(s.reviewProject()) {
		left = append(left, a.Name)
	}
	assert.ElementsMatch(t, []string{"root", other.Name}, left)
	assert.Equal(t, "deleted", s.Iconik.Values("assets", asset)["framebridge_review_status"])
	s.told("Review open", "Review expired", "Review media will be deleted", "Review media deleted")
	s.replay()
	dir := s.Config[:strings.LastIndex(s.Config, "/")]
	s.Stop()
	for _, file := range []string{s.Worker.LogFile(), s.Starter.LogFile(), dir + "/temporal-1.32.1.db", dir + "/ledger.db"} {
		assertClean(t, file)
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotContains(t, string(raw), "open-sesame-4711", file)
	}
}

func (s *harness) reviewProject() string {
	for _, p := range s.Frameio.Projects() {
		if p.Name == "iconik Reviews" {
			return p.ID
		}
	}
	s.t.Fatal("there is no project for reviews")
	return ""
}

func (s *harness) reviewRoot() string {
	for _, p := range s.Frameio.Projects() {
		if p.Name == "iconik Reviews" {
			return p.RootID
		}
	}
	return ""
}

func TestWithoutItsWatermarkNothingIsShared(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Plain = true
	s := open(t, o)
	asset := s.asset("Secret.mov")
	r := s.sendReview(form(nil), asset)
	r = s.reviewIs(r.ID, "failed")
	assert.Contains(t, r.Reason, "watermark")
	assert.Empty(t, s.Frameio.Mails())
	assert.Empty(t, s.Frameio.Shares(s.reviewProject()))
	s.soon("the media is deleted", func() bool { return len(s.Frameio.AssetsOf(s.reviewProject())) == 1 })
	assert.Contains(t, s.Iconik.Values("assets", asset)["framebridge_review_error"], "watermark")
}

func TestClicksAndMistakes(t *testing.T) {
	s := open(t, options(t))
	asset := s.asset("Clip.mov")
	body := func(values map[string]any) map[string]any {
		return map[string]any{"user_id": s.Iconik.ServiceUser(), "system_domain_id": s.Iconik.Domain(), "context": "ASSET", "action_id": "x", "asset_ids": []string{asset}, "collection_ids": []string{},
			"metadata_values": values, "date_created": "2026-11-24T10:00:00.000001", "auth_token": ""}
	}
	field := func(v ...string) map[string]any {
		rows := []any{}
		for _, x := range v {
			rows = append(rows, map[string]any{"value": x})
		}
		return map[string]any{"field_values": rows}
	}
	post := func(body any, secret string) (int, map[string]any) {
		return s.post("/review/actions/send", body, secret)
	}
	good := map[string]any{"framebridge_reviewers": field("a@b.example; c@d.example"), "framebridge_expires": field(time.Now().AddDate(0, 0, 7).Format("2006-01-02"))}

	code, _ := post(body(good), "wrong")
	assert.Equal(t, http.StatusUnauthorized, code)
	for name, c := range map[string]struct {
		change map[string]any
		field  string
	}{
		"no reviewer": {map[string]any{"framebridge_reviewers": field()}, "framebridge_reviewers"},
		"no address":  {map[string]any{"framebridge_reviewers": field("a@b.example nonsense")}, "framebridge_reviewers"},
		"past":        {map[string]any{"framebridge_expires": field("2020-01-01")}, "framebridge_expires"},
		"too late":    {map[string]any{"framebridge_expires": field("2099-01-01")}, "framebridge_expires"},
		"no date":     {map[string]any{"framebridge_expires": field("soon")}, "framebridge_expires"},
		"quality":     {map[string]any{"framebridge_quality": field("best")}, "framebridge_quality"},
	} {
		values := map[string]any{}
		for k, v := range good {
			values[k] = v
		}
		for k, v := range c.change {
			values[k] = v
		}
		code, problem := post(body(values), stack.ActionSecret)
		assert.Equal(t, http.StatusUnprocessableEntity, code, name)
		assert.Equal(t, c.field, problem["field"], name)
	}
	jobs := 0
	for _, j := range s.Iconik.Docs("jobs") {
		if j["status"] == "FAILED" && j["error_message"] != nil {
			jobs++
		}
	}
	assert.Equal(t, 6, jobs, "each mistake is shown in iconik")
	other := body(good)
	other["system_domain_id"] = "9b2e5f10-0000-11ef-9c1a-0242ac120002"
	code, problem := post(other, stack.ActionSecret)
	assert.Equal(t, http.StatusUnprocessableEntity, code)
	assert.Equal(t, "system_domain_id", problem["field"])

	began := time.Now()
	code, first := post(body(good), stack.ActionSecret)
	assert.Less(t, time.Since(began), 10*time.Second, "iconik waits no longer for an action")
	assert.Equal(t, http.StatusAccepted, code)
	code, second := post(body(good), stack.ActionSecret)
	assert.Equal(t, http.StatusAccepted, code)
	assert.Equal(t, first["id"], second["id"], "the same click twice makes one review")
	s.reviewIs(fmt.Sprint(first["id"]), "open")

	// A second send while the review runs: a new version in the stack.
	require.NoError(t, s.Iconik.AddVersion(asset, "Clip v2.mov", samples.Media("30.mov")))
	again := body(good)
	again["date_created"] = "2026-11-24T11:00:00.000001"
	again["metadata_values"].(map[string]any)["framebridge_reviewers"] = field("new@b.example")
	again["metadata_values"].(map[string]any)["framebridge_quality"] = field("original")
	_, third := post(again, stack.ActionSecret)
	s.reviewIs(fmt.Sprint(third["id"]), "stopped")
	s.soon("two versions are ready", func() bool {
		r := s.review(fmt.Sprint(first["id"]))
		return len(r.Assets) == 2 && r.Assets[1].State == "ready"
	})
	s.soon("the new reviewer is invited", func() bool { return len(s.Frameio.Mails()) == 3 })
	stacks := 0
	for _, a := range s.Frameio.AssetsOf(s.reviewProject()) {
		if a.Type == "version_stack" {
			stacks++
		}
	}
	assert.Equal(t, 1, stacks)
	r := s.review(fmt.Sprint(first["id"]))
	s.Frameio.Say(frameiosim.Comment{AssetID: r.Assets[1].FileID, Text: "on the second", Timestamp: frames(10)})
	s.soon("the comment is on the second version", func() bool {
		segs := s.Iconik.Segments(asset)
		return len(segs) == 1 && segs[0]["version_id"] == s.Iconik.CurrentVersion(asset)
	})
}

// TestPollingAloneBringsComments runs without any webhooks.
func TestPollingAloneBringsComments(t *testing.T) {
	o := options(t)
	o.NoHook = true
	o.Review = map[string]string{"poll_interval": "2s"}
	s := open(t, o)
	asset := s.asset("Quiet.mov")
	r := s.reviewIs(s.sendReview(form(nil), asset).ID, "open")
	file := r.Assets[0].FileID
	time.Sleep(3 * time.Second)
	at := time.Now()
	s.Frameio.Say(frameiosim.Comment{AssetID: file, Text: "hello", Timestamp: frames(1)})
	s.Iconik.Comment(asset, s.Iconik.ServiceUser(), "hello back", frames(40), frames(40), "", nil)
	s.soon("both sides have both", func() bool { return len(s.Iconik.Segments(asset)) == 2 && len(s.Frameio.CommentsOf(file)) == 2 })
	assert.Less(t, time.Since(at), 20*time.Second, "the poll's interval, and what a busy machine adds")
}

// TestWhatPeopleDoByHandIsNoticed deletes a link, a file and an asset.
func TestWhatPeopleDoByHandIsNoticed(t *testing.T) {
	t.Parallel()
	s := open(t, options(t))
	first, second := s.asset("One.mov"), s.asset("Two.mov")
	r := s.reviewIs(s.sendReview(form(nil), first, second).ID, "open")
	require.Len(t, r.Assets, 2)
	s.Frameio.Say(frameiosim.Comment{AssetID: r.Assets[0].FileID, Text: "keep me", Timestamp: frames(1)})
	s.soon("the comment is in iconik", func() bool { return len(s.Iconik.Segments(first)) == 1 })
	s.Frameio.DeleteAsset(r.Assets[0].FileID)
	s.soon("the deletion is noticed", func() bool { return s.review(r.ID).Assets[0].State == "gone" })
	assert.Len(t, s.Iconik.Segments(first), 1, "comments in iconik are left alone")
	link := s.Frameio.Shares(s.reviewProject())[0].ID
	s.Frameio.EditShare(link, func(sh *frameiosim.Share) { sh.Inactive = true })
	s.soon("the link is noticed", func() bool {
		return slices.ContainsFunc(s.review(r.ID).Notes, func(n string) bool { return strings.Contains(n, "switched off") })
	})
	assert.Equal(t, "open", s.review(r.ID).Status)
	assert.True(t, s.Frameio.Shares(s.reviewProject())[0].Inactive, "it is reported and left as it is")
	assert.Equal(t, http.StatusAccepted, s.call(http.MethodPost, "/reviews/"+r.ID+"/stop", nil, nil))
	r = s.reviewIs(r.ID, "stopped")
	assert.False(t, r.DeleteAt.IsZero())
	assert.Equal(t, http.StatusUnprocessableEntity, s.call(http.MethodPost, "/reviews/"+r.ID+"/stop", nil, nil))
	assert.Equal(t, http.StatusUnprocessableEntity, s.call(http.MethodPost, "/reviews/"+r.ID+"/extend", map[string]string{"expires_at": "2020-01-01"}, nil))
}

// TestKillsDoNotLoseOrDouble kills worker and starter repeatedly while a review is sent and comments are synced.
func TestKillsDoNotLoseOrDouble(t *testing.T) {
	t.Parallel()
	s := open(t, options(t))
	asset, err := s.Iconik.AddAsset("Long.mov", "", samples.Bytes(40<<20))
	require.NoError(t, err)
	r := s.sendReview(form(map[string][]string{"framebridge_quality": {"original"}}), asset)
	for range 4 {
		time.Sleep(400 * time.Millisecond)
		s.Worker.Kill()
		require.NoError(t, s.Worker.Start())
	}
	r = s.reviewIs(r.ID, "open")
	require.Len(t, s.Frameio.Mails(), 2, "each reviewer is invited once")
	files := 0
	for _, a := range s.Frameio.AssetsOf(s.reviewProject()) {
		if a.Type == "file" {
			files++
		}
	}
	assert.Equal(t, 1, files)
	file := r.Assets[0].FileID
	for i := range 12 {
		s.Frameio.Say(frameiosim.Comment{AssetID: file, Text: fmt.Sprintf("there %d", i), Timestamp: frames(int64(i))})
		s.Iconik.Comment(asset, s.Iconik.ServiceUser(), fmt.Sprintf("here %d", i), frames(int64(40*i)), frames(int64(40*i)), "", nil)
		if i%4 == 3 {
			s.Worker.Kill()
			require.NoError(t, s.Worker.Start())
		}
		if i == 6 {
			s.Starter.Kill()
			require.NoError(t, s.Starter.Start())
		}
		time.Sleep(150 * time.Millisecond)
	}
	s.soon("both sides have all", func() bool { return len(s.Frameio.CommentsOf(file)) >= 24 && len(s.Iconik.Segments(asset)) >= 24 })
	time.Sleep(3 * time.Second)
	assert.Len(t, s.Frameio.CommentsOf(file), 24, "%v", s.frameioTexts(file))
	assert.Len(t, s.Iconik.Segments(asset), 24, "%v", s.segmentTexts(asset))
}
