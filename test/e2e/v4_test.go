//go:build integration

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/stack"
)

func optionsV4(t *testing.T) stack.Options {
	o := options(t)
	o.Generation = "v4"
	return o
}

// TestV4ArchivesAndReviews is both features on V4, with Adobe's sign-in.
func TestV4ArchivesAndReviews(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, optionsV4(t))
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, func(a archiveJSON) bool { return a.Status != "" })
	s.Frameio.SignIn().Void() // while the archive runs
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	assert.Contains(t, a.Reason, "17 of 18 files verified")
	assert.Equal(t, a.Comments.Total, a.Comments.Done)
	assert.Positive(t, a.Comments.Done)
	assert.LessOrEqual(t, s.Frameio.SignIn().Minted(), 4, "worker and starter share their tokens")

	asset := s.asset("Interview A.mov")
	r := s.reviewIs(s.sendReview(form(nil), asset).ID, "open")
	file := r.Assets[0].FileID
	assert.Len(t, s.Frameio.Mails(), 2)
	c := s.Frameio.Say(frameiosim.Comment{AssetID: file, Text: "Darker here", Timestamp: frames(50), Guest: &frameiosim.User{ID: "g", Name: "Rita", Email: "rita@client.example"}})
	s.soon("the comment is in iconik", func() bool { return len(s.Iconik.Segments(asset)) == 1 })
	s.Iconik.Comment(asset, s.Iconik.ServiceUser(), "Done", nil, nil, s.Iconik.Segments(asset)[0]["id"].(string), nil)
	s.soon("the reply is in Frame.io", func() bool { return len(s.Frameio.CommentsOf(file)) == 2 })
	reply := s.Frameio.CommentsOf(file)[1]
	assert.Empty(t, reply.ParentID, "V4 makes no replies")
	assert.EqualValues(t, 50, *reply.Timestamp)
	assert.Equal(t, "↪ reply to Rita: “Darker here” — Framebridge Service: Done", reply.Text)
	s.Frameio.Say(frameiosim.Comment{AssetID: file, ParentID: c.ID, Text: "Thanks"})
	s.soon("the reply is in iconik", func() bool { return len(s.Iconik.Segments(asset)) == 3 })
	time.Sleep(2 * time.Second)
	assert.Len(t, s.Frameio.CommentsOf(file), 3, "the quoted reply is no new thread: %v", s.frameioTexts(file))
	assert.Len(t, s.Iconik.Segments(asset), 3, "%v", s.segmentTexts(asset))
	s.replay()
}

func TestV4SharesNothingWithoutItsWatermark(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shares, attested string
		plain            bool
		status, reason   string
	}{
		"switched on":                      {frameiosim.Shares202609, "false", false, "open", ""},
		"not switched on":                  {frameiosim.Shares202609, "true", true, "failed", "did not turn on the link's watermark"},
		"an older server":                  {frameiosim.Shares202607, "false", false, "failed", "does not report"},
		"an older server, policy attested": {frameiosim.Shares202607, "true", false, "open", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := optionsV4(t)
			o.Shares, o.Plain = c.shares, c.plain
			o.Review = map[string]string{"watermark_attested": c.attested}
			s := open(t, o)
			r := s.reviewIs(s.sendReview(form(nil), s.asset("Secret.mov")).ID, c.status)
			assert.Contains(t, r.Reason, c.reason)
			if c.status == "failed" {
				assert.Empty(t, s.Frameio.Mails(), "nobody is invited")
				for _, sh := range s.Frameio.Shares(s.reviewProject()) {
					assert.True(t, sh.Inactive || sh.ExpiresAt.Before(time.Now().Add(time.Second)), "the link is shut")
				}
				s.soon("the media is deleted", func() bool { return len(s.Frameio.AssetsOf(s.reviewProject())) == 1 })
				return
			}
			require.Len(t, s.Frameio.Mails(), 2)
		})
	}
}

