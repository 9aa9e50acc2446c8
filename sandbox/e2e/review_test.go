//go:build integration

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

type reviewJSON struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Reason    string    `json:"reason"`
	ShareURL  string    `json:"share_url"`
	ExpiresAt time.Time `json:"expires_at"`
	DeleteAt  time.Time `json:"delete_at"`
	Reviewers []string  `json:"reviewers"`
	Notes     []string  `json:"notes"`
	Assets    []struct {
		AssetID  string `json:"iconik_asset_id"`
		FileID   string `json:"frameio_file_id"`
		State    string `json:"state"`
		Decision string `json:"decision"`
	} `json:"assets"`
	Comments struct {
		ToIconik  int `json:"to_iconik"`
		ToFrameio int `json:"to_frameio"`
		Open      int `json:"open"`
	} `json:"comments"`
}

const patience = 30 * time.Second

// asset makes an iconik asset with its proxy.
func (s *stage) asset(title string) string {
	s.t.Helper()
	id, err := s.Iconik.AddAsset(title, "", samples.Media("25.mov"))
	require.NoError(s.t, err)
	require.True(s.t, s.Iconik.AwaitProxy(id, patience))
	return id
}

func form(changes map[string][]string) map[string][]string {
	f := map[string][]string{"framebridge_reviewers": {"rita@client.example, rob@client.example"}, "framebridge_message": {"Please look"},
		"framebridge_expires": {time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, "framebridge_quality": {"proxy"}}
	for k, v := range changes {
		f[k] = v
	}
	return f
}

// sendReview clicks the action and returns the review.
func (s *stage) sendReview(values map[string][]string, assets ...string) reviewJSON {
	s.t.Helper()
	before := len(s.reviews())
	where := "ASSET send"
	if len(assets) > 1 {
		where = "BULK send"
	}
	s.Iconik.Click(s.Actions[where], s.Iconik.ServiceUser(), assets, nil, values)
	require.Eventually(s.t, func() bool { return len(s.reviews()) > before }, patience, 20*time.Millisecond)
	return s.reviews()[0]
}

func (s *stage) reviews() []reviewJSON {
	var out struct{ Reviews []reviewJSON }
	s.call(http.MethodGet, "/reviews", nil, &out)
	return out.Reviews
}

func (s *stage) review(id string) reviewJSON {
	var out reviewJSON
	s.call(http.MethodGet, "/reviews/"+id, nil, &out)
	return out
}

func (s *stage) reviewIs(id, status string) reviewJSON {
	s.t.Helper()
	var last reviewJSON
	if !assert.Eventually(s.t, func() bool { last = s.review(id); return last.Status == status }, patience, 50*time.Millisecond) {
		s.t.Fatalf("the review is %s (%s), not %s", last.Status, last.Reason, status)
	}
	return last
}

// segmentTexts are the texts of an asset's comments in iconik.
func (s *stage) segmentTexts(asset string) []string {
	var out []string
	for _, d := range s.Iconik.Segments(asset) {
		out = append(out, fmt.Sprint(d["segment_text"]))
	}
	return out
}

func (s *stage) frameioTexts(file string) []string {
	var out []string
	for _, c := range s.Frameio.CommentsOf(file) {
		out = append(out, c.Text)
	}
	return out
}

func (s *stage) soon(what string, ok func() bool) {
	s.t.Helper()
	require.Eventually(s.t, ok, patience, 20*time.Millisecond, what)
}

// told waits for mails whose subjects begin so: a mail comes after what it tells of.
func (s *stage) told(subjects ...string) {
	s.t.Helper()
	for _, want := range subjects {
		s.soon("a mail: "+want, func() bool {
			return slices.ContainsFunc(s.Mail.Messages(), func(m mailtest.Message) bool { return strings.HasPrefix(m.Subject, want) })
		})
	}
}

func frames(n int64) *int64 { return &n }

// TestAReviewFromTheClickToTheDeletion is the second feature, whole.
func TestAReviewFromTheClickToTheDeletion(t *testing.T) {
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

	for _, kind := range []string{"csv", "edl", "fcpxml", "json"} {
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
	s.told("Review is open", "Review expired", "Review media will be deleted", "Review media is deleted")
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

func (s *stage) reviewProject() string {
	for _, p := range s.Frameio.Projects() {
		if p.Name == "iconik Reviews" {
			return p.ID
		}
	}
	s.t.Fatal("there is no project for reviews")
	return ""
}

func (s *stage) reviewRoot() string {
	for _, p := range s.Frameio.Projects() {
		if p.Name == "iconik Reviews" {
			return p.RootID
		}
	}
	return ""
}

func TestWithoutItsWatermarkNothingIsShared(t *testing.T) {
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
	assert.Less(t, time.Since(began), time.Second)
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

// TestPollingAloneBringsComments has no webhooks at all.
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
	assert.Less(t, time.Since(at), 4*time.Second, "the poll's interval and 2 s")
}

// TestWhatPeopleDoByHandIsNoticed: deleted link, deleted file, deleted asset.
func TestWhatPeopleDoByHandIsNoticed(t *testing.T) {
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
	assert.True(t, s.Frameio.Shares(s.reviewProject())[0].Inactive, "it is told, not fought")
	assert.Equal(t, http.StatusAccepted, s.call(http.MethodPost, "/reviews/"+r.ID+"/stop", nil, nil))
	r = s.reviewIs(r.ID, "stopped")
	assert.False(t, r.DeleteAt.IsZero())
	assert.Equal(t, http.StatusUnprocessableEntity, s.call(http.MethodPost, "/reviews/"+r.ID+"/stop", nil, nil))
	assert.Equal(t, http.StatusUnprocessableEntity, s.call(http.MethodPost, "/reviews/"+r.ID+"/extend", map[string]string{"expires_at": "2020-01-01"}, nil))
}

// TestKillsDoNotLoseOrDouble kills worker and starter again and again while a review is sent and comments come and go.
func TestKillsDoNotLoseOrDouble(t *testing.T) {
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

// TestManyReviews measures how long a comment takes with 50 reviews open. FRAMEBRIDGE_LOAD sets how many are opened; it
// prints, besides, what the worker does while nobody says anything.
func TestManyReviews(t *testing.T) {
	n := 0
	if _, err := fmt.Sscan(os.Getenv("FRAMEBRIDGE_LOAD"), &n); err != nil {
		t.Skip("a measurement: set FRAMEBRIDGE_LOAD to the number of reviews")
	}
	o := options(t)
	o.RateLimits = os.Getenv("FRAMEBRIDGE_LIMITS") != ""
	o.Review = map[string]string{"poll_interval": "1m"}
	s := open(t, o)
	assets := make([]string, n)
	for i := range assets {
		assets[i] = s.asset(fmt.Sprintf("Clip %d.mov", i))
	}
	for _, a := range assets {
		s.Iconik.Click(s.Actions["ASSET send"], s.Iconik.ServiceUser(), []string{a}, nil, form(nil))
		time.Sleep(50 * time.Millisecond)
	}
	files := map[string]string{}
	require.Eventually(t, func() bool {
		for after := ""; ; {
			var out struct {
				Reviews []reviewJSON
				Next    *string
			}
			s.call(http.MethodGet, "/reviews?limit=1000&after="+after, nil, &out)
			for _, r := range out.Reviews {
				if r.Status == "open" {
					files[r.Assets[0].AssetID] = r.Assets[0].FileID
				}
			}
			if out.Next == nil {
				break
			}
			after = *out.Next
		}
		return len(files) == n
	}, 30*time.Minute, 2*time.Second)
	var took []time.Duration
	for range 4 {
		for i, a := range assets[:min(n, 50)] {
			before := len(s.Iconik.Segments(a))
			at := time.Now()
			s.Frameio.Say(frameiosim.Comment{AssetID: files[a], Text: fmt.Sprintf("round %d", i), Timestamp: frames(int64(i))})
			for len(s.Iconik.Segments(a)) == before && time.Since(at) < patience {
				time.Sleep(5 * time.Millisecond)
			}
			took = append(took, time.Since(at))
		}
	}
	slices.Sort(took)
	t.Logf("%d reviews open: a comment takes %s (median), %s (p95), %s (longest)", n, took[len(took)/2].Round(time.Millisecond), took[len(took)*95/100].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	before, calls := cpu(t, s.Worker.Pid()), total(s.Frameio.Calls())+total(s.Iconik.Calls())
	time.Sleep(2 * time.Minute)
	t.Logf("in 2 idle minutes the worker used %.1f %% of a core, %d MiB at most, and %d calls of both vendors", (cpu(t, s.Worker.Pid())-before)/1.2, peak(t, s.Worker.Pid())>>20, total(s.Frameio.Calls())+total(s.Iconik.Calls())-calls)
}

func total(calls map[string]int) (n int) {
	for _, c := range calls {
		n += c
	}
	return n
}

// cpu is the processor time that a process has used, in seconds.
func cpu(t *testing.T, pid int) float64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	fields := strings.Fields(string(raw[strings.LastIndex(string(raw), ")")+2:]))
	var user, system float64
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	require.NoError(t, err)
	return (user + system) / 100
}

// TestTheSandboxsClock moves time on the sandbox's page: the expiry by Framebridge's own extend, the 30 days of retention
// by Temporal's clock.
func TestTheSandboxsClock(t *testing.T) {
	s := open(t, options(t))
	asset := s.asset("Clock <b>.mov")
	r := s.sendReview(form(nil), asset)
	r = s.reviewIs(r.ID, "open")
	page := func(url string) string {
		resp, err := http.Get(url)
		require.NoError(t, err)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(raw)
	}
	press := func(what, origin string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.PageURL+"/reviews/"+r.ID+"/"+what, nil)
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(raw)
	}
	assert.Contains(t, page(s.PageURL), "Jump to the expiry")
	assert.NotContains(t, page(s.PageURL), "Clock <b>")
	code, _ := press("expire", "https://elsewhere.example")
	require.Equal(t, http.StatusForbidden, code, "another site pressed the button")
	_, said := press("delete", s.PageURL)
	require.Contains(t, said, "the review is open", "a review that runs is not deleted")

	_, _ = press("expire", s.PageURL)
	r = s.reviewIs(r.ID, "expired")
	require.WithinDuration(t, time.Now().Add(30*24*time.Hour), r.DeleteAt, time.Minute)
	require.Contains(t, page(r.ShareURL), "This link has expired.")
	require.Len(t, s.Frameio.AssetsOf(s.reviewProject()), 3, "root, folder and file")

	_, _ = press("delete", s.PageURL)
	s.reviewIs(r.ID, "deleted")
	require.Len(t, s.Frameio.AssetsOf(s.reviewProject()), 1, "the root alone")
	s.told("Review expired", "Review media will be deleted", "Review media is deleted")
	assert.Contains(t, page(s.PageURL), "Review media will be deleted")
}