// TestTheAccountMovesToV4 migrates the account while an archive runs and a review is open. The operator is told what to do,
// and with the new configuration both continue.
func TestTheAccountMovesToV4(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, options(t))
	asset := s.asset("Interview A.mov")
	r := s.reviewIs(s.sendReview(form(nil), asset).ID, "open")
	s.Frameio.Say(frameiosim.Comment{AssetID: r.Assets[0].FileID, Text: "before the move", Timestamp: frames(5)})
	s.soon("the comment is in iconik", func() bool { return len(s.Iconik.Segments(asset)) == 1 })
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, func(a archiveJSON) bool { return a.Items.Copied > 0 })
	s.Frameio.Migrate()
	s.soon("the operator is told", func() bool {
		for _, m := range s.Mail.Messages() {
			if strings.Contains(m.Subject, "migrated to V4") {
				return true
			}
		}
		return false
	})
	require.NoError(t, s.Reconfigure("v4"))
	a := s.until(s.project.ID, ended)
	assert.True(t, strings.HasPrefix(a.Status, "verified"), "%s: %s", a.Status, a.Reason)
	assert.Equal(t, 1, strings.Count(s.Iconik.Tree(), "frameio:project:"), "nothing is there twice")
	require.Eventually(t, func() bool { return s.review(r.ID).ShareURL != r.ShareURL && s.review(r.ID).ShareURL != "" }, patience, 200*time.Millisecond, "the review has a new link")
	assert.Len(t, s.Frameio.Mails(), 4, "its reviewers are invited again, once")
	s.Frameio.Say(frameiosim.Comment{AssetID: r.Assets[0].FileID, Text: "after the move", Timestamp: frames(6)})
	s.soon("the review goes on", func() bool { return len(s.Iconik.Segments(asset)) == 2 })
}

// TestFrameioActionArchives clicks the custom action "Archive to iconik": a form with a preview, then one archive.
func TestFrameioActionArchives(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, optionsV4(t))
	click := func(data any) (int, map[string]any) {
		body := map[string]any{"account_id": "a", "action_id": "b", "interaction_id": "one-click", "type": "archive", "project": map[string]string{"id": s.project.ID},
			"resource": map[string]string{"id": s.project.ID, "type": "folder"}, "user": map[string]string{"id": "u"}, "workspace": map[string]string{"id": s.team}}
		if data != nil {
			body["data"] = data
		}
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		at := strconv.FormatInt(time.Now().Unix(), 10)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.APIURL+prefix+"/archive/actions/frameio?tenant-id="+stack.Tenant, bytes.NewReader(raw))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Frameio-Request-Timestamp", at)
		req.Header.Set("X-Frameio-Signature", frameio.Sign(stack.HookSecret, at, raw))
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		var out map[string]any
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
		return resp.StatusCode, out
	}
	code, form := click(nil)
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, form["description"], "18 files")
	assert.NotEmpty(t, form["fields"])
	_, no := click(map[string]string{"confirm": "no"})
	assert.Equal(t, "Nothing was started", no["title"])
	_, yes := click(map[string]string{"confirm": "yes"})
	assert.Equal(t, "Archive started", yes["title"])
	_, again := click(map[string]string{"confirm": "yes"})
	assert.Equal(t, "Already started", again["title"])
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
}

// TestLoginKeepsARotatingToken signs in as a person would, and uses the rotating token.
func TestLoginKeepsARotatingToken(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, optionsV4(t))
	s.Starter.Stop()
	cmd := exec.CommandContext(t.Context(), stack.BinDir(root)+"/starter", "login", "--config", s.Config, "--redirect", "http://localhost:28765/callback")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address := strings.TrimSpace(lines.Text()); strings.HasPrefix(address, "http") {
			resp, err := http.Get(address)
			require.NoError(t, err)
			resp.Body.Close()
			break
		}
	}
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	require.NoError(t, cmd.Wait())
	assert.Equal(t, "Signed in as Sam Sandbox <sam@example.com>.", last)
	require.NoError(t, s.Starter.Start())
	require.NoError(t, s.Ready(t.Context()))
	for range 3 { // each time the previous refresh token is void
		s.Frameio.SignIn().Void()
		s.call(http.MethodPost, "/archives", map[string]any{"project_id": s.project.ID, "dry_run": true}, nil)
	}
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, func(a archiveJSON) bool { return a.Status != "" })
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
}
